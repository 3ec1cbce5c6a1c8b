"""Feature tables on a disk, written by Spark; those of the local store are the same tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mlrecipes.errors import StoreError
from mlrecipes.feature_records import FeatureTable, FeatureTableInfo, Lookup
from mlrecipes.stores import feature_rules as rules
from mlrecipes.stores import spark_delta
from mlrecipes.stores.delta_folder import DeltaFolder, delta_errors
from mlrecipes.stores.spark import spark_errors
from mlrecipes.stores.spark_joins import join_frames
from mlrecipes.stores.spark_rows import checked, frame_columns, ticked, to_frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["SparkFeatureStore"]

WITHOUT_DELETION_VECTORS = {"delta.enableDeletionVectors": "false"}
"""delta-rs does not read tables that have them."""


class SparkFeatureStore:
    """A :class:`~mlrecipes.feature_ports.FeatureStore` on Spark, a Delta table for each.

    Args:
        session: Of Spark.
        location: Folder or ``file:`` URI on a disk that driver and executors share. In a
            catalog, :mod:`mlrecipes.stores.databricks_features` keeps feature tables.

    Raises:
        StoreError: The location is a URI of something else.
    """

    def __init__(self, session: SparkSession, location: str | Path) -> None:
        self._session = session
        self._tables = DeltaFolder(_folder(location))

    def names(self) -> list[str]:
        """Names of all feature tables, sorted."""
        return self._tables.names()

    def find(self, name: str) -> FeatureTableInfo | None:
        """What a table holds now; None if there is none of this name.

        Raises:
            StoreError: The name is none, or the table is damaged or no feature table.
        """
        if not self._tables.has(name):
            return None
        return spark_delta.info_of(self._session, self._ref(name), name)

    def create(
        self, table: FeatureTable, rows: Any, properties: Mapping[str, str] | None = None
    ) -> int:
        """Make a table with its first rows, and give its version.

        Raises:
            StoreError: It exists; or keys are missing, null or not unique.
            TryAgain: Another process writes to a table of this name for long.
        """
        rules.check_new(self, table, properties)
        frame = to_frame(self._session, table.name, rows)
        rules.check_definition(table, frame.columns)
        with (
            self._tables.lock(table.name),
            spark_errors(f"create feature table {table.name}"),
            delta_errors(f"create feature table {table.name}"),
            checked(table.name, frame, table.row_keys) as sound,
        ):
            self._tables.sweep(table.name)
            building = self._tables.beside(table.name)
            kept = rules.properties_of(table, properties) | WITHOUT_DELETION_VECTORS
            spark_delta.create(
                self._session, f"delta.{ticked(str(building))}", table.description, kept, sound
            )
            self._tables.put(building, table.name)
        return rules.existing(self, table.name).version

    def upsert(self, name: str, rows: Any, properties: Mapping[str, str] | None = None) -> int:
        """Change rows whose keys are there and add the others.

        Rows that are there as they are leave no new version. Properties that change are set by
        a commit after that of the rows.

        Raises:
            StoreError: There is no such table; keys are missing, null or not unique; or a
                column is new or has another type.
            TryAgain: Other writers were faster too often.
        """
        return self._merge(name, rows, properties, new_allowed=False)

    def add_columns(self, name: str, rows: Any, properties: Mapping[str, str] | None = None) -> int:
        """Add columns to the rows that are there; rows without a match get null.

        Raises:
            StoreError: As for :meth:`upsert`; new columns are welcome here.
            TryAgain: Other writers were faster too often.
        """
        return self._merge(name, rows, properties, new_allowed=True)

    def overwrite(
        self,
        name: str,
        rows: Any,
        *,
        expected_version: int,
        properties: Mapping[str, str] | None = None,
    ) -> int:
        """Replace all rows and columns of a table, if it still has the expected version.

        Raises:
            StoreError: As for :meth:`create`, but the table must exist.
            TryAgain: The table has another version by now.
        """
        rules.check_properties(properties)
        table = rules.existing(self, name).table
        frame = to_frame(self._session, name, rows)
        rules.check_definition(table, frame.columns)
        with self._tables.lock(name), checked(name, frame, table.row_keys) as sound:
            now = rules.existing(self, name)
            spark_delta.replace(self._session, self._ref(name), now, sound, expected_version)
            spark_delta.set_properties(self._session, self._ref(name), name, properties)
            return rules.existing(self, name).version

    def read(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> DataFrame:
        """Read a table as it is, as of a version, or as of a time (UTC).

        The keys come first, whether they are among ``columns`` or not.

        Raises:
            StoreError: There is no such table, column, version, or none at that time.
        """
        info = rules.existing(self, name)
        return spark_delta.read(self._session, self._ref(name), info, columns, version, at)

    def join(self, spine: Path, lookups: Sequence[Lookup], path: Path) -> None:
        """Put looked-up features beside the rows of a Parquet file, in the same order.

        Raises:
            StoreError: A table, version or column is missing; or a column would be there twice.
        """
        tables = []
        for lookup in lookups:
            now, ref = rules.existing(self, lookup.table), self._ref(lookup.table)
            frame = spark_delta.read(self._session, ref, now, version=lookup.version)
            info = rules.as_of(now, frame_columns(frame), lookup.version)
            tables.append((lookup, info, frame))
        join_frames(self._session, spine, tables, path)

    def drop(self, name: str) -> None:
        """Delete a table with all its versions.

        Raises:
            StoreError: There is no such table.
        """
        rules.check_name(name)
        with self._tables.lock(name), delta_errors(f"drop feature table {name}"):
            self._tables.take_away(name)

    def _merge(
        self, name: str, rows: Any, properties: Mapping[str, str] | None, *, new_allowed: bool
    ) -> int:
        rules.check_properties(properties)
        info = rules.existing(self, name)
        frame = to_frame(self._session, name, rows, info.columns)
        rules.check_changed(info, frame_columns(frame), new_allowed=new_allowed)
        by_key = spark_delta.add_by_key if new_allowed else spark_delta.merge_by_key

        def merge(now: FeatureTableInfo) -> None:
            rules.check_changed(now, frame_columns(frame), new_allowed=new_allowed)
            by_key(self._session, self._ref(name), now, sound)

        with self._tables.lock(name), checked(name, frame, info.table.row_keys) as sound:
            spark_delta.commit(name, lambda: rules.existing(self, name), merge)
            spark_delta.set_properties(self._session, self._ref(name), name, properties)
            return rules.existing(self, name).version

    def _ref(self, name: str) -> str:
        return f"delta.{ticked(str(self._tables.path / name))}"


def _folder(location: str | Path) -> Path:
    """The folder of a location.

    >>> _folder("file:///data/my%20features")
    PosixPath('/data/my features')
    """
    parts = urlsplit(str(location))
    if parts.scheme not in {"", "file"}:
        raise StoreError(
            f"{location} is no folder on a disk: feature tables on Spark lie in a folder, or in "
            "a catalog of Databricks."
        )
    return Path(unquote(parts.path) if parts.scheme else str(location)).absolute()
