"""What a recipe takes its rows from on Spark: a query, a table of a catalog, Parquet files.

Rows come to this machine as Arrow, one part of the result at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, few, shorten
from mlrecipes.ports import SPARK_URI, ReadDataset, TableQuery
from mlrecipes.records import Source
from mlrecipes.selection import Selection
from mlrecipes.stores.delta_source import (
    check_no_doubles,
    one_location,
    version_asked,
    write_rows,
)
from mlrecipes.stores.frames import FrameFile
from mlrecipes.stores.places import is_remote
from mlrecipes.stores.spark import open_session, spark_errors
from mlrecipes.stores.spark_rows import ticked

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["chosen", "read_parquet", "read_sql", "read_table"]

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
        _copy(session.sql(sql), asked.selection, f"the query of {asked.at(key)}", into)
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
        name = f"{location}, version {version} ({asked.at('location')})"
        _copy(frame, asked.selection, name, into)
    return ReadDataset(
        FrameFile(into), (Source(f"{SPARK_URI}{location}", None, f"{table_id}@{version}"),)
    )


def read_parquet(places: Sequence[str], selection: Selection, into: Path) -> ReadDataset:
    """Write the rows of Parquet files, or of folders of them, at addresses that Spark reads.

    Raises:
        StoreError: Spark is not there or cannot read them, or some of them are on this disk.
        NoRowsError: There is no row.
    """
    here = [place for place in places if not is_remote(place)]
    if here:
        raise StoreError(
            f"location names addresses that Spark reads beside {few(here)}.",
            hint="Put all files in one kind of place.",
        )
    shown = few(places)
    session = open_session()
    with spark_errors(f"read {shown}"):
        _copy(session.read.parquet(*places), selection, shown, into)
    return ReadDataset(FrameFile(into), tuple(Source(f"{SPARK_URI}{place}") for place in places))


def chosen(frame: DataFrame, selection: Selection) -> DataFrame:
    """The wanted columns and rows; Spark reads no others where the source allows it.

    Raises:
        DataError: A wanted column is not there.
    """
    if selection.is_everything:
        return frame
    selection.check(frame.columns)
    if selection.condition:
        frame = frame.where(selection.condition["spark"])
    return frame.select(*map(ticked, selection.kept(frame.columns)))


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


def _copy(frame: DataFrame, selection: Selection, name: str, into: Path) -> None:
    check_no_doubles(frame.columns, name)
    wanted = chosen(frame, selection)
    write_rows(
        _tables(wanted),
        wanted.limit(0).toArrow().schema,
        name,
        into,
        hint="Run the query in a notebook: does its condition hold for any row?",
    )


def _tables(frame: DataFrame) -> Iterator[Any]:
    """The rows, some at a time; only one part of the result is in this process at a time."""
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
            yield pa.Table.from_batches(stream, stream.schema)
