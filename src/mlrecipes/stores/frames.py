"""Frames that lie in Parquet files: only the columns or rows that are asked for are read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FrameFile", "as_pandas", "index_fields", "read_frame"]

CELLS_READ_AT_ONCE = 1 << 22
N_GROUPS_READ = 16
"""A large frame is read in so many groups of columns, each a block or two of pandas' own."""
EXACT_UP_TO = 2**53
"""Greater whole numbers are rounded when they become floating point."""


class FrameFile:
    """A :class:`~mlrecipes.ports.StoredFrame`: a Parquet file as ``frame_writer`` writes it."""

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
        found = [self._metadata.row_group(i).column(place).statistics for i in groups]
        facts = [fact for fact in found if fact is not None]  # of no rows there are none
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
