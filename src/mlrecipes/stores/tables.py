"""Reading one file of a table format, with errors that say what to do.

CSV is read so that nothing changes in silence: only empty fields are missing (``NA`` is
text), whole numbers never lose a digit, and a line with too few or too many fields is an
error. Types are those of ``pandas.read_csv``, but ISO dates and times become timestamps; as
there, ``00123`` is the number 123: codes with leading zeros need a ``loader_method``.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, few, shorten

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AUTO", "read_table", "suffix_format"]

AUTO = "auto"
SUFFIXES: Mapping[str, str] = {".parquet": "parquet", ".csv": "csv", ".csv.gz": "csv"}
EXACT_UP_TO = 2**53
"""Greater whole numbers are rounded when they become floating point."""
BEYOND_64_BITS = 2**63
DIGITS_OR_TIME = r"^(-?\d+|\d+:[\d:]+([.]\d+)?)$"
INCOMPLETE = "Is the file complete, or still being written? Fetch or write it again."
OTHER_SEPARATORS = (";", "\t", "|")
CHUNK_BYTES = 1 << 20
TAIL_BYTES = 64


def suffix_format(path: Path) -> str | None:
    """The format that a file's name ends with; None if it is no table format.

    >>> suffix_format(Path("houses.csv.gz"))
    'csv'
    """
    return next((form for suffix, form in SUFFIXES.items() if path.name.endswith(suffix)), None)


def read_table(path: Path, form: str) -> pd.DataFrame:
    """Read a file; it may hold columns and no row.

    Args:
        path: The file.
        form: ``parquet`` or ``csv``; a CSV whose name ends in ``.gz`` is unpacked.

    Raises:
        StoreError: The file is damaged, empty or not of this format, or names two columns
            alike; or this version does not read the format.
    """
    if form not in _READERS:
        raise StoreError(
            f"using: {form} is not supported by this version of mlrecipes.",
            hint=f"Use one of {few([*_READERS, AUTO])}, or a loader_method that reads {form}.",
        )
    if path.stat().st_size == 0:
        raise StoreError(f"{path}: the file is empty (0 bytes).", hint=INCOMPLETE)
    return _as_pandas(_READERS[form](path))


def _as_pandas(table: Any) -> pd.DataFrame:
    """To pandas' own types; whole numbers that a float would round stay whole numbers."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    frame: pd.DataFrame = table.to_pandas(date_as_object=False)
    for field in table.schema:
        values = table[field.name]
        if not pa.types.is_integer(field.type) or not values.null_count:
            continue
        if field.name in frame and pd.api.types.is_float_dtype(frame[field.name].dtype):
            ends = pc.min_max(values).as_py()
            if max(abs(ends["min"] or 0), abs(ends["max"] or 0)) > EXACT_UP_TO:
                exact = values.to_pandas(types_mapper=_nullable_whole_number)
                frame[field.name] = exact.array
    return frame


def _nullable_whole_number(arrow_type: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    return pd.UInt64Dtype() if pa.types.is_uint64(arrow_type) else pd.Int64Dtype()


def _check_names(path: Path, names: Sequence[str]) -> None:
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise StoreError(
            f"{path}: more than one column is named {few(doubles)}.",
            hint="Rename them in the file, or read it with a loader_method.",
        )


# ---- Parquet ---------------------------------------------------------------------------------


def _read_parquet(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            _check_names(path, file.schema_arrow.names)
            return file.read()
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, "Parquet", error) from error


# ---- CSV -------------------------------------------------------------------------------------


def _read_csv(path: Path) -> Any:
    table = _parse_csv(path)
    _check_names(path, table.column_names)
    _check_separator(path, table.column_names)
    _check_last_quote(path, table)
    texts = [field.name for field in table.schema if _may_change(table[field.name])]
    if texts:
        again = _parse_csv(path, as_text=texts)
        for name in texts:
            if _is_no_number(again[name]):
                table = table.set_column(table.column_names.index(name), name, again[name])
    return _with_typed_gaps(table)


def _parse_csv(path: Path, as_text: Sequence[str] = ()) -> Any:
    """Parse a file; only the columns ``as_text``, as they stand there, if there are any."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            path,
            # With threads, nobody could tell the number of a wrong line.
            read_options=arrow_csv.ReadOptions(use_threads=False),
            parse_options=arrow_csv.ParseOptions(invalid_row_handler=note, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                null_values=[""],
                strings_can_be_null=True,
                column_types=dict.fromkeys(as_text, pa.string()),
                include_columns=list(as_text),
            ),
        )
        _ = table.column_names  # Names are decoded here, and may fail.
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _not_utf8(path) or _damaged(path, "CSV", error) from error
    if any(field.type == pa.binary() for field in table.schema):
        raise _not_utf8(path) or _damaged(path, "CSV", ValueError("a column is not text"))
    if ragged:
        raise _not_utf8(path) or _ragged(path, ragged)
    return table


def _may_change(values: Any) -> bool:
    """Times of day become objects; numbers beyond 64 bits may be identifiers, and rounded."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(values.type):
        finite = pc.if_else(pc.is_finite(values), values, 0.0)
        return float(pc.max(pc.abs(finite)).as_py() or 0) >= BEYOND_64_BITS
    return bool(pa.types.is_time(values.type))


def _is_no_number(texts: Any) -> bool:
    """Whether a column is better kept as text: digits alone, or times, but no 1.5e30."""
    import pyarrow.compute as pc

    return bool(pc.all(pc.match_substring_regex(texts, DIGITS_OR_TIME)).as_py())


def _with_typed_gaps(table: Any) -> Any:
    """A column without any value becomes numbers, all missing, and one without a name gets one.

    Both are as in ``pandas.read_csv``.
    """
    import pyarrow as pa

    for position, field in enumerate(table.schema):
        if pa.types.is_null(field.type):
            empty = pa.nulls(len(table), pa.float64())
            table = table.set_column(position, field.name, empty)
    names = [name or f"Unnamed: {i}" for i, name in enumerate(table.column_names)]
    return table.rename_columns(names)


def _check_separator(path: Path, names: Sequence[str]) -> None:
    if len(names) != 1:
        return
    for separator in OTHER_SEPARATORS:
        if separator in names[0]:
            raise StoreError(
                f"{path}: one column '{shorten(names[0])}' is found, because fields are "
                f"separated by {separator!r}; a comma is expected.",
                hint="Read it with a loader_method: "
                f"return pandas.read_csv(path, sep={separator!r})",
            )


def _check_last_quote(path: Path, table: Any) -> None:
    """A quote that nobody closes swallows all lines behind it, and Arrow says nothing."""
    last = table.column(table.num_columns - 1)
    text = last[-1].as_py() if len(last) else None
    if not isinstance(text, str) or "\n" not in text:
        return
    tail = b""
    with _open(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            tail = (tail + chunk)[-TAIL_BYTES:]
    if not tail.rstrip(b"\r\n").endswith(b'"'):
        raise StoreError(
            f"{path}: a quote is opened and never closed; the lines from "
            f"'{shorten(text.splitlines()[0])}' to the end would be one field.",
            hint="Close the quote, or double it if it belongs to the text.",
        )


def _ragged(path: Path, rows: Sequence[Any]) -> StoreError:
    first = rows[0]
    others = f", as have {len(rows) - 1:,} more" if len(rows) > 1 else ""
    return StoreError(
        f"{path}: line {_line_of(path, first.number):,} has {first.actual_columns} fields{others}; "
        f"{first.expected_columns} are expected.",
        hint="Is a separator missing, or is there one within a text that has no quotes?",
    )


def _line_of(path: Path, row: int) -> int:
    """The line on which a row starts, both from 1: rows may have lines, or empty ones before."""
    n_rows, start = 0, 1
    with _open(path) as file, contextlib.suppress(csv.Error):
        reader = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        for fields in reader:
            n_rows += bool(fields)
            if n_rows == row:
                return start
            start = reader.line_num + 1
    return row


def _open(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _not_utf8(path: Path) -> StoreError | None:
    """The error for a file in another encoding; None if that is not what is wrong."""
    place = _first_place_that_is_not_utf8(path)
    if place is None:
        return None
    line, byte, encoding = place
    return StoreError(
        f"{path}: line {line:,} (byte {byte:,}) is not UTF-8; it looks like {encoding}.",
        hint=f"Convert it: iconv -f {encoding} -t utf-8, or read it with a loader_method: "
        f"return pandas.read_csv(path, encoding='{encoding}')",
    )


def _first_place_that_is_not_utf8(path: Path) -> tuple[int, int, str] | None:
    """Line (from 1), byte in the unpacked file (from 0) and the likely encoding."""
    n_before = 0
    try:
        with _open(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as error:
                    is_wide = number == 1 and line[:2] in {b"\xff\xfe", b"\xfe\xff"}
                    return number, n_before + error.start, "utf-16" if is_wide else "latin1"
                n_before += len(line)
    except (OSError, EOFError, zlib.error):
        return None
    return None


def _damaged(path: Path, form: str, error: Exception) -> StoreError:
    return StoreError(
        f"{path} ({path.stat().st_size:,} bytes) cannot be read as {form}: "
        f"{shorten(error, limit=160)}",
        hint=INCOMPLETE,
    )


_READERS: Mapping[str, Callable[[Path], Any]] = {"parquet": _read_parquet, "csv": _read_csv}
