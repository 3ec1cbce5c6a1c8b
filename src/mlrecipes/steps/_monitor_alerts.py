"""What somebody should look at, since when it is so, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

from mlrecipes.checks.outcomes import EVENT_RATE, TARGET_MEAN
from mlrecipes.monitor_records import Alert, ColumnDrift, Performance
from mlrecipes.quality_records import QualityResult
from mlrecipes.steps._contract import Context
from mlrecipes.steps._monitor_performance import REALISED
from mlrecipes.steps._monitor_windows import Watched, limits_of

__all__ = ["alerts_of"]

OUTCOMES = (EVENT_RATE, TARGET_MEAN)
ADVICE = {
    "drift": "Ask the owner of the column what changed: the people, the source or the code. If "
    "it is the people, train anew.",
    "score": "Look which features moved with it, worst first. If the population changed, check "
    "cut-offs and train anew.",
    "importance": "Much of what the model relies on has changed: train anew on newer rows.",
    "quality": "Mend the rows or the expectation, and score the batch again.",
    "performance": "Compare with a newly trained challenger: mlrecipes run; mlrecipes promote.",
    "outcomes": "Look whether labels are complete and mean what they meant. If they do, check "
    "calibration and cut-offs, and train anew.",
}


def alerts_of(
    windows: Sequence[Watched], quality: Sequence[QualityResult], context: Context
) -> tuple[Alert, ...]:
    """All alerts of the windows that are asked for, and of the newest one with final labels.

    Args:
        windows: Oldest first.
        quality: What was found in the newest one.
        context: The step's context.
    """
    found: list[Alert] = []
    for place, one in enumerate(windows):
        if one.window.is_asked:
            found += _of_drift(windows[: place + 1], context)
    found += _of_quality(windows, quality)
    found += _of_performance(windows)
    found += _of_outcomes(windows)
    return tuple(found)


# ---- private -----------------------------------------------------------------------------------


def _of_drift(windows: Sequence[Watched], context: Context) -> list[Alert]:
    """Of the last of some windows."""
    now = windows[-1]
    if not now.drift.is_alarm:
        return []
    found = []
    score = now.drift.score
    if score is not None and score.has_drifted:
        since = _since(windows, lambda one: _has_drifted(one.drift.score))
        found.append(_alert("score", score.name, now, since, "; ".join(score.reasons)))
    for column in now.drift.columns:
        if column.is_top and column.has_drifted:
            since = _since(windows, partial(_column_drifted, column.name))
            found.append(_alert("drift", column.name, now, since, "; ".join(column.reasons)))
    limit = limits_of(context).weighted
    if now.drift.weighted >= limit:
        message = f"features that make up {now.drift.weighted:.0%} of what the model relies on"
        since = _since(windows, lambda one: one.drift.weighted >= limit)
        said = f"{message} have drifted (limit {limit:.0%})"
        found.append(_alert("importance", "all features", now, since, said))
    return found


def _of_quality(windows: Sequence[Watched], quality: Sequence[QualityResult]) -> list[Alert]:
    return [
        _alert(
            "quality",
            result.suite.name,
            windows[-1],
            windows[-1].window.name,
            f"{len(result.critical)} critical expectations are not met",
        )
        for result in quality
        if result.critical
    ]


def _of_performance(windows: Sequence[Watched]) -> list[Alert]:
    """Of the newest window whose labels are final: it is the one that can be known."""
    for place in range(len(windows) - 1, -1, -1):
        known = [one for one in _known(windows[place]) if one.metric not in OUTCOMES]
        if not known:
            continue
        found = []
        for one in known:
            if one.is_lost:
                since = _since(
                    windows[: place + 1],
                    lambda w: any(p.is_lost and p.kind == REALISED for p in w.performance),
                )
                message = (
                    f"{one.metric} {one.value:.4g} [{one.low:.4g}, {one.high:.4g}] of "
                    f"{one.n_labelled:,} rows is surely worse than in validation"
                )
                found.append(_alert("performance", one.metric, windows[place], since, message))
        return found
    return []


def _of_outcomes(windows: Sequence[Watched]) -> list[Alert]:
    """Of the newest window that has final labels."""
    for place in range(len(windows) - 1, -1, -1):
        known = [one for one in _known(windows[place]) if one.metric in OUTCOMES]
        for one in known:
            if one.has_moved:
                since = _since(
                    windows[: place + 1], lambda w: any(p.has_moved for p in w.performance)
                )
                message = (
                    f"{one.metric} {one.value:.4g} [{one.low:.4g}, {one.high:.4g}] of "
                    f"{one.n_labelled:,} rows, {one.note}"
                )
                return [_alert("outcomes", one.metric, windows[place], since, message)]
        if known:
            return []
    return []


def _known(one: Watched) -> list[Performance]:
    """What labels tell of all rows of a window."""
    return [
        p for p in one.performance if p.kind == REALISED and not p.slice and math.isfinite(p.value)
    ]


def _alert(rule: str, subject: str, at: Watched, since: str, message: str) -> Alert:
    return Alert(rule, subject, at.window.name, since, message, ADVICE[rule])


def _since(windows: Sequence[Watched], is_so: Callable[[Watched], bool]) -> str:
    """The first of the last windows in a row in which it was so."""
    since = windows[-1].window.name
    for one in reversed(windows):
        if not is_so(one):
            break
        since = one.window.name
    return since


def _has_drifted(column: ColumnDrift | None) -> bool:
    return column is not None and column.has_drifted


def _column_drifted(name: str, one: Watched) -> bool:
    return any(column.name == name and column.has_drifted for column in one.drift.columns)
