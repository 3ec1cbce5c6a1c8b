"""What monitoring asks of files, Delta and Spark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from mlrecipes.checks.drift_counting import count_column
from mlrecipes.monitor_ports import Cut, MonitorTables, WindowRequest
from mlrecipes.monitor_records import ColumnCounts, ColumnPlan
from mlrecipes.stores.frames import FrameFile
from mlrecipes.stores.monitor_tables import open_tables
from mlrecipes.stores.monitor_windows import cut_windows, put_beside

__all__ = ["StoredMonitoring"]

N_AT_ONCE = 16


class StoredMonitoring:
    """A :class:`~mlrecipes.monitor_ports.Monitoring` over files, Delta tables and Spark.

    Args:
        root: The recipe's root; relative locations start there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def windows(self, rows: Path, asked: WindowRequest, folder: Path) -> Cut:
        """Write a file for each window that is asked for, and for those before."""
        return cut_windows(rows, asked, folder)

    def beside(self, rows: Path, others: Path, keys: Sequence[str], into: Path) -> int:
        """Put columns of other rows beside rows by their keys."""
        return put_beside(rows, others, tuple(keys), into)

    def count(
        self, rows: Path, plans: Sequence[ColumnPlan], engine: str
    ) -> Mapping[str, ColumnCounts]:
        """Count columns of a Parquet file; only a few of them are in memory at once."""
        if engine == "spark":
            from mlrecipes.stores.spark_counting import count_file_on_spark

            return count_file_on_spark(rows, plans)
        table = FrameFile(rows)
        known = [plan for plan in plans if plan.name in table.dtypes]
        found: dict[str, ColumnCounts] = {}
        for start in range(0, len(known), N_AT_ONCE):
            some = known[start : start + N_AT_ONCE]
            frame = table.columns([plan.name for plan in some])
            found |= {plan.name: count_column(frame[plan.name], plan) for plan in some}
        return found

    def tables(self, using: str, location: str) -> MonitorTables:
        """The tables of what was found."""
        return open_tables(using, location, self._root)
