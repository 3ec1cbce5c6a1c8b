"""The built-in metrics of each task: names as in MLflow Recipes, and which way is better.

``mlrecipes.tasks`` computes them; the names stand here so that a threshold on a metric
that does not exist is found before anything runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["BINARY", "MULTICLASS", "REGRESSION", "UNORDERED", "metric_directions", "primary_metric"]

HIGHER = True
LOWER = False

REGRESSION: Mapping[str, bool] = MappingProxyType(
    {
        "mean_absolute_error": LOWER,
        "mean_squared_error": LOWER,
        "root_mean_squared_error": LOWER,
        "max_error": LOWER,
        "mean_absolute_percentage_error": LOWER,
        "r2_score": HIGHER,
    }
)
BINARY: Mapping[str, bool] = MappingProxyType(
    {
        "true_negatives": HIGHER,
        "true_positives": HIGHER,
        "false_positives": LOWER,
        "false_negatives": LOWER,
        "accuracy_score": HIGHER,
        "precision_score": HIGHER,
        "recall_score": HIGHER,
        "f1_score": HIGHER,
        "log_loss": LOWER,
        "roc_auc": HIGHER,
        "precision_recall_auc": HIGHER,
        "brier_score": LOWER,
        "gini": HIGHER,
        "ks": HIGHER,
    }
)
UNORDERED: Mapping[str, str] = MappingProxyType(
    {
        "calibration_slope": "is best near 1",
        "calibration_intercept": "is best near 0",
    }
)
"""Binary metrics of which neither more nor less is better, so that no threshold can stand there."""
MULTICLASS: Mapping[str, bool] = MappingProxyType(
    {
        "accuracy_score": HIGHER,
        "precision_score": HIGHER,
        "recall_score": HIGHER,
        "f1_score": HIGHER,
        "f1_score_macro": HIGHER,
        "f1_score_micro": HIGHER,
        "log_loss": LOWER,
        "roc_auc": HIGHER,
    }
)


def metric_directions(recipe: str, *, is_binary: bool) -> Mapping[str, bool]:
    """Name the built-in metrics of a recipe; True where greater is better.

    >>> metric_directions("classification/v1", is_binary=True)["log_loss"]
    False
    """
    if recipe == "regression/v1":
        return REGRESSION
    return BINARY if is_binary else MULTICLASS


def primary_metric(recipe: str, *, is_binary: bool) -> str:
    """Name the metric that a recipe without ``primary_metric`` is judged by."""
    if recipe == "regression/v1":
        return "root_mean_squared_error"
    return "f1_score" if is_binary else "f1_score_macro"
