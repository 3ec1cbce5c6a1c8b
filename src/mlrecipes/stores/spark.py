"""A Spark session, and SQL over files on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError
from mlrecipes.feature_records import Slices
from mlrecipes.stores.failures import could_not
from mlrecipes.stores.table_files import files_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkEngine", "open_session", "spark_errors"]

LOCAL = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.maxResultSize": "0",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Delta would read each log, however short, in 50 tasks.
    "spark.databricks.delta.snapshotPartitions": "2",
}
# As DuckDB is told to read them, so that both engines see the same types.
CSV_OPTIONS = {
    "header": "true",
    "inferSchema": "true",
    "quote": '"',
    "escape": '"',
    "multiLine": "true",
    "nullValue": "",
    "dateFormat": "yyyy-MM-dd",
    "timestampFormat": "yyyy-MM-dd HH:mm:ss",
    "mode": "FAILFAST",
}


def open_session(settings: Mapping[str, str] | None = None) -> SparkSession:
    """Join the session that is there, as on Databricks, or start one in this machine.

    One that is started knows Delta, which Maven Central gives when it is not there yet, speaks
    UTC, and is bound to 127.0.0.1.

    Args:
        settings: More of Spark's settings, for a session that is started.

    Raises:
        StoreError: Spark is not installed, or does not start.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise _not_installed() from error
    with spark_errors("start Spark"):
        session = SparkSession.getActiveSession()
        # Spark's own words for a cluster that is there, though nobody has touched it yet.
        elsewhere = "DATABRICKS_RUNTIME_VERSION" in os.environ or "SPARK_REMOTE" in os.environ
        if session is None:
            session = SparkSession.builder.getOrCreate() if elsewhere else _start(settings or {})
    return session


def _start(settings: Mapping[str, str]) -> SparkSession:
    from pyspark.sql import SparkSession

    try:
        from delta import configure_spark_with_delta_pip
    except ImportError as error:
        raise _not_installed() from error
    # Its workers would run another Python, without our packages.
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.appName("mlrecipes").master("local[*]")
    of_machine = {
        "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
        "spark.driver.memory": f"{_memory_mib() // 2}m",
    }
    chosen = of_machine | LOCAL | dict(settings)
    for key, value in chosen.items():
        builder = builder.config(key, value)
    session = _get_or_create(configure_spark_with_delta_pip(builder))
    session.sparkContext.setLogLevel("ERROR")
    return session


def _get_or_create(builder: Any) -> SparkSession:
    """Start Java, a second time if need be: two processes that fetch jars at once may disturb."""
    from pyspark.errors import PySparkRuntimeError

    try:
        session: SparkSession = builder.getOrCreate()
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        session = builder.getOrCreate()
    return session


def _memory_mib() -> int:
    """Of this machine; Spark's own choice for its driver, 1 GiB, twice over where it is unknown."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    except (AttributeError, ValueError, OSError):  # Windows
        return 2048


def _not_installed() -> StoreError:
    return StoreError(
        "Spark with Delta is not installed.", hint="Install it: pip install 'mlrecipes[spark]'"
    )


class SparkEngine:
    """A :class:`~mlrecipes.feature_ports.FeatureEngine` on Spark.

    Args:
        session: Of Spark; the files must be on a disk that it sees.
    """

    dialect = "spark"

    def __init__(self, session: SparkSession) -> None:
        self._session = session

    def query(
        self, sql: str, tables: Mapping[str, Path], slices: Slices | None = None
    ) -> DataFrame:
        """Run a query over files; rows are computed when somebody takes them.

        Args:
            sql: One SELECT; it names tables by the keys of ``tables``.
            tables: Table name to a Parquet, CSV or CSV.gz file, or a folder of Parquet files.
            slices: Not used: Spark spreads the rows itself.

        Raises:
            StoreError: A file cannot be read, or the query fails.
        """
        with spark_errors("read the tables"):
            for name, path in sorted(tables.items()):
                self.read(path).createOrReplaceTempView(name)
        with spark_errors("run the query"):
            return self._session.sql(sql)

    def read(self, path: Path) -> DataFrame:
        """Read a table's files, in the types that DuckDB sees.

        Raises:
            StoreError: There is no such table.
        """
        form, files = files_of(path)
        places = [f"file:{file.absolute()}" for file in files]
        if form == "parquet":
            return self._session.read.parquet(*places)
        return _as_in_duckdb(self._session.read.options(**CSV_OPTIONS).csv(places))


def _as_in_duckdb(frame: DataFrame) -> DataFrame:
    """Whole numbers become ``bigint``, those beyond ``double``, and truth values stay text."""
    from pyspark.sql import functions as sf
    from pyspark.sql import types

    columns: list[Any] = []
    for field in frame.schema.fields:
        column = sf.col(f"`{field.name}`")
        if isinstance(field.dataType, types.DecimalType):
            column = column.cast("double").alias(field.name)
        elif isinstance(field.dataType, types.IntegerType):
            column = column.cast("bigint").alias(field.name)
        elif isinstance(field.dataType, types.BooleanType):
            column = column.cast("string").alias(field.name)
        columns.append(column)
    return frame.select(columns)


@contextmanager
def spark_errors(doing: str) -> Iterator[None]:
    """Turn errors of Spark, and of the bridge to its Java, into ours.

    Args:
        doing: What is tried, to follow "Could not".

    Raises:
        StoreError: With the first line of the cause.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, OSError) as error:
        raise could_not(doing, error) from error
