"""Dividing the rows of a Parquet file, which may be larger than memory, into other files.

A group of rows after the other is looked at, here or on Spark's workers, by the same function on
the same columns. The rows are then copied from file to file a few at a time; a column has the type
that it would have if pandas had read all of it: whole numbers with a gap are floating point in
every part, also in one without a gap.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mlrecipes.split_ports import Assign, Assigned
from mlrecipes.stores.frame_writer import FrameWriter, schema_of
from mlrecipes.stores.frames import FrameFile, as_pandas
from mlrecipes.stores.joint_schema import as_type
from mlrecipes.stores.parts import Part

__all__ = ["FileRowDivider", "assign_group"]


class FileRowDivider:
    """A :class:`~mlrecipes.split_ports.RowDivider` for files that ``frame_writer`` wrote."""

    def assign(
        self, path: Path, columns: Sequence[str], assign: Assign, *, on_spark: bool
    ) -> Iterator[Assigned]:
        """Ask a function about all rows, a group of rows at a time, in their order.

        Raises:
            DataError: The function says so.
            StoreError: Spark is not there, or its workers do not see the file.
        """
        import pyarrow.parquet as pq

        n_groups = pq.read_metadata(path).num_row_groups
        if on_spark:
            from mlrecipes.stores.spark_division import assign_on_spark

            yield from assign_on_spark(path, n_groups, columns, assign)
        else:
            for group in range(n_groups):
                yield assign_group(str(path), group, columns, assign)

    def divide(self, path: Path, parts: Sequence[Any], into: Sequence[Path]) -> None:
        """Write each row to the file of its part, a few rows at a time."""
        import numpy as np
        import pyarrow as pa

        part_of_row = np.concatenate([np.empty(0, np.int8), *parts])
        source, start = Part(path.stem, path, is_ours=True), 0
        schema = _schema_of_parts(FrameFile(path), source)
        with ExitStack() as stack:
            writers = []
            for code, target in enumerate(into):
                numbered = _numbered(schema, int((part_of_row == code).sum()))
                writers.append(stack.enter_context(FrameWriter(target, numbered)))
            for table in source.tables(schema.names):
                said = part_of_row[start : start + len(table)]
                start += len(table)
                columns = [_fitted(table[field.name], field.type) for field in schema]
                rows = pa.Table.from_arrays(columns, schema=schema)
                for code, writer in enumerate(writers):
                    writer.write(rows.filter(pa.array(said == code)))


def assign_group(path: str, group: int, columns: Sequence[str], assign: Assign) -> Assigned:
    """Ask a function about the rows of one group of a Parquet file."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file:
        table = file.read_row_group(group, columns=list(columns))
    return assign(as_pandas(table.replace_schema_metadata(None)))


def _schema_of_parts(table: FrameFile, source: Part) -> Any:
    """What pandas would write of a frame with all rows, as an Arrow schema."""
    import pandas as pd

    dtypes = table.dtypes
    like = pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in dtypes.items()})
    schema = schema_of(like)
    for place, (name, dtype) in enumerate(dtypes.items()):
        # An empty column says nothing of what its objects or categories are.
        if pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
            schema = schema.set(place, source.schema.field(name))
    return schema


def _numbered(schema: Any, n_rows: int) -> Any:
    """The schema of a frame with so many rows."""
    described = schema.pandas_metadata
    described["index_columns"] = [
        {"kind": "range", "name": None, "start": 0, "stop": n_rows, "step": 1}
    ]
    return schema.with_metadata({**schema.metadata, b"pandas": json.dumps(described).encode()})


def _fitted(column: Any, kind: Any) -> Any:
    """A column in its type; what is no number is missing, as pandas writes it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = as_type(column, kind)
    if pa.types.is_floating(kind) and pc.any(pc.is_nan(column)).as_py():
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    return column
