"""Scoring one part of the data with a fitted pipeline, built-in and custom metrics alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.records import Scalar, Table
from mlrecipes.steps._contract import Context, UserFunction
from mlrecipes.steps._features import features_of, target_of
from mlrecipes.tasks import Predictions
from mlrecipes.tasks.custom_metrics import evaluate_custom

__all__ = [
    "Scores",
    "custom_functions",
    "custom_metric_functions",
    "judged",
    "metric_settings",
    "metrics_table",
    "score_line",
    "score_part",
]

CUSTOM_METRICS = "custom_metrics"


@dataclass(frozen=True, slots=True)
class Scores:
    """What a model says of one part, and how well.

    Attributes:
        metrics: Metric name, without the part's prefix, to value.
    """

    n_rows: int
    predictions: Predictions
    metrics: Mapping[str, float]

    def prefixed(self, prefix: str) -> dict[str, float]:
        """The metrics under the names that the run knows them by, such as ``val_roc_auc``."""
        return {f"{prefix}{name}": value for name, value in self.metrics.items()}


def metric_settings(config: RecipeConfig) -> dict[str, Any]:
    """The settings that decide which metrics there are."""
    return {
        CUSTOM_METRICS: [metric.model_dump(mode="json") for metric in config.custom_metrics],
        "primary_metric": config.effective_primary_metric,
    }


def custom_metric_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/custom_metrics.py`` that the recipe names."""
    return tuple(
        UserFunction(f"{CUSTOM_METRICS}[{i}].function", CUSTOM_METRICS, metric.function)
        for i, metric in enumerate(config.custom_metrics)
    )


def score_line(prefix: str, scores: Scores, context: Context) -> str:
    """The primary metric of a part in words, such as ``, val_roc_auc 0.77 (n = 3,000)``."""
    primary = context.config.effective_primary_metric
    value = scores.metrics.get(primary)
    if value is None:
        return ""
    return f", {prefix}_{primary} {value:.4g} (n = {scores.n_rows:,})"


def score_part(pipeline: Any, frame: Any, context: Context) -> Scores:
    """Predict a raw part and compute all metrics on it.

    Raises:
        UserCodeError: A custom metric failed or gave no number.
    """
    predictions = context.task.predict(pipeline, features_of(frame, context.config))
    return judged(frame, predictions, context)


def judged(
    frame: Any,
    predictions: Predictions,
    context: Context,
    builtin: Mapping[str, float] | None = None,
) -> Scores:
    """Compute all metrics of what a model said of a raw part, or of some of its rows.

    Args:
        frame: The rows.
        predictions: What the model said of them.
        context: The step's context.
        builtin: The built-in metrics, if they are known already.

    Raises:
        UserCodeError: A custom metric failed or gave no number.
    """
    config, task = context.config, context.task
    features, target = features_of(frame, config), target_of(frame, config)
    if builtin is None:
        builtin = task.evaluate(target, predictions)
    pairs = task.evaluation_frame(target, predictions)
    custom = evaluate_custom(custom_functions(context), pairs, builtin, features)
    return Scores(len(frame), predictions, {**builtin, **custom})


def custom_functions(context: Context) -> dict[str, Any]:
    """The recipe's custom metrics as functions, by the names of the metrics."""
    return {
        metric.name: context.functions[f"{CUSTOM_METRICS}[{i}].function"]
        for i, metric in enumerate(context.config.custom_metrics)
    }


def metrics_table(
    parts: Mapping[str, Scores], context: Context, intervals: Mapping[str, str] | None = None
) -> Table:
    """One row a metric, one column a part: the primary metric first, then custom ones.

    Args:
        parts: The scores of each part by its name.
        context: The step's context.
        intervals: Of the last part, by metric, as text; they become a column of their own.
    """
    config = context.config
    names = {name for scores in parts.values() for name in scores.metrics}
    first = [config.effective_primary_metric, *(metric.name for metric in config.custom_metrics)]
    ordered = [name for name in dict.fromkeys(first) if name in names]
    ordered += sorted(names - set(ordered))
    columns = ("metric", "better", *(f"{name} (n = {s.n_rows:,})" for name, s in parts.items()))
    rows = tuple(_row(name, parts, config.metric_directions) for name in ordered)
    if intervals is not None:
        columns += (f"{config.steps.evaluate.confidence:.0%} interval",)
        rows = tuple((*row, intervals.get(str(row[0]), "–")) for row in rows)
    n_first = sum(name in names for name in dict.fromkeys(first))
    return Table(columns, rows, emphasis=tuple(range(n_first)))


def _row(
    name: str, parts: Mapping[str, Scores], directions: Mapping[str, bool]
) -> tuple[Scalar, ...]:
    better = {True: "greater", False: "smaller", None: ""}[directions.get(name)]
    return (name, better, *(scores.metrics.get(name) for scores in parts.values()))
