"""What the training data looked like, kept with the model: counts, never rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.profile import profile_column
from mlrecipes.records import ColumnProfile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PROFILE_FILE", "PROFILE_VERSION", "training_profile"]

PROFILE_FILE = "training_profile.json"
"""In the folder of a model."""
PROFILE_VERSION = 1
MAX_VALUES = 50
MIN_COUNT = 5
"""A value that fewer rows have could tell whose they are, so it is not kept."""
QUANTILES = ("0", "0.25", "0.5", "0.75", "1")


def training_profile(features: pd.DataFrame) -> dict[str, Any]:
    """Describe the columns that the model sees, as ``training_profile.json`` holds them.

    Args:
        features: Raw feature columns of the training part.

    Returns:
        ``{"version": 1, "n_rows": n, "columns": {name: facts}}`` where facts are ``dtype``,
        ``n``, ``null_share``, ``n_distinct``; for numbers ``mean``, ``std``, ``quantiles`` and
        ``histogram`` (``edges`` and ``counts``); for others ``top_values`` (each with its count,
        most frequent first; only values of five rows or more).
    """
    columns = ((str(name), features.iloc[:, i]) for i, name in enumerate(features.columns))
    described: Mapping[str, Any] = {name: _facts(name, column) for name, column in columns}
    return {"version": PROFILE_VERSION, "n_rows": len(features), "columns": described}


def _facts(name: str, column: pd.Series) -> dict[str, Any]:
    profile = profile_column(name, column)
    n_rows = max(1, profile.n_rows)
    facts = {
        "dtype": profile.dtype,
        "n": profile.n_rows,
        "null_share": profile.n_missing / n_rows,
        "n_distinct": profile.n_distinct,
    }
    is_number = profile.mean is not None or bool(profile.quantiles)
    return facts | (_number(profile) if is_number else {"top_values": _top(column)})


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
    return [[str(value), int(n)] for value, n in counts.items() if n >= MIN_COUNT]
