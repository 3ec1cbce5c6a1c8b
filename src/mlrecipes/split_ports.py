"""The seam between split and the tables it divides, which may be larger than memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Assign", "Assigned", "RowDivider"]

Assigned = tuple[Any, Mapping[str, int], str]
"""The part of each row as an array; rows that go nowhere, by reason; how it was done, in words."""
Assign = Callable[[Any], Assigned]
"""From some rows of a table to their parts."""


class RowDivider(Protocol):
    """Divides the rows of a table that lies in a Parquet file."""

    def assign(
        self, path: Path, columns: Sequence[str], assign: Assign, *, on_spark: bool
    ) -> Iterator[Assigned]:
        """Ask a function about all rows, some at a time, in their order.

        Args:
            path: The table.
            columns: Those that the function is given.
            assign: Made of plain values, as it may be sent to other machines.
            on_spark: Whether Spark's workers call it, else this process.

        Raises:
            DataError: The function says so.
            StoreError: Spark is not there, or its workers do not see the table.
        """
        ...

    def divide(self, path: Path, parts: Sequence[Any], into: Sequence[Path]) -> None:
        """Write each row to the file of its part: in the old order, numbered from 0.

        Args:
            path: The table.
            parts: Places in ``into``, one a row, less than 0 for none; arrays of any length.
            into: The Parquet files to write.
        """
        ...
