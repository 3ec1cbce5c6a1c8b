"""Building one feature table: its query is run, its rows pass their door and are written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.quality import with_row_count
from mlrecipes.errors import DataError
from mlrecipes.feature_ports import FeatureBackend, FeatureStore
from mlrecipes.feature_records import FeatureTableInfo
from mlrecipes.features.definition import FeatureDefinition, built_from
from mlrecipes.quality_records import Suite
from mlrecipes.records import Source
from mlrecipes.steps._contract import Context
from mlrecipes.steps._quality import Doors, TableAtDoor

if TYPE_CHECKING:
    from mlrecipes.features.sql import FeatureQuery

__all__ = ["UP_TO_DATE", "Building", "Built"]

BUILT_FROM = "mlrecipes.built_from"
"""Property of a table: the key of all that its rows were made from."""
UP_TO_DATE = "up to date"


@dataclass(frozen=True, slots=True)
class Built:
    """What became of one feature table."""

    definition: FeatureDefinition
    info: FeatureTableInfo
    what: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class Building:
    """What feature tables are built with.

    Attributes:
        raw: Place of each raw table.
        sources: Files of each raw table, with their digests.
    """

    context: Context
    backend: FeatureBackend
    doors: Doors
    raw: Mapping[str, Path]
    sources: Mapping[str, tuple[Source, ...]]

    def build(self, definition: FeatureDefinition, query: FeatureQuery) -> Built:
        """Write a table unless it was made of the same before.

        A run that was killed goes on with the next table.

        Raises:
            GateRejected: Its rows are not as expected; nothing was written.
            StoreError: It cannot be computed or written.
        """
        started = time.monotonic()
        engine, store, table = self.backend.engine, self.backend.store, definition.table
        sources = {name: self.sources[name] for name in query.tables}
        key = built_from(definition, engine.dialect, sources)
        before = store.find(table.name)
        if before is not None and before.properties.get(BUILT_FROM) == key:
            self._look_again(table.name, key)
            return Built(definition, before, UP_TO_DATE, 0.0)
        tables = {name: self.raw[name] for name in query.tables}
        rows = engine.query(query.texts[engine.dialect], tables, definition.slices)
        rows = self._passed(table.name, rows, key)
        what = _write(definition, rows, {BUILT_FROM: key}, before, store)
        after = store.find(table.name)
        if after is None:
            raise DataError(f"The feature table {table.name} was dropped while it was built.")
        return Built(definition, after, what, time.monotonic() - started)

    def _suite(self, name: str) -> Suite | None:
        suite = self.doors.suites.get(f"features.{name}")
        return None if suite is None else with_row_count(suite, 1)

    def _passed(self, name: str, rows: Any, key: str) -> Any:
        """The same rows after they passed their door; nobody else has seen them before."""
        suite, checker = self._suite(name), self.backend.checker
        if suite is None:
            return rows
        held = checker.hold(rows, self.context.staging / f"feature-rows-{name}.parquet")
        self.doors.pass_through([TableAtDoor(suite, held, content=key)], checker)
        return checker.release(held)

    def _look_again(self, name: str, key: str) -> None:
        """Look at a table that is there, if its suite is new since it was written."""
        suite, checker = self._suite(name), self.backend.checker
        if suite is None:
            return
        table = TableAtDoor(suite, None, content=key)
        if not self.doors.is_known(table):
            rows = self.backend.store.read(name)
            held = checker.hold(rows, self.context.staging / f"feature-rows-{name}.parquet")
            table = TableAtDoor(suite, held, content=key)
        self.doors.pass_through([table], checker)


def _write(
    definition: FeatureDefinition,
    rows: Any,
    properties: Mapping[str, str],
    before: FeatureTableInfo | None,
    store: FeatureStore,
) -> str:
    """Write the rows as the definition asks, and say how."""
    table = definition.table
    if before is None:
        store.create(table, rows, properties)
        return "created"
    if before.table.row_keys != table.row_keys:
        store.drop(table.name)
        store.create(table, rows, properties)
        return "made anew: its keys changed"
    if definition.write == "merge":
        store.upsert(table.name, rows, properties)
        return "merged"
    store.overwrite(table.name, rows, expected_version=before.version, properties=properties)
    return "replaced"
