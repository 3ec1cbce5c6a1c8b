"""Counting a column where the reference has its edges and values, locally."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlrecipes.monitor_records import ColumnCounts, ColumnKind, ColumnPlan

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["as_text", "count_column", "plan_numbers"]

N_CELLS = 20
MIN_COUNT = 5
"""A value that fewer rows have could tell whose they are, so it becomes no edge."""


def plan_numbers(
    values: np.ndarray,
) -> tuple[tuple[float, ...], tuple[int, ...], tuple[float, ...]]:
    """Choose edges for numbers, each an observed value, and count between them.

    About as many rows lie in each cell; of few distinct values each has a cell of its own.

    Args:
        values: Finite, without missing ones, at least one; shape (n_rows,).

    Returns:
        Edges, counts and means of the cells; an empty cell has its nearest edge as its mean.
    """
    import numpy as np

    distinct, counts = np.unique(values, return_counts=True)
    if distinct.size == 1:
        edges = np.array([np.nextafter(distinct[0], -np.inf), distinct[0]])
    elif distinct.size <= N_CELLS:
        usual = distinct[counts >= MIN_COUNT]
        edges = usual[usual < distinct[-1]]
    else:
        below = np.cumsum(counts) / values.size
        shares = np.arange(1, N_CELLS) / N_CELLS
        edges = np.unique(distinct[np.searchsorted(below, shares - 1e-12)])
        edges = edges[edges < distinct[-1]]
    cells = np.searchsorted(edges, distinct, side="left")
    n_cells = len(edges) + 1
    n_in = np.bincount(cells, counts, n_cells)
    sums = np.bincount(cells, counts * distinct, n_cells)
    nearest = np.append(edges, edges[-1] if edges.size else distinct[-1])
    means = np.divide(sums, n_in, out=nearest.astype(float), where=n_in > 0)
    return tuple(map(float, edges)), tuple(map(int, n_in)), tuple(map(float, means))


def count_column(column: pd.Series, plan: ColumnPlan) -> ColumnCounts:
    """Count the rows of a column by its plan; what is no number among numbers is missing."""
    if plan.kind is ColumnKind.NUMBER:
        return _numbers(column, plan)
    if plan.kind is ColumnKind.CATEGORY:
        return _values(column, plan)
    n_missing = int(column.isna().sum())
    return ColumnCounts((len(column) - n_missing,), n_missing)


def _numbers(column: pd.Series, plan: ColumnPlan) -> ColumnCounts:
    import numpy as np
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    known = numbers[~np.isnan(numbers)]
    cells = np.searchsorted(np.asarray(plan.edges), known, side="left")
    counts = np.bincount(cells, minlength=plan.n_cells)
    return ColumnCounts(tuple(map(int, counts)), len(numbers) - len(known))


def _values(column: pd.Series, plan: ColumnPlan) -> ColumnCounts:
    try:
        found = column.value_counts()
    except TypeError:  # cells that cannot be hashed, such as lists
        found = column.dropna().map(repr).value_counts()
    by_text: dict[str, int] = {}
    for value, n in found.items():
        text = as_text(value)
        by_text[text] = by_text.get(text, 0) + int(n)
    known = tuple(by_text.pop(value, 0) for value in plan.values)
    n_known = int(found.sum())
    return ColumnCounts((*known, n_known - sum(known)), len(column) - n_known)


def as_text(value: Any) -> str:
    """A value as the reference keeps it; whole numbers that became floats beside gaps too.

    >>> as_text(True), as_text(3.0), as_text("a")
    ('True', '3', 'a')
    """
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
