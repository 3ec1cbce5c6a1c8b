"""What belongs to a recipe, and what of it is there: a reset looks before it deletes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mlrecipes.cleaning import (
    FoundExperiment,
    FoundModel,
    FoundRun,
    ModelCleaner,
    RecipeMark,
    RunCleaner,
    TableCleaner,
)
from mlrecipes.planning import Project
from mlrecipes.project_facts import mark_of
from mlrecipes.promotion_records import ledger_name
from mlrecipes.reset_plan import Found, FoundTable, Held

__all__ = ["Cleaners", "Scope", "look", "scope_of"]


@dataclass(frozen=True, slots=True)
class Cleaners:
    """What a reset reaches: runs, the registry and, if the recipe has some, feature tables."""

    runs: RunCleaner
    models: ModelCleaner
    features: TableCleaner | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What belongs to a recipe with a profile.

    Attributes:
        mark: Tells its runs from all others.
        model_name: The registered model that it names.
        tables: The feature tables that it defines or looks up.
        experiment_name: Of its experiment, unless the recipe names one by id.
        experiment_ids: Of other experiments that it records in.
        is_named_by_id: Whether these ids stand in the recipe.
        looks_everywhere: Whether its runs may lie in any experiment: ``mlflow run`` records
            where its user says, unless the recipe names an experiment.
        left: Experiments that an earlier reset did not come to delete, by id; True for those
            that it has renamed.
        active_run_id: The run that the reset itself is recorded in.
    """

    mark: RecipeMark
    model_name: str | None = None
    tables: tuple[str, ...] = ()
    experiment_name: str | None = None
    experiment_ids: tuple[str, ...] = ()
    is_named_by_id: bool = False
    looks_everywhere: bool = False
    left: tuple[tuple[str, bool], ...] = ()
    active_run_id: str | None = None


def scope_of(
    project: Project,
    *,
    tables: Iterable[str] = (),
    left: Iterable[tuple[str, bool]] = (),
    active_run_id: str | None = None,
) -> Scope:
    """Say what belongs to a recipe with its profile.

    Args:
        project: The recipe.
        tables: Names of the feature tables that it defines or looks up.
        left: Experiments that an earlier reset did not come to delete.
        active_run_id: The run that this reset is recorded in, if any.
    """
    named, to = project.config.experiment, project.destinations
    is_by_id = bool(named.id) and not named.name
    return Scope(
        mark=mark_of(project),
        model_name=project.config.effective_model_name,
        tables=tuple(sorted(set(tables))),
        experiment_name=None if is_by_id else named.name or project.name,
        experiment_ids=(to.experiment_id,) if to.experiment_id else (),
        is_named_by_id=is_by_id,
        # Databricks has one list of experiments for all its users, and refuses most of them.
        looks_everywhere=not (named.name or named.id)
        and not to.tracking_uri.startswith("databricks"),
        left=tuple(left),
        active_run_id=active_run_id,
    )


def look(scope: Scope, cleaners: Cleaners) -> Found:
    """Find what is there. Nothing is changed.

    Raises:
        StoreError: A store refuses.
        TryAgain: A server does not answer.
    """
    runs = cleaners.runs
    everywhere = runs.experiments() if scope.looks_everywhere else []
    known = _own_experiments(scope, runs)
    where = sorted({*known, *(one.experiment_id for one in everywhere)})
    own = runs.runs(where, mark=scope.mark)
    used = {run.experiment_id for run in own}
    known |= {one.experiment_id: one for one in everywhere if one.experiment_id in used}
    parent_ids = sorted({run.parent_id for run in own if run.parent_id})
    parents = [parent for name in parent_ids if (parent := runs.run(name)) is not None]
    tables, others = _tables(scope, cleaners.features)
    return Found(
        mark=scope.mark,
        model=cleaners.models.find(scope.model_name) if scope.model_name else None,
        ledger=_ledger(scope.model_name, cleaners.models) if scope.model_name else None,
        runs=tuple(own),
        parents=tuple(parents),
        children={parent.run_id: _children(parent, where, runs) for parent in parents},
        experiments=tuple(_held(known[name], scope, runs) for name in sorted(known)),
        tables=tables,
        other_tables=others,
        active_run_id=scope.active_run_id,
    )


def _ledger(model_name: str, models: ModelCleaner) -> FoundModel | None:
    """The ledger of the model's promotions; another model of that name is somebody else's."""
    found = models.find(ledger_name(model_name))
    return found if found is not None and found.ledger_of == model_name else None


def _own_experiments(scope: Scope, runs: RunCleaner) -> dict[str, FoundExperiment]:
    ids = [*scope.experiment_ids, *(experiment_id for experiment_id, _is_renamed in scope.left)]
    by_id = [runs.experiment(experiment_id) for experiment_id in ids]
    by_name = runs.experiments(scope.experiment_name) if scope.experiment_name else []
    return {one.experiment_id: one for one in [*by_id, *by_name] if one is not None}


def _children(parent: FoundRun, where: list[str], runs: RunCleaner) -> tuple[FoundRun, ...]:
    """Children may lie in another experiment than their parent."""
    return tuple(runs.runs(sorted({*where, parent.experiment_id}), parent_id=parent.run_id))


def _held(experiment: FoundExperiment, scope: Scope, runs: RunCleaner) -> Held:
    here = [experiment.experiment_id]
    inside = runs.runs(here)
    deleted = [] if inside else runs.runs(here, mark=scope.mark, are_deleted=True)
    return Held(
        experiment,
        tuple(inside),
        n_deleted_own=len(deleted),
        is_named_by_id=scope.is_named_by_id and experiment.experiment_id in scope.experiment_ids,
        is_renamed=dict(scope.left).get(experiment.experiment_id, False),
    )


def _tables(
    scope: Scope, features: TableCleaner | None
) -> tuple[tuple[FoundTable, ...], tuple[str, ...]]:
    """The recipe's feature tables that exist, and the names of the others."""
    names = [] if features is None else features.names()
    found = []
    for name in names:
        info = features.find(name) if features is not None and name in scope.tables else None
        if info is not None:
            found.append(FoundTable(name, info.version))
    return tuple(found), tuple(name for name in names if name not in scope.tables)
