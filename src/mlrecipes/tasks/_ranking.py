"""How well scores put positive rows before negative ones, for rows that have weights.

The scores are sorted once; with other weights nothing is sorted again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Ranking", "dot", "ks", "pr_auc", "roc_auc"]


def dot(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of products; BLAS would wake threads for it, which costs more than it saves."""
    return float(np.einsum("i,i->", a, b))


class Ranking:
    """Rows in the order of their scores, the highest first; rows of one score stay together.

    Between two scores that positive rows have, no curve bends: such a stretch of negative rows
    is one step, which makes the curves of rare events short.

    Args:
        actual: 1 for positive rows, 0 for others, shape (n_rows,).
        scores: Shape (n_rows,).
    """

    def __init__(self, actual: Any, scores: Any) -> None:
        scores = np.asarray(scores)
        self._order = np.argsort(-scores, kind="stable")
        is_positive = np.asarray(actual)[self._order] == 1
        score = np.append(0, np.cumsum(np.diff(scores[self._order]) != 0))
        has_positive = np.zeros(score[-1] + 1, dtype=bool)
        has_positive[score[is_positive]] = True
        starts_score = np.append(True, np.diff(score) != 0)
        after_positive = np.append(True, has_positive[score[:-1]])
        self._starts = np.flatnonzero(starts_score & (after_positive | has_positive[score]))
        self._positives = self._order[is_positive]
        step = np.searchsorted(self._starts, np.flatnonzero(is_positive), side="right") - 1
        self._positive_steps, self._positive_starts = np.unique(step, return_index=True)
        self._ranked = np.empty(len(scores))

    def cumulated(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights of the positive and the other rows from the highest score down to each step.

        Args:
            weight: Float, shape (n_rows,), in the order of the table.

        Returns:
            Two arrays of shape (n_steps,).
        """
        np.take(weight, self._order, out=self._ranked)
        all_rows = np.add.reduceat(self._ranked, self._starts)
        positive = np.zeros(len(self._starts))
        if len(self._positives):
            ranked = weight[self._positives]
            positive[self._positive_steps] = np.add.reduceat(ranked, self._positive_starts)
        positive, all_rows = np.cumsum(positive), np.cumsum(all_rows)
        return positive, all_rows - positive


def roc_auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Probability that a positive row has the higher score, ties counting half (Hanley 1982).

    Args:
        positive: Cumulated weights, as :meth:`Ranking.cumulated` gives them.
        negative: The same of the other rows.
    """
    pairs = positive[-1] * negative[-1]
    if pairs <= 0:
        return float("nan")
    area = negative[0] * positive[0] + dot(np.diff(negative), positive[1:] + positive[:-1])
    return float(area / (2 * pairs))


def ks(positive: np.ndarray, negative: np.ndarray) -> float:
    """Largest distance between the score distributions of both classes (Kolmogorov, Smirnov)."""
    if positive[-1] <= 0 or negative[-1] <= 0:
        return float("nan")
    return float(np.abs(positive / positive[-1] - negative / negative[-1]).max())


def pr_auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Area under the precision-recall curve by the trapezoid rule, as MLflow Recipes had it."""
    if positive[-1] <= 0:
        return float("nan")
    selected = positive + negative
    precision = np.divide(positive, selected, out=np.ones(len(selected)), where=selected > 0)
    recall = positive / positive[-1]
    area = recall[0] * (1 + precision[0]) + dot(np.diff(recall), precision[1:] + precision[:-1])
    return float(area / 2)
