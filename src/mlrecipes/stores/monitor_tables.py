"""Tables of what monitoring found: rows are only ever added, and each once by its key.

::

    monitoring/
      profile/      counts of each column of a window
      drift/        how far each column is from the training and from the window before
      performance/  realised and estimated metrics with their intervals
      alerts/       what somebody was told
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import TryAgain
from mlrecipes.monitor_ports import MonitorTables
from mlrecipes.records import Scalar
from mlrecipes.stores.delta_folder import delta_errors

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

__all__ = ["DeltaMonitorTables", "SparkMonitorTables", "open_tables", "table_schema"]

N_TRIES = 10
TEXT, NUMBER, WHOLE, MOMENT = "string", "double", "long", "timestamp"
ABOUT = {
    "key": TEXT,
    "model_name": TEXT,
    "model_version": TEXT,
    "run_id": TEXT,
    "window": TEXT,
    "window_start": MOMENT,
    "window_end": MOMENT,
}
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "profile": {
        "column": TEXT,
        "role": TEXT,
        "kind": TEXT,
        "n_rows": WHOLE,
        "n_missing": WHOLE,
        "edges": TEXT,
        "cells": TEXT,
        "baseline": TEXT,
    },
    "drift": {
        "column": TEXT,
        "role": TEXT,
        "comparison": TEXT,
        "n_rows": WHOLE,
        "level": TEXT,
        "reasons": TEXT,
        "importance": NUMBER,
        **dict.fromkeys(
            ("psi", "psi_excess", "psi_floor", "p_beyond", "jensen_shannon", "chi2", "p_chi2"),
            NUMBER,
        ),
        **dict.fromkeys(("ks", "p_ks", "wasserstein", "shift"), NUMBER),
        **dict.fromkeys(("missing_share", "missing_change", "unseen_change", "p_value"), NUMBER),
    },
    "performance": {
        "kind": TEXT,
        "slice": TEXT,
        "metric": TEXT,
        "value": NUMBER,
        "low": NUMBER,
        "high": NUMBER,
        "n_rows": WHOLE,
        "n_labelled": WHOLE,
        "note": TEXT,
    },
    "alerts": {"rule": TEXT, "subject": TEXT, "message": TEXT, "since": TEXT},
}
Rows = Sequence[Mapping[str, Scalar | datetime]]


def open_tables(using: str, location: str, root: Path) -> MonitorTables:
    """The tables in a folder or at an address, or in a schema of Spark's catalog."""
    if using == "table":
        return SparkMonitorTables(location)
    return DeltaMonitorTables(
        location if "://" in location else str(root / Path(location).expanduser())
    )


def table_schema(table: str) -> pa.Schema:
    """The columns of a table, the same in each place."""
    import pyarrow as pa

    types = {
        TEXT: pa.string(),
        NUMBER: pa.float64(),
        WHOLE: pa.int64(),
        MOMENT: pa.timestamp("us", "UTC"),
    }
    kinds = {**ABOUT, **COLUMNS[table], "computed_at": MOMENT, "engine_version": TEXT}
    return pa.schema([pa.field(name, types[kind]) for name, kind in kinds.items()])


class DeltaMonitorTables:
    """A :class:`~mlrecipes.monitor_ports.MonitorTables` in a folder, by delta-rs."""

    def __init__(self, place: str) -> None:
        self._place = place.rstrip("/")

    @property
    def place(self) -> str:
        """The folder, or the address."""
        return self._place

    def append(self, table: str, rows: Rows) -> list[str]:
        """Add the rows whose key is not there yet.

        The commit carries the keys' digest as an app transaction: of two processes that add
        the same rows at once, Delta refuses the second one, which then finds them.
        """
        from deltalake import CommitProperties, Transaction, write_deltalake
        from deltalake.exceptions import CommitFailedError

        place = f"{self._place}/{table}"
        if not rows:
            return []
        for _ in range(N_TRIES):
            there = self._open(place, table)
            known = _keys_of(there, place)
            new = [row for row in rows if row["key"] not in known]
            if not new:
                return []
            keys = [str(row["key"]) for row in new]
            mark = CommitProperties(
                app_transactions=[Transaction(f"mlrecipes.monitor/{_digest(keys)}", 1)]
            )
            try:
                with delta_errors(f"write to {place}"):
                    write_deltalake(
                        there, _as_table(table, new), mode="append", commit_properties=mark
                    )
            except CommitFailedError:
                continue
            return keys
        raise TryAgain(
            f"{place} was written by others {N_TRIES} times in between. Nothing was written.",
            hint="Run again: mlrecipes monitor",
        )

    def _open(self, place: str, table: str) -> DeltaTable:
        """The table; a new one without rows if there is none, since filling it is refused."""
        from deltalake import DeltaTable
        from deltalake.exceptions import CommitFailedError, DeltaError

        with delta_errors(f"open {place}"):
            if not DeltaTable.is_deltatable(place):
                try:
                    return DeltaTable.create(place, table_schema(table), mode="error")
                except (CommitFailedError, DeltaError):
                    if not DeltaTable.is_deltatable(place):
                        raise
            return DeltaTable(place)


class SparkMonitorTables:
    """A :class:`~mlrecipes.monitor_ports.MonitorTables` in a schema of Spark's catalog."""

    def __init__(self, schema: str) -> None:
        from mlrecipes.stores.spark import open_session

        self._schema = schema
        self._session = open_session()

    @property
    def place(self) -> str:
        """The schema."""
        return self._schema

    def append(self, table: str, rows: Rows) -> list[str]:
        """Add the rows whose key is not there yet; Delta refuses the same ones a second time."""
        from mlrecipes.stores.spark import spark_errors

        if not rows:
            return []
        name = f"{self._schema}.monitor_{table}"
        with spark_errors(f"write to table {name}"):
            known: set[str] = set()
            if self._session.catalog.tableExists(name):
                there = self._session.table(name)
                wanted = [str(row["key"]) for row in rows]
                known = {r["key"] for r in there.where(there["key"].isin(wanted)).collect()}
            new = [row for row in rows if row["key"] not in known]
            if not new:
                return []
            keys = [str(row["key"]) for row in new]
            writer = self._session.createDataFrame(_as_table(table, new)).write.format("delta")
            writer = writer.mode("append").option("txnVersion", "1")
            writer.option("txnAppId", f"mlrecipes.monitor/{_digest(keys)}").saveAsTable(name)
        return keys


def _digest(keys: Sequence[str]) -> str:
    return hashlib.sha256("".join(sorted(keys)).encode()).hexdigest()


def _keys_of(table: DeltaTable, place: str) -> set[str]:
    with delta_errors(f"read {place}"):
        found = table.to_pyarrow_dataset().to_table(columns=["key"])
        return set(found["key"].to_pylist())


def _as_table(table: str, rows: Rows) -> pa.Table:
    import pyarrow as pa

    schema = table_schema(table)
    unique: dict[Any, Mapping[str, Any]] = {row["key"]: row for row in rows}
    filled = [{name: row.get(name) for name in schema.names} for row in unique.values()]
    return pa.Table.from_pylist(filled, schema=schema)
