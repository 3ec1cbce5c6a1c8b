"""Which files make up a raw table: one Parquet or CSV file, or a folder of Parquet files."""

from __future__ import annotations

from pathlib import Path

from mlrecipes.errors import StoreError
from mlrecipes.stores.tables import suffix_format

__all__ = ["files_of"]


def files_of(path: Path) -> tuple[str, list[Path]]:
    """The format of a table, ``parquet`` or ``csv``, and its files in the order of their names.

    Raises:
        StoreError: There is nothing, nothing in it, or something of another format.
    """
    if path.is_dir():
        files = sorted(file for file in path.glob("*.parquet") if file.is_file())
        if not files:
            raise StoreError(f"{path}: the folder holds no Parquet file.")
        return "parquet", files
    if not path.is_file():
        raise StoreError(f"{path} does not exist.")
    form = suffix_format(path)
    if form is None:
        raise StoreError(
            f"{path} is no table: expected a name that ends in .parquet, .csv or .csv.gz."
        )
    if path.stat().st_size == 0:
        raise StoreError(f"{path}: the file is empty (0 bytes).")
    return form, [path]
