"""What a reset deletes and what it leaves, with the reason: pure functions of what was found.

The order is that of the references, so that nothing is left that points at nothing::

    aliases -> versions -> model -> runs of the project -> runs of the recipe
            -> experiment -> feature tables
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mlrecipes.cleaning import FoundExperiment, FoundModel, FoundRun, RecipeMark
from mlrecipes.errors import few

__all__ = [
    "RENAMED",
    "Found",
    "FoundTable",
    "Goes",
    "Held",
    "Kind",
    "ResetPlan",
    "Stays",
    "plan_reset",
]

DEFAULT_EXPERIMENT = "0"
RENAMED = "renamed"


class Kind(StrEnum):
    """What a part of a reset is."""

    ALIAS = "alias"
    VERSION = "version"
    MODEL = "model"
    PROJECT_RUN = "project run"
    RUN = "run"
    EXPERIMENT = "experiment"
    TABLE = "feature table"


@dataclass(frozen=True, slots=True)
class FoundTable:
    """A feature table of the recipe and its version."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class Held:
    """An experiment that may be the recipe's, and what it holds.

    Attributes:
        experiment: The experiment.
        runs: All runs in it.
        n_deleted_own: How many runs of the recipe in it are deleted already.
        is_named_by_id: Whether the recipe names it by its id, which no new one would get.
        is_renamed: Whether a reset has renamed it and did not come to delete it.
    """

    experiment: FoundExperiment
    runs: tuple[FoundRun, ...] = ()
    n_deleted_own: int = 0
    is_named_by_id: bool = False
    is_renamed: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What is there.

    Attributes:
        mark: Tells the recipe's runs from all others.
        model: The registered model that the recipe names, if it exists.
        ledger: The model whose versions tell its promotions, if it exists.
        runs: The recipe's own runs.
        parents: Runs that a run of the recipe is a child of.
        children: Id of such a parent to all its children.
        experiments: Those that may be the recipe's.
        tables: The recipe's feature tables that exist.
        other_tables: Names of those that are not the recipe's.
        active_run_id: The run that the reset itself is recorded in.
    """

    mark: RecipeMark
    model: FoundModel | None = None
    ledger: FoundModel | None = None
    runs: tuple[FoundRun, ...] = ()
    parents: tuple[FoundRun, ...] = ()
    children: Mapping[str, tuple[FoundRun, ...]] = field(default_factory=dict)
    experiments: tuple[Held, ...] = ()
    tables: tuple[FoundTable, ...] = ()
    other_tables: tuple[str, ...] = ()
    active_run_id: str | None = None


@dataclass(frozen=True, slots=True)
class Goes:
    """Something that a reset deletes.

    Attributes:
        kind: What it is.
        name: For people: of a run its id, of a version the number.
        of: What it belongs to: a model's name for versions and aliases, an experiment's id
            for runs; for an experiment its own id.
        detail: Such as the version that an alias points at.
    """

    kind: Kind
    name: str
    of: str = ""
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Stays:
    """Something that a reset leaves, and why."""

    kind: Kind
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """What goes, in this order, and what stays."""

    goes: tuple[Goes, ...]
    stays: tuple[Stays, ...] = ()


def plan_reset(found: Found) -> ResetPlan:
    """Decide what a reset deletes.

    Only what is certainly the recipe's goes, and an experiment only if nothing else is in it.
    """
    parents, stays = _parents(found)
    own = [run for run in found.runs if run.run_id != found.active_run_id]
    going = frozenset(run.run_id for run in [*parents, *own])
    goes = [*_model_parts(found.model), *_model_parts(found.ledger)]
    goes += [Goes(Kind.PROJECT_RUN, run.run_id, run.experiment_id) for run in parents]
    goes += [Goes(Kind.RUN, run.run_id, run.experiment_id, _openness(run)) for run in own]
    for held in found.experiments:
        why, experiment = _why_it_stays(held, found, going), held.experiment
        if why is not None:
            stays.append(Stays(Kind.EXPERIMENT, experiment.name, why))
        else:
            detail = RENAMED if held.is_renamed else ""
            goes.append(Goes(Kind.EXPERIMENT, experiment.name, experiment.experiment_id, detail))
    goes += [Goes(Kind.TABLE, one.name, detail=f"version {one.version}") for one in found.tables]
    why = "the recipe neither defines it nor looks it up"
    stays += [Stays(Kind.TABLE, name, why) for name in found.other_tables]
    return ResetPlan(tuple(goes), tuple(stays))


def _model_parts(model: FoundModel | None) -> Iterator[Goes]:
    if model is None:
        return
    for alias, version in sorted(model.aliases.items()):
        yield Goes(Kind.ALIAS, alias, model.name, version)
    for version in model.versions:
        yield Goes(Kind.VERSION, version, model.name)
    yield Goes(Kind.MODEL, model.name)


def _parents(found: Found) -> tuple[list[FoundRun], list[Stays]]:
    """The project's runs that go with their children, and the parents that stay."""
    goes, stays = [], []
    for parent in found.parents:
        others = [run for run in found.children[parent.run_id] if run.mark != found.mark]
        if parent.run_id == found.active_run_id:
            why = "this reset runs in it"
        elif not parent.is_project:
            why = "it was not made by mlflow run"
        elif others:
            why = f"it has {_counted(len(others), 'child', 'children')} of others"
        else:
            goes.append(parent)
            continue
        stays.append(Stays(Kind.PROJECT_RUN, parent.run_id, why))
    return goes, stays


def _why_it_stays(held: Held, found: Found, going: frozenset[str]) -> str | None:
    """Why an experiment stays; None if it goes."""
    others = [run for run in held.runs if run.run_id not in going]
    is_active = any(run.run_id == found.active_run_id for run in others)
    reasons = {
        "it is MLflow's Default experiment": held.experiment.experiment_id == DEFAULT_EXPERIMENT,
        "this reset runs in it": is_active,
        f"it holds {_whose(others, found.mark)}": bool(others),
        "the recipe names it by its id, which a new one would not get": held.is_named_by_id,
        "it belongs to a notebook of Databricks": held.experiment.is_notebook,
        "it never held a run of this recipe": not held.runs and not held.n_deleted_own,
    }
    return next((why for why, holds in reasons.items() if holds), None)


def _whose(runs: Iterable[FoundRun], mark: RecipeMark) -> str:
    """Say of which profiles, or of nobody known, some runs are."""
    profiles = Counter(
        run.mark.profile if run.mark is not None and run.mark.recipe_id == mark.recipe_id else ""
        for run in runs
    )
    n_others = profiles.pop("", 0)
    parts = []
    if profiles:
        what = _counted(profiles.total(), "run", "runs")
        parts.append(f"{what} of profile {few(sorted(profiles))}")
    if n_others:
        parts.append(f"{_counted(n_others, 'run', 'runs')} that this recipe did not make")
    return " and ".join(parts)


def _openness(run: FoundRun) -> str:
    return "still open" if run.status in {"RUNNING", "SCHEDULED"} else ""


def _counted(n_things: int, one: str, many: str) -> str:
    return f"{n_things:,} {one if n_things == 1 else many}"
