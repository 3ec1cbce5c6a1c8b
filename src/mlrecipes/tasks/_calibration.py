"""Whether probabilities mean what they say: slope and intercept of the recalibration.

Definitions: Van Calster et al. (2019), "Calibration: the Achilles heel of predictive
analytics", after Cox (1958). The slope b is that of logit P(y=1) = a + b logit(score): below
1 the scores are too extreme. The intercept is a with b fixed at 1: below 0 the scores are too
high on the whole. Scores are cut to [1e-6, 1 - 1e-6] so that their logits are finite.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlrecipes.tasks._ranking import dot

__all__ = ["Recalibration"]

EDGE = 1e-6
MAX_STEPS = 30
SINGULAR = 1e-12
CLOSE_ENOUGH = 1e-3
"""Newton's error is squared a step: after a step of 1e-3 about 1e-6 is left."""


class Recalibration:
    """Fits of the outcome on the scores' logits, for rows that have weights.

    A fit starts from that of all rows, where the curves are known already: with weights that
    are not far from 1 each, one more look at the rows is enough.

    Args:
        actual: 1 for positive rows, 0 for others, shape (n_rows,).
        scores: Probabilities of 1, shape (n_rows,).
    """

    def __init__(self, actual: Any, scores: Any) -> None:
        cut = np.clip(np.asarray(scores, dtype=float), EDGE, 1 - EDGE)
        self._logits = np.log(cut / (1 - cut))
        self._actual = np.asarray(actual, dtype=float)
        one_each = np.ones(len(self._logits))
        self._line_start = self._terms_at(0.0, 1.0)
        self._shift_start = self._line_start
        a, b = self._fit(one_each, self._line_start)
        shift = self.intercept(one_each)
        if np.isfinite([a, b, shift]).all():
            self._line_start, self._shift_start = self._terms_at(a, b), self._terms_at(shift, 1.0)

    def slope(self, weight: np.ndarray) -> float:
        """How steeply the outcome follows the scores: 1 is right; NaN where no line fits."""
        return self._fit(weight, self._line_start)[1]

    def intercept(self, weight: np.ndarray) -> float:
        """By how much the scores' logits are too low: 0 is right; NaN with one class only."""
        if not self._has_both(weight):
            return math.nan
        terms = self._shift_start
        for _ in range(MAX_STEPS):
            step = dot(weight, terms.wrong) / dot(weight, terms.bend)
            shift = terms.a + min(5.0, max(-5.0, step))
            if abs(step) < CLOSE_ENOUGH:
                return shift
            terms = self._terms_at(shift, 1.0)
        return math.nan

    def _fit(self, weight: np.ndarray, terms: _Terms) -> tuple[float, float]:
        if not self._has_both(weight):
            return math.nan, math.nan
        x = self._logits
        for _ in range(MAX_STEPS):
            wrong, bend = weight * terms.wrong, weight * terms.bend
            bend_x = bend * x
            h00, h01, h11 = bend.sum(), bend_x.sum(), dot(bend_x, x)
            g0, g1 = wrong.sum(), dot(wrong, x)
            determinant = h00 * h11 - h01 * h01
            if not determinant > SINGULAR * h00 * h11:
                break  # all scores are the same, or the classes are apart
            step_a = (h11 * g0 - h01 * g1) / determinant
            step_b = (h00 * g1 - h01 * g0) / determinant
            a, b = float(terms.a + step_a), float(terms.b + step_b)
            if abs(step_a) + abs(step_b) < CLOSE_ENOUGH:
                return a, b
            terms = self._terms_at(a, b)
        return math.nan, math.nan

    def _terms_at(self, a: float, b: float) -> _Terms:
        from scipy.special import expit

        chance = expit(a + b * self._logits)
        return _Terms(a, b, self._actual - chance, chance * (1 - chance))

    def _has_both(self, weight: np.ndarray) -> bool:
        events = dot(weight, self._actual)
        return 0 < events < float(weight.sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """What each row adds to the first and second derivative at a line, shape (n_rows,)."""

    a: float
    b: float
    wrong: np.ndarray
    bend: np.ndarray
