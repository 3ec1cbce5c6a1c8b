"""What a window is compared with: the training profile of a model, read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlrecipes.monitor_records import ColumnCounts, ColumnKind, ColumnPlan, ReferenceColumn

__all__ = ["has_cells", "reference_column", "reference_columns"]

MIN_COVERED = 0.5
"""A text whose frequent values make up less than this is a name or a number, not a category."""
MOMENTS = ("datetime", "timedelta", "period")


def has_cells(profile: Mapping[str, Any]) -> bool:
    """Whether the profile was made by a version that counts what monitoring compares."""
    return int(profile.get("version", 1)) > 1


def reference_columns(profile: Mapping[str, Any]) -> dict[str, ReferenceColumn]:
    """All features of ``training_profile.json``, each with its importance if that is known."""
    importance: Mapping[str, float] = profile.get("importance") or {}
    return {
        name: reference_column(name, facts, importance.get(name, 0.0))
        for name, facts in profile["columns"].items()
    }


def reference_column(
    name: str, facts: Mapping[str, Any], importance: float = 0.0
) -> ReferenceColumn:
    """One column of a profile, as :func:`~mlrecipes.checks.training_profile.column_facts` tells.

    >>> facts = {"n": 9, "n_missing": 1, "dtype": "str", "top_values": [["a", 8]]}
    >>> reference_column("town", facts).counts
    ColumnCounts(cells=(8, 0), n_missing=1)
    """
    n_missing = int(facts["n_missing"])
    n_known = int(facts["n"]) - n_missing
    if "cells" in facts:
        cells = facts["cells"]
        plan = ColumnPlan(name, ColumnKind.NUMBER, tuple(cells["edges"]))
        counts = ColumnCounts(tuple(cells["counts"]), n_missing)
        return ReferenceColumn(plan, counts, tuple(cells["means"]), facts.get("std"), importance)
    values = facts.get("top_values", ())
    covered = sum(n for _value, n in values)
    is_moment = str(facts["dtype"]).startswith(MOMENTS)
    if is_moment or not covered or covered < MIN_COVERED * n_known:
        plan = ColumnPlan(name, ColumnKind.OTHER)
        return ReferenceColumn(plan, ColumnCounts((n_known,), n_missing), importance=importance)
    plan = ColumnPlan(name, ColumnKind.CATEGORY, values=tuple(value for value, _n in values))
    counts = ColumnCounts((*(n for _value, n in values), n_known - covered), n_missing)
    return ReferenceColumn(plan, counts, importance=importance)
