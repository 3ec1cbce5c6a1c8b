"""Tables laid out for reading: which columns are numbers, and columns matched across tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.records import ColumnProfile, Histogram, ProfileComparison

__all__ = ["ComparedColumn", "ComparedValue", "compared_columns", "numeric_columns"]

N_VALUES = 3
APART = 0.05
"""From this difference on, a share of missing values stands out."""
LIKE_A_NUMBER = re.compile(r"-?[\d,]*\.?\d+(e[-+]?\d+)?%?|-?inf|nan|NaN|None|<NA>|", re.IGNORECASE)


def numeric_columns(n_columns: int, rows: Sequence[Sequence[Any]]) -> tuple[bool, ...]:
    """Whether each column holds numbers or nothing, so that it is aligned to the right.

    Text that reads as numbers counts too, but not in the first column: that one names the row.

    >>> numeric_columns(3, [("0", 1.5, None), ("1", "2.5", "yes")])
    (False, True, False)
    """
    cells = [[row[i] for row in rows if i < len(row)] for i in range(n_columns)]
    return tuple(_is_numeric(column, is_first=not i) for i, column in enumerate(cells))


def _is_numeric(cells: Sequence[Any], *, is_first: bool) -> bool:
    known = [cell for cell in cells if cell is not None]
    if not known or any(isinstance(cell, bool) for cell in known):
        return False
    if is_first:
        return all(isinstance(cell, int | float) for cell in known)
    return all(
        isinstance(cell, int | float)
        or (isinstance(cell, str) and LIKE_A_NUMBER.fullmatch(cell) is not None)
        for cell in known
    ) and any(cell != "" for cell in known)


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """A frequent value and how many rows have it in each table; None: not among the frequent."""

    value: str
    counts: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class ComparedColumn:
    """A column in each of several tables; None where a table lacks it.

    Attributes:
        dtype: Its type; all of them if the tables do not agree.
    """

    name: str
    dtype: str
    parts: tuple[ColumnProfile | None, ...]
    values: tuple[ComparedValue, ...]

    @property
    def histograms(self) -> tuple[Histogram | None, ...]:
        """The distribution in each table."""
        return tuple(part.histogram if part is not None else None for part in self.parts)

    @property
    def missing_stands_out(self) -> tuple[bool, ...]:
        """Whether the share of missing values lies far from that of the first table."""
        shares = [
            p.n_missing / p.n_rows if p is not None and p.n_rows else None for p in self.parts
        ]
        first = shares[0]
        return tuple(
            first is not None and share is not None and abs(share - first) > APART - 1e-9
            for share in shares
        )

    @property
    def composition(self) -> tuple[tuple[tuple[int, ...], int], ...]:
        """Counts of the values and the number of rows in each table."""
        return tuple(
            (tuple(value.counts[i] or 0 for value in self.values), part.n_rows if part else 0)
            for i, part in enumerate(self.parts)
        )


def compared_columns(comparison: ProfileComparison) -> tuple[ComparedColumn, ...]:
    """Match the columns of all tables by name, in the order of their first appearance."""
    tables = [{c.name: c for c in profile.columns} for profile in comparison.profiles]
    names = dict.fromkeys(name for table in tables for name in table)
    return tuple(_compared(name, tuple(table.get(name) for table in tables)) for name in names)


def _compared(name: str, parts: tuple[ColumnProfile | None, ...]) -> ComparedColumn:
    known = [part for part in parts if part is not None]
    counts = [dict(part.top_values) if part is not None else {} for part in parts]
    values = dict.fromkeys(value for part in known for value, _ in part.top_values[:N_VALUES])
    ordered = [ComparedValue(v, tuple(table.get(v) for table in counts)) for v in values]
    dtypes = " / ".join(dict.fromkeys(part.dtype for part in known))
    return ComparedColumn(name, dtypes, parts, tuple(ordered[: N_VALUES + 1]))
