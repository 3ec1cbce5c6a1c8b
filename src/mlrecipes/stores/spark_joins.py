"""Features beside the rows of a spine, on Spark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mlrecipes.feature_records import FeatureTableInfo, Lookup
from mlrecipes.stores.feature_types import as_stored
from mlrecipes.stores.joined_rows import ROW, check_lookups, spine_keys, write_beside, write_part
from mlrecipes.stores.spark import spark_errors
from mlrecipes.stores.spark_rows import ticked

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

__all__ = ["join_frames", "write_frames"]

AT = "__at"


def join_frames(
    session: SparkSession,
    spine: Path,
    lookups: Sequence[tuple[Lookup, FeatureTableInfo, DataFrame]],
    path: Path,
) -> None:
    """Write a Parquet file with the spine's rows and the features that belong to them.

    The spine and the result lie on the driver's disk: only keys go to the cluster, and only
    features come back, those of one table at a time.

    Raises:
        StoreError: A column is missing, cannot be compared, or would be there twice.
    """
    check_lookups(spine, [(lookup, info) for lookup, info, _ in lookups])
    with spark_errors("join the feature tables"):
        found = (_found(session, spine, *lookup) for lookup in lookups if lookup[0].features)
        write_frames(spine, found, path)


def write_frames(spine: Path, frames: Iterable[DataFrame], path: Path) -> None:
    """Write the spine with features beside it that Spark found, in the spine's order."""
    parts: list[Path] = []
    with TemporaryDirectory(prefix="join.") as folder:
        for frame in frames:
            table = frame.toArrow()
            parts.append(Path(folder) / f"{len(parts)}.arrow")
            write_part(table.cast(as_stored(str(path), table.schema)), parts[-1])
        write_beside(spine, parts, path)


def _found(
    session: SparkSession, spine: Path, lookup: Lookup, info: FeatureTableInfo, frame: DataFrame
) -> DataFrame:
    """The features in the order of the spine."""
    from pyspark.sql import functions as sf

    keys, event_time = [*info.table.primary_keys], info.table.event_time
    names = [f"k{position}" for position in range(len(keys))]
    of_spine = [(column, names[keys.index(key)]) for column, key in lookup.keys.items()]
    columns = [sf.col(ticked(key)).alias(name) for key, name in zip(keys, names, strict=True)]
    if event_time is not None:
        columns.append(_moment(frame, event_time).alias(AT))
    columns += [sf.col(ticked(name)).alias(f"f{i}") for i, name in enumerate(lookup.features)]
    table = frame.select(*columns)
    as_of = event_time is not None and lookup.event_time is not None
    if as_of:
        of_spine.append((str(lookup.event_time), AT))
    rows = session.createDataFrame(spine_keys(spine, of_spine).read_all())
    if as_of:
        moments = table.select(*names, sf.col(AT).alias("then"))
        past = rows.join(moments, names).where(sf.col("then") <= sf.col(AT))
        best = past.groupBy(ROW, *names).agg(sf.max("then").alias(AT))
        found = rows.select(ROW).join(best.join(table, [*names, AT]), ROW, "left")
    elif event_time is not None:
        newest = table.groupBy(names).agg(sf.max(AT).alias(AT))
        found = rows.join(table.join(newest, [*names, AT]), names, "left")
    else:
        found = rows.join(table, names, "left")
    return found.orderBy(ROW).select(
        [sf.col(f"f{i}").alias(name) for i, name in enumerate(lookup.features.values())]
    )


def _moment(frame: DataFrame, event_time: str) -> Column:
    """An event time as the spine's are given: days become their midnight in UTC."""
    column = frame[ticked(event_time)]
    is_day = frame.schema[event_time].dataType.simpleString() == "date"
    return column.cast("timestamp") if is_day else column
