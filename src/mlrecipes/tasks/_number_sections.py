"""What a card shows of a regression: how far off the predictions are, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mlrecipes.records import Bars, Block, Curve, Section, Series, Table
from mlrecipes.tasks._numbers import complete_numbers

if TYPE_CHECKING:
    from mlrecipes.tasks.base import Predictions

__all__ = ["regression_sections"]

MAX_POINTS = 500
N_BINS = 20
N_PARTS = 10
SEED = 42


def regression_sections(target: Any, predictions: Predictions) -> tuple[Section, ...]:
    """Draw predicted against actual values, the residuals and the error by size."""
    actual = complete_numbers(target)
    predicted = np.asarray(predictions.labels, dtype=float)
    plots = (_points(actual, predicted), _residuals(actual, predicted))
    return (
        Section("Model Performance Plots", plots),
        Section("Error by prediction", _by_tenth(actual, predicted)),
    )


def _points(actual: np.ndarray, predicted: np.ndarray) -> Block:
    shown = np.arange(len(actual))
    if len(actual) > MAX_POINTS:
        rng = np.random.default_rng(SEED)
        shown = np.sort(rng.choice(len(actual), MAX_POINTS, replace=False))
    x, y = predicted[shown], actual[shown]
    ends = (float(min(x.min(), y.min())), float(max(x.max(), y.max())))
    caption = f"Actual against predicted values ({len(shown):,} of {len(actual):,} rows)"
    rows = Series("rows", tuple(map(float, x)), tuple(map(float, y)), points_only=True)
    return Curve(caption, "predicted", "actual", (rows, Series("ideal", ends, ends)))


def _residuals(actual: np.ndarray, predicted: np.ndarray) -> Block:
    """Bars between the 1st and 99th percentile: the outer bars hold what lies beyond."""
    residuals = actual - predicted
    low, high = np.quantile(residuals, [0.01, 0.99])
    counts, edges = np.histogram(np.clip(residuals, low, high), bins=N_BINS)
    caption = (
        f"Residuals (actual - predicted), the outer bars hold the outer 1%: mean "
        f"{residuals.mean():.4g}, standard deviation {residuals.std():.4g} (n = {len(actual):,})"
    )
    labels = tuple(f"{left:.4g}" for left in edges[:-1])
    return Bars(caption, "rows, from", labels, tuple(map(float, counts)))


def _by_tenth(actual: np.ndarray, predicted: np.ndarray) -> tuple[Block, ...]:
    order = np.argsort(predicted, kind="stable")
    tenths = np.array_split(order, min(N_PARTS, len(order)))
    rows = tuple(
        (
            number,
            len(tenth),
            float(predicted[tenth].mean()),
            float(actual[tenth].mean()),
            float(np.abs(actual[tenth] - predicted[tenth]).mean()),
        )
        for number, tenth in enumerate(tenths, 1)
    )
    caption = f"Tenths of the rows, lowest predictions first (n = {len(actual):,})"
    columns = ("tenth", "rows", "mean predicted", "mean actual", "mean absolute error")
    bars = Bars(
        f"Mean absolute error. {caption}",
        "mean absolute error",
        tuple(str(row[0]) for row in rows),
        tuple(row[-1] for row in rows),
    )
    return bars, Table(columns, rows, caption)
