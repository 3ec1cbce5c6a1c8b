"""monitor: compare what was scored with what the model was trained on, and say who should look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError
from mlrecipes.monitor_ports import Cut
from mlrecipes.monitor_records import Alert
from mlrecipes.records import (
    ArtifactKind,
    ArtifactSpec,
    Section,
    StepResult,
    Text,
)
from mlrecipes.scoring_ports import BatchModel
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._monitor_alerts import alerts_of
from mlrecipes.steps._monitor_report import Found, facts_of, record, sections_of
from mlrecipes.steps._monitor_rows import KEY, cut, find_rows, read_beside, settings_of
from mlrecipes.steps._monitor_tables import write_tables
from mlrecipes.steps._monitor_windows import Watched, baseline_of, check_quality, watch

__all__ = ["STEP"]

FOUND = "monitoring"
NOTHING = "nothing to monitor yet"
SECTIONS = ("batches", "features", "labels")


@dataclass(frozen=True, slots=True)
class Inputs:
    """monitor reads nothing that another step wrote: tables and the registry only."""


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the rows and the model that the address means now."""
    section = config.steps.monitor
    return {
        KEY: {} if section is None else section.model_dump(mode="json", exclude={"on_alert"}),
        "model": config.effective_scoring_uri,
        "feature_store": config.feature_store.model_dump(),
    }


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/ingest.py`` that find or load rows, features and labels."""
    sections = {name: getattr(config.steps.monitor, name, None) for name in SECTIONS}
    return tuple(
        UserFunction(f"{KEY}.{section}.{word}", "ingest", name)
        for section, source in sections.items()
        for word in ("location_method", "loader_method")
        if (name := getattr(source, word, None))
    )


def run(inputs: Inputs, context: Context) -> StepResult:
    """Cut what the champion scored into windows, compare each, and write down what is found."""
    rows = find_rows(context)
    if rows is None:
        return _nothing("nothing was scored yet")
    model = context.ports.scoring.load(_model_uri(context), context.staging / "model")
    parts = cut(rows, model, context)
    if not parts.windows:
        return _nothing(f"{model.identity.label} has scored nothing yet{_others(parts)}")
    return _looked(parts, model, context)


def _looked(parts: Cut, model: BatchModel, context: Context) -> StepResult:
    asked, baseline = settings_of(context), baseline_of(model)
    tables = read_beside("features", context), read_beside("labels", context)
    found: list[Watched] = []
    for window in parts.windows:
        before = found[-1] if found else None
        found.append(watch(window, model, baseline, tables, before, context))
    quality = check_quality(found[-1], context)
    alerts = alerts_of(found, quality, context)
    store = context.ports.monitoring().tables(asked.output.using, asked.output.location)
    added = write_tables(store, (found, alerts), model, baseline, datetime.now(UTC))
    whole = Found(found, alerts, quality, baseline)
    facts = facts_of(whole, model, parts) | {
        "place": store.place,
        "added": {name: len(keys) for name, keys in added.items()},
        "has_new_alerts": bool(added["alerts"]),
    }
    run_id = record(whole, facts, context)
    return StepResult(
        outputs={FOUND: facts | {"monitor_run_id": run_id}},
        sections=sections_of(whole, facts, context),
        summary=_summary(found, alerts, model),
        run_id=run_id,
        has_alerts=bool(alerts),
    )


def _model_uri(context: Context) -> str:
    uri = context.config.effective_scoring_uri
    if uri is None:
        raise DataError(
            f"{context.where(KEY)}: no model is named.",
            hint="Set model_registry.model_name.",
        )
    return uri


def _nothing(why: str) -> StepResult:
    """There is nothing to compare: no failure, as a job may call this before anything is scored."""
    facts = {"status": NOTHING, "why": why, "alerts": [], "windows": [], "has_new_alerts": False}
    return StepResult(
        outputs={FOUND: facts},
        sections=(Section("Alerts", (Text(f"{NOTHING.capitalize()}: {why}."),)),),
        summary=f"{NOTHING}: {why}",
    )


def _others(parts: Cut) -> str:
    return f", other models {parts.n_others:,} rows" if parts.n_others else ""


def _summary(found: Sequence[Watched], alerts: Sequence[Alert], model: BatchModel) -> str:
    newest = found[-1]
    asked = [one for one in found if one.window.is_asked]
    where = newest.window.name
    if len(asked) > 1:
        where = f"{asked[0].window.name} to {where}"
    n_rows = sum(one.window.n_rows for one in asked)
    what = f"{n_rows:,} rows of {where} by {model.identity.label}"
    few = newest.drift.notes.get("rows")
    if alerts:
        noun = "alert" if len(alerts) == 1 else "alerts"
        return f"{len(alerts)} {noun}: {what}"
    return f"{few}: {what}" if few else f"no alert: {what}"


STEP = Step(
    name="monitor",
    inputs=Inputs,
    writes=(ArtifactSpec(FOUND, ArtifactKind.JSON),),
    version=1,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "pyarrow", "numpy", "scipy"),
    restorable=False,
    needs_tracking=True,
    always_runs=True,
)
