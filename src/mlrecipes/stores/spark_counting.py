"""Counting columns by their plans on Spark: the same cells as locally, in one query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.monitor_records import ColumnCounts, ColumnKind, ColumnPlan
from mlrecipes.stores.spark import open_session, spark_errors
from mlrecipes.stores.spark_rows import ticked

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = ["count_file_on_spark", "count_on_spark"]

MISSING = -1
FLOATS = ("double", "float")


def count_file_on_spark(path: Path, plans: Sequence[ColumnPlan]) -> Mapping[str, ColumnCounts]:
    """Count columns of a Parquet file that driver and workers see."""
    session = open_session()
    with spark_errors(f"count {path.name}"):
        return count_on_spark(session.read.parquet(f"file:{path.absolute()}"), plans)


def count_on_spark(frame: DataFrame, plans: Sequence[ColumnPlan]) -> Mapping[str, ColumnCounts]:
    """Count columns of a frame; only the counts come to the driver."""
    from pyspark.sql import functions as sf

    kinds = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    known = [plan for plan in plans if plan.name in kinds]
    if not known:
        return {}
    cells = [
        sf.struct(sf.lit(i).alias("column"), _cell(plan, kinds[plan.name]).alias("cell"))
        for i, plan in enumerate(known)
    ]
    long = frame.select(sf.explode(sf.array(*cells)).alias("at")).select("at.column", "at.cell")
    found = [[0] * plan.n_cells for plan in known]
    n_missing = [0] * len(known)
    for row in long.groupBy("column", "cell").count().collect():
        if row["cell"] == MISSING:
            n_missing[row["column"]] = int(row["count"])
        else:
            found[row["column"]][row["cell"]] = int(row["count"])
    return {
        plan.name: ColumnCounts(tuple(counts), missing)
        for plan, counts, missing in zip(known, found, n_missing, strict=True)
    }


def _cell(plan: ColumnPlan, kind: str) -> Column:
    """The position of each row's cell, -1 where the value is missing."""
    from pyspark.sql import functions as sf

    column = sf.col(ticked(plan.name))
    if plan.kind is ColumnKind.NUMBER:
        number = column.try_cast("double") if kind == "string" else column.cast("double")
        is_missing = number.isNull() | sf.isnan(number)
        steps: list[Any] = [(number > sf.lit(edge)).cast("int") for edge in plan.edges]
        place = reduce(lambda a, b: a + b, steps, sf.lit(0))
        return sf.when(is_missing, sf.lit(MISSING)).otherwise(place)
    is_missing = column.isNull() | sf.isnan(column) if kind in FLOATS else column.isNull()
    if plan.kind is ColumnKind.OTHER:
        return sf.when(is_missing, sf.lit(MISSING)).otherwise(sf.lit(0))
    values = sf.array(*(sf.lit(value) for value in plan.values))
    found = sf.array_position(values, _text(column, kind)).cast("int")
    place = sf.when(found == 0, sf.lit(len(plan.values))).otherwise(found - 1)
    return sf.when(is_missing, sf.lit(MISSING)).otherwise(place)


def _text(column: Column, kind: str) -> Column:
    """A value as Python writes it."""
    from pyspark.sql import functions as sf

    if kind == "boolean":
        return sf.when(column, sf.lit("True")).otherwise(sf.lit("False"))
    if kind in FLOATS:
        whole = column.cast("bigint")
        is_whole = whole.cast("double") == column
        return sf.when(is_whole, whole.cast("string")).otherwise(column.cast("string"))
    return column.cast("string")
