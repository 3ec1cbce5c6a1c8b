"""What many columns together mean: which have drifted, and whether somebody should look.

A column has drifted if the difference is beyond chance *and*, less what chance typically makes of
it, large enough to matter. Chance is
held by the procedure of Benjamini and Hochberg (1995) with weights (Genovese, Roeder and Wasserman
2006): a third of the weight is shared by importance, a third equally, and a third by the
features that raise an alarm alone. Without any drift the share of windows in which it finds
anything is at most ``false_alarms``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlrecipes.checks.drift_measures import Chance, chance_of, measure
from mlrecipes.errors import shorten
from mlrecipes.monitor_records import (
    ColumnCounts,
    ColumnDrift,
    DriftLevel,
    DriftLimits,
    DriftVerdict,
    Measures,
    ReferenceColumn,
)

__all__ = ["judge", "significant"]

SCORE_WEIGHT = 0.25
"""The score is as much looked at as features that make up a quarter of the importance."""
N_NAMED = 5


def judge(
    features: Mapping[str, ReferenceColumn],
    counts: Mapping[str, ColumnCounts],
    limits: DriftLimits,
    score: tuple[ReferenceColumn, ColumnCounts] | None = None,
) -> DriftVerdict:
    """Say which columns of a window have drifted and whether that is an alarm.

    An alarm is: one of the most important features has drifted, or features that make up
    ``limits.weighted`` of the importance, or the score. Where no importance is known, each
    feature counts as important.

    Args:
        features: The reference of each feature.
        counts: Counts of the window by feature; those that are not there are left out.
        limits: From where on differences matter.
        score: Reference and counts of the score.
    """
    names = [name for name in features if name in counts and features[name].counts.n_rows]
    n_rows = max((counts[name].n_rows for name in names), default=0)
    n_rows = max(n_rows, score[1].n_rows if score else 0)
    if n_rows < limits.min_rows:
        return _too_few(n_rows, names, features, limits)
    found = [measure(features[name], counts[name], limits) for name in names]
    of_score = measure(*score, limits) if score and score[0].counts.n_rows else None
    importance = [features[name].importance for name in names]
    top = _top(names, importance, limits)
    weights = _weights(importance, [name in top for name in names], has_score=of_score is not None)
    p_values = [one.p_value for one in (*found, *([of_score] if of_score else []))]
    is_beyond = significant(p_values, weights, limits.false_alarms)
    columns = [
        _column(
            name,
            features[name].importance,
            one,
            _reasons(one, chance_of(features[name], counts[name]), limits) if beyond else [],
            limits,
            is_top=name in top,
        )
        for name, one, beyond in zip(names, found, is_beyond, strict=False)
    ]
    columns.sort(key=_severity, reverse=True)
    scored = None
    if of_score is not None and score is not None:
        reasons = _reasons(of_score, chance_of(*score), limits) if is_beyond[-1] else []
        scored = _column(score[0].plan.name, 0.0, of_score, reasons, limits, is_top=True)
    return _verdict(tuple(columns), scored, limits)


def significant(p_values: Sequence[float], weights: Sequence[float], share: float) -> list[bool]:
    """Weighted Benjamini-Hochberg: which of many findings are beyond chance.

    Args:
        p_values: One a finding.
        weights: How much each is looked at; scaled to a mean of 1.
        share: Of false ones among those found, at most, on the average.

    >>> significant([0.001, 0.2, 0.04], [1, 1, 1], 0.05)
    [True, False, False]
    >>> significant([0.001, 0.2, 0.04], [1, 0.1, 3], 0.05)
    [True, False, True]
    """
    n, total = len(p_values), sum(weights)
    if not n or total <= 0:
        return [False] * n
    scaled = [
        p * total / (n * weight) if weight > 0 else 1.0
        for p, weight in zip(p_values, weights, strict=True)
    ]
    ordered = sorted(scaled)
    limit = max((p for i, p in enumerate(ordered, 1) if p <= share * i / n), default=-1.0)
    return [p <= limit for p in scaled]


# ---- private -----------------------------------------------------------------------------------


def _weights(
    importance: Sequence[float], is_top: Sequence[bool], *, has_score: bool
) -> list[float]:
    """How much each feature is looked at; they add up to 1, and the score comes on top."""
    n, total, n_top = len(importance), sum(importance), sum(is_top)
    equal = 1 / max(1, n)
    shares = [one / total if total > 0 else equal for one in importance]
    alone = [top / n_top if n_top else equal for top in is_top]
    weights = [(share + equal + one) / 3 for share, one in zip(shares, alone, strict=True)]
    return [*weights, SCORE_WEIGHT] if has_score else weights


def _top(names: Sequence[str], importance: Sequence[float], limits: DriftLimits) -> set[str]:
    if not any(importance):
        return set(names)
    order = sorted(range(len(names)), key=lambda i: -importance[i])
    return {names[i] for i in order[: limits.top_features] if importance[i] > 0}


def _column(
    name: str,
    importance: float,
    found: Measures,
    reasons: Sequence[str],
    limits: DriftLimits,
    *,
    is_top: bool,
) -> ColumnDrift:
    level = DriftLevel.STABLE
    if reasons:
        is_severe = found.psi_excess >= limits.psi_severe
        level = DriftLevel.SEVERE if is_severe else DriftLevel.DRIFTED
    return ColumnDrift(name, level, found, importance, is_top, tuple(reasons))


def _reasons(found: Measures, chance: Chance, limits: DriftLimits) -> list[str]:
    """What exceeds its limit less what chance makes of it, in words."""
    reasons = []
    if found.psi_excess >= limits.psi:
        reasons.append(
            f"PSI {found.psi:.3f}, of which chance explains "
            f"{found.psi - found.psi_excess:.3f} (limit {limits.psi:g})"
        )
    if found.shift is not None and abs(found.shift) - chance.shift >= limits.shift:
        reasons.append(f"mean {found.shift:+.2f} ± {chance.shift:.2f} sd (limit {limits.shift:g})")
    if abs(found.missing_change) - chance.missing >= limits.missing:
        reasons.append(
            f"missing {100 * found.missing_change:+.1f} ± {100 * chance.missing:.1f} points "
            f"(limit {100 * limits.missing:g})"
        )
    if found.unseen_change is not None and found.unseen_change - chance.unseen >= limits.unseen:
        reasons.append(
            f"unknown values {100 * found.unseen_change:+.1f} ± {100 * chance.unseen:.1f} points "
            f"(limit {100 * limits.unseen:g})"
        )
    return reasons


def _severity(one: ColumnDrift) -> tuple[bool, bool, float, float]:
    """The worst first: drifted, important, and how far."""
    far = one.measures.psi_excess if one.measures else 0.0
    return one.has_drifted, one.has_drifted and one.is_top, far * (one.importance or 1.0), far


def _verdict(
    columns: tuple[ColumnDrift, ...], score: ColumnDrift | None, limits: DriftLimits
) -> DriftVerdict:
    drifted = [one for one in columns if one.has_drifted]
    total = sum(one.importance for one in columns)
    weighted = sum(one.importance for one in drifted) / total if total > 0 else 0.0
    reasons = [f"{shorten(one.name)}: {', '.join(one.reasons)}" for one in drifted if one.is_top]
    if len(reasons) > N_NAMED:
        reasons = [*reasons[:N_NAMED], f"and {len(reasons) - N_NAMED} more important features"]
    if weighted >= limits.weighted:
        reasons.append(
            f"features that make up {weighted:.0%} of what the model relies on have drifted "
            f"(limit {limits.weighted:.0%})"
        )
    if score is not None and score.has_drifted:
        reasons.insert(0, f"the score ({shorten(score.name)}): {', '.join(score.reasons)}")
    return DriftVerdict(bool(reasons), tuple(reasons), columns, score, weighted)


def _too_few(
    n_rows: int, names: Sequence[str], features: Mapping[str, ReferenceColumn], limits: DriftLimits
) -> DriftVerdict:
    said = f"too few rows (n={n_rows:,}) to judge drift: at least {limits.min_rows:,} are needed"
    columns = tuple(
        ColumnDrift(name, DriftLevel.TOO_FEW, None, features[name].importance) for name in names
    )
    return DriftVerdict(is_alarm=False, reasons=(), columns=columns, notes={"rows": said})
