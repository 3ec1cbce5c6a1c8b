"""The seams of a reset: what it asks of the tracking server and of the registry.

Apart from the ports of the steps, so that nothing a step holds can delete anything.
``mlrecipes.stores`` implements them for real, ``mlrecipes.testing`` in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from mlrecipes.feature_records import FeatureTableInfo

__all__ = [
    "PROFILE_TAG",
    "RECIPE_ID_TAG",
    "FoundExperiment",
    "FoundModel",
    "FoundRun",
    "ModelCleaner",
    "RecipeMark",
    "RunCleaner",
    "TableCleaner",
]

RECIPE_ID_TAG = "mlrecipes.recipe.id"
PROFILE_TAG = "mlflow.pipeline.profile.name"
"""As MLflow Recipes named it."""


@dataclass(frozen=True, slots=True)
class RecipeMark:
    """What tells the runs of a recipe with a profile from all others.

    Attributes:
        recipe_id: As tagged on each run of the recipe.
        profile: As tagged on each run of the profile.
    """

    recipe_id: str
    profile: str

    @classmethod
    def of(cls, tags: Mapping[str, str]) -> RecipeMark | None:
        """The mark among a run's tags; None for a run without one.

        >>> RecipeMark.of({RECIPE_ID_TAG: "ab12", PROFILE_TAG: "local", "mlflow.user": "ann"})
        RecipeMark(recipe_id='ab12', profile='local')
        """
        found = tags.get(RECIPE_ID_TAG), tags.get(PROFILE_TAG)
        return cls(found[0], found[1]) if found[0] and found[1] else None

    @property
    def tags(self) -> dict[str, str]:
        """The mark as tags of a run."""
        return {RECIPE_ID_TAG: self.recipe_id, PROFILE_TAG: self.profile}


@dataclass(frozen=True, slots=True)
class FoundRun:
    """A run, and what tells whose it is.

    Attributes:
        run_id: MLflow's id.
        experiment_id: Of the experiment that it lies in.
        status: MLflow's, such as FINISHED.
        mark: Recipe and profile that made it; None if no recipe did or it does not say.
        parent_id: The run that it is a child of.
        is_project: Whether ``mlflow run`` made it.
    """

    run_id: str
    experiment_id: str
    status: str = "FINISHED"
    mark: RecipeMark | None = None
    parent_id: str | None = None
    is_project: bool = False


@dataclass(frozen=True, slots=True)
class FoundExperiment:
    """An experiment that is not deleted.

    Attributes:
        experiment_id: MLflow's id; ``0`` is its Default.
        name: The name.
        is_notebook: Whether it belongs to a notebook of Databricks, which goes and stays with it.
    """

    experiment_id: str
    name: str
    is_notebook: bool = False


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A registered model.

    Attributes:
        name: The name.
        versions: Its versions, oldest first.
        aliases: Alias to version.
        ledger_of: The registered model whose promotions it tells; empty if it is no ledger.
    """

    name: str
    versions: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    ledger_of: str = ""


class RunCleaner(Protocol):
    """Finds and deletes runs and experiments."""

    def experiments(self, name: str | None = None) -> list[FoundExperiment]:
        """All experiments that are not deleted, or the one with this name if there is one."""
        ...

    def experiment(self, experiment_id: str) -> FoundExperiment | None:
        """An experiment by its id; None if there is none or it was deleted."""
        ...

    def runs(
        self,
        experiment_ids: Sequence[str],
        *,
        mark: RecipeMark | None = None,
        parent_id: str | None = None,
        are_deleted: bool = False,
    ) -> list[FoundRun]:
        """Runs in some experiments, in the order of their ids.

        Args:
            experiment_ids: Where to look.
            mark: Only runs of this recipe and profile.
            parent_id: Only children of this run.
            are_deleted: The deleted runs instead of the others.
        """
        ...

    def run(self, run_id: str) -> FoundRun | None:
        """A run by its id; None if there is none or it was deleted."""
        ...

    def delete_run(self, run_id: str) -> None:
        """Delete a run; one that is gone is no error."""
        ...

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give an experiment another name."""
        ...

    def delete_experiment(self, experiment_id: str) -> None:
        """Delete an experiment; one that is gone is no error."""
        ...


class ModelCleaner(Protocol):
    """Finds and deletes a registered model, part by part. What is gone is no error."""

    def find(self, name: str) -> FoundModel | None:
        """The registered model of this name; None if there is none."""
        ...

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias; its version stays."""
        ...

    def delete_version(self, name: str, version: str) -> None:
        """Delete a version."""
        ...

    def delete_model(self, name: str) -> None:
        """Delete a model."""
        ...


class TableCleaner(Protocol):
    """Finds and deletes feature tables; a feature store is one."""

    def names(self) -> list[str]:
        """Names of all feature tables, sorted."""
        ...

    def find(self, name: str) -> FeatureTableInfo | None:
        """What a table holds now; None if there is none of this name."""
        ...

    def drop(self, name: str) -> None:
        """Delete a table with all its versions."""
        ...
