"""Promotion outside a run: decide anew about any version, roll back, read the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlrecipes.errors import ConfigError, DataError, Problem, RecipeError
from mlrecipes.execution import Executor, Listener, PortsFactory, input_parts
from mlrecipes.planning import Project
from mlrecipes.promotion_ledger import Names, Standing
from mlrecipes.promotion_records import MAX_TEXT, Entry, Move, champions
from mlrecipes.records import JSON, Action, Decision, Manifest
from mlrecipes.steps import PromotionRequest, challenger_of, ledger_of, promotion_step
from mlrecipes.stores.lock import workspace_lock

__all__ = ["promote_anew", "read_ledger", "roll_back"]

STEP = "promote"
PROMOTION = "promotion"
REGISTERED = "registered_model_version"


def promote_anew(
    project: Project,
    version: str | None,
    override: str | None,
    *,
    make_ports: PortsFactory,
    tell: Listener,
    wait_s: float = 0.0,
) -> dict[str, Any]:
    """Decide about a version, whatever was decided before; see :meth:`Recipe.promote`.

    Nothing is trained: the rows are those that the workspace has now, or the reference.

    Raises:
        ConfigError: The recipe has no section ``steps.promote``.
        GateRejected: The version is blocked, or somebody moved the champion meanwhile.
        TryAgain: The workspace is busy, or a server does not answer.
    """
    _check(project)
    if override is not None:
        _check_reason("An override", override)
    with workspace_lock(project.workspace, wait_s=wait_s):
        ports = make_ports(project)
        promotions = ports.promotions()
        asked = version or challenger_of(project.config, promotions)
        project.check(STEP)
        names = project.graph.up_to(STEP)
        found = {name: project.store.current(project.profile, name) for name in names}
        results = {name: manifest for name, manifest in found.items() if manifest is not None}
        promote = project.config.steps.promote
        has_rows = "split" in results and not (promote and promote.reference)
        step = promotion_step(PromotionRequest(asked, override), has_rows=has_rows)
        executor = Executor(project, lambda _project: ports, tell)
        decision = Decision(STEP, Action.RUN, "asked for")
        manifest = executor.execute(step, decision, _parts(project, asked, results), results)
        artifact = next(spec for spec in step.writes if spec.name == PROMOTION)
        decided: dict[str, Any] = project.store.read(manifest, artifact)
        return decided


def roll_back(
    project: Project, reason: str, to_version: str | None, make_ports: PortsFactory
) -> Entry:
    """Make an earlier version the champion again; see :meth:`Recipe.rollback`.

    Raises:
        ConfigError: The recipe has no section ``steps.promote``.
        DataError: There is no champion, none before it, or no reason.
        GateRejected: Somebody moved the champion meanwhile.
        StoreError: There is no such version.
        TryAgain: The registry does not answer.
    """
    _check(project)
    _check_reason("A rollback", reason)
    ledger = ledger_of(project.config, make_ports(project).promotions())
    standing = ledger.settle()
    target = to_version or _before(standing, ledger.names)
    if standing.champion is None:
        raise DataError(f"{ledger.names.model} has no {ledger.names.champion} to roll back from.")
    if target == standing.champion:
        raise DataError(
            f"Version {target} is the {ledger.names.champion} already. Nothing was changed.",
            hint="Look: mlrecipes promotions",
        )
    return ledger.move(Entry(Move.ROLLBACK, target, reason=reason), standing)


def read_ledger(project: Project, make_ports: PortsFactory) -> tuple[Entry, ...]:
    """All rows of the ledger, oldest first."""
    _check(project)
    return ledger_of(project.config, make_ports(project).promotions()).look().entries


# ---- private -----------------------------------------------------------------------------------


def _check(project: Project) -> None:
    if STEP not in project.steps:
        what, hint = "is missing.", "Add it: steps: {promote: {}}"
        raise ConfigError(
            [Problem(*project.loaded.places.find("steps"), "steps.promote", what, hint)]
        )
    if not project.config.effective_model_name:
        place = project.loaded.places.find("model_registry")
        raise ConfigError([Problem(*place, "model_registry.model_name", "is missing.")])


def _check_reason(what: str, reason: str) -> None:
    if not reason.strip():
        raise RecipeError(f"{what} needs a reason: it is written to the ledger.")
    if len(reason) > MAX_TEXT:
        raise RecipeError(
            f"The reason has {len(reason):,} characters; {MAX_TEXT} fit into the ledger."
        )


def _before(standing: Standing, names: Names) -> str:
    """The champion before; where the alias was set by hand, the one of the ledger."""
    line = champions(standing.entries)
    if line and line[-1] != standing.champion:
        return line[-1]
    if len(line) > 1:
        return line[-2]
    raise DataError(
        f"Version {standing.champion} is the first {names.champion} of {names.model}: there is "
        "none before it to roll back to."
        if standing.champion
        else f"{names.model} has no {names.champion} to roll back from.",
        hint="Name one: mlrecipes rollback --to N --reason ...",
    )


def _parts(
    project: Project, version: str | None, results: Mapping[str, Manifest]
) -> dict[str, JSON]:
    """The key of the decision: that of the step in a run, if it is about the run's version."""
    parts = dict(project.wanted(STEP).parts[STEP])
    reads = project.steps[STEP].spec.reads
    writers = {project.graph.writers[name] for name in reads}
    if writers <= set(results) and version == _own_version(project, results):
        return parts | input_parts(project, STEP, results)
    return parts | {"asked.version": version}


def _own_version(project: Project, results: Mapping[str, Manifest]) -> str | None:
    step = project.steps["register"]
    artifact = next(spec for spec in step.writes if spec.name == REGISTERED)
    found = project.store.read(results["register"], artifact)
    return str(found["registered_model_version"])
