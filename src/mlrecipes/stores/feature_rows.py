"""Rows on their way into a feature table: typed, staged on the disk, and with sound keys.

Nothing is written to a table before all of its new rows were looked at, and rows may come as
a stream that can be read once and does not fit into memory: so they are staged as a file.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import MAX_EXAMPLES, StoreError, shorten
from mlrecipes.stores.duckdb_engine import (
    BATCH_ROWS,
    duckdb_errors,
    file_literal,
    open_duckdb,
    quoted,
)
from mlrecipes.stores.feature_types import as_stored, stored_name

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["StagedRows", "columns_of", "evenly", "key_problem", "open_rows", "stage"]


@dataclass(frozen=True, slots=True)
class StagedRows:
    """Rows in a file, in the types in which they are stored, each key once."""

    path: Path
    columns: Mapping[str, str]

    def reader(self) -> pa.RecordBatchReader:
        """The rows, once more from the start."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self.path)

        def batches() -> Iterator[pa.RecordBatch]:
            with file:
                yield from file.iter_batches(BATCH_ROWS)

        return pa.RecordBatchReader.from_batches(file.schema_arrow, batches())


def open_rows(
    name: str, rows: Any, expected: Mapping[str, str] | None = None
) -> pa.RecordBatchReader:
    """Take rows as they come, in the types in which they are stored.

    Args:
        name: Of the feature table.
        rows: A ``pyarrow.Table``, a ``RecordBatchReader``, or what else gives an Arrow stream.
        expected: Types of the table's columns, for those without any value.

    Raises:
        StoreError: It is something else, or a column has a type that is not stored; also
            while rows are read.
    """
    import pyarrow as pa

    if not hasattr(rows, "__arrow_c_stream__"):
        raise StoreError(
            f"Feature table {name}: rows come as {type(rows).__name__}; expected are a "
            "pyarrow.Table or a pyarrow.RecordBatchReader."
        )
    stream = pa.RecordBatchReader.from_stream(rows)
    schema = as_stored(f"Feature table {name}", stream.schema, expected)

    def batches() -> Iterator[pa.RecordBatch]:
        with duckdb_errors(f"read the rows for feature table {name}"):
            for batch in stream:
                arrays = [
                    array.cast(field.type, safe=not pa.types.is_timestamp(field.type))
                    for array, field in zip(batch.columns, schema, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())


def columns_of(rows: pa.RecordBatchReader) -> dict[str, str]:
    """Name to type, as Spark SQL names it."""
    return {field.name: stored_name(field.type) for field in rows.schema}


@contextmanager
def stage(
    name: str, rows: pa.RecordBatchReader, keys: Sequence[str], temp_folder: Path
) -> Iterator[StagedRows]:
    """Write rows to a file that is gone afterwards, and look at their keys.

    Raises:
        StoreError: A key is null or there twice, or the rows cannot be read.
    """
    import pyarrow.parquet as pq

    path = temp_folder / f"{name}.{uuid.uuid4().hex}.parquet"
    try:
        with duckdb_errors(f"stage the rows for feature table {name}"):
            temp_folder.mkdir(parents=True, exist_ok=True)
            with pq.ParquetWriter(path, rows.schema) as writer:
                for part in evenly(rows, BATCH_ROWS):
                    writer.write_table(part)
        _check_keys(name, path, keys, temp_folder)
        yield StagedRows(path, columns_of(rows))
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def evenly(batches: Any, n_rows: int) -> Iterator[pa.Table]:
    """Cut a stream of batches into tables of ``n_rows`` rows; the last one may have fewer."""
    import pyarrow as pa

    waiting: list[pa.RecordBatch] = []
    n_waiting = 0
    for batch in batches:
        waiting.append(batch)
        n_waiting += batch.num_rows
        while n_waiting >= n_rows:
            table = pa.Table.from_batches(waiting)
            yield table.slice(0, n_rows).combine_chunks()
            waiting = table.slice(n_rows).to_batches()
            n_waiting -= n_rows
    if n_waiting:
        yield pa.Table.from_batches(waiting).combine_chunks()


def _check_keys(name: str, path: Path, keys: Sequence[str], temp_folder: Path) -> None:
    listed = ", ".join(quoted(key) for key in keys)
    nulls = ", ".join(f"count(*) - count({quoted(key)})" for key in keys)
    with (
        duckdb_errors(f"look at the keys for feature table {name}"),
        contextlib.closing(open_duckdb(temp_folder)) as connection,
    ):
        rows = connection.sql(f"FROM read_parquet({file_literal(path)})")
        n_rows, *n_nulls = rows.aggregate(f"count(*), {nulls}").fetchall()[0]
        doubled = rows.aggregate(f"{listed}, count(*) AS n", listed).filter("n > 1")
        n_doubled = doubled.aggregate("count(*)").fetchall()[0][0]
        examples = doubled.order(listed).limit(MAX_EXAMPLES).fetchall()
    problem = key_problem(keys, n_rows, n_nulls, n_doubled, examples)
    if problem:
        raise StoreError(f"Feature table {name}: {problem} Nothing was written.")


def key_problem(
    keys: Sequence[str],
    n_rows: int,
    n_nulls: Sequence[int],
    n_doubled: int,
    examples: Sequence[Sequence[Any]],
) -> str:
    """What is wrong with keys, in words; empty if nothing is.

    >>> key_problem(["id"], 400, [0], 1, [(7, 3)])
    '1 key occurs more than once in 400 rows: id=7 (3 times).'
    >>> key_problem(["id"], 400, [2], 0, [])
    "the key 'id' is null in 2 of 400 rows."
    """
    for key, n_null in zip(keys, n_nulls, strict=True):
        if n_null:
            return f"the key '{key}' is null in {n_null:,} of {n_rows:,} rows."
    if not n_doubled:
        return ""
    shown = "; ".join(
        ", ".join(f"{key}={shorten(value)}" for key, value in zip(keys, values, strict=True))
        + f" ({n} times)"
        for *values, n in examples
    )
    some = "1 key occurs" if n_doubled == 1 else f"{n_doubled:,} keys occur"
    more = f" and {n_doubled - len(examples):,} more" if n_doubled > len(examples) else ""
    return f"{some} more than once in {n_rows:,} rows: {shown}{more}."
