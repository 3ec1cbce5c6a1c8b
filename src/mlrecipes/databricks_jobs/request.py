"""What is sent to Jobs 2.2: one task that unpacks the project and runs its command."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.databricks_jobs.settings import Serverless, Settings
from mlrecipes.errors import StoreError

__all__ = ["Files", "Job", "job_of", "tracking_for_job"]

TASK = "project"
# The Jobs API refuses longer parameters of a task.
MAX_PARAMETERS_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Files:
    """What lies in the volume.

    Attributes:
        script: The part that runs in the job.
        archive: The project.
        digest: Of the archive.
        requirements: Packages that Databricks installs before the job.
    """

    script: str
    archive: str
    digest: str
    requirements: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A one-time job, as the SDK's own classes read it."""

    name: str
    task: dict[str, Any]
    environments: tuple[dict[str, Any], ...]
    timeout_s: int
    idempotency_token: str
    archive_digest: str


def tracking_for_job(uri: str) -> str:
    """The address of the tracking server as the job must name it.

    >>> tracking_for_job("databricks://staging")
    'databricks'

    Raises:
        StoreError: A job cannot reach it, or it holds a password.
    """
    if uri == "databricks" or uri.startswith("databricks://"):
        return "databricks"
    parts = urllib.parse.urlsplit(uri)
    if parts.scheme not in {"http", "https"}:
        raise StoreError(
            "A job cannot reach a tracking store on this machine.",
            hint="Run: export MLFLOW_TRACKING_URI=databricks",
        )
    if parts.password or parts.username:
        raise StoreError("The tracking address holds a password; a job would show it.")
    return uri


def job_of(
    settings: Settings,
    name: str,
    files: Files,
    variables: Mapping[str, str],
    command: Sequence[str],
    origin: str,
) -> Job:
    """Put a job together.

    Args:
        settings: Of the backend.
        name: If the settings have none.
        files: What was uploaded.
        variables: For the environment of the command; its MLFLOW_RUN_ID makes a second
            submission of the same run the same job.
        command: A program and its arguments.
        origin: What is known of the project's repository, for a file beside it.

    Raises:
        StoreError: The parameters are too long for the Jobs API.
    """
    parameters = ["--archive", files.archive, "--digest", files.digest, "--origin", origin]
    for variable, value in variables.items():
        parameters += ["--env", f"{variable}={value}"]
    parameters += ["--", *command]
    if len(json.dumps(parameters).encode()) > MAX_PARAMETERS_BYTES:
        raise StoreError("The parameters of the entry point are too long for a job.")
    task: dict[str, Any] = {
        "task_key": TASK,
        "spark_python_task": {"python_file": files.script, "parameters": parameters},
    }
    task |= _compute(settings)
    environments: tuple[dict[str, Any], ...] = ()
    if settings.serverless is not None:
        environments = (_environment(settings.serverless, files),)
    elif files.requirements is not None:
        task["libraries"] = [{"requirements": files.requirements}]
    token = f"mlrecipes-{variables['MLFLOW_RUN_ID']}"
    return Job(
        settings.job_name or name, task, environments, settings.timeout_s, token, files.digest
    )


def _compute(settings: Settings) -> dict[str, Any]:
    if settings.serverless is not None:
        # Serverless compute tries again what failed; a gate would be asked until it says yes.
        return {"environment_key": TASK, "disable_auto_optimization": True}
    if settings.new_cluster is None:
        return {"existing_cluster_id": settings.existing_cluster_id}
    tags = {**settings.tags, **(settings.new_cluster.get("custom_tags") or {})}
    return {"new_cluster": settings.new_cluster | ({"custom_tags": tags} if tags else {})}


def _environment(serverless: Serverless, files: Files) -> dict[str, Any]:
    """Serverless compute takes lines of pip's requirements files; libraries are for clusters."""
    spec: dict[str, Any] = {"environment_version": serverless.environment_version}
    if files.requirements is not None:
        spec["dependencies"] = [f"-r {files.requirements}"]
    return {"environment_key": TASK, "spec": spec}
