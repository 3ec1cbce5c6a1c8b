"""Delta tables through Spark SQL: what they say of themselves, and writes by key.

A table is named as Spark SQL names it: delta.`/folder/name` or `catalog`.`schema`.`name`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from mlrecipes.errors import StoreError
from mlrecipes.feature_records import FeatureTableInfo
from mlrecipes.stores import feature_rules as rules
from mlrecipes.stores.spark import spark_errors
from mlrecipes.stores.spark_rows import frame_columns, ticked

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = [
    "add_by_key",
    "commit",
    "create",
    "has_news",
    "info_of",
    "merge_by_key",
    "read",
    "replace",
    "set_properties",
]

N_TRIES = 20
PAUSE_S = 0.2
LOST_RACE = "DELTA_CONCURRENT"
NO_VERSION = ("DELTA_VERSION_NOT_FOUND", "DELTA_TIME_TRAVEL_INVALID", "VERSION_NOT_FOUND")


def text(value: str) -> str:
    r"""A text as Spark SQL takes it.

    >>> text("it's")
    "'it\\'s'"
    """
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def listed(properties: Mapping[str, str]) -> str:
    """Properties as Spark SQL takes them."""
    return ", ".join(f"{text(key)} = {text(value)}" for key, value in sorted(properties.items()))


# ---- reading -------------------------------------------------------------------------------------


def info_of(session: SparkSession, ref: str, name: str) -> FeatureTableInfo:
    """What a feature table holds now.

    Raises:
        StoreError: It is no feature table, or cannot be read.
    """
    with spark_errors(f"look at feature table {name}"):
        properties = {row[0]: row[1] for row in session.sql(f"SHOW TBLPROPERTIES {ref}").collect()}
        extended = session.sql(f"DESCRIBE TABLE EXTENDED {ref}").where("col_name = 'Comment'")
        comments = [row["data_type"] for row in extended.collect()]
        columns = frame_columns(session.table(ref))
        version = _history(session, ref, "LIMIT 1")[0][0]
    return rules.info_from(name, comments[0] if comments else "", properties, columns, version)


def read(
    session: SparkSession,
    ref: str,
    info: FeatureTableInfo,
    columns: Sequence[str] | None = None,
    version: int | None = None,
    at: datetime | None = None,
) -> DataFrame:
    """Read a table as it is, as of a version or as of a time.

    Raises:
        StoreError: There is no such column, version, or none at that time.
    """
    name = info.table.name
    if at is not None:
        with spark_errors(f"read the history of feature table {name}"):
            history = [
                {"version": number, "timestamp": made_ms}
                for number, made_ms in _history(session, ref)
            ]
        version = rules.version_at(name, history, at, version)
    if version is None or version == info.version:
        with spark_errors(f"read feature table {name}"):
            frame = session.table(ref)
    else:
        frame = _as_of(session, ref, info, version)
        info = rules.as_of(info, frame_columns(frame), version)
    return frame.select([frame[ticked(column)] for column in rules.keys_first(info, columns)])


def _as_of(session: SparkSession, ref: str, info: FeatureTableInfo, version: int) -> DataFrame:
    if not 0 <= version <= info.version:
        raise rules.no_version(info.table.name, version, info.version)
    try:
        with spark_errors(f"read feature table {info.table.name}"):
            return session.sql(f"FROM {ref} VERSION AS OF {version:d} SELECT *")
    except StoreError as error:
        if any(word in error.message for word in NO_VERSION):
            raise rules.no_version(info.table.name, version, info.version) from error
        raise


def _history(session: SparkSession, ref: str, limit: str = "") -> list[tuple[int, int]]:
    """Versions, the newest first, and when they were written, in milliseconds."""
    rows = session.sql(f"DESCRIBE HISTORY {ref} {limit}").selectExpr(
        "version", "unix_millis(timestamp)"
    )
    return [(int(row[0]), int(row[1])) for row in rows.collect()]


# ---- writing -------------------------------------------------------------------------------------


def create(
    session: SparkSession,
    ref: str,
    description: str,
    properties: Mapping[str, str],
    frame: DataFrame,
) -> None:
    """Make a table with its first rows, by one commit."""
    with _viewed(frame) as view:
        session.sql(
            f"CREATE TABLE {ref} USING delta COMMENT {text(description)} "
            f"TBLPROPERTIES ({listed(properties)}) AS TABLE {view}"
        ).collect()


def has_news(session: SparkSession, ref: str, info: FeatureTableInfo, frame: DataFrame) -> bool:
    """Whether there are rows with new keys, or such that differ from those of the table."""
    values = [column for column in frame.columns if column not in info.table.row_keys]
    first_key = ticked(info.table.primary_keys[0])
    with _viewed(frame) as view:
        rows = session.sql(
            f"FROM {view} s LEFT JOIN {ref} t ON {_same_keys(info)} SELECT 1 "
            f"WHERE t.{first_key} IS NULL OR {_differs(values)} LIMIT 1"
        )
        return bool(rows.collect())


def merge_by_key(session: SparkSession, ref: str, info: FeatureTableInfo, frame: DataFrame) -> None:
    """Update rows that differ, insert those with new keys; no commit if there is none of both."""
    if not has_news(session, ref, info, frame):
        return
    values = [column for column in frame.columns if column not in info.table.row_keys]
    columns = ", ".join(map(ticked, frame.columns))
    new = ", ".join(f"s.{ticked(column)}" for column in frame.columns)
    update = f"WHEN MATCHED AND {_differs(values)} THEN UPDATE SET {_from_source(values)}"
    insert = ["WHEN NOT MATCHED THEN INSERT", f"({columns}) VALUES ({new})"]
    with _viewed(frame) as view:
        merge = _merge(ref, view, _same_keys(info), update if values else "", *insert)
        session.sql(merge).collect()


def add_by_key(session: SparkSession, ref: str, info: FeatureTableInfo, frame: DataFrame) -> None:
    """Fill columns, new ones and old ones, in the rows that are there; null without a match."""
    types = frame_columns(frame)
    values = [column for column in types if column not in info.table.row_keys]
    new = [f"{ticked(column)} {types[column]}" for column in values if column not in info.columns]
    if new:
        session.sql(f"ALTER TABLE {ref} ADD COLUMNS ({', '.join(new)})").collect()
    if not values:
        return
    on, differs = _same_keys(info), _differs(values)
    with _viewed(frame) as view:
        changed = f"FROM {ref} t LEFT JOIN {view} s ON {on} SELECT 1 WHERE {differs} LIMIT 1"
        if not session.sql(changed).collect():
            return
        filled = " OR ".join(f"t.{ticked(column)} IS NOT NULL" for column in values)
        nulls = ", ".join(f"t.{ticked(column)} = NULL" for column in values)
        update = f"WHEN MATCHED AND {differs} THEN UPDATE SET {_from_source(values)}"
        clear = f"WHEN NOT MATCHED BY SOURCE AND ({filled}) THEN UPDATE SET {nulls}"
        session.sql(_merge(ref, view, on, update, clear)).collect()


def replace(
    session: SparkSession, ref: str, info: FeatureTableInfo, frame: DataFrame, expected: int
) -> None:
    """Replace all rows and columns, if the table has the expected version.

    Spark cannot bind a commit to a version. If somebody else's came between, it is restored.

    Raises:
        TryAgain: The table has another version.
    """
    if info.version != expected:
        raise rules.stale(info.table.name, expected, info.version)
    try:
        with spark_errors(f"overwrite feature table {info.table.name}"):
            writer = frame.write.format("delta").mode("overwrite")
            writer.option("overwriteSchema", "true").saveAsTable(ref)
            # Ours is the newest overwrite; its place tells whether it is the next version.
            version = _history(session, ref, "LIMIT 1")[0][0]
            if version != expected + 1:
                session.sql(f"RESTORE TABLE {ref} TO VERSION AS OF {version - 1:d}").collect()
                raise rules.stale(info.table.name, expected, version - 1)
    except StoreError as error:
        if LOST_RACE in error.message:
            raise rules.stale(info.table.name, expected) from error
        raise


def set_properties(
    session: SparkSession, ref: str, name: str, properties: Mapping[str, str] | None
) -> None:
    """Set those that differ."""
    with spark_errors(f"set properties of feature table {name}"):
        rows = session.sql(f"SHOW TBLPROPERTIES {ref}").collect()
        new = rules.new_values(properties, {row[0]: row[1] for row in rows})
        if new:
            session.sql(f"ALTER TABLE {ref} SET TBLPROPERTIES ({listed(new)})").collect()


def commit(name: str, find: Callable[[], FeatureTableInfo], write: Callable[..., None]) -> None:
    """Write to what is there now, again when somebody else was faster.

    Raises:
        TryAgain: They were faster too often.
    """
    for n_tries in range(1, N_TRIES + 1):
        now = find()
        try:
            with spark_errors(f"write to feature table {name}"):
                write(now)
        except StoreError as error:
            if LOST_RACE not in error.message:
                raise
            if n_tries == N_TRIES:
                raise rules.too_busy(name, now.version, n_tries) from error
            time.sleep(PAUSE_S * n_tries)
        else:
            return


@contextmanager
def _viewed(frame: DataFrame) -> Iterator[str]:
    view = f"rows_{uuid.uuid4().hex}"
    frame.createOrReplaceTempView(view)
    try:
        yield view
    finally:
        frame.sparkSession.catalog.dropTempView(view)


def _merge(ref: str, view: str, on: str, *clauses: str) -> str:
    return " ".join(["MERGE INTO", ref, "t USING", view, "s ON", on, *clauses])


def _same_keys(info: FeatureTableInfo) -> str:
    return " AND ".join(f"t.{ticked(key)} = s.{ticked(key)}" for key in info.table.row_keys)


def _differs(columns: Sequence[str]) -> str:
    """Null equals null here, and NaN equals NaN."""
    same = " AND ".join(f"t.{ticked(name)} <=> s.{ticked(name)}" for name in columns)
    return f"NOT ({same or 'true'})"


def _from_source(columns: Sequence[str]) -> str:
    return ", ".join(f"t.{ticked(column)} = s.{ticked(column)}" for column in columns)
