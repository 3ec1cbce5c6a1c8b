"""Suites on Spark: Great Expectations looks at Spark frames itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import shorten
from mlrecipes.quality_records import (
    EXISTS_ELSEWHERE,
    UNEXPECTED_ROWS,
    Checked,
    Expectation,
    Finding,
    Suite,
)
from mlrecipes.stores.quality_duckdb import FAILED_COLUMN
from mlrecipes.stores.quality_plans import BATCH, Plan, PlanError, plan_of
from mlrecipes.stores.quality_sql import TYPE_NAMES, query_for_spark
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
        from mlrecipes.stores.quality_gx import check_spark

        frame = self._frame(table)
        with spark_errors("check the table"):
            n_rows = frame.count()
            found: dict[int, Finding] = {}
            asked: dict[int, Expectation] = {}
            for i, expectation in enumerate(suite.expectations):
                if expectation.type == EXISTS_ELSEWHERE:
                    found[i] = self._foreign_key(expectation, frame, others or {}, n_rows)
                    continue
                try:
                    asked[i] = _for_spark(expectation)
                except ValueError as error:
                    found[i] = _unchecked(expectation, n_rows, error)
            findings = check_spark(frame, list(asked.values()), shows_values=self._shows_values)
        for i, finding in zip(asked, findings, strict=True):
            found[i] = replace(finding, expectation=suite.expectations[i], n_rows=n_rows)
        return Checked(n_rows, tuple(found[i] for i in range(len(suite.expectations))))

    def set_aside(
        self,
        table: Any,
        findings: Sequence[Finding],
        into: Path,
        limit: int,
        others: Mapping[str, Any] | None = None,
    ) -> tuple[int, int]:
        """Copy the rows that break any of the findings into a Parquet file.

        A row that breaks several of them is there once for each.
        """
        import pyarrow.parquet as pq
        from pyspark.sql import functions as sf

        frame = self._frame(table)
        parts = []
        for finding in findings:
            plan = self._plan(finding.expectation, frame, others or {})
            if isinstance(plan, Plan) and plan.bad is not None:
                where = f"SELECT * FROM {BATCH} WHERE {plan.known} AND {plan.bad}"
                said = finding.expectation.description or finding.expectation.type
                rows = self._session.sql(_spark_sql(where))
                parts.append(rows.withColumn(FAILED_COLUMN, sf.lit(said)))
        if not parts:
            return 0, 0
        with spark_errors("set the offending rows aside"):
            rows = reduce(lambda one, other: one.unionByName(other), parts)
            n_offending = rows.count()
            if n_offending:
                into.parent.mkdir(parents=True, exist_ok=True)
                pq.write_table(rows.limit(limit).toArrow(), into)
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

    def _plan(
        self, expectation: Expectation, frame: DataFrame, others: Mapping[str, Any]
    ) -> Plan | str:
        """As DuckDB would look at it: its SQL is translated for what Spark must count itself."""
        frame.createOrReplaceTempView(BATCH)
        known = {}
        named = expectation.kwargs.get("other_table") or ()
        for name in [named] if isinstance(named, str) else named:
            if name in others:
                other = self._frame(others[name])
                other.createOrReplaceTempView(name)
                known[name] = _duckdb_columns(other)
        try:
            return plan_of(expectation, _duckdb_columns(frame), known)
        except (PlanError, ValueError, TypeError, KeyError) as error:
            return shorten(error, limit=300)

    def _foreign_key(
        self, expectation: Expectation, frame: DataFrame, others: Mapping[str, Any], n_rows: int
    ) -> Finding:
        plan = self._plan(expectation, frame, others)
        if isinstance(plan, str):
            return _unchecked(expectation, n_rows, plan)
        known = f"SELECT count(*) FROM {BATCH} WHERE {plan.known}"
        n_known, n_bad = (
            int(self._session.sql(_spark_sql(sql)).collect()[0][0])
            for sql in (known, str(plan.count_query))
        )
        if n_known == 0:
            return _unchecked(expectation, n_rows, "there are no values.")
        return Finding(
            expectation,
            is_met=(n_known - n_bad) / n_known >= expectation.mostly,
            n_rows=n_rows,
            n_missing=n_rows - n_known,
            n_unexpected=n_bad,
        )


def _for_spark(expectation: Expectation) -> Expectation:
    """The same expectation in Spark's words for types and Spark's SQL."""
    kwargs = dict(expectation.kwargs)
    kind = expectation.type
    if kind == UNEXPECTED_ROWS:
        kwargs["unexpected_rows_query"] = query_for_spark(kwargs["unexpected_rows_query"])
    elif kind.endswith(("of_type", "in_type_list")):
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


def _unchecked(expectation: Expectation, n_rows: int, why: object) -> Finding:
    return Finding(expectation, is_met=False, n_rows=n_rows, problem=shorten(why, limit=300))


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
