"""The seams of feature tables: what computes them, and what holds them, as protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mlrecipes.feature_records import FeatureTable, FeatureTableInfo, Lookup, Slices
from mlrecipes.quality_ports import QualityChecker

__all__ = ["FeatureBackend", "FeatureEngine", "FeatureStore"]


class FeatureEngine(Protocol):
    """Computes features: SQL over raw tables. Its rows are what its store takes."""

    dialect: str
    """``duckdb`` or ``spark``: in which SQL it wants its queries."""

    def query(self, sql: str, tables: Mapping[str, Path], slices: Slices | None = None) -> Any:
        """Run a query over files.

        Args:
            sql: One SELECT in the engine's dialect; it names tables by the keys of ``tables``.
            tables: Table name to a Parquet, CSV or CSV.gz file, or a folder of Parquet files.
            slices: Run it over a part of the keys at a time; engines that spread rows over
                machines by themselves take no notice.

        Returns:
            Rows: a ``pyarrow.RecordBatchReader`` of DuckDB, a ``DataFrame`` of Spark.

        Raises:
            StoreError: A file cannot be read, or the query fails.
        """
        ...


class FeatureStore(Protocol):
    """Holds feature tables: Delta on the disk, Delta on Spark, or Databricks.

    ``rows`` are what the engine of the store gives; all stores take a ``pyarrow.Table`` too.
    Every write leaves a new version. Writes that lose against another writer are tried again
    where that is safe, and else raise ``TryAgain`` with table and version.
    """

    def names(self) -> list[str]:
        """Names of all feature tables, sorted."""
        ...

    def find(self, name: str) -> FeatureTableInfo | None:
        """What a table holds now; None if there is none of this name."""
        ...

    def create(
        self, table: FeatureTable, rows: Any, properties: Mapping[str, str] | None = None
    ) -> int:
        """Make a table with its first rows, and give its version.

        Raises:
            StoreError: It exists; or keys are missing, null or not unique.
        """
        ...

    def upsert(self, name: str, rows: Any, properties: Mapping[str, str] | None = None) -> int:
        """Change rows whose keys are there and add the others; writing again changes nothing.

        Columns of the table that ``rows`` lack keep their values.

        Raises:
            StoreError: There is no such table; keys are missing, null or not unique; or a
                column is new or has another type.
            TryAgain: Other writers were faster too often.
        """
        ...

    def add_columns(self, name: str, rows: Any, properties: Mapping[str, str] | None = None) -> int:
        """Add columns to the rows that are there; rows without a match get null.

        Args:
            name: Of the table.
            rows: The table's keys and the new columns; columns that were added earlier are
                filled anew. Rows whose keys are not in the table are left out.
            properties: To be set with the same write.

        Raises:
            StoreError: As for :meth:`upsert`.
            TryAgain: Other writers were faster too often.
        """
        ...

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
        ...

    def read(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> Any:
        """Read a table as it is, as of a version, or as of a time (UTC); keys come first.

        Returns:
            A ``pyarrow.Table``; a ``DataFrame`` of Spark for stores on Spark.

        Raises:
            StoreError: There is no such table, column, version, or none at that time.
        """
        ...

    def join(self, spine: Path, lookups: Sequence[Lookup], path: Path) -> None:
        """Put looked-up features beside the rows of a Parquet file.

        Each row of the spine gives exactly one row, in the same order; a row without a match
        gets nulls. Never is a row of a feature table taken that is later than the spine's
        event time.

        Args:
            spine: A Parquet file with the keys of each row and what else belongs to it.
            lookups: What to put beside it, in this order.
            path: The Parquet file to write.

        Raises:
            StoreError: A table, version or column is missing; or a column would be there twice.
        """
        ...

    def drop(self, name: str) -> None:
        """Delete a table with all its versions.

        Raises:
            StoreError: There is no such table.
        """
        ...


@dataclass(frozen=True, slots=True)
class FeatureBackend:
    """An engine, the store that takes its rows, and what looks at tables in between."""

    engine: FeatureEngine
    store: FeatureStore
    checker: QualityChecker
