"""What is found in each window: counts, drift against the training and the window before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlrecipes.checks.drift_reference import has_cells, reference_column, reference_columns
from mlrecipes.checks.drift_verdict import judge
from mlrecipes.checks.quality import judged
from mlrecipes.errors import StoreError
from mlrecipes.monitor_ports import Window
from mlrecipes.monitor_records import (
    ColumnCounts,
    DriftLimits,
    DriftVerdict,
    Performance,
    ReferenceColumn,
)
from mlrecipes.quality_records import QualityResult
from mlrecipes.scoring_ports import BatchModel
from mlrecipes.steps._contract import Context
from mlrecipes.steps._monitor_performance import estimated, realised
from mlrecipes.steps._monitor_rows import complete, settings_of
from mlrecipes.steps._quality import open_doors

__all__ = ["Baseline", "Watched", "baseline_of", "check_quality", "limits_of", "watch"]

ID_LENGTH = 16


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a model keeps of its training.

    Attributes:
        profile: ``training_profile.json``.
        features: By name.
        score: Of the validation part; None if the model does not say.
        id: A digest of all of it.
    """

    profile: Mapping[str, Any]
    features: Mapping[str, ReferenceColumn]
    score: ReferenceColumn | None
    id: str


@dataclass(frozen=True, slots=True)
class Watched:
    """What was found in a window.

    Attributes:
        path: A file with its rows and their features.
        counts: Of the features and of the score.
        drift: Against the training.
        change: Against the window before; None for the first one.
        lacking: Columns of the model that nothing gave.
    """

    window: Window
    path: Path
    counts: Mapping[str, ColumnCounts]
    drift: DriftVerdict
    change: DriftVerdict | None
    performance: tuple[Performance, ...]
    lacking: tuple[str, ...] = ()


def baseline_of(model: BatchModel) -> Baseline:
    """Read what a model was trained on.

    Raises:
        StoreError: It was made by a version that kept less.
    """
    profile = model.training_profile
    if profile is None or not has_cells(profile):
        raise StoreError(
            f"{model.identity.label} does not say what it was trained on, so nothing can be "
            "compared with it: it was made by an earlier version.",
            hint="Train it again: mlrecipes run --from train",
        )
    facts = profile.get("score")
    score = None if facts is None else reference_column(str(facts["column"]), facts)
    text = json.dumps(profile, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]
    return Baseline(profile, reference_columns(profile), score, digest)


def limits_of(context: Context) -> DriftLimits:
    """The limits of the recipe."""
    settings = settings_of(context)
    limits = settings.limits.model_dump(exclude={"event_rate", "loss"})
    return DriftLimits(**limits, min_rows=settings.min_rows)


def watch(
    window: Window,
    model: BatchModel,
    baseline: Baseline,
    others: tuple[Path | None, Path | None],
    before: Watched | None,
    context: Context,
) -> Watched:
    """Count a window and compare it.

    Args:
        window: Its rows.
        model: That scored them.
        baseline: What the model was trained on.
        others: Tables of features and of labels; None for one that there is not.
        before: What was found in the window before.
        context: The step's context.
    """
    features, labels = others
    completed = complete(window, model, features, context)
    columns = [one.plan for one in baseline.features.values()]
    if baseline.score is not None:
        columns.append(baseline.score.plan)
    engine = settings_of(context).engine
    counts = context.ports.monitoring().count(completed.path, columns, engine)
    drift = _judged(baseline, counts, context)
    change = None
    if before is not None and before.window.n_rows >= settings_of(context).min_rows:
        change = _judged(_as_baseline(before, baseline), counts, context)
    performance = (
        *realised(completed.path, labels, baseline.profile, context),
        *estimated(completed.path, baseline.profile, drift, context),
    )
    return Watched(window, completed.path, counts, drift, change, performance, completed.lacking)


def check_quality(watched: Watched, context: Context) -> list[QualityResult]:
    """Hold a window against the suites for rows to score and for predictions, if there are any."""
    doors, checker = open_doors(context, "monitor"), context.ports.quality.checker
    suites = [doors.suites[name] for name in ("scoring", "predictions") if name in doors.suites]
    return [judged(suite, suite.name, checker.check(watched.path, suite, {})) for suite in suites]


# ---- private -----------------------------------------------------------------------------------


def _judged(
    baseline: Baseline, counts: Mapping[str, ColumnCounts], context: Context
) -> DriftVerdict:
    score = baseline.score
    pair = None
    if score is not None and score.plan.name in counts:
        pair = (score, counts[score.plan.name])
    return judge(baseline.features, counts, limits_of(context), pair)


def _as_baseline(before: Watched, baseline: Baseline) -> Baseline:
    """The window before in the place of the training, on the training's scale."""
    features = {
        name: replace(one, counts=before.counts[name])
        for name, one in baseline.features.items()
        if name in before.counts
    }
    score = baseline.score
    if score is not None:
        known = before.counts.get(score.plan.name)
        score = None if known is None else replace(score, counts=known)
    return replace(baseline, features=features, score=score)
