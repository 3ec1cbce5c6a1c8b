"""Loans with what is known on the day of approval, and apart from them what became of each.

No column of the file that is known later exists for the model: the selections below take the
columns of ``AT_APPROVAL`` and nothing else, and the outcome from ``MIS_Status``.
"""

from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from sba_loans.columns import AT_APPROVAL, select_loans

__all__ = ["later_loans", "outcomes", "training_loans"]

SELECTION_VERSION = 1
# Neither paid in full nor charged off: nobody knows (1,997 of the 899,164 loans).
_KNOWN = "MIS_Status IN ('CHGOFF', 'P I F')"
_TRAINING = f"""
SELECT {AT_APPROVAL}, CAST(MIS_Status = 'CHGOFF' AS BIGINT) AS "Default"
FROM read_parquet(?)
WHERE {_KNOWN} AND ApprovalDate >= DATE '1998-01-01' AND ApprovalDate < DATE '2004-01-01'
ORDER BY ApprovalDate, LoanNr_ChkDgt
"""  # noqa: S608 - columns of our own
_LATER = f"""
SELECT {AT_APPROVAL}
FROM read_parquet(?)
WHERE ApprovalDate >= DATE '2004-01-01' AND ApprovalDate < DATE '2011-01-01'
ORDER BY ApprovalDate, LoanNr_ChkDgt
"""  # noqa: S608 - columns of our own
_OUTCOMES = """
SELECT CAST(LoanNr_ChkDgt AS BIGINT) AS LoanNr_ChkDgt,
    CAST(MIS_Status = 'CHGOFF' AND ChgOffDate < DATE '{as_of}' AS BIGINT) AS "Default"
FROM read_parquet(?)
WHERE {known} AND ApprovalDate >= DATE '2004-01-01' AND ApprovalDate < DATE '{as_of}'
ORDER BY LoanNr_ChkDgt
"""


def training_loans(loans: Path, cache: Path) -> Path:
    """Return a Parquet file with the loans approved from 1998 to 2003 whose end is known.

    One row per loan, by day of approval and number; ``Default`` is 1 for a charged-off loan, 0 for
    one that was paid in full.

    Args:
        loans: Typed loans: the columns of ``LOAN_SCHEMA``, whatever the width of their numbers.
        cache: Folder kept between runs.

    Raises:
        ValueError: The file has other columns, or no such loan.
    """
    return _with_rows(select_loans(loans, _TRAINING, f"training-v{SELECTION_VERSION}", cache))


def later_loans(loans: Path, cache: Path) -> Path:
    """Return a Parquet file with the loans approved from 2004 to 2010, without an outcome.

    Arguments and errors are those of :func:`training_loans`.
    """
    return _with_rows(select_loans(loans, _LATER, f"later-v{SELECTION_VERSION}", cache))


def outcomes(loans: Path, cache: Path, as_of: date) -> Path:
    """Return a Parquet file with number and ``Default`` of the later loans, as known on a day.

    A loan whose charge-off was booked on that day or later is not in default yet. The file has no
    day of a payment in full: a loan that was never charged off counts as such from the beginning.

    Args:
        loans: Typed loans, as for :func:`training_loans`.
        cache: Folder kept between runs.
        as_of: The day.

    Raises:
        ValueError: The file has other columns.
    """
    query = _OUTCOMES.format(as_of=as_of.isoformat(), known=_KNOWN)
    return select_loans(loans, query, f"outcomes-v{SELECTION_VERSION}-{as_of.isoformat()}", cache)


def _with_rows(found: Path) -> Path:
    if not pq.read_metadata(found).num_rows:
        found.unlink()
        raise ValueError("DATA has no loan of these years. Is this the whole loan file?")
    return found
