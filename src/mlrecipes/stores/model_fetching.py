"""Fetching a model that was logged or registered earlier."""

from __future__ import annotations

import re
from pathlib import Path

from mlrecipes.errors import StoreError
from mlrecipes.stores.mlflow_client import open_client, our_errors

__all__ = ["fetch_model"]

MODEL_URI = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/]+)|/(?P<version>\d+))")
RUN_URI = re.compile(r"runs:/(?P<run_id>\w+)/(?P<path>.+)")


def fetch_model(model_uri: str, tracking_uri: str, registry_uri: str, folder: Path) -> Path:
    """Copy a model's files into a folder.

    Args:
        model_uri: ``models:/name@alias``, ``models:/name/version`` or ``runs:/id/path``.
        tracking_uri: Of the server that knows the runs.
        registry_uri: Of the registry.
        folder: Where the files go.

    Returns:
        The model's folder.

    Raises:
        StoreError: The URI is of no such form, or there is no such model.
        TryAgain: A server does not answer.
    """
    import mlflow.artifacts

    registered, run = MODEL_URI.fullmatch(model_uri), RUN_URI.fullmatch(model_uri)
    if registered is None and run is None:
        raise StoreError(
            f"'{model_uri}' names no model.",
            hint="Write models:/name@alias, models:/name/version or runs:/<run id>/train/model.",
        )
    client = open_client(tracking_uri, registry_uri)
    with our_errors(f"fetch {model_uri}", registry_uri if registered else tracking_uri):
        if run is not None:
            return Path(client.download_artifacts(run["run_id"], run["path"], str(folder)))
        assert registered is not None  # noqa: S101 - one of the two, see above
        name, alias = registered["name"], registered["alias"]
        version = (
            client.get_model_version_by_alias(name, alias)
            if alias
            else client.get_model_version(name, registered["version"])
        )
        return Path(
            mlflow.artifacts.download_artifacts(
                artifact_uri=version.source, dst_path=str(folder), tracking_uri=tracking_uri
            )
        )
