"""Reading one file of a table format, with errors that say what to do.

CSV is read so that nothing is changed in silence: only empty fields are missing (``NA`` is
text), whole numbers never pass through floating point unless fields are empty, and a line
with too few or too many fields is an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, few, shorten

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AUTO", "read_table", "suffix_format"]

AUTO = "auto"
SUFFIXES: Mapping[str, str] = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv"}


def suffix_format(path: Path) -> str | None:
    """The format that a file's name ends with; None if it is no table format."""
    return next((form for suffix, form in SUFFIXES.items() if path.name.endswith(suffix)), None)


def read_table(path: Path, form: str) -> pd.DataFrame:
    """Read a file.

    Args:
        path: The file.
        form: ``parquet`` or ``csv``; a CSV whose name ends in ``.gz`` is unpacked.

    Raises:
        StoreError: The file is damaged, empty, or not of this format.
    """
    frame = _READERS[form](path)
    doubles = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if doubles:
        raise StoreError(f"{path}: more than one column is named {few(doubles)}.")
    if len(frame) == 0:
        raise StoreError(
            f"{path}: 0 rows read ({path.stat().st_size:,} bytes).",
            hint="Is the file complete?",
        )
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        frame: pd.DataFrame = pq.read_table(path).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, "Parquet", error) from error
    return frame


def _read_csv(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    from pyarrow import csv

    if path.stat().st_size == 0:
        raise StoreError(f"{path}: 0 rows read (0 bytes).", hint="Is the file complete?")
    wrong: list[tuple[int | None, int, int]] = []

    def note(row: Any) -> str:
        wrong.append((row.number, row.expected_columns, row.actual_columns))
        return "skip"

    try:
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False),
            parse_options=csv.ParseOptions(invalid_row_handler=note, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _not_csv(path, error) from error
    if wrong:
        line, expected, seen = wrong[0]
        place = "" if line is None else f" line {line}:"
        raise StoreError(
            f"{path}:{place} {seen} fields, {expected} are expected; "
            f"{len(wrong)} such lines in all.",
            hint="Is a separator missing, or is there one within a text that has no quotes?",
        )
    return _as_pandas(table)


def _as_pandas(table: Any) -> pd.DataFrame:
    """To pandas types; a column without any value becomes numbers, all missing, as in pandas."""
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        if pa.types.is_null(field.type):
            empty = pa.nulls(len(table), pa.float64())
            table = table.set_column(position, pa.field(field.name, pa.float64()), empty)
    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    return frame


def _not_csv(path: Path, error: Exception) -> StoreError:
    byte = _first_byte_that_is_not_utf8(path)
    if byte is not None:
        return StoreError(
            f"{path}: byte {byte:,} is not UTF-8.",
            hint="Convert the file (iconv -f latin1 -t utf-8), or read it with a loader_method.",
        )
    return _damaged(path, "CSV", error)


def _first_byte_that_is_not_utf8(path: Path) -> int | None:
    if path.suffix == ".gz":
        return None
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return None


def _damaged(path: Path, form: str, error: Exception) -> StoreError:
    size = path.stat().st_size if path.exists() else 0
    return StoreError(
        f"{path} ({size:,} bytes) cannot be read as {form}: {shorten(error, limit=160)}",
        hint="Is it complete, or still being written?",
    )


_READERS: Mapping[str, Callable[[Path], Any]] = {"parquet": _read_parquet, "csv": _read_csv}
