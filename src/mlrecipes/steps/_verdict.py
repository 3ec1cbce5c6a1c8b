"""The verdict on a model: its test metrics against the thresholds of the recipe."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mlrecipes.config.schema import RecipeConfig

__all__ = ["Check", "Verdict", "verdict_of"]


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
    """

    key: str
    metric: str
    threshold: float
    greater_is_better: bool
    value: float | None
    is_passed: bool


def verdict_of(
    metrics: Mapping[str, float], config: RecipeConfig
) -> tuple[Verdict, tuple[Check, ...]]:
    """Hold test metrics against the criteria; what is missing or not finite does not pass."""
    checks = tuple(
        _check(
            f"steps.evaluate.validation_criteria[{i}]",
            criterion.metric,
            float(criterion.threshold),
            metrics.get(criterion.metric, math.nan),
            greater_is_better=config.metric_directions[criterion.metric],
        )
        for i, criterion in enumerate(config.steps.evaluate.validation_criteria)
    )
    if not checks:
        return Verdict.UNKNOWN, ()
    is_validated = all(check.is_passed for check in checks)
    return (Verdict.VALIDATED if is_validated else Verdict.REJECTED), checks


def _check(
    key: str, metric: str, threshold: float, value: float, *, greater_is_better: bool
) -> Check:
    if not math.isfinite(value):
        return Check(key, metric, threshold, greater_is_better, None, is_passed=False)
    is_passed = value >= threshold if greater_is_better else value <= threshold
    return Check(key, metric, threshold, greater_is_better, float(value), is_passed)
