"""The card of monitoring: the verdict, what changed since when, trends, and the worst features."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlrecipes.checks.performance import CBPE_ASSUMES, DLE_ASSUMES
from mlrecipes.monitor_records import (
    Alert,
    ColumnCounts,
    ColumnDrift,
    ColumnKind,
    Performance,
    ReferenceColumn,
)
from mlrecipes.records import (
    Block,
    ColumnProfile,
    Curve,
    Facts,
    Histogram,
    Profile,
    ProfileComparison,
    Scalar,
    Section,
    Series,
    Table,
    Text,
)
from mlrecipes.steps._monitor_performance import ESTIMATED, REALISED
from mlrecipes.steps._monitor_windows import Baseline, Watched

__all__ = ["alert_section", "drift_section", "performance_section", "trend_section"]

N_SHOWN = 25
N_DRAWN = 8
N_LARGE = 6
N_DETAILED = 12
"""Of more windows than that, most are shown by their primary metric alone."""
N_TOP_VALUES = 5


def alert_section(
    alerts: Sequence[Alert], facts: Mapping[str, Scalar], names: Sequence[str]
) -> Section:
    """What to look at, how big it is, since when, and what to do next.

    Args:
        alerts: Of one window or of several.
        facts: What stands above them.
        names: Of all windows, oldest first.
    """
    blocks: list[Block] = [Facts(tuple(facts.items()))]
    if not alerts:
        blocks.append(Text("Nothing that somebody would have to look at."))
    elif len({alert.window for alert in alerts}) == 1:
        columns = ("what", "of", "window", "since", "how big", "what to do next")
        rows = tuple((a.rule, a.subject, a.window, a.since, a.message, a.advice) for a in alerts)
        blocks.append(Table(columns, rows, emphasis=tuple(range(len(rows)))))
    else:
        blocks += _over_windows(alerts, names)
    return Section("Alerts", tuple(blocks))


def trend_section(windows: Sequence[Watched], limit: float) -> Section:
    """One line a metric over the windows, which are numbered; their names stand below."""
    places = tuple(float(i) for i in range(1, len(windows) + 1))

    def line(name: str, values: Sequence[float]) -> Series:
        return Series(name, places, tuple(values))

    score = [_psi(one.drift.score) for one in windows]
    worst = [max((_psi(c) for c in one.drift.columns), default=math.nan) for one in windows]
    drift = Curve(
        "Distance from the training (PSI less chance)",
        _axis(windows),
        "PSI",
        (line("score", score), line("worst feature", worst), line("limit", [limit] * len(windows))),
    )
    blocks: list[Block] = [drift] if len(windows) > 1 else []
    if blocks and any(column.importance for column in windows[-1].drift.columns):
        values = [one.drift.weighted for one in windows]
        title = "Share of what the model relies on that has drifted"
        blocks.append(Curve(title, _axis(windows), "share", (line("weighted drift", values),)))
    rows = tuple(
        (
            i,
            one.window.name,
            one.window.n_rows,
            one.drift.notes.get("rows") or ("ALARM" if one.drift.is_alarm else "no alarm"),
            sum(column.has_drifted for column in one.drift.columns),
            _shown(_psi(one.drift.score)),
            sum(c.has_drifted for c in one.change.columns) if one.change else "–",
        )
        for i, one in enumerate(windows, 1)
    )
    columns = (
        "no.",
        "window",
        "rows",
        "verdict",
        "drifted features",
        "score PSI",
        "changed since the window before",
    )
    return Section("Trend", (*blocks, Table(columns, rows)))


def drift_section(now: Watched, baseline: Baseline) -> Section:
    """The worst features first, with how they were and how they are."""
    columns = now.drift.columns
    shown = [*([now.drift.score] if now.drift.score else []), *columns[:N_SHOWN]]
    rows = tuple(_drift_row(one, now) for one in shown)
    marked = tuple(i for i, one in enumerate(shown) if one.has_drifted)
    names = (
        "column",
        "verdict",
        "what",
        "importance",
        "PSI",
        "by chance",
        "mean, sd",
        "KS",
        "Jensen-Shannon",
        "Wasserstein",
        "missing",
        "p",
    )
    caption = f"{len(columns)} features, the worst first; the score stands on top."
    table = Table(names, rows, caption, marked)
    worst = [one for one in shown if one.measures is not None][:N_DRAWN]
    blocks: list[Block] = [table]
    n_drifted = sum(one.has_drifted for one in columns)
    if n_drifted and not now.drift.is_alarm:
        said = f"{n_drifted} features have drifted, {now.drift.weighted:.0%} of what the model "
        blocks.insert(0, Text(f"{said}relies on: not enough to call somebody."))
    if now.lacking:
        said = ", ".join(now.lacking[:N_SHOWN])
        blocks.append(
            Text(f"Not compared, as nothing gives them: {len(now.lacking)} columns ({said}).")
        )
    if worst:
        blocks += _histograms(worst, now, baseline)
        blocks.append(_side_by_side(worst, now, baseline))
    return Section(f"Drift ({now.window.name})", tuple(blocks))


def performance_section(
    windows: Sequence[Watched], baseline: Baseline, tested: Sequence[Mapping[str, Any]]
) -> Section:
    """Realised and estimated performance over the windows, and how good the estimates were."""
    then = baseline.profile.get("performance") or {}
    primary = str(then.get("primary", ""))
    blocks: list[Block] = []
    lines = [
        Series(f"{kind} {primary}", *_points(windows, primary, kind))
        for kind in (REALISED, ESTIMATED)
    ]
    lines = [one for one in lines if one.x]
    if lines:
        value = (then.get("metrics") or {}).get(primary)
        if value is not None:
            ends = (1.0, float(max(2, len(windows))))
            lines.append(Series("validation", ends, (value, value)))
        blocks.append(Curve(f"{primary} by window", _axis(windows), primary, tuple(lines)))
    detailed = _detailed(windows)
    shown = [
        (one.window.name, p)
        for one in reversed(windows)
        for p in one.performance
        if one.window.name in detailed or (p.metric == primary and not p.slice)
    ]
    if not shown:
        return Section("Performance", (Text("No label is known, and nothing can be estimated."),))
    rows = [_performance_row(name, p) for name, p in shown]
    marked = [i for i, (_name, p) in enumerate(shown) if p.is_lost or p.has_moved]
    names = (
        "window",
        "kind",
        "rows of",
        "metric",
        "value",
        "95% interval",
        "rows",
        "labels",
        "note",
    )
    blocks.append(Table(names, tuple(rows), emphasis=tuple(marked)))
    if tested:
        cells = tuple(
            (t["window"], t["metric"], t["estimated"], t["realised"], t["error"], t["within"])
            for t in tested
            if t["window"] in detailed or t["metric"] == primary
        )
        columns = ("window", "metric", "estimated", "realised", "error", "within both intervals")
        blocks.append(Table(columns, cells, "Back-test: what was estimated before the labels came"))
    assumes = CBPE_ASSUMES if "calibration" in baseline.profile else DLE_ASSUMES
    blocks.append(Text("An estimate assumes that " + "; ".join(assumes) + "."))
    return Section("Performance", tuple(blocks))


# ---- private -----------------------------------------------------------------------------------


def _over_windows(alerts: Sequence[Alert], names: Sequence[str]) -> Iterator[Block]:
    """One row for what is told of several windows: when it began, and how big it is now."""
    by_subject: dict[tuple[str, str], list[Alert]] = {}
    ordered = sorted(alerts, key=lambda alert: names.index(alert.window))
    for alert in ordered:
        by_subject.setdefault((alert.rule, alert.subject), []).append(alert)
    first, last = ordered[0].window, ordered[-1].window
    told = ", ".join(f"{a.rule} of {a.subject}" for a in ordered if a.window == first)
    yield Text(f"First alert: {first} ({told}).")
    columns = ("alert", "windows", "since", "how big in the first", "how big in the last")
    rows = [
        (
            f"{rule} of {subject}",
            _span(some),
            some[-1].since,
            some[0].message,
            some[-1].message,
        )
        for (rule, subject), some in by_subject.items()
    ]
    marked = tuple(i for i, some in enumerate(by_subject.values()) if some[-1].window == last)
    yield Table(columns, tuple(rows), f"Marked: so in {last} too, the last of them.", marked)
    advice = dict.fromkeys((alert.rule, alert.advice) for alert in ordered)
    yield Table(("alert", "what to do next"), tuple(advice))


def _span(alerts: Sequence[Alert]) -> str:
    """In which windows something was told."""
    first, last, n_windows = alerts[0].window, alerts[-1].window, len(alerts)
    return first if n_windows == 1 else f"{n_windows}, from {first} to {last}"


def _axis(windows: Sequence[Watched]) -> str:
    """What the numbers of windows mean."""
    return f"window (1: {windows[0].window.name}, {len(windows)}: {windows[-1].window.name})"


def _detailed(windows: Sequence[Watched]) -> set[str]:
    """The windows of which all metrics and slices are shown: the newest, and the newest known."""
    known = [one for one in windows if any(p.kind == REALISED for p in one.performance)]
    few = windows if len(windows) <= N_DETAILED else (windows[-1], *known[-1:])
    return {one.window.name for one in few}


def _psi(column: ColumnDrift | None) -> float:
    return column.measures.psi_excess if column is not None and column.measures else math.nan


def _shown(value: float | None) -> Scalar:
    return None if value is None or not math.isfinite(value) else value


def _drift_row(one: ColumnDrift, now: Watched) -> tuple[Scalar, ...]:
    found, missing = one.measures, now.counts[one.name].missing_share
    weight: Scalar = one.importance or "–"
    if found is None:
        return (one.name, str(one.level), "", weight, *(["–"] * 6), f"{missing:.1%}", "–")
    return (
        one.name,
        str(one.level),
        "; ".join(one.reasons),
        weight,
        found.psi,
        found.psi - found.psi_excess,
        _shown(found.shift),
        _shown(found.ks),
        found.jensen_shannon,
        _shown(found.wasserstein),
        f"{missing:.1%} ({100 * found.missing_change:+.1f})",
        found.p_value,
    )


def _performance_row(window: str, one: Performance) -> tuple[Scalar, ...]:
    has_ends = math.isfinite(one.low) and math.isfinite(one.high)
    return (
        window,
        one.kind,
        one.slice or "all",
        one.metric,
        _shown(one.value),
        f"{one.low:.4g} to {one.high:.4g}" if has_ends else "–",
        one.n_rows,
        one.n_labelled if one.kind == REALISED else "–",
        one.note,
    )


def _points(
    windows: Sequence[Watched], metric: str, kind: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """A metric of each window, NaN where it is not known; nothing if it is never known."""
    found = {
        float(i): p.value
        for i, one in enumerate(windows, 1)
        for p in one.performance
        if p.kind == kind and p.metric == metric and not p.slice and math.isfinite(p.value)
    }
    places = tuple(float(i) for i in range(1, len(windows) + 1)) if found else ()
    return places, tuple(found.get(place, math.nan) for place in places)


def _histograms(
    columns: Sequence[ColumnDrift], now: Watched, baseline: Baseline
) -> Iterator[Block]:
    """Where rows lay in the training and where they lie now, of numbers that have drifted."""
    for one in [column for column in columns if column.has_drifted][:N_LARGE]:
        reference = baseline.features.get(one.name)
        if one is now.drift.score and baseline.score is not None:
            reference = baseline.score
        if reference is None or reference.plan.kind is not ColumnKind.NUMBER:
            continue
        then, seen = reference.counts, now.counts[one.name]
        places = tuple(float(i) for i in range(1, len(then.cells) + 1))
        lines = tuple(
            Series(name, places, tuple(n / max(1, counts.n_known) for n in counts.cells))
            for name, counts in (("training", then), (now.window.name, seen))
        )
        ends = f"edges from {reference.plan.edges[0]:.4g} to {reference.plan.edges[-1]:.4g}"
        yield Curve(f"{one.name}: rows in each cell", f"cell ({ends})", "share", lines)


def _side_by_side(
    columns: Sequence[ColumnDrift], now: Watched, baseline: Baseline
) -> ProfileComparison:
    then, seen = [], []
    for one in columns:
        is_score = now.drift.score is one and baseline.score is not None
        reference = baseline.score if is_score and baseline.score else baseline.features[one.name]
        facts = baseline.profile["score"] if is_score else baseline.profile["columns"][one.name]
        then.append(_as_profile(reference, reference.counts, facts))
        seen.append(_as_profile(reference, now.counts[one.name], facts))
    return ProfileComparison(
        ("training", now.window.name), (Profile(tuple(then)), Profile(tuple(seen)))
    )


def _as_profile(
    reference: ReferenceColumn, counts: ColumnCounts, facts: Mapping[str, Any]
) -> ColumnProfile:
    plan, known = reference.plan, max(1, counts.n_known)
    histogram, mean = None, None
    if plan.kind is ColumnKind.NUMBER:
        # The outer cells have no end: they are drawn to the ends of the training.
        ends = facts.get("quantiles") or {}
        low = min(float(ends.get("0", plan.edges[0])), plan.edges[0]) if plan.edges else 0.0
        high = max(float(ends.get("1", plan.edges[-1])), plan.edges[-1]) if plan.edges else 0.0
        if plan.edges and low < high:
            histogram = Histogram((low, *plan.edges, high), counts.cells)
        mean = sum(n * m for n, m in zip(counts.cells, reference.means, strict=False)) / known
    top: tuple[tuple[str, int], ...] = ()
    if plan.kind is ColumnKind.CATEGORY:
        top = tuple(zip(plan.values, counts.cells, strict=False))[:N_TOP_VALUES]
    return ColumnProfile(
        plan.name,
        str(facts.get("dtype", "")),
        counts.n_rows,
        counts.n_missing,
        sum(n > 0 for n in counts.cells),
        mean=mean,
        histogram=histogram,
        top_values=top,
    )
