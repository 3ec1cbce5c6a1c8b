"""What is sent to Jobs 2.2: one task that unpacks the project and runs its command."""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.databricks_jobs.settings import Settings
from mlrecipes.errors import StoreError

__all__ = ["Job", "job_of", "tracking_for_job"]

TASK = "project"
# The Jobs API refuses longer parameters of a task.
MAX_PARAMETERS_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Job:
    """A one-time job, as the SDK's own classes read it."""

    name: str
    task: dict[str, Any]
    environments: tuple[dict[str, Any], ...]
    timeout_s: int
    idempotency_token: str


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
    files: tuple[str, str, str],
    variables: Mapping[str, str],
    command: Sequence[str],
) -> Job:
    """Put a job together.

    Args:
        settings: Of the backend.
        name: If the settings have none.
        files: Path of the script and of the archive in the volume, and the archive's digest.
        variables: For the environment of the command; its MLFLOW_RUN_ID makes a second
            submission of the same run the same job.
        command: A program and its arguments.

    Raises:
        StoreError: The parameters are too long for the Jobs API.
    """
    script, archive, digest = files
    parameters = ["--archive", archive, "--digest", digest]
    if settings.requirements is not None:
        parameters += ["--requirements", settings.requirements]
    for variable, value in variables.items():
        parameters += ["--env", f"{variable}={value}"]
    parameters += ["--", *command]
    if len(json.dumps(parameters).encode()) > MAX_PARAMETERS_BYTES:
        raise StoreError("The parameters of the entry point are too long for a job.")
    task: dict[str, Any] = {
        "task_key": TASK,
        "spark_python_task": {"python_file": script, "parameters": parameters},
    }
    environments: tuple[dict[str, Any], ...] = ()
    if settings.serverless is not None:
        task["environment_key"] = TASK
        version = settings.serverless.environment_version
        environments = ({"environment_key": TASK, "spec": {"environment_version": version}},)
    elif settings.new_cluster is not None:
        tags = {**settings.tags, **(settings.new_cluster.get("custom_tags") or {})}
        task["new_cluster"] = settings.new_cluster | ({"custom_tags": tags} if tags else {})
    else:
        task["existing_cluster_id"] = settings.existing_cluster_id
    token = f"mlrecipes-{variables['MLFLOW_RUN_ID']}"
    return Job(settings.job_name or name, task, environments, settings.timeout_s, token)
