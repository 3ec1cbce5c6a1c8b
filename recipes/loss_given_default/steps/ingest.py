"""Find the charged-off loans: from PyPI, or from an own copy."""

from pathlib import Path

from sba_loans.copies import typed_loans
from steps.charge_offs import charge_offs, open_loans

__all__ = ["find_loans", "find_open_loans"]


def find_loans(loans: str, cache: Path) -> Path:
    """Return the Parquet file that the ingest step reads: one row per charged-off loan.

    Arguments and errors are those of :func:`sba_loans.copies.typed_loans`.
    """
    return charge_offs(typed_loans(loans, Path(cache)), Path(cache))


def find_open_loans(loans: str, cache: Path) -> Path:
    """Return the Parquet file with loans to score: the newest ones that are not charged off.

    Arguments and errors are those of :func:`find_loans`.
    """
    return open_loans(typed_loans(loans, Path(cache)), Path(cache))
