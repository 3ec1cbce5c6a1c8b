"""Metrics of regression for rows that have weights.

With weight 1 for each row they are those of :mod:`mlrecipes.tasks._numbers`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrecipes.tasks._numbers import complete_numbers

if TYPE_CHECKING:
    from mlrecipes.tasks.base import Predictions

__all__ = ["WeightedNumbers"]

MEANS = {
    "mean_absolute_error": 0,
    "mean_squared_error": 1,
    "root_mean_squared_error": 1,
    "mean_absolute_percentage_error": 2,
}
CENTRED, CENTRED_SQUARE = 3, 4


class WeightedNumbers:
    """Errors and R2 of one model."""

    names = frozenset({*MEANS, "max_error", "r2_score"})

    def __init__(self, target: Any, predictions: Predictions) -> None:
        actual = complete_numbers(target)
        error = np.abs(np.asarray(predictions.labels, dtype=float) - actual)
        share = error / np.maximum(np.abs(actual), np.finfo(float).eps)
        # About their mean, so that the squares of large numbers keep their digits.
        centred = actual - actual.mean()
        self.n_rows = len(actual)
        self._error = error
        self._terms = np.stack([error, error**2, share, centred, centred**2])

    def values(self, weight: np.ndarray, names: Sequence[str]) -> Mapping[str, float]:
        """Compute some metrics; NaN where the rows with a weight do not define one."""
        mean = np.einsum("i,ji->j", weight, self._terms) / weight.sum()
        found = {name: float(mean[term]) for name, term in MEANS.items() if name in names}
        if "root_mean_squared_error" in found:
            found["root_mean_squared_error"] **= 0.5
        if "max_error" in names:
            found["max_error"] = float(self._error[weight > 0].max())
        if "r2_score" in names:
            found["r2_score"] = self._r2(mean)
        return found

    def _r2(self, mean: np.ndarray) -> float:
        """1 - errors / variance; of a constant target 1 if all is right, else 0 (scikit-learn)."""
        if self.n_rows == 1:
            return float("nan")
        squared, variance = mean[1], mean[CENTRED_SQUARE] - mean[CENTRED] ** 2
        if variance <= 1e-15 * mean[CENTRED_SQUARE] or variance <= 0:
            return float(squared == 0)
        return float(1 - squared / variance)
