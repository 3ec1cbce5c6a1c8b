"""Keep the charged-off loans, their target, and what is known when a loan goes into default.

A column is listed in ``_CHARGE_OFFS`` or it does not exist for the model; the README has a line
of reason for every column, kept or left out.
"""

import warnings
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from steps.sba.atomic import written_whole
from steps.sba.download import sha256_of

__all__ = ["TARGET", "charge_offs", "open_loans"]

TARGET = "LossGivenDefault"
SELECTION_VERSION = 1

# Unknown is stored in many ways: NAICS 0, NewExist 0, UrbanRural 0, and any RevLineCr or LowDoc
# other than Y and N. Franchise codes 0 and 1 both mean "no franchise". The loss is cut at the
# amount paid out: the few loans above it (0.7 %) have interest or costs added to the principal.
_CHARGE_OFFS = """
SELECT
    CAST(LoanNr_ChkDgt AS BIGINT) AS LoanNr_ChkDgt,
    CAST(ApprovalDate AS TIMESTAMP) AS ApprovalDate,
    CAST(State AS VARCHAR) AS State,
    CAST(BankState AS VARCHAR) AS BankState,
    CASE WHEN NAICS >= 110000 THEN left(CAST(NAICS AS VARCHAR), 2) END AS Sector,
    CASE WHEN RevLineCr IN ('Y', 'N') THEN RevLineCr END AS RevLineCr,
    CASE WHEN LowDoc IN ('Y', 'N') THEN LowDoc END AS LowDoc,
    CASE NewExist WHEN 1 THEN 'existing' WHEN 2 THEN 'new' END AS Business,
    CASE UrbanRural WHEN 1 THEN 'urban' WHEN 2 THEN 'rural' END AS UrbanRural,
    CAST(FranchiseCode > 1 AS DOUBLE) AS IsFranchise,
    CAST(NoEmp AS DOUBLE) AS NoEmp,
    CAST(CreateJob AS DOUBLE) AS CreateJob,
    CAST(RetainedJob AS DOUBLE) AS RetainedJob,
    CAST(GrAppv AS DOUBLE) AS GrAppv,
    CAST(SBA_Appv AS DOUBLE) AS SBA_Appv,
    CAST(DisbursementGross AS DOUBLE) AS DisbursementGross,
    greatest(0.0, least(1.0, CAST(ChgOffPrinGr AS DOUBLE) / CAST(DisbursementGross AS DOUBLE)))
        AS LossGivenDefault
FROM read_parquet(?)
WHERE MIS_Status = 'CHGOFF' AND DisbursementGross > 0 AND ChgOffPrinGr IS NOT NULL
ORDER BY ApprovalDate, LoanNr_ChkDgt
"""
# The file has loans paid in full and charged off, and no running one: those that were approved
# last and are not charged off stand for them.
_OPEN = (
    _CHARGE_OFFS.replace("MIS_Status = 'CHGOFF'", "MIS_Status <> 'CHGOFF'")
    .replace("AND ChgOffPrinGr IS NOT NULL", "")
    .replace("ORDER BY ApprovalDate,", "ORDER BY ApprovalDate DESC,")
)
_N_OPEN = 20_000
_N_CHARGED_OFF = "SELECT count(*) FROM read_parquet(?) WHERE MIS_Status = 'CHGOFF'"


def charge_offs(loans: Path, cache: Path) -> Path:
    """Return a Parquet file with one row per charged-off loan, sorted by approval day and number.

    Nulls mean unknown. ``LossGivenDefault`` is in [0, 1] and never null.

    Args:
        loans: Typed loans: the columns of ``LOAN_SCHEMA``, whatever the width of their numbers.
        cache: Folder kept between runs.

    Raises:
        ValueError: The file has other columns, or no usable charged-off loan.
    """
    target = cache / f"sba-charge-offs-v{SELECTION_VERSION}-{sha256_of(loans)[:16]}.parquet"
    with duckdb.connect() as database:
        try:
            n_charged_off = _count(database, loans)
            if not target.is_file():
                table = database.sql(_CHARGE_OFFS, params=[str(loans)]).to_arrow_table()
                with written_whole(target) as unfinished:
                    pq.write_table(table, unfinished, compression="zstd")
        except duckdb.Error as exc:
            raise ValueError(
                f"{loans.name}: not a Parquet file of SBA loans: {str(exc)[:200]}"
            ) from exc
    _report_dropped(loans, n_charged_off, pq.read_metadata(target).num_rows)
    return target


def open_loans(loans: Path, cache: Path) -> Path:
    """Return a Parquet file with the newest loans that are not charged off, without a target.

    Args:
        loans: Typed loans, as for :func:`charge_offs`.
        cache: Folder kept between runs.

    Raises:
        ValueError: The file has other columns, or no such loan.
    """
    target = cache / f"sba-open-v{SELECTION_VERSION}-{sha256_of(loans)[:16]}.parquet"
    if not target.is_file():
        with duckdb.connect() as database:
            try:
                found = database.sql(_OPEN, params=[str(loans)]).limit(_N_OPEN)
                table = found.to_arrow_table().drop_columns([TARGET])
            except duckdb.Error as exc:
                raise ValueError(
                    f"{loans.name}: not a Parquet file of SBA loans: {str(exc)[:200]}"
                ) from exc
        if not table.num_rows:
            raise ValueError(f"{loans.name}: no loan that is not charged off.")
        with written_whole(target) as unfinished:
            pq.write_table(table, unfinished, compression="zstd")
    return target


def _count(database: duckdb.DuckDBPyConnection, loans: Path) -> int:
    [(n_charged_off,)] = database.sql(_N_CHARGED_OFF, params=[str(loans)]).fetchall()
    return int(n_charged_off)


def _report_dropped(loans: Path, n_charged_off: int, n_kept: int) -> None:
    if n_kept == 0:
        raise ValueError(
            f"{loans.name}: {n_charged_off} charged-off loans (MIS_Status = CHGOFF), none of them "
            "with an amount paid out and a loss. Is this the whole loan file?"
        )
    if n_kept < n_charged_off:
        warnings.warn(
            f"dropped {n_charged_off - n_kept} of {n_charged_off} charged-off loans: nothing paid "
            "out (DisbursementGross missing or not above 0) or no ChgOffPrinGr",
            stacklevel=3,
        )
