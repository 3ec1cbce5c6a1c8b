"""The metrics of classification, under MLflow 2's names and with scikit-learn's values.

Differences on purpose: ``f1_score_macro`` and ``f1_score_micro`` are what they are called
(Recipes gave the weighted F1 and nothing), and a metric that the rows do not define is NaN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import metrics

from mlrecipes.errors import DataError, few
from mlrecipes.tasks._calibration import Recalibration
from mlrecipes.tasks._classes import complete, encode, in_order
from mlrecipes.tasks._ranking import Ranking, ks

if TYPE_CHECKING:
    from mlrecipes.records import Scalar
    from mlrecipes.tasks.base import Predictions

__all__ = ["binary_metrics", "is_positive", "multiclass_metrics"]


# ---- binary ------------------------------------------------------------------------------


def is_positive(values: Any, positive_class: Scalar) -> np.ndarray:
    """Say of each row whether it is of the positive class, 1 or 0, shape (n_rows,)."""
    is_it: np.ndarray = encode(values, (positive_class,)) == 0
    return is_it.astype(int)


def binary_metrics(
    target: Any, predictions: Predictions, positive_class: Scalar, sample_weight: Any = None
) -> dict[str, float]:
    """Compute the metrics of the positive class; those of scores only where there are scores.

    The four counts are numbers of rows, whatever the weights.

    Raises:
        DataError: A target value is null, there is no row, or a predicted class is not one
            of the target's.
    """
    values = complete(target)
    _check_labels(values, predictions, positive_class)
    actual = is_positive(values, positive_class)
    predicted = is_positive(predictions.labels, positive_class)
    weighted: dict[str, Any] = {"sample_weight": sample_weight, "zero_division": 0}
    counts = metrics.confusion_matrix(actual, predicted, labels=[0, 1]).ravel()
    names = ("true_negatives", "false_positives", "false_negatives", "true_positives")
    accuracy = float(metrics.accuracy_score(actual, predicted, sample_weight=sample_weight))
    return {
        "example_count": float(len(actual)),
        **dict(zip(names, map(float, counts), strict=True)),
        "accuracy_score": accuracy,
        "score": accuracy,
        "precision_score": float(metrics.precision_score(actual, predicted, **weighted)),
        "recall_score": float(metrics.recall_score(actual, predicted, **weighted)),
        "f1_score": float(metrics.f1_score(actual, predicted, **weighted)),
        **_score_metrics(actual, predictions.positive_scores, sample_weight),
    }


def _check_labels(values: np.ndarray, predictions: Predictions, positive_class: Scalar) -> None:
    known = {positive_class, *values, *predictions.classes}
    strange = set(predictions.labels.tolist()) - known
    if strange and len(known) > 1:
        raise DataError(
            f"The model predicts the classes {few(in_order(strange))}, which the target "
            f"({few(in_order(known))}) does not have.",
            hint="Fit the estimator on the classes as they stand in the target column.",
        )


def _score_metrics(
    actual: np.ndarray, scores: np.ndarray | None, sample_weight: Any
) -> dict[str, float]:
    if scores is None:
        return {}
    weighted = {"sample_weight": sample_weight}
    roc_auc = pr_auc = np.nan
    if 0 < actual.sum() < len(actual):
        roc_auc = metrics.roc_auc_score(actual, scores, **weighted)
    if actual.any():
        precision, recall, _ = metrics.precision_recall_curve(actual, scores, **weighted)
        pr_auc = metrics.auc(recall, precision)
    weight = np.ones(len(actual)) if sample_weight is None else np.asarray(sample_weight, float)
    recalibration = Recalibration(actual, scores)
    return {
        "roc_auc": float(roc_auc),
        "gini": float(2 * roc_auc - 1),
        "ks": ks(*Ranking(actual, scores).cumulated(weight)),
        "calibration_slope": recalibration.slope(weight),
        "calibration_intercept": recalibration.intercept(weight),
        "precision_recall_auc": float(pr_auc),
        "log_loss": float(metrics.log_loss(actual, scores, labels=[0, 1], **weighted)),
        "brier_score": float(np.average((scores - actual) ** 2, weights=sample_weight)),
    }


# ---- multiclass ------------------------------------------------------------------------------


def multiclass_metrics(
    target: Any, predictions: Predictions, sample_weight: Any = None
) -> dict[str, float]:
    """Compute the metrics over all classes; precision, recall and F1 weighted by class size.

    A class that the target has and the model has never seen counts with probability 0.

    Raises:
        DataError: A target value is null or there is no row.
    """
    values = complete(target)
    labels = predictions.labels.tolist()
    classes = in_order([*predictions.classes, *values, *labels])
    actual, predicted = encode(values, classes), encode(labels, classes)
    weighted: dict[str, Any] = {"sample_weight": sample_weight, "zero_division": 0}
    accuracy = float(metrics.accuracy_score(actual, predicted, sample_weight=sample_weight))
    averages = {"f1_score": "weighted", "f1_score_macro": "macro", "f1_score_micro": "micro"}
    return {
        "example_count": float(len(actual)),
        "accuracy_score": accuracy,
        "score": accuracy,
        "precision_score": float(
            metrics.precision_score(actual, predicted, average="weighted", **weighted)
        ),
        "recall_score": float(
            metrics.recall_score(actual, predicted, average="weighted", **weighted)
        ),
        **{
            name: float(metrics.f1_score(actual, predicted, average=average, **weighted))
            for name, average in averages.items()
        },
        **_class_score_metrics(actual, predictions, classes, sample_weight),
    }


def _class_score_metrics(
    actual: np.ndarray, predictions: Predictions, classes: tuple[Any, ...], sample_weight: Any
) -> dict[str, float]:
    if predictions.scores is None:
        return {}
    scores = np.zeros((len(actual), len(classes)), dtype=predictions.scores.dtype)
    scores[:, encode(predictions.classes, classes)] = predictions.scores
    loss = np.nan
    if len(classes) > 1:
        loss = metrics.log_loss(
            actual, scores, labels=range(len(classes)), sample_weight=sample_weight
        )
    return {
        "log_loss": float(loss),
        "roc_auc": _one_against_rest_auc(actual, scores, sample_weight),
    }


def _one_against_rest_auc(actual: np.ndarray, scores: np.ndarray, sample_weight: Any) -> float:
    """Mean ROC AUC of each class against the rest, weighted by the rows of the class.

    As ``roc_auc_score(multi_class="ovr", average="weighted")``, which has no value when a
    class of the model does not occur; here such a class has no weight.
    """
    weight = np.ones(len(actual)) if sample_weight is None else np.asarray(sample_weight, float)
    present = np.unique(actual)
    if len(present) == 1:
        return float("nan")
    areas = [
        metrics.roc_auc_score(actual == code, scores[:, code], sample_weight=sample_weight)
        for code in present
    ]
    return float(np.average(areas, weights=[weight[actual == code].sum() for code in present]))
