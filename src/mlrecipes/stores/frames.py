"""Data frames as Parquet files, written in slices of rows and read in groups of columns.

A frame and its copy in Arrow are never in memory together as a whole. Equal frames give
equal bytes; pages carry checksums.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mlrecipes.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FrameFile",
    "FrameWriter",
    "as_pandas",
    "index_fields",
    "read_frame",
    "rows_in_group",
    "schema_of",
    "write_frame",
]

CELLS_IN_GROUP = 1 << 22
TEXT_BYTES_IN_GROUP = 1 << 26
"""A group of rows is written as soon as it has so many values, or so much text."""
MAX_ROWS_IN_GROUP = 1 << 20
CELLS_READ_AT_ONCE = 1 << 22
N_GROUPS_READ = 16
"""A large frame is read in so many groups of columns, each a block or two of pandas' own."""
EXACT_UP_TO = 2**53
"""Greater whole numbers are rounded when they become floating point."""


# ---- writing -----------------------------------------------------------------------------------


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


# ---- reading -----------------------------------------------------------------------------------


class FrameFile:
    """A :class:`~mlrecipes.ports.StoredFrame`: a Parquet file that this module wrote."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._path = path
        self._metadata = pq.read_metadata(path)
        self._schema = self._metadata.schema.to_arrow_schema()
        self._empty = self._schema.empty_table().to_pandas()
        indexes = set(index_fields(self._schema))
        self._fields = [name for name in self._schema.names if name not in indexes]

    @property
    def path(self) -> Path:
        """The Parquet file."""
        return self._path

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return int(self._metadata.num_rows)

    @cached_property
    def dtypes(self) -> Mapping[Any, Any]:
        """Name and type of each column as in pandas, in their order."""
        places = {
            self._metadata.schema.column(i).path: i for i in range(self._metadata.num_columns)
        }
        return {
            name: self._dtype(dtype, places.get(field))
            for (name, dtype), field in zip(self._empty.dtypes.items(), self._fields, strict=True)
        }

    def columns(self, names: Sequence[Any]) -> pd.DataFrame:
        """Read some columns, all their rows, with the index of the frame."""
        fields = dict(zip(self._empty.columns, self._fields, strict=True))
        wanted = {fields[name]: name for name in names}
        with self._open() as file:
            table = file.read(list(wanted), use_pandas_metadata=True)
        frame = as_pandas(table)
        frame.columns = [wanted[field] for field in table.column_names if field in wanted]
        return frame[list(names)]

    def head(self, n_rows: int) -> pd.DataFrame:
        """Read the first rows, all their columns."""
        with self._open() as file:
            batch = next(file.iter_batches(max(1, n_rows)), None)
        return self._empty if batch is None else batch.to_pandas().head(n_rows)

    def whole(self) -> pd.DataFrame:
        """Read all rows and columns."""
        import pandas as pd

        names = list(self._empty.columns)
        if not names:
            with self._open() as file:
                return as_pandas(file.read())
        n_at_once = len(names)
        if self.n_rows * len(names) > CELLS_READ_AT_ONCE:
            n_at_once = -(-len(names) // N_GROUPS_READ)
        starts = range(0, len(names), n_at_once)
        parts = [self.columns(names[start : start + n_at_once]) for start in starts]
        frame = pd.concat(parts, axis="columns") if len(parts) > 1 else parts[0]
        frame.columns = self._empty.columns
        return frame

    # -- private ---------------------------------------------------------------------------

    def _open(self) -> Any:
        import pyarrow.parquet as pq

        return pq.ParquetFile(
            self._path, metadata=self._metadata, page_checksum_verification=True, pre_buffer=False
        )

    def _dtype(self, dtype: Any, place: int | None) -> Any:
        """The type of a column with all its rows: gaps turn whole numbers into floats."""
        import numpy as np

        if place is None or not isinstance(dtype, np.dtype) or dtype.kind not in "iub":
            return dtype
        groups = range(self._metadata.num_row_groups)
        facts = [self._metadata.row_group(i).column(place).statistics for i in groups]
        if not any(fact.null_count for fact in facts):
            return dtype
        if dtype.kind == "b":
            return np.dtype(object)
        ends = [end for fact in facts if fact.has_min_max for end in (fact.min, fact.max)]
        return _nullable(dtype) if _is_rounded_by_floats(ends) else np.dtype(float)


def read_frame(path: Path) -> pd.DataFrame:
    """Read a frame back with its index; whole numbers beside gaps stay exact."""
    return FrameFile(path).whole()


def as_pandas(table: Any) -> pd.DataFrame:
    """To pandas' own types; whole numbers that a float would round stay whole numbers."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    frame: pd.DataFrame = table.to_pandas()
    for field in table.schema:
        if not pa.types.is_integer(field.type) or not table[field.name].null_count:
            continue
        if field.name in frame and pd.api.types.is_float_dtype(frame[field.name].dtype):
            values = table[field.name]
            if _is_rounded_by_floats(pc.min_max(values).as_py().values()):
                exact = values.to_pandas(
                    types_mapper=lambda kind: _nullable(kind.to_pandas_dtype())
                )
                frame[field.name] = exact.array
    return frame


def _is_rounded_by_floats(ends: Iterable[int | None]) -> bool:
    return any(abs(end or 0) > EXACT_UP_TO for end in ends)


def _nullable(dtype: Any) -> Any:
    """The type of whole numbers with gaps that pandas has beside numpy's."""
    import numpy as np
    import pandas as pd

    return pd.UInt64Dtype() if np.dtype(dtype).kind == "u" else pd.Int64Dtype()


def _nullable_like(arrow_type: Any) -> Any:
    return _nullable(arrow_type.to_pandas_dtype())


def index_fields(schema: Any) -> list[str]:
    """Columns of a file that hold the index of its frame."""
    indexes = (schema.pandas_metadata or {}).get("index_columns", [])
    return [name for name in indexes if isinstance(name, str)]
