"""Turning a CSV file into a Parquet file, a block at a time, so that nothing changes in silence.

Only empty fields are missing (``NA`` is text), whole numbers never lose a digit, and a line
with too few or too many fields is an error. Types are those of ``pandas.read_csv``, but ISO
dates and times become timestamps; as there, ``00123`` is the number 123: codes with leading
zeros need a ``loader_method``.

::

    types of the first block ─> read all, write Parquet ─────────────────────────> done
                                 ^        └ a value does not fit its column's type
                                 └─────── decide upon that column by all its rows

Columns without a value in the first block are decided upon so before.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlrecipes.stores.csv_types import decide_types, is_too_large
from mlrecipes.stores.file_errors import (
    check_last_quote,
    check_names,
    check_separator,
    damaged,
    not_utf8,
    ragged,
    row_without_end,
)
from mlrecipes.stores.frame_writer import FrameWriter

__all__ = ["write_csv_as_parquet"]

BLOCK_BYTES = 1 << 20
"""Of the file, unpacked; a row must end within it. Larger blocks are no faster."""
FIRST_BLOCK_BYTES = 1 << 22
DECIDED_AT_ONCE_BYTES = 1 << 25
MAX_GUESSES = 3
"""After so many columns whose first block has misled, all others are looked at as a whole."""


def write_csv_as_parquet(
    path: Path,
    into: Path,
    block_bytes: int = BLOCK_BYTES,
    first_block_bytes: int = FIRST_BLOCK_BYTES,
) -> None:
    """Write the rows of a CSV file, which may be larger than memory, to a Parquet file.

    Args:
        path: The file; it is unpacked if its name ends in ``.gz``.
        into: The Parquet file to write.
        block_bytes: So much is parsed at once. The result does not depend on it.
        first_block_bytes: So much is looked at to guess the types of the columns.

    Raises:
        StoreError: The file is damaged or no CSV, or names two columns alike.
    """
    import pyarrow as pa

    try:
        _Conversion(path, into, block_bytes).run(first_block_bytes)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if "straddling object" in str(error):
            raise not_utf8(path) or row_without_end(path, block_bytes) from error
        raise not_utf8(path) or damaged(path, "CSV", error) from error


class _Conversion:
    """One file on its way from CSV to Parquet."""

    def __init__(self, path: Path, into: Path, block_bytes: int) -> None:
        self._path = path
        self._into = into
        self._block_bytes = block_bytes

    def run(self, first_block_bytes: int) -> None:
        """Write the file, again for as long as a value does not fit its column's type."""
        types = self._types_of_first_block(first_block_bytes)
        unknown = [name for name, kind in types.items() if _is_undecided(kind)]
        sure: set[str] = set()
        for n_before in itertools.count():
            types |= self._decided_types(unknown)
            sure.update(unknown)
            wrong = self._written_but(types, sure)
            if not wrong:
                return
            unknown = wrong if n_before < MAX_GUESSES else [n for n in types if n not in sure]

    def _types_of_first_block(self, block_bytes: int) -> dict[str, Any]:
        schema = self._open(block_bytes).schema
        check_names(self._path, schema.names)
        check_separator(self._path, schema.names)
        return dict(zip(schema.names, schema.types, strict=True))

    def _decided_types(self, names: Sequence[str]) -> dict[str, Any]:
        """The types of some columns by all their rows; ``null`` where there is no value."""
        import pyarrow as pa

        if not names:
            return {}
        texts = self._open(self._block_bytes, dict.fromkeys(names, pa.string()), only=names)
        return dict.fromkeys(names, pa.null()) | decide_types(_gathered(texts))

    def _written_but(self, types: Mapping[str, Any], sure: Collection[str]) -> list[str]:
        """Write the file, and name the columns that must be looked at as a whole, if any."""
        import pyarrow as pa

        names = list(types)
        try:
            self._write(types)
        except pa.ArrowInvalid as error:
            place = re.match(r"In CSV column #(\d+): ", str(error))
            wrong = [names[int(place[1])]] if place else names
            wrong = [name for name in wrong if name not in sure]
            if not wrong:
                raise
            return wrong
        numbers = [
            place
            for place, (name, kind) in enumerate(types.items())
            if pa.types.is_floating(kind) and name not in sure
        ]
        return [names[place] for place in _too_large(self._into, numbers)]

    def _write(self, types: Mapping[str, Any]) -> None:
        import pyarrow as pa

        wrong_rows = _WrongRows()
        reader = self._open(self._block_bytes, types, on_wrong_row=wrong_rows.note)
        names = [name or f"Unnamed: {place}" for place, name in enumerate(types)]
        check_names(self._path, names)
        schema = pa.schema([*zip(names, map(_stored_type, types.values()), strict=True)])
        last_field = None
        with FrameWriter(self._into, schema) as writer:
            for batch in reader:
                if len(batch):
                    last_field = batch.column(batch.num_columns - 1)[-1].as_py()
                writer.write(pa.Table.from_batches([batch]).rename_columns(names))
        if wrong_rows.first is not None:
            raise not_utf8(self._path) or ragged(self._path, wrong_rows.first, wrong_rows.n_rows)
        check_last_quote(self._path, last_field)

    def _open(
        self,
        block_bytes: int,
        types: Mapping[str, Any] | None = None,
        *,
        only: Sequence[str] = (),
        on_wrong_row: Callable[[Any], str] = lambda _: "skip",
    ) -> Any:
        """Start to read; types that are not given are those of the first block.

        Raises:
            StoreError: A text of the first block is not UTF-8.
        """
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        reader = arrow_csv.open_csv(
            self._path,
            # With threads, nobody could tell the number of a wrong line.
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=block_bytes),
            parse_options=arrow_csv.ParseOptions(
                invalid_row_handler=on_wrong_row, newlines_in_values=True
            ),
            convert_options=arrow_csv.ConvertOptions(
                null_values=[""],
                strings_can_be_null=True,
                column_types=types,
                include_columns=only,
            ),
        )
        if pa.binary() in reader.schema.types:  # Names are decoded here too, and may fail.
            raise not_utf8(self._path) or damaged(
                self._path, "CSV", ValueError("a column is not text")
            )
        return reader


class _WrongRows:
    """Counts rows with too few or too many fields; only the first is kept."""

    def __init__(self) -> None:
        self.first: Any = None
        self.n_rows = 0

    def note(self, row: Any) -> str:
        self.first = self.first or row
        self.n_rows += 1
        return "skip"


def _is_undecided(kind: Any) -> bool:
    """Whether a type in the first block says little of the whole: no value, times of day."""
    import pyarrow as pa

    return bool(pa.types.is_null(kind) or pa.types.is_time(kind))


def _stored_type(kind: Any) -> Any:
    """A column without any value holds numbers, as in pandas; dates are timestamps."""
    import pyarrow as pa

    if pa.types.is_null(kind):
        return pa.float64()
    return pa.timestamp("ms") if pa.types.is_date(kind) else kind


def _gathered(reader: Any) -> Iterator[Any]:
    """The rows in tables of some size: each look at one has its price."""
    import pyarrow as pa

    batches: list[Any] = []
    n_bytes = 0
    for batch in reader:
        batches.append(batch)
        n_bytes += batch.nbytes
        if n_bytes >= DECIDED_AT_ONCE_BYTES:
            yield pa.Table.from_batches(batches)
            batches, n_bytes = [], 0
    if batches:
        yield pa.Table.from_batches(batches)


def _too_large(path: Path, places: Sequence[int]) -> Iterator[int]:
    """The columns that may hold identifiers which were rounded to numbers."""
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(path)
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    for place in places:
        facts = [group.column(place).statistics for group in groups]
        ends = [end for fact in facts if fact.has_min_max for end in (fact.min, fact.max)]
        if any(map(is_too_large, ends)):
            yield place
