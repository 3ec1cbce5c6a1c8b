"""What the training data looked like, kept with the model: counts, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.drift_counting import MIN_COUNT, as_text, count_column, plan_numbers
from mlrecipes.checks.profile import profile_column
from mlrecipes.monitor_records import ColumnKind, ColumnPlan
from mlrecipes.records import ColumnProfile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PROFILE_FILE", "PROFILE_VERSION", "column_facts", "training_profile"]

PROFILE_FILE = "training_profile.json"
"""In the folder of a model."""
PROFILE_VERSION = 2
"""Since 2 numbers have cells, which monitoring counts by."""
MAX_VALUES = 50
QUANTILES = ("0", "0.25", "0.5", "0.75", "1")


def training_profile(features: pd.DataFrame) -> dict[str, Any]:
    """Describe the columns that the model sees, as ``training_profile.json`` holds them.

    Args:
        features: Raw feature columns of the training part.

    Returns:
        ``{"version": 2, "n_rows": n, "columns": {name: facts}}``; see :func:`column_facts`.
    """
    columns = ((str(name), features.iloc[:, i]) for i, name in enumerate(features.columns))
    described: Mapping[str, Any] = {name: column_facts(name, column) for name, column in columns}
    return {"version": PROFILE_VERSION, "n_rows": len(features), "columns": described}


def column_facts(name: str, column: pd.Series) -> dict[str, Any]:
    """Describe one column.

    Returns:
        ``dtype``, ``n``, ``n_missing``, ``null_share``, ``n_distinct``; for numbers ``mean``,
        ``std``, ``quantiles``, ``histogram`` (``edges`` and ``counts``) and ``cells`` (``edges``,
        ``counts`` and ``means``: about as many rows in each); for others ``top_values`` (each
        with its count, most frequent first; only values of five rows or more).
    """
    profile = profile_column(name, column)
    n_rows = max(1, profile.n_rows)
    facts = {
        "dtype": profile.dtype,
        "n": profile.n_rows,
        "n_missing": profile.n_missing,
        "null_share": profile.n_missing / n_rows,
        "n_distinct": profile.n_distinct,
    }
    is_number = profile.mean is not None or bool(profile.quantiles)
    if not is_number:
        return facts | {"top_values": _top(column)}
    return facts | _number(profile) | _cells(name, column)


def _cells(name: str, column: pd.Series) -> dict[str, Any]:
    """Counts by which later rows can be counted too."""
    import numpy as np

    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    finite = numbers[np.isfinite(numbers)]
    if not finite.size:
        return {}
    edges, _counts, means = plan_numbers(finite)
    counts = count_column(column, ColumnPlan(name, ColumnKind.NUMBER, edges))
    return {"cells": {"edges": list(edges), "counts": list(counts.cells), "means": list(means)}}


def _number(profile: ColumnProfile) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "mean": profile.mean,
        "std": profile.std,
        "quantiles": dict(zip(QUANTILES, profile.quantiles, strict=False)),
    }
    if profile.histogram is not None:
        edges, counts = list(profile.histogram.edges), list(profile.histogram.counts)
        facts["histogram"] = {"edges": edges, "counts": counts}
    return facts


def _top(column: pd.Series) -> list[list[Any]]:
    """Values with their counts; nothing for cells that cannot be counted, such as lists."""
    try:
        counts = column.value_counts().head(MAX_VALUES)
    except TypeError:
        return []
    return [[as_text(value), int(n)] for value, n in counts.items() if n >= MIN_COUNT]
