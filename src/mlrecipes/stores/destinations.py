"""Where runs and models go: the recipe's words, else the environment's, else beside it.

Resolved without importing MLflow, because the plan needs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from mlrecipes.config.schema import RecipeConfig

__all__ = ["Destinations", "local_database", "masked", "project_root", "resolve_destinations"]

SQLITE = "sqlite:///"
TRACKING_DB = "mlflow.db"


@dataclass(frozen=True, slots=True)
class Destinations:
    """Where to record.

    Attributes:
        tracking_uri: URI of the tracking server or ``sqlite:///<absolute path>``.
        origin: Where that URI was found, for error messages.
        registry_uri: URI of the model registry; often the same.
        experiment_name: Name of the experiment, unless ``experiment_id`` is given.
        experiment_id: Id of the experiment.
        artifact_location: For an experiment that is made new; None leaves it to the server.
        parent_run_id: The run that ours are children of.
        run_name_prefix: Start of the names of runs.
    """

    tracking_uri: str
    origin: str
    registry_uri: str
    experiment_name: str | None
    experiment_id: str | None
    artifact_location: str | None = None
    parent_run_id: str | None = None
    run_name_prefix: str | None = None


def resolve_destinations(
    config: RecipeConfig, *, root: Path, environment: Mapping[str, str]
) -> Destinations:
    """Decide where this recipe records its runs and registers its models.

    The recipe's ``experiment.tracking_uri`` wins, then ``MLFLOW_TRACKING_URI``, then
    ``mlflow.db`` in the nearest folder with an ``MLproject`` file (else the recipe's own):
    the file that ``mlflow run .`` and ``mlflow ui`` use there. Under ``mlflow run`` our
    runs become children of the project's run, in its experiment unless the recipe names one.
    """
    experiment = config.experiment
    own_uri = _database_uri(project_root(root) / TRACKING_DB)
    candidates = (
        (experiment.tracking_uri, "experiment.tracking_uri"),
        (environment.get("MLFLOW_TRACKING_URI"), "the environment variable MLFLOW_TRACKING_URI"),
        (own_uri, "the default"),
    )
    found, origin = next((uri, origin) for uri, origin in candidates if uri)
    tracking_uri = _absolute(found, root)
    registry_uri = config.effective_registry_uri or environment.get("MLFLOW_REGISTRY_URI")
    is_inside = origin != "experiment.tracking_uri" and bool(environment.get("MLFLOW_RUN_ID"))
    return Destinations(
        tracking_uri=tracking_uri,
        origin=origin,
        registry_uri=_absolute(registry_uri, root) if registry_uri else tracking_uri,
        **_experiment(config, root, environment if is_inside else {}),
        artifact_location=_absolute_location(experiment.artifact_location, root),
        parent_run_id=environment.get("MLFLOW_RUN_ID") if is_inside else None,
        run_name_prefix=experiment.run_name_prefix,
    )


def _experiment(
    config: RecipeConfig, root: Path, project: Mapping[str, str]
) -> dict[str, str | None]:
    experiment = config.experiment
    if experiment.name:
        return {"experiment_name": experiment.name, "experiment_id": None}
    experiment_id = experiment.id or project.get("MLFLOW_EXPERIMENT_ID")
    if experiment_id:
        return {"experiment_name": None, "experiment_id": str(experiment_id)}
    return {"experiment_name": root.name, "experiment_id": None}


def project_root(root: Path) -> Path:
    """The nearest folder at or above the recipe that holds an ``MLproject`` file."""
    for folder in (root, *root.parents):
        if (folder / "MLproject").is_file():
            return folder
    return root


def local_database(uri: str) -> Path | None:
    """The file behind a SQLite URI; None for all others.

    ``mlflow run`` writes a blank in a path as ``%20``, and SQLAlchemy reads it so.

    >>> local_database("sqlite:////my%20data/mlflow.db").as_posix()
    '/my data/mlflow.db'
    >>> local_database("https://example.org") is None
    True
    """
    return Path(unquote(uri.removeprefix(SQLITE))) if uri.startswith(SQLITE) else None


def masked(uri: str) -> str:
    """Show a URI without its credentials.

    >>> masked("https://ann:secret@mlflow.example.org/x?token=abc")
    'https://***@mlflow.example.org/x'
    >>> masked("sqlite:////data/mlflow.db")
    'sqlite:////data/mlflow.db'
    """
    parts = urlsplit(uri)
    _, at, host = parts.netloc.rpartition("@")
    if not at and not parts.query:
        return uri
    return urlunsplit((parts.scheme, f"***@{host}" if at else host, parts.path, "", ""))


def _absolute(uri: str, root: Path) -> str:
    """One way to write each address: a relative path is meant from the recipe's root.

    >>> _absolute("sqlite:////my%20data/mlflow.db", Path("/"))
    'sqlite:////my data/mlflow.db'
    """
    database = local_database(uri)
    if database is None:
        return uri
    return _database_uri(database if database.is_absolute() else (root / database).resolve())


def _database_uri(path: Path) -> str:
    """Only the sign that would be read as the start of a code is written as one."""
    return f"{SQLITE}{path}".replace("%", "%25")


def _absolute_location(location: str | None, root: Path) -> str | None:
    """A location without scheme is a folder, meant from the recipe's root."""
    if location is None or ":" in location:
        return location
    return (root / location).resolve().as_uri()
