"""Fetching a model that was logged or registered earlier."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mlrecipes.errors import StoreError
from mlrecipes.scoring_ports import ModelIdentity
from mlrecipes.stores.mlflow_client import (
    error_code,
    open_client,
    our_errors,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

__all__ = ["fetch_model", "resolve_model"]

MODEL_URI = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/]+)|/(?P<version>\d+|latest))")
RUN_URI = re.compile(r"runs:/(?P<run_id>\w+)/(?P<path>.+)")
LATEST = "latest"
ABSENT = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND", "INVALID_PARAMETER_VALUE"})


def resolve_model(model_uri: str, tracking_uri: str, registry_uri: str) -> ModelIdentity:
    """Find out which model an address means now.

    Args:
        model_uri: ``models:/name@alias``, ``models:/name/version``, ``models:/name/latest`` or
            ``runs:/id/path``.
        tracking_uri: Of the server that knows the runs.
        registry_uri: Of the registry.

    Raises:
        StoreError: The URI is of no such form, or there is no such model.
        TryAgain: A server does not answer.
    """
    registered, run = MODEL_URI.fullmatch(model_uri), RUN_URI.fullmatch(model_uri)
    if run is not None:
        return ModelIdentity(model_uri, model_uri, run_id=run["run_id"])
    if registered is None:
        raise StoreError(
            f"'{model_uri}' names no model.",
            hint="Write models:/name@alias, models:/name/version or runs:/<run id>/train/model.",
        )
    client = open_client(tracking_uri, registry_uri)
    with our_errors(f"find {model_uri}", registry_uri):
        found = _version(client, model_uri, registered)
        return ModelIdentity(
            model_uri, str(found.source), found.name, str(found.version), found.run_id or None
        )


def fetch_model(model: ModelIdentity, tracking_uri: str, registry_uri: str, folder: Path) -> Path:
    """Copy a model's files into a folder.

    Args:
        model: As :func:`resolve_model` found it.
        tracking_uri: Of the server that knows the runs.
        registry_uri: Of the registry.
        folder: Where the files go.

    Returns:
        The model's folder.

    Raises:
        StoreError: The files are not there.
        TryAgain: A server does not answer.
    """
    import mlflow.artifacts

    client = open_client(tracking_uri, registry_uri)
    uri = registry_uri if model.name else tracking_uri
    with our_errors(f"fetch {model.uri}", uri):
        run = RUN_URI.fullmatch(model.source)
        if run is not None:
            folder.mkdir(parents=True, exist_ok=True)
            return Path(client.download_artifacts(run["run_id"], run["path"], str(folder)))
        return Path(
            mlflow.artifacts.download_artifacts(
                artifact_uri=model.source, dst_path=str(folder), tracking_uri=tracking_uri
            )
        )


def _version(client: MlflowClient, model_uri: str, wanted: re.Match[str]) -> ModelVersion:
    from mlflow.exceptions import MlflowException

    name, alias, version = wanted["name"], wanted["alias"], wanted["version"]
    try:
        if alias:
            return client.get_model_version_by_alias(name, alias)
        if version == LATEST:
            found = client.search_model_versions(f"name='{name}'")
            if found:
                return max(found, key=lambda one: int(one.version))
        else:
            return client.get_model_version(name, version)
    except MlflowException as error:
        if error_code(error) not in ABSENT:
            raise
        raise _no_model(model_uri) from error
    raise _no_model(model_uri)


def _no_model(model_uri: str) -> StoreError:
    return StoreError(
        f"There is no model {model_uri}.",
        hint="Register one: mlrecipes run. Make it the champion: mlrecipes promote. "
        "Or name another one: mlrecipes predict --model models:/<name>/<version>",
    )
