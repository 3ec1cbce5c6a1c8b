"""Metrics of classification for rows that have weights, without sorting or copying rows.

With weight 1 for each row they are those of :mod:`mlrecipes.tasks._class_metrics`. A row
without weight is not there: a class that only such rows have counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrecipes.tasks import _ranking
from mlrecipes.tasks._calibration import Recalibration
from mlrecipes.tasks._class_metrics import is_positive
from mlrecipes.tasks._classes import complete, encode, in_order

if TYPE_CHECKING:
    from mlrecipes.records import Scalar
    from mlrecipes.tasks.base import Predictions

__all__ = ["WeightedBinary", "WeightedMulticlass"]

BY_RANK: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "roc_auc": _ranking.roc_auc,
    "gini": lambda positive, negative: 2 * _ranking.roc_auc(positive, negative) - 1,
    "ks": _ranking.ks,
    "precision_recall_auc": _ranking.pr_auc,
}
BY_LABEL = (
    "true_negatives",
    "false_positives",
    "false_negatives",
    "true_positives",
    "accuracy_score",
    "precision_score",
    "recall_score",
    "f1_score",
)
BY_ROW = ("log_loss", "brier_score")
CALIBRATION = ("calibration_slope", "calibration_intercept")


class WeightedBinary:
    """The metrics of the positive class; those of scores only where there are scores."""

    def __init__(self, target: Any, predictions: Predictions, positive_class: Scalar) -> None:
        actual = is_positive(complete(target), positive_class)
        self.n_rows = len(actual)
        self._actual = actual
        self._cell = 2 * actual + is_positive(predictions.labels, positive_class)
        self._scores = scores = predictions.positive_scores
        self.names = frozenset(BY_LABEL)
        if scores is not None:
            self.names |= {*BY_RANK, *BY_ROW, *CALIBRATION}
            self._ranking = _ranking.Ranking(actual, scores)
            self._losses = {
                "log_loss": _log_losses(np.where(actual == 1, scores, 1 - scores)),
                "brier_score": (scores - actual) ** 2,
            }
        self._recalibration: Recalibration | None = None

    def values(self, weight: np.ndarray, names: Sequence[str]) -> Mapping[str, float]:
        """Compute some metrics; NaN where the rows with a weight do not define one."""
        found: dict[str, float] = {}
        wanted = set(names)
        if wanted & BY_RANK.keys():
            cumulated = self._ranking.cumulated(weight)
            found |= {name: form(*cumulated) for name, form in BY_RANK.items() if name in wanted}
        for name in wanted.intersection(BY_ROW):
            found[name] = _ranking.dot(weight, self._losses[name]) / float(weight.sum())
        if wanted & set(BY_LABEL):
            cells = np.bincount(self._cell, weight, 4)
            found |= {n: v for n, v in _label_metrics(*cells).items() if n in wanted}
        if wanted & set(CALIBRATION):
            found |= self._calibration(weight, wanted)
        return found

    def _calibration(self, weight: np.ndarray, wanted: set[str]) -> dict[str, float]:
        if self._recalibration is None:  # it costs a fit, and few ask for it
            self._recalibration = Recalibration(self._actual, self._scores)
        forms = (self._recalibration.slope, self._recalibration.intercept)
        both = zip(CALIBRATION, forms, strict=True)
        return {name: form(weight) for name, form in both if name in wanted}


def _label_metrics(tn: float, fp: float, fn: float, tp: float) -> dict[str, float]:
    numbers = (
        *(tn, fp, fn, tp),
        (tn + tp) / (tn + fp + fn + tp),
        tp / (tp + fp) if tp + fp else 0.0,
        tp / (tp + fn) if tp + fn else 0.0,
        2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0,
    )
    return dict(zip(BY_LABEL, map(float, numbers), strict=True))


def _log_losses(chance_of_truth: np.ndarray) -> np.ndarray:
    """Minus the logarithm of the true class's probability, cut as scikit-learn cuts it."""
    edge = np.finfo(chance_of_truth.dtype).eps
    losses: np.ndarray = -np.log(np.clip(chance_of_truth, edge, 1 - edge))
    return losses


# ---- multiclass ------------------------------------------------------------------------------

MULTICLASS_BY_LABEL = frozenset(
    {
        "accuracy_score",
        "precision_score",
        "recall_score",
        "f1_score",
        "f1_score_macro",
        "f1_score_micro",
    }
)


class WeightedMulticlass:
    """The metrics over all classes."""

    def __init__(self, target: Any, predictions: Predictions) -> None:
        values, labels = complete(target), predictions.labels.tolist()
        classes = in_order([*predictions.classes, *values, *labels])
        self._actual = encode(values, classes)
        self._n_classes = len(classes)
        self._cell = self._n_classes * self._actual + encode(labels, classes)
        self.n_rows = len(self._actual)
        self.names = MULTICLASS_BY_LABEL
        if predictions.scores is not None:
            self.names |= {"log_loss", "roc_auc"}
            scores = np.zeros((self.n_rows, self._n_classes), dtype=predictions.scores.dtype)
            scores[:, encode(predictions.classes, classes)] = predictions.scores
            self._losses = _log_losses(scores[np.arange(self.n_rows), self._actual])
            self._rankings = [
                _ranking.Ranking(self._actual == code, scores[:, code])
                for code in range(self._n_classes)
            ]

    def values(self, weight: np.ndarray, names: Sequence[str]) -> Mapping[str, float]:
        """Compute some metrics; NaN where the rows with a weight do not define one."""
        found: dict[str, float] = {}
        if MULTICLASS_BY_LABEL.intersection(names):
            cells = np.bincount(self._cell, weight, self._n_classes**2)
            found |= _mean_metrics(cells.reshape(self._n_classes, self._n_classes))
        if "log_loss" in names:
            found["log_loss"] = (
                _ranking.dot(weight, self._losses) / float(weight.sum())
                if self._n_classes > 1
                else float("nan")
            )
        if "roc_auc" in names:
            found["roc_auc"] = self._one_against_rest(weight)
        return {name: found[name] for name in names}

    def _one_against_rest(self, weight: np.ndarray) -> float:
        sizes = np.bincount(self._actual, weight, self._n_classes)
        present = np.flatnonzero(sizes)
        areas = [_ranking.roc_auc(*self._rankings[code].cumulated(weight)) for code in present]
        return float(np.average(areas, weights=sizes[present]))


def _mean_metrics(cells: np.ndarray) -> dict[str, float]:
    """From a confusion matrix, actual classes in rows."""
    right, actual, predicted = np.diag(cells), cells.sum(axis=1), cells.sum(axis=0)
    total = cells.sum()
    precision = _ratio(right, predicted)
    recall = _ratio(right, actual)
    f1 = _ratio(2 * right, actual + predicted)
    accuracy = float(right.sum() / total)
    return {
        "accuracy_score": accuracy,
        "precision_score": float(np.dot(precision, actual) / total),
        "recall_score": float(np.dot(recall, actual) / total),
        "f1_score": float(np.dot(f1, actual) / total),
        "f1_score_macro": float(f1[(actual + predicted) > 0].mean()),
        "f1_score_micro": accuracy,
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)
    return ratio
