"""What was found, as rows of the tables of monitoring; the same findings have the same keys."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mlrecipes._version import __version__
from mlrecipes.monitor_ports import MonitorTables
from mlrecipes.monitor_records import Alert, ColumnDrift, DriftVerdict
from mlrecipes.scoring_ports import BatchModel
from mlrecipes.steps._monitor_rows import identity_of
from mlrecipes.steps._monitor_windows import Baseline, Watched

__all__ = ["write_tables"]

FEATURE, SCORE = "feature", "score"
Row = dict[str, Any]


def write_tables(
    tables: MonitorTables,
    found: tuple[Sequence[Watched], Sequence[Alert]],
    model: BatchModel,
    baseline: Baseline,
    at: datetime,
) -> dict[str, list[str]]:
    """Add what is new to each table.

    Args:
        tables: Where to.
        found: Windows and alerts.
        model: That scored the rows.
        baseline: What they are compared with.
        at: Now.

    Returns:
        The keys that were added, by table.
    """
    windows, alerts = found
    about = {**identity_of(model), "computed_at": at, "engine_version": __version__}
    rows: dict[str, list[Row]] = {"profile": [], "drift": [], "performance": [], "alerts": []}
    for one in windows:
        window = about | _window(one)
        rows["profile"] += _profile(one, baseline, window)
        rows["drift"] += _drift(one.drift, "baseline", one, baseline, window)
        if one.change is not None:
            rows["drift"] += _drift(one.change, "previous", one, baseline, window)
        rows["performance"] += _performance(one, window)
    by_name = {one.window.name: one for one in windows}
    for alert in alerts:
        content = dataclasses.asdict(alert)
        content.pop("advice")
        window = about | _window(by_name[alert.window])
        rows["alerts"].append(_keyed(window | content, ("rule", "subject")))
    return {name: tables.append(name, some) for name, some in rows.items()}


def _window(one: Watched) -> Row:
    window = one.window
    return {"window": window.name, "window_start": window.start, "window_end": window.end}


def _profile(one: Watched, baseline: Baseline, window: Row) -> Iterator[Row]:
    for name, counts in one.counts.items():
        role, reference = _reference(name, baseline)
        plan = reference.plan
        edges = list(plan.edges) or list(plan.values)
        yield _keyed(
            window
            | {
                "column": name,
                "role": role,
                "kind": str(plan.kind),
                "n_rows": counts.n_rows,
                "n_missing": counts.n_missing,
                "edges": json.dumps(edges),
                "cells": json.dumps(list(counts.cells)),
                "baseline": baseline.id,
            },
            ("column", "role", "n_missing", "edges", "cells", "baseline"),
        )


def _drift(
    verdict: DriftVerdict, comparison: str, one: Watched, baseline: Baseline, window: Row
) -> Iterator[Row]:
    columns: list[tuple[str, ColumnDrift]] = [(FEATURE, column) for column in verdict.columns]
    if verdict.score is not None:
        columns.append((SCORE, verdict.score))
    for role, column in columns:
        counts = one.counts[column.name]
        measures = {} if column.measures is None else dataclasses.asdict(column.measures)
        content = {
            "column": column.name,
            "role": role,
            "comparison": comparison,
            "n_rows": counts.n_rows,
            "level": str(column.level),
            "reasons": "; ".join(column.reasons),
            "importance": column.importance,
            "missing_share": counts.missing_share,
            **measures,
        }
        # The version of the engine is no part of the key, the baseline and what was found are.
        told = window | content | {"baseline": baseline.id, "cells": list(counts.cells)}
        names = ("column", "role", "comparison", "level", "reasons", "baseline", "cells", "psi")
        yield window | content | {"key": _keyed(told, names)["key"]}


def _performance(one: Watched, window: Row) -> Iterator[Row]:
    for found in one.performance:
        content = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in dataclasses.asdict(found).items()
            if name not in {"is_lost", "has_moved"}
        }
        names = ("kind", "slice", "metric", "value", "n_rows", "n_labelled", "note")
        yield _keyed(window | content, names)


def _reference(name: str, baseline: Baseline) -> tuple[str, Any]:
    score = baseline.score
    if score is not None and score.plan.name == name:
        return SCORE, score
    return FEATURE, baseline.features[name]


def _keyed(row: Row, names: Sequence[str]) -> Row:
    """The row with a key made of the model, the window and some of its values."""
    about = ("model_name", "model_version", "run_id", "window", "window_start", "window_end")
    told: Mapping[str, Any] = {name: row.get(name) for name in (*about, *names)}
    text = json.dumps(told, sort_keys=True, default=str)
    return row | {"key": hashlib.sha256(text.encode()).hexdigest()}
