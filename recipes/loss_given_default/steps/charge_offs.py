"""Keep the charged-off loans, their target, and what is known when a loan goes into default."""

import warnings
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from sba_loans.columns import AT_APPROVAL, select_loans

__all__ = ["charge_offs", "open_loans"]

SELECTION_VERSION = 1
_AMOUNT = "CAST(DisbursementGross AS DOUBLE) AS DisbursementGross"

# The loss is cut at the amount paid out: the few loans above it (0.7 %) have interest or costs
# added to the principal.
_CHARGE_OFFS = f"""
SELECT {AT_APPROVAL}, {_AMOUNT},
    greatest(0.0, least(1.0, CAST(ChgOffPrinGr AS DOUBLE) / CAST(DisbursementGross AS DOUBLE)))
        AS LossGivenDefault
FROM read_parquet(?)
WHERE MIS_Status = 'CHGOFF' AND DisbursementGross > 0 AND ChgOffPrinGr IS NOT NULL
ORDER BY ApprovalDate, LoanNr_ChkDgt
"""  # noqa: S608 - columns of our own
# The file has loans paid in full and charged off, and no running one: those that were approved
# last and are not charged off stand for them.
_OPEN = f"""
SELECT {AT_APPROVAL}, {_AMOUNT}
FROM read_parquet(?)
WHERE MIS_Status <> 'CHGOFF' AND DisbursementGross > 0
ORDER BY ApprovalDate DESC, LoanNr_ChkDgt
LIMIT 20000
"""  # noqa: S608 - columns of our own
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
    target = select_loans(loans, _CHARGE_OFFS, f"charge-offs-v{SELECTION_VERSION}", cache)
    with duckdb.connect() as database:
        [(n_charged_off,)] = database.sql(_N_CHARGED_OFF, params=[str(loans)]).fetchall()
    _report_dropped(loans, int(n_charged_off), pq.read_metadata(target).num_rows)
    return target


def open_loans(loans: Path, cache: Path) -> Path:
    """Return a Parquet file with the newest loans that are not charged off, without a target.

    Args:
        loans: Typed loans, as for :func:`charge_offs`.
        cache: Folder kept between runs.

    Raises:
        ValueError: The file has other columns, or no such loan.
    """
    target = select_loans(loans, _OPEN, f"open-v{SELECTION_VERSION}", cache)
    if not pq.read_metadata(target).num_rows:
        target.unlink()
        raise ValueError(f"{loans.name}: no loan that is not charged off.")
    return target


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
