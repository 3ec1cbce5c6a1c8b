"""What a model keeps for monitoring beside the profile of its features.

Most of it is told on the validation part, which the model was not fitted on: how its score is
distributed, how good it is, and how what happens follows from the score. How often it happens
is told of both parts.
"""

from __future__ import annotations

from typing import Any

from mlrecipes.checks.outcomes import Outcomes, outcomes_of
from mlrecipes.checks.performance import calibration_facts, error_facts
from mlrecipes.checks.training_profile import column_facts, training_profile
from mlrecipes.steps._contract import Context
from mlrecipes.steps._features import features_of, target_of
from mlrecipes.steps._raw_importance import raw_importance
from mlrecipes.steps._scores import Scores
from mlrecipes.tasks.resampling import interval

__all__ = ["PREDICTION", "PROBABILITY", "known_outcomes", "monitoring_profile"]

PREDICTION, PROBABILITY = "prediction", "probability"
"""Columns of a table of predictions."""
N_RESAMPLES = 200
CONFIDENCE = 0.95


def monitoring_profile(
    pipeline: Any, parts: tuple[Any, Any], validation: Scores, context: Context
) -> dict[str, Any]:
    """The training profile with what monitoring compares later windows with.

    Args:
        pipeline: The fitted one.
        parts: The training and the validation part.
        validation: What the model says of the validation part, and how well.
        context: The step's context.

    Returns:
        The training profile with ``importance`` by raw column, ``score`` (``column``, and the
        facts of a column), ``performance`` (``metrics``, ``primary``, ``interval``, ``n_rows``)
        and, where they can be told, ``outcomes`` and ``calibration`` or ``errors``.
    """
    import pandas as pd

    training, held_out = parts
    features = features_of(training, context.config)
    predictions = validation.predictions
    positive = predictions.positive_scores
    name = PREDICTION if positive is None else PROBABILITY
    score = pd.Series(predictions.labels if positive is None else positive)
    profile = training_profile(features) | {
        "importance": raw_importance(pipeline, held_out, context),
        "score": {"column": name, **column_facts(name, score)},
        "classes": [str(one) for one in predictions.classes],
        "performance": _performance(held_out, validation, context),
    }
    target = target_of(held_out, context.config)
    outcomes = known_outcomes(pd.concat([target_of(training, context.config), target]), context)
    if outcomes is not None:
        profile["outcomes"] = outcomes.facts
    events = context.task.scored_events(target, predictions)
    if events is not None:
        profile["calibration"] = calibration_facts(
            events.scores, events.actual, context.config.seed
        )
    elif not context.task.has_classes:
        profile["errors"] = error_facts(predictions.labels, target.to_numpy(dtype=float))
    return profile


def known_outcomes(target: Any, context: Context) -> Outcomes | None:
    """How often the event occurs in some rows, or the mean of a number; None of many classes."""
    positive = context.config.positive_class
    if positive is not None:
        return outcomes_of((target == positive).to_numpy(dtype=float), is_event=True)
    if context.task.has_classes:
        return None
    return outcomes_of(target.to_numpy(dtype=float), is_event=False)


def _performance(frame: Any, validation: Scores, context: Context) -> dict[str, Any]:
    """How good the model is where it was not fitted, and how sure that is."""
    import math

    primary = context.config.effective_primary_metric
    drawn = context.task.resampled_metrics(
        target_of(frame, context.config),
        [validation.predictions],
        [primary],
        n_resamples=N_RESAMPLES,
        seed=context.config.seed,
    )
    low, high = interval(drawn[primary][0], CONFIDENCE) if primary in drawn else (math.nan,) * 2
    metrics = {k: float(v) for k, v in validation.metrics.items() if math.isfinite(v)}
    ends = [low, high] if math.isfinite(low) and math.isfinite(high) else None
    return {
        "metrics": metrics,
        "primary": primary,
        "interval": ends,
        "n_rows": validation.n_rows,
        "part": "validation",
    }
