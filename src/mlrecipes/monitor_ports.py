"""The seams of monitoring: windows of rows, counting them, and the tables of what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mlrecipes.errors import StoreError
from mlrecipes.monitor_records import ColumnCounts, ColumnPlan
from mlrecipes.records import Scalar

__all__ = ["Cut", "MonitorTables", "Monitoring", "Window", "WindowRequest", "no_monitoring"]


@dataclass(frozen=True, slots=True)
class WindowRequest:
    """Which rows belong to which window.

    Attributes:
        time_col: The moment of a row; None for rows without one, which are one window.
        window: A period such as ``7d``, ``month``, ``quarter`` or ``batch``.
        since: Windows that end before are left out, but for ``history`` of them.
        until: Rows of this moment or later are left out.
        history: How many windows before the asked ones are given too.
        model: What the columns ``model_name``, ``model_version`` and ``run_id`` must hold;
            empty takes all rows.
    """

    time_col: str | None
    window: str
    since: datetime | None = None
    until: datetime | None = None
    history: int = 0
    model: Mapping[str, str | None] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """Rows of a period in a file.

    Attributes:
        name: Such as ``2026-11-01``, ``2026-Q4`` or a batch's id.
        start: UTC; None where rows have no moment.
        end: UTC, not part of it.
        path: A Parquet file with its rows.
        is_asked: Whether alerts of it are asked for; else it is history.
    """

    name: str
    start: datetime | None
    end: datetime | None
    n_rows: int
    path: Path
    is_asked: bool


@dataclass(frozen=True, slots=True)
class Cut:
    """Rows in windows, oldest first, and how many are in none of them.

    Attributes:
        n_others: Rows that another model scored.
        n_untimed: Rows without a moment.
    """

    windows: tuple[Window, ...]
    n_others: int = 0
    n_untimed: int = 0


class MonitorTables(Protocol):
    """Tables that rows are only ever added to, each once by its key."""

    @property
    def place(self) -> str:
        """Where they lie."""
        ...

    def append(self, table: str, rows: Sequence[Mapping[str, Scalar | datetime]]) -> list[str]:
        """Add the rows whose ``key`` is not there yet, in one commit.

        Args:
            table: ``profile``, ``drift``, ``performance`` or ``alerts``.
            rows: With the columns of the table; a repeated run brings the same keys.

        Returns:
            The keys that were added.

        Raises:
            StoreError: The table cannot be read or written.
            TryAgain: Other writers were faster too often.
        """
        ...


class Monitoring(Protocol):
    """Cuts rows into windows, counts them, and opens the tables."""

    def windows(self, rows: Path, asked: WindowRequest, folder: Path) -> Cut:
        """Write a file for each window that is asked for, and for those before.

        Args:
            rows: A Parquet file.
            asked: Which windows.
            folder: Where the files go.

        Raises:
            DataError: There is no such column, or it holds no moments.
        """
        ...

    def beside(self, rows: Path, others: Path, keys: Sequence[str], into: Path) -> int:
        """Put columns of other rows beside rows by their keys; the last of equal keys wins.

        Args:
            rows: A Parquet file; all its rows are kept, in their order.
            others: A Parquet file with keys and what belongs to them.
            keys: Names of columns of both.
            into: The Parquet file to write.

        Returns:
            How many rows found a match.

        Raises:
            DataError: A key is missing.
        """
        ...

    def count(
        self, rows: Path, plans: Sequence[ColumnPlan], engine: str
    ) -> Mapping[str, ColumnCounts]:
        """Count columns of a Parquet file by their plans; columns that are not there are left out.

        Args:
            rows: The file.
            plans: One a column.
            engine: ``local`` or ``spark``; both give the same.
        """
        ...

    def tables(self, using: str, location: str) -> MonitorTables:
        """The tables of what was found: ``delta`` in a folder, or ``table`` in a schema."""
        ...


def no_monitoring() -> Monitoring:
    """There is nothing that could be watched.

    Raises:
        StoreError: Always.
    """
    raise StoreError("There is nothing here that windows of rows could be taken from.")
