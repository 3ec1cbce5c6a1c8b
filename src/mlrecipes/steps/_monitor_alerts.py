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
    """All alerts of the windows that are asked for.

    Drift is judged in each of them. So is realised performance where labels are final; if that is
    nowhere among them, it is judged in the newest window before where they are.

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
    found += _of_labels(windows, outcomes=False)
    found += _of_labels(windows, outcomes=True)
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


def _of_labels(windows: Sequence[Watched], *, outcomes: bool) -> list[Alert]:
    """Of the windows in which it can be known, as their labels are final.

    Args:
        windows: Oldest first.
        outcomes: Whether it is about the outcomes themselves, or about how good the model is.
    """
    known = [place for place, one in enumerate(windows) if _realised(one, outcomes=outcomes)]
    asked = [place for place in known if windows[place].window.is_asked] or known[-1:]
    return [alert for place in asked for alert in _worse(windows[: place + 1], outcomes=outcomes)]


def _worse(windows: Sequence[Watched], *, outcomes: bool) -> list[Alert]:
    """What labels tell of the last of some windows."""

    def is_bad(one: Performance) -> bool:
        return one.has_moved if outcomes else one.is_lost

    now, found = windows[-1], []
    rule = "outcomes" if outcomes else "performance"
    for one in filter(is_bad, _realised(now, outcomes=outcomes)):
        since = _since(windows, lambda w: any(map(is_bad, _realised(w, outcomes=outcomes))))
        seen = f"{one.value:.4g} [{one.low:.4g}, {one.high:.4g}] of {one.n_labelled:,} rows"
        said = f", {one.note}" if outcomes else " is surely worse than in validation"
        found.append(_alert(rule, one.metric, now, since, f"{one.metric} {seen}{said}"))
    return found


def _realised(one: Watched, *, outcomes: bool) -> list[Performance]:
    """What is known of a window as a whole."""
    return [
        found
        for found in one.performance
        if found.kind == REALISED
        and not found.slice
        and math.isfinite(found.value)
        and (found.metric in OUTCOMES) == outcomes
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
