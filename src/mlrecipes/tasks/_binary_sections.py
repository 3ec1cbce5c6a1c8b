"""What a card shows of a binary classifier: counts, curves and how far scores can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn import metrics

from mlrecipes.errors import shorten
from mlrecipes.records import Bars, Block, Curve, Heatmap, Scalar, Section, Series, Text
from mlrecipes.tasks._class_metrics import is_positive
from mlrecipes.tasks._classes import complete, in_order
from mlrecipes.tasks._coverage import wilson

if TYPE_CHECKING:
    from typing import Any

    from mlrecipes.tasks.base import Predictions

__all__ = ["auc_interval", "binary_sections", "lift_by_tenth"]

MAX_POINTS = 200
N_BINS = 20
N_PARTS = 10


def binary_sections(
    target: Any, predictions: Predictions, positive_class: Scalar
) -> tuple[Section, ...]:
    """Draw the confusion matrix and, with scores of both classes, what the scores are worth."""
    values = complete(target)
    actual = is_positive(values, positive_class)
    confusion = _confusion(values, predictions, positive_class)
    scores, n_positive = predictions.positive_scores, int(actual.sum())
    if scores is None:
        return (Section("Model Performance Plots", (confusion,)),)
    if n_positive in (0, len(actual)):
        note = Text(
            f"{n_positive:,} of {len(actual):,} rows are positive, so there is no curve to draw."
        )
        return (Section("Model Performance Plots", (confusion, note)),)
    plots = (confusion, _roc(actual, scores), _precision_recall(actual, scores))
    trust = (_reliability(actual, scores), _distribution(actual, scores, positive_class))
    return (
        Section("Model Performance Plots", (*plots, _lift(actual, scores))),
        Section("Scores", trust),
    )


def _confusion(values: np.ndarray, predictions: Predictions, positive_class: Scalar) -> Block:
    others = [
        label for label in in_order([*values, *predictions.classes]) if label != positive_class
    ]
    names = (shorten(others[0]) if others else "other", shorten(positive_class))
    actual = is_positive(values, positive_class)
    predicted = is_positive(predictions.labels, positive_class)
    cells = metrics.confusion_matrix(actual, predicted, labels=[0, 1])
    return Heatmap(
        f"Rows by actual and predicted class (n = {len(values):,})",
        row_label="actual",
        column_label="predicted",
        rows=names,
        columns=names,
        cells=tuple(tuple(float(n_rows) for n_rows in row) for row in cells),
    )


# ---- curves --------------------------------------------------------------------------------


def _roc(actual: np.ndarray, scores: np.ndarray) -> Block:
    false_rate, true_rate, _ = metrics.roc_curve(actual, scores)
    area = float(metrics.roc_auc_score(actual, scores))
    n_positive = int(actual.sum())
    low, high = auc_interval(area, n_positive, len(actual) - n_positive)
    caption = (
        f"ROC: AUC {area:.4f}, 95% interval {low:.4f} to {high:.4f} "
        f"(n = {len(actual):,}, {n_positive:,} positive)"
    )
    chance = Series("chance", (0.0, 1.0), (0.0, 1.0))
    model = _line("model", false_rate, true_rate)
    return Curve(caption, "false positive rate", "true positive rate", (model, chance))


def auc_interval(area: float, n_positive: int, n_negative: int) -> tuple[float, float]:
    """Estimate the 95% interval of a ROC AUC.

    Source: Hanley and McNeil (1982), "The meaning and use of the area under a receiver
    operating characteristic (ROC) curve", Radiology 143, 29-36.
    """
    both_positive = area / (2 - area)
    both_negative = 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (n_positive - 1) * (both_positive - area**2)
        + (n_negative - 1) * (both_negative - area**2)
    ) / (n_positive * n_negative)
    half = 1.96 * float(np.sqrt(max(variance, 0.0)))
    return max(0.0, area - half), min(1.0, area + half)


def _precision_recall(actual: np.ndarray, scores: np.ndarray) -> Block:
    precision, recall, _ = metrics.precision_recall_curve(actual, scores)
    area, share = float(metrics.auc(recall, precision)), float(actual.mean())
    caption = f"Precision and recall: area {area:.4f}, chance {share:.4f} (n = {len(actual):,})"
    chance = Series("chance", (0.0, 1.0), (share, share))
    model = _line("model", recall[::-1], precision[::-1])
    return Curve(caption, "recall", "precision", (model, chance))


def _line(name: str, x: np.ndarray, y: np.ndarray) -> Series:
    """A line of at most 200 of the points, both ends among them."""
    keep = np.unique(np.linspace(0, len(x) - 1, min(MAX_POINTS, len(x))).astype(int))
    return Series(name, tuple(map(float, x[keep])), tuple(map(float, y[keep])))


def _lift(actual: np.ndarray, scores: np.ndarray) -> Block:
    lift = lift_by_tenth(actual, scores)
    caption = (
        f"Lift by tenth of the rows, highest scores first: share of positives against that of "
        f"all rows, {actual.mean():.4f} (n = {len(actual):,})"
    )
    labels = tuple(str(number) for number in range(1, len(lift) + 1))
    return Bars(caption, "lift", labels, tuple(map(float, lift)))


def lift_by_tenth(actual: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Share of positives in each tenth of the rows against that of all, highest scores first.

    Rows of equal score count with their mean, so that the order of the rows does not matter.

    Args:
        actual: 1 where the class is the positive one, shape (n_rows,).
        scores: Probability of the positive class, shape (n_rows,).
    """
    _, tie = np.unique(scores, return_inverse=True)
    share_of_tie = np.bincount(tie, weights=actual) / np.bincount(tie)
    expected = share_of_tie[tie][np.argsort(-scores, kind="stable")]
    tenths = np.array_split(expected, min(N_PARTS, len(expected)))
    return np.asarray([tenth.mean() for tenth in tenths]) / float(actual.mean())


# ---- scores --------------------------------------------------------------------------------


def _reliability(actual: np.ndarray, scores: np.ndarray) -> Block:
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, N_PARTS + 1)))
    group = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, max(0, len(edges) - 2))
    sizes = np.bincount(group)
    filled = sizes > 0
    mean_score = np.bincount(group, weights=scores)[filled] / sizes[filled]
    share = np.bincount(group, weights=actual)[filled] / sizes[filled]
    gap = float(np.average(np.abs(mean_score - share), weights=sizes[filled]))
    n_events = np.bincount(group, weights=actual)[filled].astype(int)
    ends = [wilson(int(k), int(n)) for k, n in zip(n_events, sizes[filled], strict=True)]
    caption = (
        f"Reliability: share of positives by score in groups of equal size; mean gap {gap:.4f} "
        f"(n = {len(actual):,})"
    )
    end = float(max(mean_score.max(), *(high for _, high in ends)))
    ideal = Series("ideal", (0.0, end), (0.0, end))
    model = Series("model", tuple(map(float, mean_score)), tuple(map(float, share)))
    bounds = (
        Series("95% interval, low", model.x, tuple(low for low, _ in ends)),
        Series("95% interval, high", model.x, tuple(high for _, high in ends)),
    )
    return Curve(caption, "mean score", "share of positives", (model, ideal, *bounds))


def _distribution(actual: np.ndarray, scores: np.ndarray, positive_class: Scalar) -> Block:
    edges = np.linspace(0, 1, N_BINS + 1)
    middles = tuple(float(middle) for middle in (edges[:-1] + edges[1:]) / 2)
    lines = []
    for name, chosen in ((f"class {shorten(positive_class)}", actual == 1), ("other", actual == 0)):
        counts, _ = np.histogram(scores[chosen], bins=edges)
        shares = tuple(float(share) for share in counts / max(1, chosen.sum()))
        lines.append(Series(f"{name} (n = {int(chosen.sum()):,})", middles, shares))
    return Curve("Scores of each class", "score", "share of the class's rows", tuple(lines))
