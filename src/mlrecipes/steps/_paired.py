"""Champion and challenger on the same rows: differences with intervals, overall and by slice."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.promotion import Difference, SliceDifference, difference_of
from mlrecipes.checks.slices import parse_slice
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, shorten
from mlrecipes.steps._contract import Context
from mlrecipes.steps._features import features_of, target_of
from mlrecipes.steps._frozen_rows import FrozenRows, Scored
from mlrecipes.steps._scores import custom_functions
from mlrecipes.tasks import Predictions
from mlrecipes.tasks.custom_metrics import evaluate_custom
from mlrecipes.tasks.resampling import replicates_by_rows

__all__ = ["Compared", "compare", "slice_settings"]

MODELS = ("champion", "challenger")
N_SLOW_RESAMPLES = 300
"""For a metric that must be computed on copies of rows, such as one of the user's own."""
N_OTHER_RESAMPLES = 200
"""Metrics that decide nothing get fewer."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was measured.

    Attributes:
        differences: The primary metric first, then the others that both models have.
        slices: The primary metric on parts of the rows that are large enough.
        problems: Slices that the recipe names and these rows do not allow: their guard could
            not run.
        notes: Protected columns that cannot be divided into groups, and why.
    """

    differences: tuple[Difference, ...]
    slices: tuple[SliceDifference, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def primary(self) -> Difference:
        """Of the metric that decides."""
        return self.differences[0]


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Target and the two models' predictions on some rows; champion first."""

    target: Any
    features: Any
    predictions: tuple[Predictions, Predictions]

    def part(self, positions: Any) -> _Pair:
        champion, challenger = (one.rows(positions) for one in self.predictions)
        rows = self.target.iloc[positions], self.features.iloc[positions]
        return _Pair(*rows, (champion, challenger))


def slice_settings(config: RecipeConfig) -> tuple[tuple[str, ...], int]:
    """Which parts of the rows are looked at by themselves, and from which size on."""
    evaluate = config.steps.evaluate
    protected = (name if name.isidentifier() else f"`{name}`" for name in config.protected_cols)
    return (*evaluate.all_slices, *protected), evaluate.min_slice_rows


def compare(champion: Scored, challenger: Scored, rows: FrozenRows, context: Context) -> Compared:
    """Measure both models on the rows."""
    config = context.config
    target = target_of(rows.frame, config)
    features = features_of(rows.frame, config)
    pair = _Pair(target, features, (champion.certain, challenger.certain))
    primary = config.effective_primary_metric
    values = {
        metric: (champion.value(metric), challenger.value(metric))
        for metric in [primary, *(challenger.metrics or {})]
        if metric == primary or metric in (champion.metrics or {})
    }
    known = config.metric_directions
    measured = {metric: both for metric, both in values.items() if metric in known}
    return Compared(_differences(pair, measured, context), *_slices(pair, rows, context))


def _differences(
    pair: _Pair, values: dict[str, tuple[float, float]], context: Context
) -> tuple[Difference, ...]:
    primary, *others = values
    replicates = {primary: _replicates(pair, primary, context, _n_resamples(context))}
    replicates |= context.task.resampled_metrics(
        pair.target,
        list(pair.predictions),
        others,
        n_resamples=N_OTHER_RESAMPLES,
        seed=context.config.seed,
    )
    shown = [name for name in values if name in replicates]
    return tuple(_difference(name, values[name], replicates[name], context) for name in shown)


def _difference(
    metric: str, values: tuple[float, float], replicates: Any, context: Context, **how: bool
) -> Difference:
    settings = context.config.steps.promote
    return difference_of(
        metric,
        values,
        replicates,
        greater_is_better=context.config.metric_directions[metric],
        confidence=settings.confidence if settings else 0.95,
        **how,
    )


def _n_resamples(context: Context) -> int:
    settings = context.config.steps.promote
    return settings.n_resamples if settings else N_OTHER_RESAMPLES


def _replicates(pair: _Pair, metric: str, context: Context, n_resamples: int) -> Any:
    """The metric of both models on the same resampled rows, shape (2, n_resamples)."""
    seed = context.config.seed
    found = context.task.resampled_metrics(
        pair.target, list(pair.predictions), [metric], n_resamples=n_resamples, seed=seed
    )
    if metric in found:
        return found[metric]

    def compute(positions: Any) -> dict[str, float]:
        return dict(zip(MODELS, _values(pair.part(positions), metric, context), strict=True))

    draws = min(n_resamples, N_SLOW_RESAMPLES)
    both = replicates_by_rows(compute, len(pair.target), n_resamples=draws, seed=seed)
    return [both[model] for model in MODELS]


def _slices(
    pair: _Pair, rows: FrozenRows, context: Context
) -> tuple[tuple[SliceDifference, ...], tuple[str, ...], tuple[str, ...]]:
    """The primary metric on each group that is large enough, the largest loss first.

    Then the problems and the notes of :class:`Compared`.
    """
    import numpy as np

    texts, min_rows = slice_settings(context.config)
    metric = context.config.effective_primary_metric
    named = set(context.config.steps.evaluate.all_slices)
    found: list[SliceDifference] = []
    problems: list[str] = []
    notes: list[str] = []
    for text in dict.fromkeys(texts):
        try:
            groups = parse_slice(text).groups(rows.frame, min_rows)
        except (DataError, ValueError) as error:
            said = f"slice {shorten(text)} cannot be compared: {shorten(error, limit=200)}"
            (problems if text in named else notes).append(said)
            continue
        for group in groups:
            if group.n_rows < max(min_rows, 1):
                continue
            part = pair.part(np.flatnonzero(group.mask))
            difference = _slice_difference(part, metric, context)
            found.append(SliceDifference(group.label, group.n_rows, difference))
    return tuple(sorted(found, key=_worst_first)), tuple(problems), tuple(notes)


def _slice_difference(part: _Pair, metric: str, context: Context) -> Difference:
    settings = context.config.steps.promote
    n_resamples = min(_n_resamples(context), 500) if settings else N_OTHER_RESAMPLES
    replicates = _replicates(part, metric, context, n_resamples)
    values = _values(part, metric, context)
    return _difference(metric, values, replicates, context, may_be_undefined=True)


def _values(part: _Pair, metric: str, context: Context) -> tuple[float, float]:
    """The metric of both models on some rows; NaN where they do not define it."""
    champion, challenger = (_value(part, one, metric, context) for one in part.predictions)
    return champion, challenger


def _value(part: _Pair, predictions: Predictions, metric: str, context: Context) -> float:
    builtin = context.task.evaluate(part.target, predictions)
    custom = custom_functions(context)
    if metric not in custom:
        return float(builtin.get(metric, math.nan))
    frame = context.task.evaluation_frame(part.target, predictions)
    return evaluate_custom({metric: custom[metric]}, frame, builtin, part.features)[metric]


def _worst_first(one: SliceDifference) -> tuple[bool, float]:
    is_finite = one.difference.is_finite
    return (not is_finite, one.difference.value if is_finite else 0.0)
