"""Feature tables on the disk: one Delta table each, written by delta-rs.

Each write is a commit on top of the version that it looked at, and fails when another one was
faster. Writers of this machine wait for each other at a lock file, so that this is rare.
A reader needs no lock: it sees one version, whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.feature_records import FeatureTable, FeatureTableInfo, Lookup
from mlrecipes.stores import feature_rules as rules
from mlrecipes.stores.delta_folder import DeltaFolder, delta_errors, info_of
from mlrecipes.stores.feature_joins import join_tables
from mlrecipes.stores.feature_merges import add_by_key, merge_by_key
from mlrecipes.stores.feature_rows import columns_of, open_rows, stage

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable

__all__ = ["LocalFeatureStore"]

N_TRIES = 20
PAUSE_S = 0.05


class LocalFeatureStore:
    """A :class:`~mlrecipes.feature_ports.FeatureStore` in a folder, a Delta table for each.

    Args:
        folder: Holds one folder a table.
        temp_folder: Where rows are staged and work goes that does not fit into memory.
    """

    def __init__(self, folder: Path, temp_folder: Path) -> None:
        self._tables = DeltaFolder(folder)
        self._temp_folder = temp_folder

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
        return info_of(name, self._tables.open(name))

    def create(
        self, table: FeatureTable, rows: Any, properties: Mapping[str, str] | None = None
    ) -> int:
        """Make a table with its first rows, and give its version.

        It is made in a folder beside and then renamed: it is there with its rows or not at all.

        Raises:
            StoreError: It exists; or keys are missing, null or not unique.
            TryAgain: Another process writes to a table of this name for long.
        """
        from deltalake import DeltaTable, write_deltalake

        rules.check_new(self, table, properties)
        new = open_rows(table.name, rows)
        rules.check_definition(table, new.schema.names)
        building = self._tables.beside(table.name)
        with (
            stage(table.name, new, table.row_keys, self._temp_folder) as staged,
            self._tables.lock(table.name),
            delta_errors(f"create feature table {table.name}"),
        ):
            self._tables.sweep(table.name)
            DeltaTable.create(
                building,
                new.schema,
                description=table.description,
                configuration=rules.properties_of(table, properties),
                raise_if_key_not_exists=False,
            )
            write_deltalake(building, staged.reader(), mode="append")
            version = int(DeltaTable(building).version())
            self._tables.put(building, table.name)
        return version

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
        from deltalake import write_deltalake
        from deltalake.exceptions import CommitFailedError

        rules.check_properties(properties)
        table = rules.existing(self, name).table
        new = open_rows(name, rows)
        rules.check_definition(table, new.schema.names)
        with stage(name, new, table.row_keys, self._temp_folder) as staged, self._tables.lock(name):
            delta = self._tables.open(name)
            if delta.version() != expected_version:
                raise rules.stale(name, expected_version, delta.version())
            try:
                with delta_errors(f"overwrite feature table {name}"):
                    write_deltalake(
                        delta,
                        staged.reader(),
                        mode="overwrite",
                        schema_mode="overwrite",
                        commit_properties=_on_this_version(),
                    )
            except CommitFailedError as error:
                raise rules.stale(name, expected_version) from error
            return self._set_words(table, properties)

    def read(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> pa.Table:
        """Read a table as it is, as of a version, or as of a time (UTC).

        The keys come first, whether they are among ``columns`` or not.

        Raises:
            StoreError: There is no such table, column, version, or none at that time.
        """
        if at is not None:
            with delta_errors(f"read the history of feature table {name}"):
                version = rules.version_at(name, self._tables.open(name).history(), at, version)
        delta = self._tables.open(name, version)
        wanted = rules.keys_first(info_of(name, delta), columns)
        with delta_errors(f"read feature table {name}"):
            return delta.to_pyarrow_dataset().to_table(columns=wanted)

    def join(self, spine: Path, lookups: Sequence[Lookup], path: Path) -> None:
        """Put looked-up features beside the rows of a Parquet file, in the same order.

        Raises:
            StoreError: A table, version or column is missing; or a column would be there twice.
        """
        tables = [self._tables.open(lookup.table, lookup.version) for lookup in lookups]
        infos = [
            info_of(lookup.table, table) for lookup, table in zip(lookups, tables, strict=True)
        ]
        with delta_errors("join the feature tables"):
            datasets = [table.to_pyarrow_dataset() for table in tables]
        join_tables(
            spine,
            [*zip(lookups, infos, datasets, strict=True)],
            path,
            self._temp_folder,
        )

    def drop(self, name: str) -> None:
        """Delete a table with all its versions.

        Raises:
            StoreError: There is no such table.
        """
        rules.check_name(name)
        with self._tables.lock(name), delta_errors(f"drop feature table {name}"):
            self._tables.take_away(name)

    # ---- writing ---------------------------------------------------------------------------

    def _merge(
        self, name: str, rows: Any, properties: Mapping[str, str] | None, *, new_allowed: bool
    ) -> int:
        rules.check_properties(properties)
        info = rules.existing(self, name)
        new = open_rows(name, rows, info.columns)
        rules.check_changed(info, columns_of(new), new_allowed=new_allowed)
        write = add_by_key if new_allowed else merge_by_key

        def merge(delta: DeltaTable) -> None:
            now = info_of(name, delta)
            rules.check_changed(now, columns_of(new), new_allowed=new_allowed)
            write(delta, now, staged.columns, staged.reader, _on_this_version())

        with (
            stage(name, new, info.table.row_keys, self._temp_folder) as staged,
            self._tables.lock(name),
        ):
            self._commit(name, merge)
            return self._set_words(info.table, properties)

    def _set_words(self, table: FeatureTable, properties: Mapping[str, str] | None) -> int:
        """Set properties that differ; gives the version of the table in the end."""
        self._commit(table.name, lambda delta: _describe(delta, table.description))
        self._commit(table.name, lambda delta: _set_properties(delta, properties))
        return int(self._tables.open(table.name).version())

    def _commit(self, name: str, write: Callable[[DeltaTable], None]) -> None:
        """Write to the newest version, again when somebody else was faster."""
        from deltalake.exceptions import CommitFailedError

        for n_tries in range(1, N_TRIES + 1):
            delta = self._tables.open(name)
            try:
                with delta_errors(f"write to feature table {name}"):
                    write(delta)
            except CommitFailedError as error:
                if n_tries == N_TRIES:
                    raise rules.too_busy(name, delta.version(), n_tries) from error
                time.sleep(PAUSE_S * n_tries)
            else:
                return


def _describe(delta: DeltaTable, description: str) -> None:
    """New columns, as delta-rs adds them, take the description of the table with them."""
    if (delta.metadata().description or "") != description:
        delta.alter.set_table_description(description, commit_properties=_on_this_version())


def _set_properties(delta: DeltaTable, properties: Mapping[str, str] | None) -> None:
    new = rules.new_values(properties, delta.metadata().configuration)
    if new:
        delta.alter.set_table_properties(
            new, raise_if_not_exists=False, commit_properties=_on_this_version()
        )


def _on_this_version() -> CommitProperties:
    """Let a commit fail when there is a newer version, whatever it changed."""
    from deltalake import CommitProperties

    return CommitProperties(max_commit_retries=0)
