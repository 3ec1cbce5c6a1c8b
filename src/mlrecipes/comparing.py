"""Two checkouts of a recipe side by side, such as a branch and the one that it goes into."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.drift_counting import count_column
from mlrecipes.checks.drift_reference import has_cells, reference_column, reference_columns
from mlrecipes.checks.drift_verdict import judge
from mlrecipes.checks.training_profile import column_facts, training_profile
from mlrecipes.dag.fingerprint import changes
from mlrecipes.errors import RecipeError, few
from mlrecipes.monitor_records import ColumnCounts, ColumnDrift, DriftLimits, DriftVerdict
from mlrecipes.planning import Project
from mlrecipes.records import Facts, Scalar, Section, Table, Text

__all__ = ["Comparison", "compare"]

SCORES = ("predicted_score", "predicted_data")
N_DRIFTED = 10
NO_CHANGE = ("input.", "source.", "tracking_uri", "registry_uri", "reset.")
"""Parts of a key that follow from others, or that only say where a checkout records."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What became of a model on a branch.

    Attributes:
        title: Names the recipe.
        summary: What to know first, a sentence each.
        sections: Gates, metrics, changes and drift.
        is_validated: Whether this branch's model meets its thresholds.
        has_drift: Whether what it is trained on, or what it answers, has drifted.
    """

    title: str
    summary: tuple[str, ...]
    sections: tuple[Section, ...]
    is_validated: bool
    has_drift: bool


def compare(base: Project, here: Project) -> Comparison:
    """Compare the last results of a recipe with those of another checkout of it.

    Args:
        base: The other checkout, which has run up to ``evaluate``.
        here: This one; it has, too.

    Raises:
        RecipeError: One of them has no results, or they predict different things.
    """
    if base.workspace.resolve() == here.workspace.resolve():
        raise RecipeError(
            f"{base.root} is this very recipe.",
            hint="Name a folder with a recipe.yaml of another checkout, such as one made by "
            "git worktree add.",
        )
    if base.config.recipe != here.config.recipe:
        raise RecipeError(
            f"{base.root} holds a {base.config.recipe}, {here.root} a {here.config.recipe}; "
            "their models cannot be compared."
        )
    then, now = _evaluation(base), _evaluation(here)
    drift, features = _drift(base, here)
    is_validated = now["status"] == "VALIDATED"
    headline = _headline(then, now, here.config.effective_primary_metric)
    verdict = f"{now['status']} here, {then['status']} in the base. {headline}"
    return Comparison(
        title=f"Model report: {here.name}, profile {here.profile}",
        summary=(verdict, _drift_sentence(drift)),
        sections=(
            Section("Gates", (_gates(then, now),)),
            Section("Metrics on the test part", (_metrics(then, now, here),)),
            Section("What changed", (_changed(base, here),)),
            Section("Drift against the base", tuple(_drift_blocks(drift, features))),
        ),
        is_validated=is_validated,
        has_drift=drift.is_alarm,
    )


# ---- metrics ------------------------------------------------------------------------------------


def _evaluation(project: Project) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = project.read_artifact("evaluation")
    if found is None:
        raise RecipeError(
            f"{project.root} has no evaluation with profile {project.profile}.",
            hint=f"Run there: mlrecipes run --to evaluate --profile {project.profile}",
        )
    return found


def _headline(then: Mapping[str, Any], now: Mapping[str, Any], primary: str) -> str:
    before, after = (side["metrics"].get(f"test_{primary}") for side in (then, now))
    if before is None or after is None:
        return f"{primary} is not known on both sides."
    return f"{primary} {before:.4f} → {after:.4f} ({after - before:+.4f})."


def _gates(then: Mapping[str, Any], now: Mapping[str, Any]) -> Table:
    """This branch's thresholds, with the values of both sides."""
    before = {(check["metric"], check.get("slice")): check["value"] for check in then["checks"]}
    rows: list[tuple[Scalar, ...]] = []
    for check in now["checks"]:
        where = check.get("slice") or "all rows"
        bound = f"{'≥' if check['greater_is_better'] else '≤'} {check['threshold']:g}"
        said = "passed" if check["is_passed"] else "MISSED"
        value = before.get((check["metric"], check.get("slice")))
        rows.append((check["metric"], where, bound, _number(value), _number(check["value"]), said))
    missed = tuple(i for i, check in enumerate(now["checks"]) if not check["is_passed"])
    return Table(("metric", "rows", "threshold", "base", "here", ""), tuple(rows), emphasis=missed)


def _metrics(then: Mapping[str, Any], now: Mapping[str, Any], here: Project) -> Table:
    """All metrics of the test part that both sides have, with this branch's interval."""
    primary = here.config.effective_primary_metric
    names = [name for name in now["metrics"] if name.startswith("test_")]
    names.sort(key=lambda name: (name != f"test_{primary}", name))
    rows = []
    for name in names:
        before, after = then["metrics"].get(name), now["metrics"][name]
        difference = None if before is None or after is None else after - before
        interval = now.get("intervals", {}).get(name.removeprefix("test_"), {})
        ends = [interval.get("low"), interval.get("high")]
        text = "" if None in ends else f"{ends[0]:.4f} to {ends[1]:.4f}"
        said = "" if difference is None else f"{difference:+.4f}"
        rows.append((name.removeprefix("test_"), _number(before), _number(after), said, text))
    confidence = f"{now.get('confidence', 0.95):.0%} interval"
    return Table(("metric", "base", "here", "difference", confidence), tuple(rows))


def _number(value: float | None) -> str:
    return "not known" if value is None or not math.isfinite(value) else f"{value:.4f}"


# ---- changes ------------------------------------------------------------------------------------


def _changed(base: Project, here: Project) -> Table | Text:
    rows = []
    for step in here.graph.names:
        then, now = (side.store.current(side.profile, step) for side in (base, here))
        if then is None or now is None or step not in base.graph.names:
            continue
        own = [
            {part: value for part, value in side.parts.items() if not part.startswith(NO_CHANGE)}
            for side in (then, now)
        ]
        rows += [(step, sentence) for sentence in changes(*own)]
    if not rows:
        return Text("Settings, code and libraries of all steps are the same.")
    return Table(("step", "what"), tuple(rows))


# ---- drift --------------------------------------------------------------------------------------


def _drift(base: Project, here: Project) -> tuple[DriftVerdict, Facts | None]:
    """Training data and scores of this branch against those of the base."""
    then, now = base.read_artifact("training_data"), here.read_artifact("training_data")
    profiles = [_profile(side) for side in (base, here)]
    if then is None or now is None or None in profiles:
        raise RecipeError(
            f"One of {base.root} and {here.root} has no trained model.",
            hint=f"Run there: mlrecipes run --to evaluate --profile {here.profile}",
        )
    known, features = (list(profile["columns"]) for profile in profiles if profile is not None)
    profile = profiles[0]
    if profile is None or not has_cells(profile):
        profile = training_profile(then[known])
    references = reference_columns(profile)
    counts = {name: count_column(now[name], references[name].plan) for name in known if name in now}
    verdict = judge(references, counts, DriftLimits(), _scores(base, here))
    new = [name for name in features if name not in known]
    gone = [name for name in known if name not in features]
    changed = [("new features", new), ("features no more", gone)]
    facts = tuple((what, f"{len(names)}: {few(names)}") for what, names in changed if names)
    return verdict, Facts(facts) if facts else None


def _profile(project: Project) -> Mapping[str, Any] | None:
    from mlrecipes.stores.models import model_profile

    manifest, spec = project.artifact("model")
    return None if manifest is None else model_profile(project.store.path(manifest, spec))


def _scores(base: Project, here: Project) -> tuple[Any, ColumnCounts] | None:
    """What both models say of their own training rows."""
    then, now = (side.read_artifact("predicted_training_data") for side in (base, here))
    shared = [name for name in SCORES if name in then and name in now]
    if not shared:
        return None
    reference = reference_column("prediction", column_facts("prediction", then[shared[0]]))
    return reference, count_column(now[shared[0]], reference.plan)


def _drift_sentence(drift: DriftVerdict) -> str:
    if drift.is_alarm:
        return f"Drift against the base: {'; '.join(drift.reasons)}."
    n_drifted = sum(one.has_drifted for one in drift.columns)
    if n_drifted:
        return f"{n_drifted} of {len(drift.columns)} features differ, none that matters much."
    return f"No drift against the base in {len(drift.columns)} features and the predictions."


def _drift_blocks(drift: DriftVerdict, features: Facts | None) -> Iterator[Text | Table | Facts]:
    if features is not None:
        yield features
    drifted = [one for one in (drift.score, *drift.columns) if one and one.has_drifted]
    if not drifted:
        yield Text("; ".join(drift.notes.values()) or "Nothing has drifted.")
        return
    yield Table(
        ("column", "level", "why"),
        tuple(_drift_row(one) for one in drifted[:N_DRIFTED]),
        caption="" if len(drifted) <= N_DRIFTED else f"The worst {N_DRIFTED} of {len(drifted)}",
    )


def _drift_row(one: ColumnDrift) -> tuple[Scalar, ...]:
    return one.name, str(one.level), ", ".join(one.reasons)
