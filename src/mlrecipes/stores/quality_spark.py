"""Suites on Spark: the queries of DuckDB translated, one scan for all that they can count.

Great Expectations takes several jobs for each expectation; it looks at what has no translation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.quality_records import Checked, Expectation, Finding, Suite
from mlrecipes.stores.quality_looks import look_at, named_tables, offending_rows
from mlrecipes.stores.quality_plans import BATCH, Columns
from mlrecipes.stores.quality_sql import TYPE_NAMES
from mlrecipes.stores.spark import SparkEngine, spark_errors
from mlrecipes.stores.spark_rows import frame_columns, ticked

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkChecker"]

DUCKDB_NAMES = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "timestamp_ntz": "TIMESTAMP",
}
SPARK_TYPES = {
    "whole": ("LongType", "IntegerType", "ShortType", "ByteType"),
    "float": ("DoubleType", "FloatType"),
    "decimal": ("DecimalType",),
    "text": ("StringType",),
    "bool": ("BooleanType",),
    "date": ("DateType",),
    "timestamp": ("TimestampType", "TimestampNTZType"),
}


class SparkChecker:
    """A :class:`~mlrecipes.quality_ports.QualityChecker` on Spark frames.

    Args:
        session: Of Spark.
        shows_values: Whether examples are shown as they are, not masked.
    """

    def __init__(self, session: SparkSession, *, shows_values: bool = False) -> None:
        self._session = session
        self._engine = SparkEngine(session)
        self._shows_values = shows_values

    def check(self, table: Any, suite: Suite, others: Mapping[str, Any] | None = None) -> Checked:
        """Hold a table, a path or a ``DataFrame``, against a suite."""
        frame = self._frame(table)
        with spark_errors("check the table"):
            known = self._viewed(frame, suite.expectations, others or {})
            return look_at(
                suite.expectations,
                _duckdb_columns(frame),
                known,
                self._query,
                partial(self._by_great_expectations, frame),
                shows_values=self._shows_values,
            )

    def set_aside(
        self,
        table: Any,
        findings: Sequence[Finding],
        into: Path,
        limit: int,
        others: Mapping[str, Any] | None = None,
    ) -> tuple[int, int]:
        """Copy the rows that break any of the findings into a Parquet file."""
        import pyarrow.parquet as pq

        frame = self._frame(table)
        known = self._viewed(frame, [finding.expectation for finding in findings], others or {})
        queries = offending_rows(findings, _duckdb_columns(frame), known)
        if queries is None:
            return 0, 0
        counting, rows = queries
        with spark_errors("set the offending rows aside"):
            n_offending = int(self._query(counting)[0][0])
            if n_offending:
                into.parent.mkdir(parents=True, exist_ok=True)
                found = self._session.sql(_spark_sql(rows)).limit(limit)
                pq.write_table(found.toArrow(), into)
        return n_offending, min(n_offending, limit)

    def hold(self, rows: Any, into: Path) -> Any:
        """Keep the rows in Spark's memory and on its disks."""
        return rows.persist()

    def release(self, held: Any) -> Any:
        """The frame itself."""
        return held

    # -- private ---------------------------------------------------------------------------

    def _frame(self, table: Any) -> DataFrame:
        """The table with NaN as missing, as it is in pandas."""
        from pyspark.sql import functions as sf

        frame = table
        if isinstance(table, str | Path):
            with spark_errors("read the table"):
                frame = self._engine.read(Path(table))
        floats = {n for n, kind in frame_columns(frame).items() if kind in {"float", "double"}}
        columns = [sf.col(ticked(name)) for name in frame.columns]
        cleaned: DataFrame = frame.select(
            *(
                sf.when(~sf.isnan(column), column).alias(name) if name in floats else column
                for name, column in zip(frame.columns, columns, strict=True)
            )
        )
        return cleaned

    def _viewed(
        self, frame: DataFrame, expectations: Sequence[Expectation], others: Mapping[str, Any]
    ) -> dict[str, Columns]:
        """Make views of the table and of those that foreign keys name; the latter's columns."""
        frame.createOrReplaceTempView(BATCH)
        known: dict[str, Columns] = {}
        for name in sorted(named_tables(expectations) & set(others)):
            other = self._frame(others[name])
            other.createOrReplaceTempView(name)
            known[name] = _duckdb_columns(other)
        return known

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with spark_errors("check the table"):
            return [tuple(row) for row in self._session.sql(_spark_sql(sql)).collect()]

    def _by_great_expectations(
        self, frame: DataFrame, expectations: Sequence[Expectation]
    ) -> list[Finding]:
        from mlrecipes.stores.quality_gx import check_spark

        asked = [_for_spark(one) for one in expectations]
        findings = check_spark(frame, asked, shows_values=self._shows_values)
        return [
            replace(finding, expectation=expectation)
            for finding, expectation in zip(findings, expectations, strict=True)
        ]


def _for_spark(expectation: Expectation) -> Expectation:
    """The same expectation in Spark's words for types."""
    kwargs = dict(expectation.kwargs)
    kind = expectation.type
    if kind.endswith(("of_type", "in_type_list")):
        wanted = kwargs.pop("type_list", None) or [kwargs.pop("type_", "")]
        kwargs.pop("type_", None)
        kwargs["type_list"] = [
            spark
            for group, names in TYPE_NAMES.items()
            if any(str(one).lower() in names for one in wanted)
            for spark in SPARK_TYPES[group]
        ]
        kind = "expect_column_values_to_be_in_type_list"
    return Expectation(
        kind,
        kwargs,
        expectation.severity,
        expectation.description,
        expectation.meta,
        expectation.line,
    )


def _duckdb_columns(frame: DataFrame) -> dict[str, str]:
    return {
        name: DUCKDB_NAMES.get(kind, kind.upper()) for name, kind in frame_columns(frame).items()
    }


def _spark_sql(sql: str) -> str:
    import sqlglot
    from sqlglot import exp

    def itself(node: exp.Expression) -> exp.Expression:
        """Spark knows no nextafter(x, x), by which DuckDB is asked for x (quality_sql.is_nan)."""
        is_next = isinstance(node, exp.Anonymous) and node.name.lower() == "nextafter"
        argument: exp.Expression = node.expressions[0] if is_next else node
        return argument

    return str(sqlglot.parse_one(sql, dialect="duckdb").transform(itself).sql(dialect="spark"))
