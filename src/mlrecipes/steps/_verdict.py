"""The verdict on a model: its test metrics against the thresholds of the recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mlrecipes.config.evaluate_schema import Criterion
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.records import Block, Table, Text

__all__ = ["Check", "Judged", "Verdict", "checks_block", "verdict_of"]


class Verdict(StrEnum):
    """As in MLflow Recipes."""

    VALIDATED = "VALIDATED"
    REJECTED = "REJECTED"
    UNKNOWN = "UNKNOWN"
    """The recipe has no criteria."""


@dataclass(frozen=True, slots=True)
class Check:
    """One threshold and how the model did.

    Attributes:
        key: The configuration key, to show where the threshold stands.
        value: The metric on the test part; None if it is missing or not finite.
        slice: The group of rows that it is about; None for all of them.
        n_rows: How many rows that are.
    """

    key: str
    metric: str
    threshold: float
    greater_is_better: bool
    value: float | None
    is_passed: bool
    slice: str | None = None
    n_rows: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """The metrics of some rows of the test part.

    Attributes:
        slice: The slice's text; empty for all rows.
        label: The group's name, such as ``CODE_GENDER = F``.
    """

    metrics: Mapping[str, float]
    n_rows: int
    slice: str = ""
    label: str = ""


def verdict_of(
    whole: Judged, groups: Sequence[Judged], config: RecipeConfig
) -> tuple[Verdict, tuple[Check, ...]]:
    """Hold test metrics against the criteria; what is missing or not finite does not pass.

    Args:
        whole: The test part.
        groups: Groups of slices that have enough rows to be judged.
        config: The recipe's configuration.
    """
    checks = tuple(
        _check(f"steps.evaluate.validation_criteria[{i}]", criterion, rows, config)
        for i, criterion in enumerate(config.steps.evaluate.validation_criteria)
        for rows in _rows_of(criterion, whole, groups)
    )
    if not checks:
        return Verdict.UNKNOWN, ()
    is_validated = all(check.is_passed for check in checks)
    return (Verdict.VALIDATED if is_validated else Verdict.REJECTED), checks


def _rows_of(criterion: Criterion, whole: Judged, groups: Sequence[Judged]) -> Sequence[Judged]:
    """What a criterion is about; a slice without a large enough group does not pass."""
    if criterion.slice is None:
        return (whole,)
    found = [group for group in groups if group.slice == criterion.slice]
    return found or (Judged({}, 0, criterion.slice, criterion.slice),)


def _check(key: str, criterion: Criterion, rows: Judged, config: RecipeConfig) -> Check:
    metric, threshold = criterion.metric, float(criterion.threshold)
    is_greater_better = config.metric_directions[metric]
    value = rows.metrics.get(metric, math.nan)
    is_passed = value >= threshold if is_greater_better else value <= threshold
    return Check(
        key,
        metric,
        threshold,
        is_greater_better,
        value=float(value) if math.isfinite(value) else None,
        is_passed=math.isfinite(value) and is_passed,
        slice=rows.label or None,
        n_rows=rows.n_rows,
    )


# ---- card ----------------------------------------------------------------------------------

_NO_CRITERIA = (
    "The recipe has no validation_criteria, so the verdict is UNKNOWN: "
    "a model without a verdict is registered only with allow_non_validated_model: true."
)


def checks_block(checks: tuple[Check, ...]) -> Block:
    """The thresholds for a card, or why there is no verdict."""
    if not checks:
        return Text(_NO_CRITERIA)
    return Table(
        ("metric", "value on test", "must be", "threshold", "result"),
        tuple(
            (
                f"{check.metric} of {check.slice} (n = {check.n_rows:,})"
                if check.slice
                else check.metric,
                check.value,
                "at least" if check.greater_is_better else "at most",
                check.threshold,
                "passed" if check.is_passed else "NOT passed",
            )
            for check in checks
        ),
        emphasis=tuple(i for i, check in enumerate(checks) if not check.is_passed),
    )
