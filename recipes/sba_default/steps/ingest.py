"""Find the loans: to learn from, to score later, and what became of the later ones."""

from datetime import date
from pathlib import Path

from sba_loans.copies import typed_loans
from steps.loans import later_loans, outcomes, training_loans

__all__ = ["find_later_loans", "find_outcomes", "find_training_loans"]


def find_training_loans(loans: str, cache: Path) -> Path:
    """Return the Parquet file that the ingest step reads: loans approved from 1998 to 2003.

    Arguments and errors are those of :func:`sba_loans.copies.typed_loans`.
    """
    return training_loans(typed_loans(loans, Path(cache)), Path(cache))


def find_later_loans(loans: str, cache: Path) -> Path:
    """Return the Parquet file with loans to score: approved from 2004 to 2010.

    Arguments and errors are those of :func:`find_training_loans`.
    """
    return later_loans(typed_loans(loans, Path(cache)), Path(cache))


def find_outcomes(loans: str, cache: Path, as_of: str) -> Path:
    """Return the Parquet file with what became of the later loans, as known on a day.

    Args:
        loans: As for :func:`find_training_loans`.
        cache: Folder kept between runs.
        as_of: The day, such as ``2007-01-01``.

    Raises:
        ValueError: ``as_of`` is no day, or the loans are not the SBA loan file.
    """
    try:
        day = date.fromisoformat(str(as_of))
    except ValueError:
        raise ValueError(
            f"AS_OF is {str(as_of)[:40]!r}: expected a day such as 2014-09-01."
        ) from None
    return outcomes(typed_loans(loans, Path(cache)), Path(cache), day)
