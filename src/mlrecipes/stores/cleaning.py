"""Finding and deleting runs, experiments and registered models in MLflow.

MLflow marks runs and experiments as deleted and keeps them, with their names; versions and
models it deletes for good. Nothing here makes a database that is not there: who only looks
leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlrecipes.cleaning import FoundExperiment, FoundModel, FoundRun, RecipeMark
from mlrecipes.promotion_records import LEDGER_TAG
from mlrecipes.stores.destinations import local_database
from mlrecipes.stores.mlflow_client import error_code, open_client, our_errors
from mlrecipes.stores.registry import tag_name

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

__all__ = ["MlflowModelCleaner", "MlflowRunCleaner"]

GONE_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
# A run that was deleted and removed for good has an id that MLflow calls invalid.
GONE_RUN_CODES = GONE_CODES | {"INVALID_PARAMETER_VALUE", "INVALID_STATE"}
N_EXPERIMENTS_AT_ONCE = 50
N_RUNS_AT_ONCE = 1000
NOTEBOOK_TAG, NOTEBOOK = "mlflow.experimentType", "NOTEBOOK"


class MlflowRunCleaner:
    """A :class:`~mlrecipes.cleaning.RunCleaner` of an MLflow tracking server or database.

    All methods raise ``TryAgain`` if the server does not answer and ``StoreError`` if it
    refuses.

    Args:
        tracking_uri: Of the server, or ``sqlite:///<absolute path>``.
    """

    def __init__(self, tracking_uri: str) -> None:
        self._uri = tracking_uri

    def experiments(self, name: str | None = None) -> list[FoundExperiment]:
        """All experiments that are not deleted, or the one with this name if there is one."""
        if not _is_there(self._uri):
            return []
        with our_errors("list the experiments", self._uri):
            if name is not None:
                # Finds deleted ones too.
                found = [self._client.get_experiment_by_name(name)]
            else:
                found = list(_pages(self._client.search_experiments, max_results=N_RUNS_AT_ONCE))
        return [
            _as_experiment(one)
            for one in found
            if one is not None and one.lifecycle_stage == "active"
        ]

    def experiment(self, experiment_id: str) -> FoundExperiment | None:
        """An experiment by its id; None if there is none or it was deleted."""
        if not _is_there(self._uri):
            return None
        with our_errors(f"look up experiment {experiment_id}", self._uri), _gone_is_fine():
            found = self._client.get_experiment(experiment_id)
            return _as_experiment(found) if found.lifecycle_stage == "active" else None
        return None

    def runs(
        self,
        experiment_ids: Sequence[str],
        *,
        mark: RecipeMark | None = None,
        parent_id: str | None = None,
        are_deleted: bool = False,
    ) -> list[FoundRun]:
        """Runs in some experiments, in the order of their ids."""
        if not _is_there(self._uri):
            return []
        from mlflow.entities import ViewType

        tags = mark.tags if mark else {}
        tags |= {"mlflow.parentRunId": parent_id} if parent_id else {}
        query = {
            "filter_string": " and ".join(f"tags.`{key}` = '{tags[key]}'" for key in sorted(tags)),
            "run_view_type": ViewType.DELETED_ONLY if are_deleted else ViewType.ACTIVE_ONLY,
            "max_results": N_RUNS_AT_ONCE,
        }
        found: list[FoundRun] = []
        with our_errors("list the runs", self._uri):
            for start in range(0, len(experiment_ids), N_EXPERIMENTS_AT_ONCE):
                some = list(experiment_ids[start : start + N_EXPERIMENTS_AT_ONCE])
                pages = _pages(self._client.search_runs, experiment_ids=some, **query)
                found.extend(_as_run(run) for run in pages)
        return sorted(found, key=lambda run: run.run_id)

    def run(self, run_id: str) -> FoundRun | None:
        """A run by its id; None if there is none or it was deleted."""
        if not _is_there(self._uri):
            return None
        with our_errors(f"look up run {run_id}", self._uri), _gone_is_fine(GONE_RUN_CODES):
            found = self._client.get_run(run_id)
            return _as_run(found) if found.info.lifecycle_stage == "active" else None
        return None

    def delete_run(self, run_id: str) -> None:
        """Mark a run as deleted; its children stay as they are."""
        with our_errors(f"delete run {run_id}", self._uri), _gone_is_fine():
            self._client.delete_run(run_id)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Give an experiment another name, which frees the old one."""
        with our_errors(f"rename experiment {experiment_id}", self._uri):
            self._client.rename_experiment(experiment_id, name)

    def delete_experiment(self, experiment_id: str) -> None:
        """Mark an experiment as deleted; it keeps its name occupied."""
        with our_errors(f"delete experiment {experiment_id}", self._uri), _gone_is_fine():
            self._client.delete_experiment(experiment_id)

    @cached_property
    def _client(self) -> MlflowClient:
        return open_client(self._uri)


class MlflowModelCleaner:
    """A :class:`~mlrecipes.cleaning.ModelCleaner` of an MLflow registry.

    The same calls serve a database, a server, and the two registries of Databricks; in Unity
    Catalog they ask for the ownership of the model. Never run there: only read in MLflow's
    client and in the API's description.

    Args:
        registry_uri: Of the registry.
        tracking_uri: Of the server that knows the runs; often the same.
    """

    def __init__(self, registry_uri: str, tracking_uri: str) -> None:
        self._uri = registry_uri
        self._tracking_uri = tracking_uri

    def find(self, name: str) -> FoundModel | None:
        """The registered model of this name; None if there is none."""
        if not _is_there(self._uri):
            return None
        with our_errors(f"look up {name}", self._uri), _gone_is_fine():
            model = self._client.get_registered_model(name)
            tags = {str(key): str(value) for key, value in (model.tags or {}).items()}
            # By name alone: Unity Catalog takes no other condition and no order.
            wanted = f'name="{name}"' if "'" in name else f"name='{name}'"
            pages = _pages(self._client.search_model_versions, filter_string=wanted)
            versions = sorted({int(one.version) for one in pages if one.name == name})
            return FoundModel(
                name,
                tuple(map(str, versions)),
                {alias: str(version) for alias, version in sorted(model.aliases.items())},
                tags.get(tag_name(LEDGER_TAG, self._uri), ""),
            )
        return None

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias; its version stays."""
        with our_errors(f"delete alias '{alias}' of {name}", self._uri), _gone_is_fine():
            self._client.delete_registered_model_alias(name, alias)

    def delete_version(self, name: str, version: str) -> None:
        """Delete a version for good."""
        with our_errors(f"delete {name} version {version}", self._uri), _gone_is_fine():
            self._client.delete_model_version(name, version)

    def delete_model(self, name: str) -> None:
        """Delete a model for good."""
        with our_errors(f"delete {name}", self._uri), _gone_is_fine():
            self._client.delete_registered_model(name)

    @cached_property
    def _client(self) -> MlflowClient:
        return open_client(self._tracking_uri, self._uri)


def _is_there(uri: str) -> bool:
    database = local_database(uri)
    return database is None or database.exists()


@contextmanager
def _gone_is_fine(codes: frozenset[str] = GONE_CODES) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error_code(error) not in codes:
            raise


def _pages(search: Callable[..., Any], **query: Any) -> Iterator[Any]:
    """All pages of a search of MLflow, item by item."""
    token = None
    while True:
        page = search(**query, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _as_experiment(experiment: Experiment) -> FoundExperiment:
    is_notebook = experiment.tags.get(NOTEBOOK_TAG) == NOTEBOOK
    return FoundExperiment(str(experiment.experiment_id), experiment.name, is_notebook)


def _as_run(run: Run) -> FoundRun:
    tags = run.data.tags
    return FoundRun(
        run_id=run.info.run_id,
        experiment_id=str(run.info.experiment_id),
        status=run.info.status,
        mark=RecipeMark.of(tags),
        parent_id=tags.get("mlflow.parentRunId"),
        is_project=tags.get("mlflow.source.type") == "PROJECT",
    )
