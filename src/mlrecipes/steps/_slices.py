"""How sure the metrics of the test part are, and what they are for groups of its rows."""

from __future__ import annotations

import inspect
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mlrecipes.checks.fairness import GroupTreatment, attribute_groups, compare_groups
from mlrecipes.checks.slices import SliceGroup, parse_slice
from mlrecipes.errors import DataError
from mlrecipes.records import Scalar, Section, Table, Text
from mlrecipes.steps._contract import Context
from mlrecipes.steps._features import target_of
from mlrecipes.steps._scores import Scores, judged
from mlrecipes.steps._verdict import Judged
from mlrecipes.tasks import Policy
from mlrecipes.tasks.resampling import interval, replicates_by_rows

__all__ = [
    "Estimate",
    "SliceScores",
    "estimate_json",
    "fairness_section",
    "intervals_of",
    "policy_of",
    "shown",
    "slice_scores",
    "slices_section",
    "treatment_json",
    "treatments",
]

N_CUSTOM_RESAMPLES = 100
"""Draws for metrics of the user's own: their rows must be copied for each."""
NO_INTERVAL = (math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A metric with its interval; NaN where unknown."""

    value: float
    low: float
    high: float

    @property
    def text(self) -> str:
        """The interval for people."""
        known = math.isfinite(self.low) and math.isfinite(self.high)
        return f"{self.low:.4g} to {self.high:.4g}" if known else "–"


@dataclass(frozen=True, slots=True)
class SliceScores:
    """A group of a slice; without estimates where it has too few rows."""

    group: SliceGroup
    metrics: Mapping[str, float]
    estimates: Mapping[str, Estimate]

    @property
    def judged(self) -> Judged:
        """What a criterion looks at."""
        group = self.group
        return Judged(self.metrics, group.n_rows, group.slice, group.label)


def policy_of(context: Context) -> Policy:
    """The policy's cut-off."""
    evaluate = context.config.steps.evaluate
    return Policy(evaluate.cut_off, evaluate.selects)


def shown(value: float) -> float | None:
    """JSON knows no NaN: a number that is not finite is null."""
    return float(value) if math.isfinite(value) else None


# ---- intervals -------------------------------------------------------------------------------


def intervals_of(frame: Any, scores: Scores, context: Context) -> dict[str, Estimate]:
    """Estimate each metric of the test part that has a fast form, and the user's own."""
    drawn = _fast_draws(frame, scores, context)
    estimates = _estimates(drawn, scores, context)
    custom = [metric.name for metric in context.config.custom_metrics]
    n_resamples = min(N_CUSTOM_RESAMPLES, context.config.steps.evaluate.n_resamples)
    if not custom or not n_resamples:
        return estimates
    known = _builtin_by_draw(drawn, scores, context)
    # The rows are copied for each draw: of hundreds of columns only what the functions ask for.
    asked = {name for f in context.functions.values() for name in inspect.signature(f).parameters}
    own = [name for name in frame.columns if name in {context.config.target_col, *asked}]
    frame = frame[own]

    def compute(positions: Any) -> dict[str, float]:
        rows, said = frame.iloc[positions], scores.predictions.rows(positions)
        found = judged(rows, said, context, next(known))
        return {name: found.metrics[name] for name in custom}

    draws = replicates_by_rows(
        compute, len(frame), n_resamples=n_resamples, seed=context.config.seed
    )
    return estimates | _estimates(draws, scores, context)


def _builtin_by_draw(
    drawn: Mapping[str, Any], scores: Scores, context: Context
) -> Iterator[dict[str, float] | None]:
    """The built-in metrics of each draw, which the user's own may ask for.

    None where some have no fast form: then they are computed from the rows.
    """
    custom = {metric.name for metric in context.config.custom_metrics}
    known = dict(drawn)
    if "accuracy_score" in known:
        known["score"] = known["accuracy_score"]
    lacking = scores.metrics.keys() - custom - known.keys() - {"example_count"}
    for draw in itertools.count():
        if lacking:
            yield None
        else:
            numbers = {name: float(values[draw]) for name, values in known.items()}
            yield {"example_count": float(scores.n_rows), **numbers}


def _fast_draws(frame: Any, scores: Scores, context: Context) -> dict[str, Any]:
    evaluate = context.config.steps.evaluate
    custom = {metric.name for metric in context.config.custom_metrics}
    found = context.task.resampled_metrics(
        target_of(frame, context.config),
        [scores.predictions],
        [name for name in scores.metrics if name not in custom],
        n_resamples=evaluate.n_resamples,
        seed=context.config.seed,
    )
    return {name: values[0] for name, values in found.items()}


def _estimates(draws: Mapping[str, Any], scores: Scores, context: Context) -> dict[str, Estimate]:
    confidence = context.config.steps.evaluate.confidence
    return {
        name: Estimate(scores.metrics[name], *interval(values, confidence))
        for name, values in draws.items()
    }


# ---- slices ----------------------------------------------------------------------------------


def slice_scores(frame: Any, scores: Scores, context: Context) -> tuple[SliceScores, ...]:
    """Judge the model on each group of the recipe's slices.

    Raises:
        DataError: A slice does not fit the data; the message begins with its place.
    """
    return tuple(_scored(group, frame, scores, context) for group in _groups(frame, context))


def _groups(frame: Any, context: Context) -> Iterator[SliceGroup]:
    evaluate = context.config.steps.evaluate
    for text in evaluate.all_slices:
        try:
            yield from parse_slice(text).groups(frame, evaluate.min_slice_rows)
        except DataError as error:
            place = context.where("steps.evaluate")
            raise DataError(f"{place}: {error.message}", hint=error.hint) from error


def _scored(group: SliceGroup, frame: Any, scores: Scores, context: Context) -> SliceScores:
    if group.n_rows < context.config.steps.evaluate.min_slice_rows:
        return SliceScores(group, {}, {})
    rows = frame[group.mask]
    own = judged(rows, scores.predictions.rows(group.mask), context)
    estimates = {name: Estimate(value, *NO_INTERVAL) for name, value in own.metrics.items()}
    estimates |= _estimates(_fast_draws(rows, own, context), own, context)
    return SliceScores(group, own.metrics, estimates)


def slices_section(found: tuple[SliceScores, ...], whole: Scores, context: Context) -> Section:
    """The groups, the worst of the primary metric first."""
    primary = context.config.effective_primary_metric
    named = [c.metric for c in context.config.steps.evaluate.validation_criteria if c.slice]
    metrics = list(dict.fromkeys([primary, *named]))
    sign = -1 if context.config.metric_directions.get(primary, True) else 1

    def badness(scores: SliceScores) -> tuple[bool, float]:
        value = scores.metrics.get(primary, math.nan)
        return math.isnan(value), -sign * value if math.isfinite(value) else 0.0

    rows: list[tuple[Scalar, ...]] = []
    for scores in sorted(found, key=badness):
        cells: list[Scalar] = [scores.group.label, scores.group.n_rows]
        for name in metrics:
            estimate = scores.estimates.get(name)
            cells += [shown(estimate.value), estimate.text] if estimate else ["too few rows", "–"]
        rows.append(tuple(cells))
    totals = ", ".join(f"{n} {whole.metrics.get(n, math.nan):.4g}" for n in metrics)
    columns = ("slice", "rows", *(c for name in metrics for c in (name, "interval")))
    caption = f"Worst {primary} first. All {whole.n_rows:,} rows: {totals}"
    return Section("Slices (Test)", (Table(columns, tuple(rows), caption),))


# ---- protected attributes --------------------------------------------------------------------


def treatments(frame: Any, scores: Scores, context: Context) -> tuple[GroupTreatment, ...]:
    """Compare the groups of each protected attribute at the policy's cut-off."""
    config, evaluate = context.config, context.config.steps.evaluate
    events = context.task.scored_events(target_of(frame, config), scores.predictions)
    if events is None or not config.protected_cols:
        return ()
    selected = policy_of(context).selected(events.scores)
    deserving = (events.actual == 0) == (evaluate.selects == "below")
    return tuple(
        treatment
        for name in config.protected_cols
        for treatment in compare_groups(
            name,
            attribute_groups(frame, name, evaluate.min_slice_rows),
            (selected, deserving),
            evaluate.min_slice_rows,
            (evaluate.confidence, max(1, evaluate.n_resamples), config.seed),
        )
    )


def fairness_section(found: tuple[GroupTreatment, ...], context: Context) -> Section:
    """Selection rates and gaps of the groups of protected attributes."""
    policy = policy_of(context)
    words = (
        "A screening signal, no verdict and no claim of compliance. Selected: score "
        f"{policy.selects} {policy.cut_off:g}. Impact ratio: selection rate against that of the "
        "most selected group with enough rows; below 0.80, a rule of thumb of US guidance on "
        "employment and no threshold for lending, the row is marked. TPR: share of the rows with "
        "the outcome that is selected for that are selected; gap: against the same group."
    )
    rows = tuple(
        (
            f"{t.attribute} = {t.value}",
            t.n_rows,
            shown(t.selection_rate),
            shown(t.impact_ratio[0]),
            Estimate(*t.impact_ratio).text,
            shown(t.tpr),
            shown(t.tpr_gap[0]),
            Estimate(*t.tpr_gap).text,
        )
        for t in found
    )
    columns = ("group", "rows", "selection rate", "impact ratio", "interval", "TPR", "TPR gap")
    signals = tuple(i for i, t in enumerate(found) if t.is_signal)
    table = Table((*columns, "interval of the gap"), rows, emphasis=signals)
    return Section("Protected Attributes (Test)", (Text(words), table))


def estimate_json(estimate: Estimate) -> dict[str, float | None]:
    """As the evaluation artifact holds it: what is not finite is null."""
    ends = (estimate.value, estimate.low, estimate.high)
    return dict(zip(("value", "low", "high"), map(shown, ends), strict=True))


def treatment_json(treatment: GroupTreatment) -> dict[str, Any]:
    """As the evaluation artifact holds it."""
    content = asdict(treatment)
    for name in ("impact_ratio", "tpr_gap"):
        content[name] = estimate_json(Estimate(*content[name]))
    for name in ("selection_rate", "tpr"):
        content[name] = shown(content[name])
    return content
