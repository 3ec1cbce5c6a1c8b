"""Asking a fitted pipeline, and making sure that what it answers can be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrecipes.errors import UserCodeError, few
from mlrecipes.tasks.base import Predictions

if TYPE_CHECKING:
    from mlrecipes.records import Scalar

__all__ = ["predicted_classes", "predicted_numbers", "side_by_side"]

ROUNDING = 1e-6
"""How far probabilities in single precision may leave [0, 1]."""


def own(features: pd.DataFrame) -> pd.DataFrame:
    """A frame that user code may change in place without changing ours; costs no copy."""
    return features.copy(deep=False)


def predicted_numbers(pipeline: Any, features: pd.DataFrame) -> np.ndarray:
    """Predict a finite number a row, shape (n_rows,).

    Raises:
        UserCodeError: It gives another number of rows, or values that are not finite numbers.
    """
    predicted = _one_a_row(pipeline, features)
    try:
        numbers = predicted.astype(float)
    except (TypeError, ValueError) as exc:
        raise UserCodeError(
            f"{_named(pipeline)} predicted {predicted[0]!r}; a regression recipe expects numbers."
        ) from exc
    _check_finite(numbers, pipeline, "predictions")
    return numbers


def predicted_classes(
    pipeline: Any, features: pd.DataFrame, positive_class: Scalar = None
) -> Predictions:
    """Predict a class a row and, where the pipeline can, the probability of each class.

    Raises:
        UserCodeError: It gives another number of rows, probabilities that are none, or none
            for the positive class.
    """
    labels = _one_a_row(pipeline, features)
    if not hasattr(pipeline, "predict_proba"):
        return Predictions(labels, positive_class=positive_class)
    classes = _classes_of(pipeline)
    scores = np.asarray(pipeline.predict_proba(own(features)))
    expected = (len(features), len(classes))
    if scores.shape != expected:
        raise UserCodeError(
            f"{_named(pipeline)}.predict_proba gave an array of shape {scores.shape}; "
            f"{expected} is expected: one row a row of the table, one column a class."
        )
    if positive_class is not None and positive_class not in classes:
        raise UserCodeError(
            f"{_named(pipeline)} gives probabilities of the classes {few(classes)}; "
            f"positive_class {positive_class!r} is not among them.",
            hint="Fit the estimator on the classes as they stand in the target column.",
        )
    return Predictions(labels, _as_probabilities(scores, pipeline), classes, positive_class)


def side_by_side(target: Any, predictions: Predictions) -> pd.DataFrame:
    """Put prediction, target and the positive class's score side by side, index 0..n-1."""
    columns = {
        "prediction": pd.Series(predictions.labels),
        "target": pd.Series(target).reset_index(drop=True),
    }
    if predictions.positive_scores is not None:
        columns["score"] = pd.Series(predictions.positive_scores)
    return pd.DataFrame(columns)


def _one_a_row(pipeline: Any, features: pd.DataFrame) -> np.ndarray:
    predicted = np.asarray(pipeline.predict(own(features)))
    if predicted.shape == (len(features), 1):
        predicted = predicted[:, 0]
    if predicted.shape != (len(features),):
        raise UserCodeError(
            f"{_named(pipeline)}.predict gave an array of shape {predicted.shape}; "
            f"({len(features)},) is expected: one value a row of the table."
        )
    return predicted


def _classes_of(pipeline: Any) -> tuple[Any, ...]:
    classes = getattr(pipeline, "classes_", None)
    if classes is None:
        raise UserCodeError(
            f"{_named(pipeline)} has predict_proba but not classes_, so nobody can tell which "
            "column belongs to which class.",
            hint="Set self.classes_ = numpy.unique(y) in the estimator's fit.",
        )
    return tuple(np.asarray(classes).tolist())


def _as_probabilities(scores: np.ndarray, pipeline: Any) -> np.ndarray:
    _check_finite(scores, pipeline, "probabilities")
    outside = (scores < -ROUNDING) | (scores > 1 + ROUNDING)
    if outside.any():
        raise UserCodeError(
            f"{_named(pipeline)}.predict_proba gave {int(outside.sum()):,} values outside "
            f"[0, 1], such as {scores[outside][0]:.4g}."
        )
    return np.asarray(np.clip(scores, 0, 1))


def _check_finite(values: np.ndarray, pipeline: Any, what: str) -> None:
    n_bad = int((~np.isfinite(values)).sum())
    if n_bad:
        raise UserCodeError(
            f"{_named(pipeline)}: {n_bad:,} of {values.size:,} {what} are NaN or infinite.",
            hint="Look at the transformer and estimator of steps/transform.py, steps/train.py.",
        )


def _named(pipeline: Any) -> str:
    steps = getattr(pipeline, "steps", None)
    return f"The estimator {type(steps[-1][1] if steps else pipeline).__name__}"
