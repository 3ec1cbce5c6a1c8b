"""Picking rows by a condition, which DuckDB evaluates on some rows at a time.

It sees the columns that the condition names and says yes or no; the rows themselves stay as
they are, so that no type changes on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlrecipes.ports import NoRowsError
from mlrecipes.selection import Selection
from mlrecipes.stores.duckdb_engine import duckdb_errors

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["RowPicker"]

ROWS = "rows_to_pick"


class RowPicker:
    """Picks the rows of a selection, and counts those that were looked at.

    Args:
        selection: What is wanted.
    """

    def __init__(self, selection: Selection) -> None:
        self.n_seen = 0
        self._condition = selection.condition.get("duckdb")
        self._needs = list(selection.needs)
        self._where = selection.at("filter")
        self._connection = _connect() if self._condition else None

    def pick(self, table: pa.Table) -> pa.Table:
        """The rows of a table that meet the condition, in their order.

        Raises:
            StoreError: A value does not fit the condition, such as a text that is no number.
        """
        self.n_seen += len(table)
        if self._connection is None:
            return table
        with duckdb_errors(f"apply the filter of {self._where}"):
            self._connection.register(ROWS, table.select(self._needs))
            said = self._connection.sql(
                f"SELECT coalesce(CAST(({self._condition}) AS BOOLEAN), false) AS keep FROM {ROWS}"  # noqa: S608 - parsed and quoted by parse_condition
            ).to_arrow_table()
            self._connection.unregister(ROWS)
        return table.filter(said["keep"])

    def none_left(self, of: str) -> NoRowsError:
        """The error for a table of which no row meets the condition."""
        return NoRowsError(f"0 of {self.n_seen:,} rows of {of} meet the filter ({self._where}).")


def _connect() -> Any:
    import duckdb

    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "threads": 1,  # the rows keep their order
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    return connection
