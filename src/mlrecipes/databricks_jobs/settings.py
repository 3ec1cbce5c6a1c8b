"""What stands in the JSON that ``--backend-config`` names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mlrecipes.errors import ConfigError, Problem, did_you_mean, shorten

__all__ = ["Serverless", "Settings", "is_secret_name", "read_settings"]

FILE = "backend config"
# MLflow puts what was given on its own command line among the keys of the file.
MLFLOW_OPTIONS = {
    "ENV_MANAGER": "--env-manager",
    "DOCKER_ARGS": "--docker-args",
    "STORAGE_DIR": "--storage-dir",
    "build_image": "--build-image",
    "docker_auth": "docker_auth",
    "SYNCHRONOUS": "synchronous",
}
SECRET = re.compile(r"passw(or)?d|token|secret|credential|(api|access|private)_?key", re.IGNORECASE)
SECRET_REFERENCE = re.compile(r"\{\{secrets/[^{}]+\}\}")
VOLUME = r"^/Volumes(/[A-Za-z0-9_][A-Za-z0-9_.\- ]*){3,}$"


def _is_number(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("is true or false, but a whole number is expected")
    return value


Whole = Annotated[int, BeforeValidator(_is_number)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Serverless(_Model):
    """Compute that Databricks keeps ready.

    Attributes:
        environment_version: Of Databricks' serverless environments, such as ``"4"``.
    """

    environment_version: str = Field(min_length=1)


class Settings(_Model):
    """How a project becomes a job.

    Attributes:
        volume: Folder in a volume of Unity Catalog, ``/Volumes/catalog/schema/volume``, where
            the archive of the project is put.
        serverless: Runs there; one of the three kinds of compute must be given.
        new_cluster: A cluster for this job alone, as in Databricks' Jobs API.
        existing_cluster_id: A cluster that is there.
        profile: Of ``~/.databrickscfg``; by default as Databricks' SDK decides.
        host: Of the workspace; by default as Databricks' SDK decides.
        job_name: By default the project and its entry point.
        requirements: A tracked file in pip's form; Databricks installs it before the job starts.
            By default the compute's own packages serve.
        timeout_s: The job is cancelled after so many seconds.
        poll_s: Seconds between two looks at the job.
        max_archive_mb: A larger archive is refused.
        wait: Whether ``mlflow run`` waits for the job and fails with it.
        tags: Of the MLflow run, and of a cluster that is made for the job.
    """

    volume: str = Field(pattern=VOLUME)
    serverless: Serverless | None = None
    new_cluster: dict[str, Any] | None = None
    existing_cluster_id: str | None = Field(default=None, min_length=1)
    profile: str | None = None
    host: str | None = None
    job_name: str | None = Field(default=None, min_length=1, max_length=4096)
    requirements: str | None = Field(default=None, min_length=1)
    timeout_s: Whole = Field(default=6 * 3600, ge=60)
    poll_s: Whole = Field(default=10, ge=1)
    max_archive_mb: Whole = Field(default=100, ge=1)
    wait: bool = True
    tags: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_compute(self) -> Settings:
        kinds = {"serverless", "new_cluster", "existing_cluster_id"}
        given = sorted(kind for kind in kinds if getattr(self, kind) is not None)
        if len(given) != 1:
            seen = " and ".join(given) or "none of them"
            raise ValueError(
                f"names {seen}, but exactly one of serverless, new_cluster and "
                "existing_cluster_id is expected"
            )
        return self


def is_secret_name(name: str) -> bool:
    """Whether a value of this name must not be sent, as it would lie open in the job.

    >>> is_secret_name("DB_PASSWORD"), is_secret_name("learning_rate")
    (True, False)
    """
    return SECRET.search(name) is not None


def read_settings(content: Mapping[str, Any]) -> Settings:
    """Check the configuration as MLflow hands it over.

    Raises:
        ConfigError: With all that is wrong at once; no value of a secret name is shown.
    """
    own = {name: value for name, value in content.items() if name not in MLFLOW_OPTIONS}
    problems = [
        Problem(FILE, None, option, "does not apply to databricks-jobs.", "Use 'requirements'.")
        for name, option in MLFLOW_OPTIONS.items()
        if name != "SYNCHRONOUS" and content.get(name)
    ]
    settings = None
    try:
        settings = Settings.model_validate(own)
    except ValidationError as error:
        problems += [_problem(dict(detail)) for detail in error.errors(include_url=False)]
    if settings is not None and settings.new_cluster is not None:
        problems += _cluster_problems(settings.new_cluster)
    if settings is None or problems:
        raise ConfigError(problems, hint="See docs/databricks_jobs.md for all keys.")
    return settings


def _problem(detail: dict[str, Any]) -> Problem:
    place = detail["loc"]
    key = ".".join(map(str, place))
    if detail["type"] == "extra_forbidden":
        if is_secret_name(str(place[-1])):
            hint = "Databricks' SDK finds it itself: OIDC, a profile or environment variables."
            return Problem(FILE, None, key, "is a secret and has no place here.", hint)
        model = Settings if len(place) == 1 else Serverless
        return Problem(
            FILE, None, key, "is not a key.", did_you_mean(str(place[-1]), model.model_fields)
        )
    if detail["type"] == "missing":
        return Problem(FILE, None, key, "is missing.")
    if detail["type"] == "value_error":
        return Problem(FILE, None, key, f"{detail['ctx']['error']}.")
    if key == "volume":
        what = f"is '{shorten(detail['input'])}', but /Volumes/catalog/schema/volume is expected."
        return Problem(FILE, None, key, what)
    what = f"is '{shorten(detail['input'])}': {shorten(detail['msg'], limit=100)}."
    return Problem(FILE, None, key, what)


def _cluster_problems(cluster: Mapping[str, Any]) -> list[Problem]:
    """Keys that Databricks' own class does not know, and secrets in the open."""
    from dataclasses import fields

    from databricks.sdk.service.compute import ClusterSpec

    known = [field.name for field in fields(ClusterSpec)]
    problems = [
        Problem(FILE, None, f"new_cluster.{key}", "is not a key.", did_you_mean(key, known))
        for key in cluster
        if key not in known
    ]
    if not {"spark_version", "policy_id"} & set(cluster):
        problems.append(Problem(FILE, None, "new_cluster.spark_version", "is missing."))
    for section in ("spark_env_vars", "spark_conf", "custom_tags"):
        values = cluster.get(section) or {}
        problems += [
            Problem(
                FILE,
                None,
                f"new_cluster.{section}.{shorten(name)}",
                "looks like a secret in the open.",
                "Write {{secrets/scope/key}}.",
            )
            for name, value in values.items()
            if is_secret_name(str(name)) and not SECRET_REFERENCE.fullmatch(str(value))
        ]
    return problems
