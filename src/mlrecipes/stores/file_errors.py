"""What may be wrong with a file of a table, each as an error that says where and what to do."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mlrecipes.errors import StoreError, few, shorten

__all__ = [
    "INCOMPLETE",
    "check_last_quote",
    "check_names",
    "check_separator",
    "damaged",
    "not_utf8",
    "ragged",
    "row_without_end",
]

INCOMPLETE = "Is the file complete, or still being written? Fetch or write it again."
CLOSE_QUOTE = "Close the quote, or double it if it belongs to the text."
OTHER_SEPARATORS = (";", "\t", "|")
CHUNK_BYTES = 1 << 20
TAIL_BYTES = 64


def damaged(path: Path, form: str, error: Exception) -> StoreError:
    """The error for a file that a reader of its format gave up on."""
    return StoreError(
        f"{path} ({path.stat().st_size:,} bytes) cannot be read as {form}: "
        f"{shorten(error, limit=160)}",
        hint=INCOMPLETE,
    )


def check_names(path: Path, names: Sequence[str]) -> None:
    """Refuse two columns of one name."""
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise StoreError(
            f"{path}: more than one column is named {few(doubles)}.",
            hint="Rename them in the file, or read it with a loader_method.",
        )


# ---- CSV ---------------------------------------------------------------------------------------


def check_separator(path: Path, names: Sequence[str]) -> None:
    """Refuse a single column whose name looks like several."""
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


def check_last_quote(path: Path, last_field: Any) -> None:
    """A quote that nobody closes swallows all lines behind it, and Arrow says nothing."""
    if not isinstance(last_field, str) or "\n" not in last_field:
        return
    tail = b""
    with _open(path) as file:
        while chunk := file.read(CHUNK_BYTES):
            tail = (tail + chunk)[-TAIL_BYTES:]
    if not tail.rstrip(b"\r\n").endswith(b'"'):
        raise StoreError(
            f"{path}: a quote is opened and never closed; the lines from "
            f"'{shorten(last_field.splitlines()[0])}' to the end would be one field.",
            hint=CLOSE_QUOTE,
        )


def row_without_end(path: Path, limit_bytes: int) -> StoreError:
    """The error for a row that does not end within the limit."""
    line = next((start for start, fields in _rows(path) if fields is None), None)
    return StoreError(
        f"{path}: {'a row' if line is None else f'line {line:,}'} does not end within "
        f"{limit_bytes:,} bytes. Is a quote opened and never closed?",
        hint=CLOSE_QUOTE,
    )


def ragged(path: Path, first: Any, n_rows: int) -> StoreError:
    """The error for rows with too few or too many fields.

    Args:
        path: The file.
        first: The first of them, as a ``pyarrow.csv.InvalidRow``.
        n_rows: How many there are.
    """
    others = f", as have {n_rows - 1:,} more" if n_rows > 1 else ""
    return StoreError(
        f"{path}: line {_line_of(path, first.number):,} has {first.actual_columns} fields{others}; "
        f"{first.expected_columns} are expected.",
        hint="Is a separator missing, or is there one within a text that has no quotes?",
    )


def _line_of(path: Path, row: int) -> int:
    """The line on which a row starts, both from 1: rows may have lines, or empty ones before."""
    n_rows = 0
    for start, fields in _rows(path):
        n_rows += bool(fields)
        if n_rows == row:
            return start
    return row


def _rows(path: Path) -> Iterator[tuple[int, Sequence[str] | None]]:
    """Each row with the line on which it starts; the last is None if it cannot be read."""
    start = 1
    with (
        _open(path) as file,
        contextlib.suppress(UnicodeDecodeError, OSError, EOFError, zlib.error),
    ):
        reader = csv.reader(io.TextIOWrapper(file, encoding="utf-8", newline=""))
        try:
            for fields in reader:
                yield start, fields
                start = reader.line_num + 1
        except csv.Error:
            yield start, None


def _open(path: Path) -> Any:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def not_utf8(path: Path) -> StoreError | None:
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
