"""Runs in MLflow: one writer, values in batches, and no run left open by a crash."""

from __future__ import annotations

import getpass
import time
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import RecipeError, StoreError
from mlrecipes.ports import DatasetInput, RunInfo, RunRecord
from mlrecipes.stores.destinations import local_database, masked
from mlrecipes.stores.mlflow_client import error_code, open_client, our_errors, patient, ping
from mlrecipes.stores.open_runs import OpenRuns
from mlrecipes.stores.tracking_values import (
    MAX_PARAM_LENGTH,
    MAX_TAG_LENGTH,
    batches,
    cut,
    logged_input,
    safe_name,
    split_finite,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

__all__ = ["MlflowTracker", "TrackingTarget", "get_run", "ping", "user_name"]

MAX_METRICS = 800  # with 100 parameters and 100 tags: the 1000 that MLflow takes at once
ARTIFACTS_FOLDER = "mlartifacts"
GONE_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "INVALID_STATE"})


@dataclass(frozen=True, slots=True)
class TrackingTarget:
    """Where runs are recorded.

    Attributes:
        tracking_uri: Of a tracking server, or ``sqlite:///<absolute path>``.
        experiment_name: Of an experiment, which is made if it does not exist.
        experiment_id: Of an experiment that exists; counts if there is no name.
        artifact_location: For an experiment that is made new.
        parent_run_id: The run that ours are children of.
        run_name_prefix: Start of the runs' names; without it the server names them.
    """

    tracking_uri: str
    experiment_name: str | None
    experiment_id: str | None
    artifact_location: str | None = None
    parent_run_id: str | None = None
    run_name_prefix: str | None = None


class MlflowTracker:
    """A :class:`~mlrecipes.ports.Tracker` that records in MLflow.

    Args:
        target: Where to record.
        journal_path: A file that names the runs which are open, for :meth:`reap`.
    """

    def __init__(self, target: TrackingTarget, journal_path: Path) -> None:
        self._target = target
        self._uri = target.tracking_uri
        self._journal = OpenRuns(journal_path, masked(target.tracking_uri))
        self._client_made: MlflowClient | None = None
        self._experiment_of: dict[str, str] = {}
        self._open: list[str] = []

    def start_run(self, tags: Mapping[str, str]) -> RunInfo:
        """Open a run in the recipe's experiment, as a child of the project's run if any.

        Raises:
            StoreError: The experiment was deleted or does not exist, or nothing can be written.
            TryAgain: The server does not answer.
        """
        client = self._client()
        own = {"mlflow.user": user_name()}
        if self._target.parent_run_id:
            own["mlflow.parentRunId"] = self._target.parent_run_id
        prefix = self._target.run_name_prefix
        with our_errors("start a run", self._uri):
            run = client.create_run(
                self._experiment_id(client),
                tags={safe_name(k): cut(v, MAX_TAG_LENGTH) for k, v in {**own, **tags}.items()},
                run_name=f"{prefix}-{uuid.uuid4().hex[:8]}" if prefix else None,
            )
        self._open.append(run.info.run_id)
        self._journal.add(run.info.run_id)
        self._experiment_of[run.info.run_id] = run.info.experiment_id
        return self._info(run)

    def log(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Record values in the order of their names, in as few requests as MLflow allows.

        Raises:
            StoreError: The run does not exist, or a parameter already has another value.
            TryAgain: The server does not answer.
        """
        client = self._client()
        with our_errors(f"record values of run {run_id}", self._uri):
            from mlflow.entities import Metric, Param, RunTag

            finite, nonfinite = split_finite(metrics or {})
            now_ms = int(time.time() * 1000)
            all_params = [
                Param(safe_name(name), cut(value, MAX_PARAM_LENGTH))
                for name, value in sorted((params or {}).items())
            ]
            all_tags = [
                RunTag(safe_name(name), cut(value, MAX_TAG_LENGTH))
                for name, value in sorted({**(tags or {}), **nonfinite}.items())
            ]
            all_metrics = [Metric(name, value, now_ms, 0) for name, value in finite.items()]
            pieces = zip_longest(
                batches(all_params), batches(all_metrics, MAX_METRICS), batches(all_tags)
            )
            for some_params, some_metrics, some_tags in pieces:
                client.log_batch(
                    run_id,
                    metrics=some_metrics or (),
                    params=some_params or (),
                    tags=some_tags or (),
                )

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        """Record which tables a run used.

        Raises:
            StoreError: The run does not exist.
            TryAgain: The server does not answer.
        """
        client = self._client()
        with our_errors(f"record the inputs of run {run_id}", self._uri):
            client.log_inputs(run_id, [logged_input(dataset) for dataset in datasets])

    def log_directory(self, run_id: str, path: Path, artifact_path: str) -> None:
        """Upload a folder's content to ``artifact_path`` of the run.

        Raises:
            StoreError: There is no such folder, or the artifact store cannot be written.
            TryAgain: The server does not answer.
        """
        if not path.is_dir():
            # MLflow would upload nothing and say nothing.
            raise StoreError(f"Could not upload {artifact_path}: there is no folder {path}.")
        client = self._client()
        with our_errors(f"upload {artifact_path} to run {run_id}", self._uri), patient():
            client.log_artifacts(run_id, str(path), artifact_path)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Upload a text as one file of the run.

        Raises:
            StoreError: The artifact store cannot be written.
            TryAgain: The server does not answer.
        """
        client = self._client()
        with our_errors(f"upload {artifact_file} to run {run_id}", self._uri):
            client.log_text(run_id, text, artifact_file)

    def set_experiment_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags on the experiment that the run belongs to.

        Raises:
            StoreError: The run or its experiment does not exist.
            TryAgain: The server does not answer.
        """
        client = self._client()
        with our_errors(f"set tags on the experiment of run {run_id}", self._uri):
            if run_id not in self._experiment_of:
                self._experiment_of[run_id] = client.get_run(run_id).info.experiment_id
            for name, value in sorted(tags.items()):
                client.set_experiment_tag(
                    self._experiment_of[run_id], safe_name(name), cut(value, MAX_TAG_LENGTH)
                )

    def find_run(self, run_id: str) -> RunInfo | None:
        """Look a run up; None if it does not exist or was deleted.

        Raises:
            TryAgain: The server does not answer.
        """
        run = _find(self._client(), self._uri, run_id)
        return None if run is None else self._info(run)

    def read_run(self, run_id: str) -> RunRecord | None:
        """What was recorded of a run; None if it does not exist or was deleted.

        Raises:
            TryAgain: The server does not answer.
        """
        run = _find(self._client(), self._uri, run_id)
        if run is None:
            return None
        data, started_at = run.data, datetime.fromtimestamp(run.info.start_time / 1000, UTC)
        return RunRecord(
            run_id,
            started_at.isoformat(timespec="seconds"),
            data.tags.get("mlflow.user", ""),
            dict(data.tags),
            dict(data.params),
            dict(data.metrics),
        )

    def end_open_runs(self, status: str) -> None:
        """End each run that this tracker started and has not ended.

        A run that failed is ended by the next command if the server is away now: the error
        that made it fail must not be hidden by this one.

        Raises:
            StoreError: A run that finished cannot be ended.
            TryAgain: The server does not answer.
        """
        for run_id in tuple(self._open):
            try:
                self._end(run_id, status)
            except RecipeError as error:
                if status == "FINISHED":
                    raise
                warnings.warn(f"Run {run_id} stays open for now: {error.message}", stacklevel=2)
            self._open.remove(run_id)

    def reap(self, keep: Callable[[str], bool]) -> None:
        """End the runs that a killed process left open.

        Args:
            keep: Whether the work of a run was done; it becomes FINISHED, else KILLED.

        Raises:
            StoreError: The runs cannot be ended.
            TryAgain: The server does not answer.
        """
        left = [run_id for run_id in self._journal.read() if run_id not in self._open]
        database = local_database(self._uri)
        if not left or (database is not None and not database.exists()):
            self._journal.remove(*left)
            return
        for run_id in left:
            run = _find(self._client(), self._uri, run_id)
            if run is not None and run.info.status in {"RUNNING", "SCHEDULED"}:
                self._end(run_id, "FINISHED" if keep(run_id) else "KILLED")
            self._journal.remove(run_id)

    def _end(self, run_id: str, status: str) -> None:
        client = self._client()
        with our_errors(f"end run {run_id}", self._uri):
            if _find(client, self._uri, run_id) is not None:
                client.set_terminated(run_id, status)
        self._journal.remove(run_id)

    def _client(self) -> MlflowClient:
        if self._client_made is None:
            self._client_made = open_client(self._uri)
        return self._client_made

    def _info(self, run: Run) -> RunInfo:
        info = run.info
        return RunInfo(info.run_id, info.experiment_id, info.status, self._uri)

    def _experiment_id(self, client: MlflowClient) -> str:
        name = self._target.experiment_name
        if not name:
            return _usable(client.get_experiment(self._target.experiment_id or "0"), self._uri)
        known = client.get_experiment_by_name(name)
        if known is not None:
            return _usable(known, self._uri)
        from mlflow.exceptions import MlflowException

        try:
            return str(client.create_experiment(name, self._artifact_location()))
        except MlflowException as error:
            if error_code(error) != "RESOURCE_ALREADY_EXISTS":
                raise
            # Another process made it since we looked.
            known = client.get_experiment_by_name(name)
            if known is None:
                raise
            return _usable(known, self._uri)

    def _artifact_location(self) -> str | None:
        """A local store's default would depend on the folder that the process runs in."""
        database = local_database(self._uri)
        if self._target.artifact_location or database is None:
            return self._target.artifact_location
        return (database.resolve().parent / ARTIFACTS_FOLDER).as_uri()


def user_name() -> str:
    """Who runs this; in a container, the user's number often has no name."""
    try:
        return getpass.getuser()
    except (KeyError, ImportError, OSError):
        return "unknown"


def get_run(tracking_uri: str, run_id: str) -> Run:
    """Fetch a run from MLflow.

    Raises:
        StoreError: It does not exist or was deleted.
        TryAgain: The server does not answer.
    """
    run = _find(open_client(tracking_uri), tracking_uri, run_id)
    if run is None:
        raise StoreError(
            f"Run {run_id} is not in {masked(tracking_uri)}: it was deleted or never there.",
            hint="Train again: mlrecipes run --from train",
        )
    return run


def _find(client: MlflowClient, uri: str, run_id: str) -> Run | None:
    with our_errors(f"look up run {run_id}", uri):
        from mlflow.exceptions import MlflowException

        try:
            run = client.get_run(run_id)
        except MlflowException as error:
            if error_code(error) in GONE_CODES:
                return None
            raise
    return run if run.info.lifecycle_stage == "active" else None


def _usable(experiment: Experiment, uri: str) -> str:
    if experiment.lifecycle_stage != "active":
        raise StoreError(
            f"The experiment '{experiment.name}' in {masked(uri)} was deleted.",
            hint="Restore it: MLFLOW_TRACKING_URI="
            f"'{masked(uri)}' mlflow experiments restore --experiment-id "
            f"{experiment.experiment_id}\n  or name another one: experiment.name",
        )
    return str(experiment.experiment_id)
