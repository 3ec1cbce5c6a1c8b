"""Rows on their way into a feature table on Spark: typed, and with sound keys."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import MAX_EXAMPLES, StoreError, few, shorten
from mlrecipes.stores.feature_rows import key_problem, open_rows
from mlrecipes.stores.feature_types import arrow_types

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["checked", "frame_columns", "ticked", "to_frame"]


def to_frame(
    session: SparkSession, name: str, rows: Any, expected: Mapping[str, str] | None = None
) -> DataFrame:
    """Take rows as they come, in the types in which they are stored.

    Args:
        session: Of Spark.
        name: Of the feature table.
        rows: A ``DataFrame`` of Spark, or what gives an Arrow stream, such as ``pyarrow.Table``.
        expected: Types of the table's columns, for those without any value.

    Raises:
        StoreError: It is something else, or a column has a type that is not stored.
    """
    if not hasattr(rows, "createOrReplaceTempView"):
        return session.createDataFrame(open_rows(name, rows, expected).read_all())
    known = {*arrow_types().values()}
    columns, wrong = [], []
    for column, seen in frame_columns(rows).items():
        kind = {"timestamp_ntz": "timestamp"}.get(seen, seen)
        if kind == "void":
            kind = (expected or {}).get(column, kind)
        if kind in known or kind.startswith("decimal("):
            columns.append(rows[ticked(column)].cast(kind).alias(column))
        else:
            wrong.append(f"{shorten(column)} ({shorten(seen)})")
    if wrong:
        raise StoreError(
            f"Feature table {name}: {len(wrong)} columns with a type that feature tables do "
            f"not store: {few(wrong)}.",
            hint="Cast them in the query, such as CAST(x AS DOUBLE); 'void' is the type of a "
            "column without any value.",
        )
    typed: DataFrame = rows.select(columns)
    return typed


def frame_columns(frame: DataFrame) -> dict[str, str]:
    """Name to type, as Spark SQL names it."""
    return {field.name: field.dataType.simpleString() for field in frame.schema.fields}


@contextmanager
def checked(name: str, frame: DataFrame, keys: Sequence[str]) -> Iterator[DataFrame]:
    """Look at the keys of rows; these are computed once, for this look and for the write.

    Raises:
        StoreError: A key is null or there twice.
    """
    from pyspark.errors import PySparkException
    from pyspark.sql import functions as sf

    with contextlib.suppress(PySparkException):  # Serverless clusters keep no rows.
        frame = frame.persist()
    try:
        columns = [sf.col(ticked(key)) for key in keys]
        n_rows, *n_nulls = frame.agg(
            sf.count(sf.lit(1)), *(sf.count(sf.when(key.isNull(), 1)) for key in columns)
        ).collect()[0]
        doubled = frame.groupBy(columns).agg(sf.count(sf.lit(1)).alias("n")).where("n > 1")
        examples = doubled.orderBy(columns).limit(MAX_EXAMPLES).collect()
        n_doubled = doubled.count() if len(examples) == MAX_EXAMPLES else len(examples)
        problem = key_problem(keys, n_rows, n_nulls, n_doubled, examples)
        if problem:
            raise StoreError(f"Feature table {name}: {problem} Nothing was written.")
        yield frame
    finally:
        with contextlib.suppress(PySparkException):
            frame.unpersist()


def ticked(name: str) -> str:
    """A name as Spark SQL takes it.

    >>> ticked("a b")
    '`a b`'
    """
    return "`" + name.replace("`", "``") + "`"
