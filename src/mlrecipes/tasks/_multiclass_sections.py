"""What a card shows of a classifier with many classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import metrics

from mlrecipes.errors import shorten
from mlrecipes.records import Heatmap, Section, Table
from mlrecipes.tasks._classes import complete, encode, in_order

if TYPE_CHECKING:
    from mlrecipes.tasks.base import Predictions

__all__ = ["multiclass_sections"]

MAX_CLASSES = 20
MAX_ROWS = 50


def multiclass_sections(target: Any, predictions: Predictions) -> tuple[Section, ...]:
    """Draw the confusion matrix and list precision and recall by class.

    Of many classes the most frequent ones are shown, the rest as one.
    """
    values, labels = complete(target), predictions.labels.tolist()
    classes = in_order([*predictions.classes, *values, *labels])
    actual, predicted = encode(values, classes), encode(labels, classes)
    return (
        Section("Model Performance Plots", (_confusion(actual, predicted, classes),)),
        Section("Classes", (_class_table(actual, predicted, classes),)),
    )


def _confusion(actual: np.ndarray, predicted: np.ndarray, classes: tuple[Any, ...]) -> Heatmap:
    shown = np.arange(len(classes))
    names = tuple(shorten(label) for label in classes)
    if len(classes) > MAX_CLASSES:
        sizes = np.bincount(actual, minlength=len(classes))
        shown = np.sort(np.argsort(-sizes, kind="stable")[: MAX_CLASSES - 1])
        names = (*(names[code] for code in shown), f"{len(classes) - len(shown):,} others")
    position = np.full(len(classes), len(shown))
    position[shown] = np.arange(len(shown))
    cells = metrics.confusion_matrix(
        position[actual], position[predicted], labels=range(len(names))
    )
    return Heatmap(
        f"Rows by actual and predicted class (n = {len(actual):,})",
        row_label="actual",
        column_label="predicted",
        rows=names,
        columns=names,
        cells=tuple(tuple(float(n_rows) for n_rows in row) for row in cells),
    )


def _class_table(actual: np.ndarray, predicted: np.ndarray, classes: tuple[Any, ...]) -> Table:
    precision, recall, f1, n_rows = metrics.precision_recall_fscore_support(
        actual, predicted, labels=range(len(classes)), zero_division=0
    )
    shown = np.argsort(-n_rows, kind="stable")[:MAX_ROWS]
    rows = tuple(
        (shorten(classes[k]), int(n_rows[k]), float(precision[k]), float(recall[k]), float(f1[k]))
        for k in shown
    )
    n_rest = len(classes) - len(shown)
    caption = "Most frequent first" + (f"; {n_rest:,} more are not shown" if n_rest else "")
    return Table(("class", "rows", "precision", "recall", "F1"), rows, caption)
