"""What a recipe takes its rows from on Spark: the result of a query, or a table of a catalog.

Rows come to this machine as Arrow, one part of the result at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, shorten
from mlrecipes.ports import SPARK_URI, ReadDataset, TableQuery
from mlrecipes.records import Source
from mlrecipes.stores.delta_source import one_location, version_asked, write_rows
from mlrecipes.stores.frames import FrameFile
from mlrecipes.stores.spark import open_session, spark_errors
from mlrecipes.stores.spark_rows import ticked

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["read_sql", "read_table"]

MAX_SHOWN = 60


def read_sql(asked: TableQuery, into: Path) -> ReadDataset:
    """Run a query and write its rows to a Parquet file; without one, read a table by its name.

    Raises:
        StoreError: Spark is not there, or refuses the query.
        NoRowsError: The result has no row.
    """
    key = "sql" if asked.sql else "location"
    sql = asked.sql or f"FROM {_reference(one_location(asked))} SELECT *"
    shown = shorten(" ".join(sql.split()), limit=MAX_SHOWN)
    session = _session(asked, key, "using: spark_sql")
    with spark_errors(f"run the query of {asked.at(key)}"):
        _copy(session.sql(sql), f"the query of {asked.at(key)}", into)
    digest = hashlib.sha256(sql.encode()).hexdigest()[:8]
    return ReadDataset(FrameFile(into), (Source(f"{SPARK_URI}sql/{digest} ({shown})"),))


def read_table(asked: TableQuery, location: str, into: Path) -> ReadDataset:
    """Write the rows of a Delta table, of a catalog or at an address, to a Parquet file.

    Raises:
        StoreError: Spark is not there, or finds no such table, version, or none at that time.
        NoRowsError: It has no row.
    """
    session = _session(asked, "location", location)
    ref = _reference(location)
    with spark_errors(f"read {location} ({asked.at('location')})"):
        table_id = session.sql(f"DESCRIBE DETAIL {ref}").collect()[0]["id"]
        rows = session.sql(f"DESCRIBE HISTORY {ref}").selectExpr(
            "version", "unix_millis(timestamp) AS timestamp"
        )
        history = [row.asDict() for row in rows.collect()]
        newest = max(int(entry["version"]) for entry in history)
        version = version_asked(asked, location, newest, history)
        frame = session.sql(f"FROM {ref} VERSION AS OF {version:d} SELECT *")
        _copy(frame, f"{location}, version {version} ({asked.at('location')})", into)
    return ReadDataset(
        FrameFile(into), (Source(f"{SPARK_URI}{location}", None, f"{table_id}@{version}"),)
    )


def _session(asked: TableQuery, key: str, what: str) -> SparkSession:
    try:
        return open_session()
    except StoreError as error:
        raise StoreError(
            f"{asked.at(key)}: {what} needs Spark, whatever the engine of the feature tables is "
            f"({asked.engine}). {error.message}",
            hint=error.hint,
        ) from error


def _reference(location: str) -> str:
    """A table as Spark SQL names it.

    >>> _reference("main.sales.loans"), _reference("s3://lake/loans")
    ('`main`.`sales`.`loans`', 'delta.`s3://lake/loans`')
    """
    if ":" in location or "/" in location:
        return f"delta.{ticked(location)}"
    return ".".join(ticked(part.strip("`")) for part in location.split("."))


def _copy(frame: DataFrame, name: str, into: Path) -> None:
    write_rows(
        _batches(frame),
        frame.limit(0).toArrow().schema,
        name,
        into,
        hint="Run the query in a notebook: does its condition hold for any row?",
    )


def _batches(frame: DataFrame) -> Iterator[Any]:
    """The rows as record batches; only one part of the result is in this process at a time."""
    import pyarrow as pa

    def packed(batches: Iterator[Any]) -> Iterator[Any]:
        # It travels to Spark's workers by value, which need not have this package.
        import pyarrow

        for batch in batches:
            sink = pyarrow.BufferOutputStream()
            with pyarrow.ipc.new_stream(sink, batch.schema) as stream:
                stream.write_batch(batch)
            yield pyarrow.RecordBatch.from_pydict({"rows": [sink.getvalue().to_pybytes()]})

    for row in frame.mapInArrow(packed, "rows binary").toLocalIterator():
        with pa.ipc.open_stream(bytes(row["rows"])) as stream:
            yield from stream
