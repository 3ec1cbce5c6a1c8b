"""Formats of tables, and how a file of each becomes a part of the table that is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mlrecipes.errors import StoreError, few
from mlrecipes.stores.csv_files import write_csv_as_parquet
from mlrecipes.stores.file_errors import INCOMPLETE
from mlrecipes.stores.parts import Part

__all__ = ["AUTO", "part_of_file", "suffix_format"]

AUTO = "auto"
SUFFIXES: Mapping[str, str] = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv"}
FORMATS = ("parquet", "csv")


def suffix_format(path: Path) -> str | None:
    """The format that a file's name ends with; None if it is no table format.

    >>> suffix_format(Path("houses.csv.gz"))
    'csv'
    """
    return next((form for suffix, form in SUFFIXES.items() if path.name.endswith(suffix)), None)


def part_of_file(path: Path, form: str, name: str, spare: Path) -> Part:
    """Make a part of a file; it may hold columns and no row.

    Args:
        path: The file.
        form: ``parquet`` or ``csv``; a CSV whose name ends in ``.gz`` is unpacked.
        name: What messages call it.
        spare: Where a Parquet file may be written, if it is none itself.

    Raises:
        StoreError: The file is damaged, empty or not of this format, or names two columns
            alike; or this version does not read the format.
    """
    if form not in FORMATS:
        raise StoreError(
            f"using: {form} is not supported by this version of mlrecipes.",
            hint=f"Use one of {few([*FORMATS, AUTO])}, or a loader_method that reads {form}.",
        )
    if path.stat().st_size == 0:
        raise StoreError(f"{path}: the file is empty (0 bytes).", hint=INCOMPLETE)
    if form == "parquet":
        return Part(name, path, is_ours=False)
    write_csv_as_parquet(path, spare)
    return Part(name, spare, is_ours=True)
