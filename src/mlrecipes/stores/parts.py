"""The rows of several files put one below another, in one Parquet file.

Each file is a :class:`Part`: a Parquet file, be it the user's own or one that was written
for a CSV file or a loader's frame. Rows are copied a few at a time, each with the index it
came with.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.names import check_names_are_text
from mlrecipes.errors import StoreError
from mlrecipes.selection import Selection
from mlrecipes.stores.file_errors import check_names, damaged
from mlrecipes.stores.frame_writer import FrameWriter, rows_in_group
from mlrecipes.stores.frames import index_fields
from mlrecipes.stores.joint_schema import as_type, joint_schema, with_timestamps

if TYPE_CHECKING:
    import pandas as pd

    from mlrecipes.stores.row_filter import RowPicker

__all__ = ["Part", "chosen_part", "join_parts"]

BUFFER_BYTES = 1 << 18
"""Read at once of each column: a group of rows may be larger than memory."""
MAX_ROWS_AT_ONCE = 1 << 16
"""Of narrow tables, which may hold long texts."""


@dataclass(frozen=True)
class Part:
    """The rows of one file.

    Attributes:
        name: What messages call it, such as ``1. data/a.csv``.
        path: A Parquet file.
        is_ours: Whether it was written for this purpose and may be moved; the dates of
            others become timestamps.
    """

    name: str
    path: Path
    is_ours: bool

    @cached_property
    def metadata(self) -> Any:
        """The file's footer.

        Raises:
            StoreError: The file is damaged, or names two columns alike.
            DataError: A column's name is no text.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            metadata = pq.read_metadata(self.path)
        except (pa.ArrowException, OSError) as error:
            raise damaged(self.path, "Parquet", error) from error
        schema = metadata.schema.to_arrow_schema()
        check_names(self.path, schema.names)
        check_names_are_text(schema.empty_table().to_pandas())
        return metadata

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return int(self.metadata.num_rows)

    @cached_property
    def schema(self) -> Any:
        """Names and types of the columns, as they will be written."""
        schema = self.metadata.schema.to_arrow_schema()
        return schema if self.is_ours else with_timestamps(schema)

    @cached_property
    def like(self) -> pd.DataFrame:
        """A frame with the types of this one and no row."""
        return self.schema.empty_table().to_pandas()

    @cached_property
    def index(self) -> list[str]:
        """The columns that hold the index of the frame; none if its rows are just numbered."""
        return index_fields(self.schema)

    @property
    def numbers(self) -> range:
        """The index of a frame whose rows are just numbered."""
        described = (self.schema.pandas_metadata or {}).get("index_columns", [])
        for index in described:
            if isinstance(index, dict):
                numbers = range(index["start"], index["stop"], index["step"])
                if len(numbers) == self.n_rows:
                    return numbers
        return range(self.n_rows)

    def tables(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """All rows, a few at a time, as a ``pyarrow.Table`` each.

        Raises:
            StoreError: The file is damaged.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        n_rows = min(MAX_ROWS_AT_ONCE, rows_in_group(len(columns or self.schema)))
        try:
            with pq.ParquetFile(self.path, pre_buffer=False, buffer_size=BUFFER_BYTES) as file:
                for batch in file.iter_batches(n_rows, columns=columns):
                    yield pa.Table.from_batches([batch])
        except (pa.ArrowException, OSError) as error:
            raise damaged(self.path, "Parquet", error) from error

    def has_values(self, column: str) -> bool:
        """Whether a column has any value at all."""
        import pyarrow.compute as pc

        return any(
            not pc.all(pc.is_null(table[column], nan_is_null=True)).as_py()
            for table in self.tables([column])
            if len(table)
        )


def chosen_part(part: Part, selection: Selection, picker: RowPicker) -> Part:
    """Write what is wanted of a part beside it; the columns of an index are left out.

    Only the columns that are needed are read. A part of which all is wanted stays as it is.

    Raises:
        DataError: A wanted column is not there.
        StoreError: The file is damaged, or its values do not fit the condition.
    """
    import pyarrow as pa

    if selection.is_everything:
        return part
    names = [name for name in part.schema.names if name not in part.index]
    selection.check(names)
    schema = pa.schema([part.schema.field(name) for name in selection.kept(names)])
    chosen = Part(part.name, part.path.with_name(f"{part.path.stem}-chosen.parquet"), is_ours=True)
    with FrameWriter(chosen.path, schema) as writer:
        for table in part.tables(selection.scanned(names)):
            writer.write(_fitted(picker.pick(table), part, schema))
    if part.is_ours:
        part.path.unlink()
    return chosen


def join_parts(parts: Sequence[Part], into: Path) -> None:
    """Write the rows of all parts, in their order, to a Parquet file.

    Raises:
        StoreError: A file is damaged; a column is missing in one of them, or is text in one
            and numbers in another; or their indexes do not go together.
    """
    first = parts[0]
    if len(parts) > 1:
        _write(parts, into, *joint_schema(parts))
    elif first.is_ours:
        _ = first.metadata  # It is looked at as any other.
        first.path.replace(into)
    else:
        _write(parts, into, first.schema, joint_index=None)


def _write(parts: Sequence[Part], into: Path, schema: Any, joint_index: str | None) -> None:
    with FrameWriter(into, schema) as writer:
        for part in parts:
            numbers = iter(part.numbers)
            for table in part.tables():
                if joint_index is not None:
                    table = _with_index(table, part, joint_index, numbers)  # noqa: PLW2901
                writer.write(_fitted(table, part, schema))


def _with_index(table: Any, part: Part, name: str, numbers: Iterator[int]) -> Any:
    """Put the index of a part into the column that holds the index of all parts."""
    import pyarrow as pa

    if part.index:
        return table.rename_columns([name if n in part.index else n for n in table.column_names])
    some = list(itertools.islice(numbers, len(table)))
    return table.append_column(name, pa.array(some, pa.int64()))


def _fitted(table: Any, part: Part, schema: Any) -> Any:
    import pyarrow as pa

    try:
        columns = [as_type(table[field.name], field.type) for field in schema]
    except pa.ArrowException as error:
        raise StoreError(
            f"The columns of {part.name} do not fit those of the other files: {error}",
            hint="Mend the files, or read them with a loader_method that gives one type.",
        ) from error
    return pa.Table.from_arrays(columns, schema=schema)
