"""What monitoring found, for programs, for the card and for MLflow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.quality import quality_section
from mlrecipes.monitor_ports import Cut
from mlrecipes.monitor_records import Alert
from mlrecipes.quality_records import QualityResult
from mlrecipes.records import Scalar, Section, to_json
from mlrecipes.scoring_ports import BatchModel
from mlrecipes.steps import _monitor_card as card
from mlrecipes.steps._contract import Context
from mlrecipes.steps._monitor_performance import backtest
from mlrecipes.steps._monitor_rows import settings_of
from mlrecipes.steps._monitor_windows import Baseline, Watched
from mlrecipes.steps._recording import run_tags

__all__ = ["Found", "facts_of", "record", "sections_of"]

N_RECORDED = 20


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found: windows, oldest first, and what follows."""

    windows: Sequence[Watched]
    alerts: Sequence[Alert]
    quality: Sequence[QualityResult]
    baseline: Baseline


def facts_of(found: Found, model: BatchModel, parts: Cut) -> dict[str, Any]:
    """What was found, for programs."""
    identity = model.identity
    return {
        "status": "alert" if found.alerts else "no alert",
        "model": identity.uri,
        "model_name": identity.name,
        "model_version": identity.version,
        "model_run_id": identity.run_id,
        "rows_of_other_models": parts.n_others,
        "rows_without_moment": parts.n_untimed,
        "alerts": to_json(list(found.alerts)),
        "windows": [_window_facts(one) for one in found.windows],
        "backtest": _finite(
            backtest([(one.window.name, one.performance) for one in found.windows])
        ),
    }


def _window_facts(one: Watched) -> dict[str, Any]:
    window = one.window
    drifted = [column for column in one.drift.columns if column.has_drifted]
    return {
        "window": window.name,
        "start": window.start.isoformat() if window.start else None,
        "end": window.end.isoformat() if window.end else None,
        "rows": window.n_rows,
        "is_asked": window.is_asked,
        "is_alarm": one.drift.is_alarm,
        "reasons": list(one.drift.reasons),
        "note": one.drift.notes.get("rows", ""),
        "weighted_drift": one.drift.weighted,
        "score": _finite(to_json(one.drift.score)),
        "drifted": [_finite(to_json(column)) for column in drifted],
        "changed_since_before": [c.name for c in one.change.columns if c.has_drifted]
        if one.change
        else [],
        "performance": _finite(to_json(list(one.performance))),
        "not_compared": list(one.lacking),
    }


def _finite(value: Any) -> Any:
    """JSON knows no NaN: what is not finite is kept as null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    return [_finite(one) for one in value] if isinstance(value, list) else value


def sections_of(found: Found, facts: Mapping[str, Any], context: Context) -> tuple[Section, ...]:
    """The card: what to look at, trends, the worst features, performance, data quality."""
    windows, newest = found.windows, found.windows[-1]
    told: dict[str, Scalar] = {
        "verdict": str(facts["status"]).upper() if found.alerts else "no alert",
        "model": facts["model"],
        "version": facts["model_version"],
        "newest window": newest.window.name,
        "rows": newest.window.n_rows,
        "rows of other models": facts["rows_of_other_models"],
        "tables": facts["place"],
    }
    sections = [
        card.alert_section(found.alerts, told, [one.window.name for one in windows]),
        card.trend_section(windows, settings_of(context).limits.psi),
        card.drift_section(newest, found.baseline),
        card.performance_section(windows, found.baseline, facts["backtest"]),
    ]
    return (*sections, quality_section(found.quality)) if found.quality else tuple(sections)


def record(found: Found, facts: Mapping[str, Any], context: Context) -> str:
    """Let it be found in MLflow: how far the newest window is from the training."""
    tags = run_tags(context) | {"mlflow.pipeline.step.name": "monitor"}
    run = context.ports.tracker.start_run(tags)
    newest = found.windows[-1]
    metrics: dict[str, float] = {
        "n_rows": newest.window.n_rows,
        "n_alerts": len(found.alerts),
        "n_drifted": sum(column.has_drifted for column in newest.drift.columns),
        "weighted_drift": newest.drift.weighted,
    }
    shown = [*([newest.drift.score] if newest.drift.score else []), *newest.drift.columns]
    for column in shown[:N_RECORDED]:
        if column.measures is not None:
            metrics[f"psi.{column.name}"] = column.measures.psi
    for one in newest.performance:
        if not one.slice and math.isfinite(one.value):
            metrics[f"{one.kind}.{one.metric}"] = one.value
    context.ports.tracker.log(
        run.run_id,
        params={
            "model": facts["model"],
            "model_version": facts["model_version"] or "",
            "window": newest.window.name,
            "tables": facts["place"],
        },
        metrics=metrics,
        tags={"mlrecipes.monitor": str(facts["status"])},
    )
    return run.run_id
