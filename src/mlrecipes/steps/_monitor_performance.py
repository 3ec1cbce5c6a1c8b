"""How good the model is in a window: from labels that are final, and estimated without them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlrecipes.checks.outcomes import outcomes_from
from mlrecipes.checks.performance import (
    calibration_problem,
    estimate_errors,
    estimate_events,
    is_lost,
)
from mlrecipes.checks.slices import parse_slice
from mlrecipes.errors import DataError
from mlrecipes.monitor_records import DriftVerdict, Performance
from mlrecipes.steps._contract import Context
from mlrecipes.steps._monitor_rows import as_of, settings_of
from mlrecipes.steps._reference import PREDICTION, PROBABILITY, known_outcomes
from mlrecipes.tasks import Predictions
from mlrecipes.tasks.resampling import interval

__all__ = ["ESTIMATED", "REALISED", "backtest", "estimated", "realised"]

REALISED, ESTIMATED = "realised", "estimated"
SHOWN = (
    "roc_auc",
    "brier_score",
    "log_loss",
    "accuracy_score",
    "mean_absolute_error",
    "root_mean_squared_error",
)
N_RESAMPLES = 300
CONFIDENCE = 0.95
HALF = 0.5
N_CLASSES = 2


def realised(
    rows: Path, labels: Path | None, profile: Mapping[str, Any], context: Context
) -> tuple[Performance, ...]:
    """Metrics of the rows whose label is final by now, as a whole and by slice.

    Without enough rows of each outcome there is one row that says so: that is no all-clear. How
    often the event occurs is told all the same.
    """
    frame = _labelled(rows, labels, context)
    if frame is None:
        return ()
    settings, target = settings_of(context), context.config.target_col
    is_final = _is_final(frame, context)
    n_final = int(is_final.sum())
    known = frame[is_final & frame[target].notna()].reset_index(drop=True)
    if not n_final:
        return ()
    predictions = _predictions(known, profile, context)
    problem = _too_few(known, predictions, context)
    empty = Performance(
        REALISED, context.config.effective_primary_metric, *(math.nan,) * 3, n_final
    )
    outcomes = _outcomes(known, replace(empty, n_labelled=len(known)), profile, context)
    if problem:
        return (replace(empty, n_labelled=len(known), note=problem), *outcomes)
    found = _measured(known, predictions, replace(empty, n_labelled=len(known)), context)
    found = [*(_compared(one, profile, context) for one in found), *outcomes]
    for group in _groups(known, context):
        some = known[group.mask].reset_index(drop=True)
        said = predictions.rows(group.mask)
        if group.n_rows < settings.min_rows or _too_few(some, said, context):
            continue
        base = replace(empty, slice=group.label, n_rows=group.n_rows, n_labelled=group.n_rows)
        found += _measured(some, said, base, context)
        found += _outcomes(some, base, {}, context)
    return tuple(found)


def estimated(
    rows: Path, profile: Mapping[str, Any], verdict: DriftVerdict, context: Context
) -> tuple[Performance, ...]:
    """What the scores themselves promise, unless an assumption of that is broken."""
    import numpy as np

    has_scores, has_errors = "calibration" in profile, "errors" in profile
    name = PROBABILITY if has_scores else PREDICTION
    stored = context.ports.reader.stored(rows)
    if not (has_scores or has_errors) or name not in stored.dtypes:
        return ()
    values = stored.columns([name])[name].to_numpy(dtype=float, na_value=np.nan)
    values = values[np.isfinite(values)]
    primary = context.config.effective_primary_metric
    empty = Performance(ESTIMATED, primary, *(math.nan,) * 3, len(values))
    problem = _not_estimated(values, profile, verdict, context)
    if problem:
        return (replace(empty, note=problem),)
    found = (
        estimate_events(values, context.config.seed)
        if has_scores
        else estimate_errors(values, profile["errors"])
    )
    note = "CBPE" if has_scores else "DLE by cells of the prediction"
    return tuple(
        _compared(
            replace(empty, metric=e.metric, value=e.value, low=e.low, high=e.high, note=note),
            profile,
            context,
        )
        for e in found
    )


def backtest(windows: Sequence[tuple[str, Sequence[Performance]]]) -> list[dict[str, Any]]:
    """Where labels have come in, how far the estimate was off, and whether its band held."""
    found = []
    for name, rows in windows:
        promised = {one.metric: one for one in rows if one.kind == ESTIMATED}
        for one in rows:
            other = promised.get(one.metric)
            if one.kind != REALISED or one.slice or other is None:
                continue
            if math.isfinite(one.value) and math.isfinite(other.value):
                # The realised figure is of the labelled rows: its own interval counts too.
                spread = math.hypot(one.high - one.low, other.high - other.low) / 2
                error = other.value - one.value
                found.append(
                    {
                        "window": name,
                        "metric": one.metric,
                        "estimated": other.value,
                        "realised": one.value,
                        "error": error,
                        "within": abs(error) <= spread if math.isfinite(spread) else None,
                    }
                )
    return found


# ---- private -----------------------------------------------------------------------------------


def _labelled(rows: Path, labels: Path | None, context: Context) -> Any:
    """What was said of each row and what became of it; None where nobody knows any label."""
    config, reader = context.config, context.ports.reader
    path = rows
    if config.target_col not in reader.stored(path).dtypes:
        if labels is None:
            return None
        path = rows.with_name(f"{rows.stem}-l.parquet")
        context.ports.monitoring().beside(rows, labels, config.id_cols, path)
    stored = reader.stored(path)
    if config.target_col not in stored.dtypes or PREDICTION not in stored.dtypes:
        return None
    wanted = {config.target_col, PREDICTION, PROBABILITY, settings_of(context).time_col}
    wanted |= {column for text in config.steps.evaluate.all_slices for column in _columns_of(text)}
    return stored.columns([name for name in stored.dtypes if name in wanted])


def _columns_of(text: str) -> tuple[str, ...]:
    return parse_slice(text).columns


def _is_final(frame: Any, context: Context) -> Any:
    """Whether a row is old enough for its label to be final."""
    import pandas as pd

    settings = settings_of(context)
    if not settings.label_delay or settings.time_col not in frame:
        return pd.Series(data=True, index=frame.index)
    times = pd.to_datetime(frame[settings.time_col], utc=True)
    return times + pd.Timedelta(settings.delay) <= as_of(settings)


def _predictions(frame: Any, profile: Mapping[str, Any], context: Context) -> Predictions:
    """What the table of predictions says, as the task takes it."""
    import numpy as np

    names = profile.get("classes") or []
    positive = context.config.positive_class
    if PROBABILITY in frame and positive is not None and len(names) == N_CLASSES:
        score = frame[PROBABILITY].to_numpy(dtype=float)
        other = next((name for name in names if name != str(positive)), names[0])
        seen = frame[context.config.target_col].dropna().unique().tolist()
        negative = next((value for value in seen if str(value) == other), other)
        is_first = names[0] == str(positive)
        classes = (positive, negative) if is_first else (negative, positive)
        scores = np.column_stack([score, 1 - score] if is_first else [1 - score, score])
        labels = np.where(score >= HALF, np.array(positive, object), np.array(negative, object))
        return Predictions(labels, scores, classes, positive)
    said = frame[PREDICTION].to_numpy()
    return Predictions(said if context.task.has_classes else said.astype(float))


def _too_few(frame: Any, predictions: Predictions, context: Context) -> str:
    """Why the labels that there are do not tell anything yet; empty if they do."""
    settings, target = settings_of(context), context.config.target_col
    n_rows = len(frame)
    if n_rows < settings.min_rows:
        return f"{n_rows:,} labels are too few: at least {settings.min_rows:,} are needed"
    events = context.task.scored_events(frame[target], predictions)
    if events is None:
        return ""
    n_events = int(events.actual.sum())
    fewer = min(n_events, n_rows - n_events)
    if fewer < settings.min_events:
        return (
            f"{n_events:,} events in {n_rows:,} rows are too few: at least "
            f"{settings.min_events:,} rows of each outcome are needed"
        )
    return ""


def _measured(
    frame: Any, predictions: Predictions, base: Performance, context: Context
) -> list[Performance]:
    config, task = context.config, context.task
    target = frame[config.target_col]
    values = task.evaluate(target, predictions)
    named = [config.effective_primary_metric]
    named += [one.metric for one in config.steps.evaluate.validation_criteria]
    metrics = [name for name in dict.fromkeys([*named, *SHOWN]) if name in values]
    drawn = task.resampled_metrics(
        target, [predictions], metrics, n_resamples=N_RESAMPLES, seed=config.seed
    )
    found = []
    for name in metrics:
        ends = interval(drawn[name][0], CONFIDENCE) if name in drawn else (math.nan, math.nan)
        found.append(replace(base, metric=name, value=values[name], low=ends[0], high=ends[1]))
    return found


def _outcomes(
    frame: Any, base: Performance, profile: Mapping[str, Any], context: Context
) -> list[Performance]:
    """How often the event occurred, or the mean, beside what it was in the training."""
    settings = settings_of(context)
    now = known_outcomes(frame[context.config.target_col], context)
    if now is None or now.n_rows < settings.min_rows:
        return []
    low, high = now.interval()
    one = replace(base, metric=now.metric, value=now.mean, low=low, high=high)
    then = outcomes_from(profile)
    if then is None or then.metric != now.metric:
        return [one]
    limits = settings.limits
    limit = limits.event_rate if context.config.positive_class is not None else limits.shift
    has_moved = now.moved_from(then, limit, limits.false_alarms)
    return [replace(one, has_moved=has_moved, note=f"in the training {then.mean:.4g}")]


def _compared(one: Performance, profile: Mapping[str, Any], context: Context) -> Performance:
    """Mark the primary metric if it is surely worse than in the validation part."""
    then = profile.get("performance") or {}
    ends = then.get("interval")
    if one.metric != then.get("primary") or not ends or one.metric not in then["metrics"]:
        return one
    is_better = context.config.metric_directions.get(one.metric, True)
    lost = is_lost(
        (one.value, one.low, one.high),
        (then["metrics"][one.metric], *ends),
        settings_of(context).limits.loss,
        greater_is_better=is_better,
        false_alarms=settings_of(context).limits.false_alarms,
    )
    return replace(one, is_lost=lost)


def _groups(frame: Any, context: Context) -> list[Any]:
    """Groups of the recipe's slices whose columns are there."""
    evaluate = context.config.steps.evaluate
    found: list[Any] = []
    for text in evaluate.all_slices:
        if set(_columns_of(text)) <= set(frame.columns):
            try:
                found += parse_slice(text).groups(frame, evaluate.min_slice_rows)
            except DataError:
                continue  # A column of another type: the drift of it is told elsewhere.
    return found


def _not_estimated(
    values: Any, profile: Mapping[str, Any], verdict: DriftVerdict, context: Context
) -> str:
    """Which assumption of the estimate is broken; empty if none is known to be."""
    if len(values) < settings_of(context).min_rows:
        return f"not estimated: {len(values):,} rows are too few"
    if verdict.score is not None and verdict.score.has_drifted:
        return "not estimated: the score drifts, so rows lie where little was learned"
    problem = calibration_problem(profile["calibration"]) if "calibration" in profile else None
    return f"not estimated: {problem}" if problem else ""
