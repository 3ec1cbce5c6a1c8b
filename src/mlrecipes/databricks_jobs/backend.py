"""What MLflow calls for ``mlflow run --backend databricks-jobs``."""

from __future__ import annotations

import hashlib
import logging
import re
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.entities import RunStatus
from mlflow.exceptions import ExecutionException
from mlflow.projects.backend.abstract_backend import AbstractBackend
from mlflow.projects.submitted_run import SubmittedRun
from mlflow.projects.utils import fetch_and_validate_project, get_or_create_run, load_project

from mlrecipes.databricks_jobs import on_compute
from mlrecipes.databricks_jobs.command import command_of
from mlrecipes.databricks_jobs.packing import Archive, pack_project
from mlrecipes.databricks_jobs.request import Files, Job, job_of, tracking_for_job
from mlrecipes.databricks_jobs.settings import Settings, read_settings
from mlrecipes.databricks_jobs.waiting import Outcome, cancel, wait_for
from mlrecipes.databricks_jobs.workspace import Workspace, open_workspace
from mlrecipes.errors import RecipeError, StoreError, shorten
from mlrecipes.origin import origin_of

if TYPE_CHECKING:
    from databricks.sdk.clock import Clock

__all__ = ["DatabricksJobs", "JobRun"]

_log = logging.getLogger(__name__)

PASSWORD_IN_URL = re.compile(rb"https?://[^/\s@]+@")


class JobRun(SubmittedRun):
    """A job and the MLflow run that it writes to."""

    def __init__(
        self, run_id: str, job_run_id: int, workspace: Workspace, settings: Settings, clock: Clock
    ) -> None:
        self._run_id, self._job_run_id = run_id, job_run_id
        self._workspace, self._settings, self._clock = workspace, settings, clock
        self._outcome: Outcome | None = None

    @property
    def run_id(self) -> str:
        """Of MLflow."""
        return self._run_id

    def wait(self) -> bool:
        """Wait for the job; whether it succeeded."""
        return self.outcome().succeeded

    def outcome(self) -> Outcome:
        """Wait for the job; how it ended."""
        if self._outcome is None:
            waits = {"timeout_s": self._settings.timeout_s, "poll_s": self._settings.poll_s}
            self._outcome = wait_for(self._workspace, self._job_run_id, self._clock, **waits)
        return self._outcome

    def get_status(self) -> str:
        """As MLflow names it."""
        if self._outcome is None:
            return str(RunStatus.to_string(RunStatus.RUNNING))
        ended = RunStatus.FINISHED if self._outcome.succeeded else RunStatus.FAILED
        return str(RunStatus.to_string(ended))

    def cancel(self) -> None:
        """Ask for the end of the job."""
        cancel(self._workspace, self._job_run_id)


class DatabricksJobs(AbstractBackend):
    """Runs a project as a one-time job of Databricks.

    Args:
        clock: Of Databricks' SDK; the real one by default.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        from databricks.sdk.clock import RealClock

        self._clock = clock or RealClock()

    def run(  # noqa: PLR0913, PLR0917 - MLflow's signature
        self,
        project_uri: str,
        entry_point: str,
        params: Mapping[str, Any] | None,
        version: str | None,
        backend_config: Mapping[str, Any],
        tracking_uri: str,
        experiment_id: str,
    ) -> JobRun:
        """Submit the project and, unless ``wait`` is false, wait for it.

        Raises:
            ExecutionException: With the job's error and link; ``mlflow run`` then exits with 1.
        """
        given = dict(params or {})
        try:
            settings = read_settings(backend_config)
            tracking = tracking_for_job(tracking_uri)
            root, project = _fetch(project_uri, version, entry_point, given)
            if project.docker_env:
                raise StoreError("A project with docker_env cannot run as this job.")
            command = command_of(project.get_entry_point(entry_point), given)
            archive = pack_project(root, max_mb=settings.max_archive_mb)
            workspace = open_workspace(settings.host, settings.profile, self._clock)
            files = _upload(workspace, settings, root, archive)
            name = f"{project.name or root.name}: {entry_point}"
            with _sigterm_as_ctrl_c():
                run = get_or_create_run(  # type: ignore[no-untyped-call]
                    None, project_uri, experiment_id, root, version, entry_point, given
                )
                variables = {
                    "MLFLOW_TRACKING_URI": tracking,
                    "MLFLOW_EXPERIMENT_ID": str(experiment_id),
                    "MLFLOW_RUN_ID": run.info.run_id,
                }
                with _run_ends_too(run.info.run_id):
                    origin = origin_of(root).to_json()
                    job = job_of(settings, name, files, variables, command, origin)
                    return self._submit(run.info.run_id, job, workspace, settings)
        except RecipeError as error:
            raise ExecutionException(str(error)) from error

    def _submit(self, run_id: str, job: Job, workspace: Workspace, settings: Settings) -> JobRun:
        """Start the job and, if asked for, wait; Ctrl-C cancels it."""
        submitted = JobRun(run_id, workspace.submit(job), workspace, settings, self._clock)
        try:
            _tag(submitted, workspace, job, settings)
            if settings.wait:
                _finish(submitted)
        except KeyboardInterrupt:
            submitted.cancel()
            raise
        return submitted


def _fetch(
    uri: str, version: str | None, entry_point: str, given: Mapping[str, Any]
) -> tuple[Path, Any]:
    """The folder of a project and MLflow's view of it."""
    root = fetch_and_validate_project(uri, version, entry_point, given)  # type: ignore[no-untyped-call]
    return Path(root), load_project(root)  # type: ignore[no-untyped-call]


def _upload(workspace: Workspace, settings: Settings, root: Path, archive: Archive) -> Files:
    folder = f"{settings.volume}/mlrecipes"
    requirements = _requirements(settings, root, archive)
    script = Path(on_compute.__file__).read_bytes()
    files = Files(
        script=f"{folder}/on_compute-{_digest(script)}.py",
        archive=f"{folder}/{archive.digest}.tar.gz",
        digest=archive.digest,
        requirements=f"{folder}/{_digest(requirements)}/requirements.txt" if requirements else None,
    )
    workspace.upload_once(files.script, script)
    if files.requirements is not None:
        workspace.upload_once(files.requirements, requirements)
    done = "uploaded" if workspace.upload_once(files.archive, archive.content) else "is there"
    _log.info("%d tracked files, %s: %s", len(archive.names), files.archive, done)
    return files


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _requirements(settings: Settings, root: Path, archive: Archive) -> bytes:
    if settings.requirements is None:
        return b""
    if settings.requirements not in archive.names:
        raise StoreError(
            f"requirements is '{shorten(settings.requirements)}', which git does not track.",
            hint=f"Run: git add {shorten(settings.requirements)}",
        )
    content = (root / settings.requirements).read_bytes()
    if PASSWORD_IN_URL.search(content):
        raise StoreError(
            f"An address in {shorten(settings.requirements)} holds a password; "
            "who may read the volume would see it.",
            hint="Let an administrator set the package index of the workspace.",
        )
    return content


def _tag(submitted: JobRun, workspace: Workspace, job: Job, settings: Settings) -> None:
    job_run_id = submitted._job_run_id
    page = workspace.look(job_run_id).run_page_url or ""
    _log.info("Job run %s: %s", job_run_id, page)
    tags = settings.tags | {
        "mlflow.project.backend": "databricks-jobs",
        "mlflow.databricks.runURL": page,
        "mlrecipes.job.run_id": str(job_run_id),
        "mlrecipes.job.archive": job.archive_digest,
    }
    for name, value in tags.items():
        MlflowClient().set_tag(submitted.run_id, name, value)


def _finish(submitted: JobRun) -> None:
    outcome = submitted.outcome()
    if not outcome.succeeded:
        said = f": {outcome.error}" if outcome.error else ""
        raise StoreError(f"The job ended with {outcome.result}{said}", hint=outcome.page or None)
    _end(submitted.run_id, "FINISHED")


def _end(run_id: str, status: str) -> None:
    """End an MLflow run that the project itself did not end."""
    client = MlflowClient()
    if not RunStatus.is_terminated(RunStatus.from_string(client.get_run(run_id).info.status)):
        client.set_terminated(run_id, status)


@contextmanager
def _run_ends_too(run_id: str) -> Iterator[None]:
    """No MLflow run stays open after its job could not start, failed or was cancelled."""
    try:
        yield
    except KeyboardInterrupt:
        _end(run_id, "KILLED")
        raise
    except RecipeError:
        _end(run_id, "FAILED")
        raise


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Whoever stops a run of CI sends SIGTERM; the job must not go on alone then either."""
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupt) if in_main else None
    try:
        yield
    finally:
        if in_main:
            signal.signal(signal.SIGTERM, before)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
