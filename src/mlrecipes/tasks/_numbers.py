"""The target of a regression: checks, metrics and the rows that are furthest off."""

from __future__ import annotations

from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrecipes.errors import DataError, few, shorten

if TYPE_CHECKING:
    from mlrecipes.tasks.base import Predictions

__all__ = ["as_numbers", "check_numbers", "furthest_rows", "regression_metrics"]


def as_numbers(target: Any) -> np.ndarray:
    """Take a target as floats, shape (n_rows,); nulls become NaN, Decimal becomes float."""
    column = pd.Series(target)
    if column.dtype == object:
        column = column.map(float, na_action="ignore")
    return np.asarray(column.to_numpy(dtype=float, na_value=np.nan))


def check_numbers(target: Any, where: str) -> None:
    """Check that a target holds finite numbers; nulls are left out of the account.

    Raises:
        DataError: It holds text, dates or infinite numbers, or nothing but nulls.
    """
    column = pd.Series(target)
    known = column.dropna()
    named = f"the target '{shorten(column.name)}'" if column.name is not None else "the target"
    if known.empty:
        raise DataError(
            f"{where}: {named} has no value: all of its {len(column):,} rows are null.",
            hint="Check target_col in recipe.yaml.",
        )
    if not _is_numeric(known):
        others = [value for value in known if not isinstance(value, Real | Decimal)] or known
        raise DataError(
            f"{where}: {named} must hold numbers to be predicted by a regression recipe, but "
            f"{len(others):,} of {len(column):,} rows are something else ({known.dtype}), such "
            f"as {few(dict.fromkeys(map(str, others[:1000])), limit=3)}.",
            hint="Turn it into numbers in steps/ingest.py, or use recipe: classification/v1.",
        )
    n_infinite = int((~np.isfinite(as_numbers(known))).sum())
    if n_infinite:
        raise DataError(
            f"{where}: {named} is infinite in {n_infinite:,} of {len(column):,} rows.",
            hint="Leave these rows out or cap them in steps/ingest.py.",
        )


def _is_numeric(known: pd.Series) -> bool:
    if known.dtype == object:
        return all(isinstance(value, Real | Decimal) for value in known)
    return bool(pd.api.types.is_numeric_dtype(known.dtype)) and known.dtype.kind != "c"


def complete_numbers(target: Any) -> np.ndarray:
    """Take a target as floats, shape (n_rows,).

    Raises:
        DataError: There is no row, or a value is null or infinite.
    """
    values = as_numbers(target)
    n_unusable = int((~np.isfinite(values)).sum())
    if n_unusable or not len(values):
        name = getattr(target, "name", None)
        named = f"The target '{shorten(name)}'" if name is not None else "The target"
        reason = f"{n_unusable:,} of {len(values):,} rows are null or infinite"
        raise DataError(
            f"{named} cannot be scored: {reason if len(values) else 'there is no row'}.",
            hint="Leave these rows out in steps/split.py or steps/ingest.py.",
        )
    return values


def regression_metrics(
    target: Any, predictions: Predictions, sample_weight: Any = None
) -> dict[str, float]:
    """Compute the metrics that MLflow 2's evaluator gives a regressor, under its names.

    Definitions: scikit-learn user guide, section 3.4.6. ``score`` is what the estimator's
    own ``score`` gives, R2. R2 of fewer than two rows is NaN.

    Raises:
        DataError: A target value is null or there is no row.
    """
    from sklearn import metrics

    actual = complete_numbers(target)
    predicted = np.asarray(predictions.labels, dtype=float)
    weight = None if sample_weight is None else np.asarray(sample_weight, dtype=float)
    squared = float(metrics.mean_squared_error(actual, predicted, sample_weight=weight))
    r2 = metrics.r2_score(actual, predicted, sample_weight=weight) if len(actual) > 1 else np.nan
    total = float(actual.sum() if weight is None else (actual * weight).sum())
    n_weighed = len(actual) if weight is None else float(weight.sum())
    return {
        "example_count": float(len(actual)),
        "mean_absolute_error": float(
            metrics.mean_absolute_error(actual, predicted, sample_weight=weight)
        ),
        "mean_squared_error": squared,
        "root_mean_squared_error": float(np.sqrt(squared)),
        "max_error": float(metrics.max_error(actual, predicted)),
        "mean_absolute_percentage_error": float(
            metrics.mean_absolute_percentage_error(actual, predicted, sample_weight=weight)
        ),
        "r2_score": float(r2),
        "score": float(r2),
        "sum_on_target": total,
        "mean_on_target": total / n_weighed,
    }


def furthest_rows(target: Any, predictions: Predictions, n: int) -> np.ndarray:
    """Find the rows with the largest absolute error, worst first, shape (<= n,)."""
    error = np.abs(np.asarray(predictions.labels, dtype=float) - complete_numbers(target))
    return np.argsort(-error, kind="stable")[:n]
