"""Writing frames as Parquet files, in slices of rows.

A frame and its copy in Arrow are never in memory together as a whole. Equal frames give
equal bytes; pages carry checksums.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mlrecipes.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrameWriter", "rows_in_group", "schema_of", "select_columns", "write_frame"]

CELLS_IN_GROUP = 1 << 22
TEXT_BYTES_IN_GROUP = 1 << 26
"""A group of rows is written as soon as it has so many values, or so much text."""
MAX_ROWS_IN_GROUP = 1 << 20


class FrameWriter:
    """Writes rows to a Parquet file as they come; to be used in a ``with`` statement.

    Args:
        path: The file.
        schema: Of all rows, as a ``pyarrow.Schema``.
    """

    def __init__(self, path: Path, schema: Any) -> None:
        import pyarrow.parquet as pq

        self.n_rows = 0
        self._schema = schema
        self._waiting: list[Any] = []
        self._n_waiting = self._text_bytes_waiting = 0
        self._rows_in_group = rows_in_group(len(schema))
        self._text_places = _text_places(schema)
        self._file = pq.ParquetWriter(
            path, schema, write_page_checksum=True, use_dictionary=_repetitive(schema)
        )

    def write(self, rows: Any) -> None:
        """Add a ``pyarrow.Table`` with the columns of the schema; its types may be narrower."""
        self._waiting.append(rows)
        self._n_waiting += len(rows)
        self._text_bytes_waiting += self._text_bytes(rows)
        self.n_rows += len(rows)
        while (
            self._n_waiting >= self._rows_in_group
            or self._text_bytes_waiting >= TEXT_BYTES_IN_GROUP
        ):
            self._flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and (self._n_waiting or not self.n_rows):
            self._flush()
        self._file.close()

    def _flush(self) -> None:
        import pyarrow as pa

        table = pa.concat_tables(self._waiting) if self._waiting else self._schema.empty_table()
        group, rest = table.slice(0, self._rows_in_group), table.slice(self._rows_in_group)
        if any(pa.types.is_dictionary(kind) for kind in group.schema.types):
            group = group.unify_dictionaries()
        if not group.schema.equals(self._schema, check_metadata=False):
            group = group.cast(self._schema)
        self._file.write_table(group.combine_chunks(), row_group_size=self._rows_in_group)
        self._waiting = [rest] if len(rest) else []
        self._n_waiting, self._text_bytes_waiting = len(rest), self._text_bytes(rest)

    def _text_bytes(self, rows: Any) -> int:
        return sum(rows.column(place).nbytes for place in self._text_places) if len(rows) else 0


def _text_places(schema: Any) -> list[int]:
    """Columns whose values have any length; how much the others hold is told by their rows."""
    import pyarrow as pa

    fixed = (pa.types.is_primitive, pa.types.is_null, pa.types.is_dictionary)
    return [i for i, kind in enumerate(schema.types) if not any(fits(kind) for fits in fixed)]


def schema_of(frame: pd.DataFrame) -> Any:
    """Arrow's schema of a frame, with what pandas needs to know to make it a frame again."""
    import pyarrow as pa

    with _arrow_looks_at_times():
        return pa.Schema.from_pandas(frame)


@contextlib.contextmanager
def _arrow_looks_at_times() -> Iterator[None]:
    """Arrow looks at times with a zone in a way that a later pandas will not have."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Series.values returning", DeprecationWarning)
        yield


def select_columns(source: Path, columns: Sequence[str], target: Path) -> None:
    """Write some columns of a Parquet file to another one, without the index of a frame."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(source, pre_buffer=False) as file:
        schema = pa.schema([file.schema_arrow.field(name) for name in columns])
        with FrameWriter(target, schema) as writer:
            for batch in file.iter_batches(rows_in_group(len(schema)), columns=list(columns)):
                writer.write(pa.Table.from_batches([batch]).select(list(columns)))


def rows_in_group(n_columns: int) -> int:
    """How many rows of so many columns are written together."""
    return max(1, min(MAX_ROWS_IN_GROUP, CELLS_IN_GROUP // max(1, n_columns)))


def write_frame(path: Path, frame: pd.DataFrame, called: str | None = None) -> None:
    """Write a pandas frame with its index.

    Args:
        path: The file.
        frame: The frame; what Arrow has no type for is refused.
        called: What messages call the frame; the file's name if left out.

    Raises:
        StoreError: Two columns have one name, or the values of one have no common type.
    """
    import pyarrow as pa

    called = called or path.stem
    _refuse_double_columns(called, frame)
    try:
        schema = schema_of(frame)
        with FrameWriter(path, schema) as writer, _arrow_looks_at_times():
            for part in _slices(_named_as(schema, frame), rows_in_group(len(schema))):
                table = pa.Table.from_pandas(part, schema=schema)
                writer.write(table.replace_schema_metadata(schema.metadata))
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise StoreError(
            f"{called} cannot be written as Parquet: {_column_of(frame, error)}{error}",
            hint="Give each column one type, for example by frame[column].astype(str).",
        ) from error


def _named_as(schema: Any, frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the names of the file's columns, which are text."""
    n_columns = frame.shape[1]
    renamed = frame.set_axis(schema.names[:n_columns], axis="columns")
    if len(schema) > n_columns:
        renamed.index = frame.index.set_names(schema.names[n_columns:])
    return renamed


def _slices(frame: pd.DataFrame, n_rows: int) -> Iterator[pd.DataFrame]:
    for start in range(0, max(1, len(frame)), n_rows):
        yield frame.iloc[start : start + n_rows]


def _repetitive(schema: Any) -> list[str]:
    """Columns whose values are worth a dictionary: text. Numbers are faster without."""
    import pyarrow as pa

    of_text = (pa.types.is_dictionary, pa.types.is_string, pa.types.is_large_string)
    return [field.name for field in schema if any(fits(field.type) for fits in of_text)]


def _refuse_double_columns(name: str, frame: pd.DataFrame) -> None:
    doubles = sorted({str(column) for column in frame.columns[frame.columns.duplicated()]})
    if doubles:
        raise StoreError(f"{name} has more than one column named {', '.join(doubles[:5])}.")


def _column_of(frame: pd.DataFrame, error: Exception) -> str:
    """The column that Arrow could not convert; it does not say so itself."""
    import pyarrow as pa

    for column in frame.columns:
        try:
            schema_of(frame[[column]])
        except (pa.ArrowException, TypeError, ValueError) as again:
            if str(again) == str(error):
                return f"column '{column}': "
    return ""
