"""Registered models in MLflow: versions, their tags and their aliases."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlrecipes.errors import StoreError
from mlrecipes.ports import RegisteredVersion
from mlrecipes.stores.destinations import masked
from mlrecipes.stores.mlflow_client import error_code, open_client, our_errors, quiet

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

__all__ = ["MlflowRegistry", "ensure_model", "get_version", "tag_name"]

READY_WITHIN_S = 300
REGISTRY_LOGGER = "mlflow.store.model_registry.abstract_store"
UNITY_CATALOG = "databricks-uc"
N_CATALOG_PARTS = 3
MODEL_FILE = "MLmodel"
UNKNOWN_CODES = frozenset({"RESOURCE_DOES_NOT_EXIST", "NOT_FOUND"})
KNOWN_CODES = frozenset({"RESOURCE_ALREADY_EXISTS", "ALREADY_EXISTS"})
REFUSED_IN_CATALOG = re.compile(r"[.,\-=/:]")


class MlflowRegistry:
    """A :class:`~mlrecipes.ports.Registry` that registers in MLflow.

    Args:
        registry_uri: Of the registry.
        tracking_uri: Of the server that knows the runs; often the same.
    """

    def __init__(self, registry_uri: str, tracking_uri: str) -> None:
        self._registry_uri = registry_uri
        self._tracking_uri = tracking_uri
        self._client_made: MlflowClient | None = None

    def register(
        self, name: str, run_id: str, artifact_path: str, tags: Mapping[str, str]
    ) -> RegisteredVersion:
        """Register the model under ``artifact_path`` of a run as a new version of ``name``.

        Registering the same run's model again gives the version that exists, with the new
        tags.

        Raises:
            StoreError: The name is not valid, the run is not there or holds no model, the
                registry refused.
            TryAgain: The registry does not answer.
        """
        _check_name(name, self._registry_uri)
        tags = {tag_name(key, self._registry_uri): value for key, value in sorted(tags.items())}
        client = self._client()
        with our_errors(f"register {name}", self._registry_uri), quiet(REGISTRY_LOGGER):
            source = self._source(client, run_id, artifact_path)
            ensure_model(client, name)
            version = self._known(client, name, run_id, source)
            if version is None:
                version = client.create_model_version(
                    name, source, run_id, tags=tags, await_creation_for=READY_WITHIN_S
                )
            else:
                for key, value in tags.items():
                    client.set_model_version_tag(name, version.version, key, value)
        return RegisteredVersion(name, str(version.version), source, run_id)

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let ``alias`` point at ``version``.

        Raises:
            StoreError: There is no such version, or MLflow refuses the alias.
            TryAgain: The registry does not answer.
        """
        client = self._client()
        with our_errors(f"set alias '{alias}' of {name} version {version}", self._registry_uri):
            client.set_registered_model_alias(name, alias, version)

    def describe(self, name: str, version: str, text: str) -> None:
        """Set the description of a version, in Markdown.

        Raises:
            StoreError: There is no such version, or MLflow refuses the text.
            TryAgain: The registry does not answer.
        """
        client = self._client()
        with our_errors(f"describe {name} version {version}", self._registry_uri):
            client.update_model_version(name, version, description=text)

    def version_before(self, name: str, version: str) -> RegisteredVersion | None:
        """The newest version that is older than this one; None if there is none.

        Raises:
            StoreError: The registry refuses.
            TryAgain: The registry does not answer.
        """
        client, quote = self._client(), '"' if "'" in name else "'"
        with our_errors(f"look up versions of {name}", self._registry_uri):
            found = client.search_model_versions(f"name={quote}{name}{quote}")
        older = [one for one in found if one.name == name and int(one.version) < int(version)]
        last = max(older, key=lambda one: int(one.version), default=None)
        if last is None:
            return None
        return RegisteredVersion(name, str(last.version), last.source or "", last.run_id or "")

    def _client(self) -> MlflowClient:
        if self._client_made is None:
            self._client_made = open_client(self._tracking_uri, self._registry_uri)
        return self._client_made

    def _source(self, client: MlflowClient, run_id: str, artifact_path: str) -> str:
        """Where the run's model lies; MLflow itself would register what is not there."""
        run = client.get_run(run_id)
        files = client.list_artifacts(run_id, artifact_path)
        is_there = any(PurePosixPath(file.path).name == MODEL_FILE for file in files)
        if run.info.lifecycle_stage != "active" or not is_there:
            what = f"has no model under {artifact_path}" if not is_there else "was deleted"
            raise StoreError(
                f"Run {run_id} in {masked(self._tracking_uri)} {what}. Nothing was registered.",
                hint="Train again: mlrecipes run --from train",
            )
        return f"{run.info.artifact_uri}/{artifact_path}"

    def _known(
        self, client: MlflowClient, name: str, run_id: str, source: str
    ) -> ModelVersion | None:
        """The version that this run's model already is; the newest if there are several."""
        if self._registry_uri.startswith(UNITY_CATALOG):
            found = client.search_model_versions(f"name='{name}'")
        else:
            found = client.search_model_versions(f"run_id='{run_id}'")
        same = [
            version
            for version in found
            if (version.name, version.run_id, version.source) == (name, run_id, source)
            and version.status == "READY"
        ]
        return max(same, key=lambda version: int(version.version), default=None)


def ensure_model(
    client: MlflowClient, name: str, tags: Mapping[str, str] | None = None, description: str = ""
) -> None:
    """Make a registered model, with tags and description, if there is none.

    Looks first: who may add versions to a model may often not create models.
    """
    from mlflow.exceptions import MlflowException

    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error_code(error) not in UNKNOWN_CODES:
            raise
        try:
            client.create_registered_model(name, dict(tags or {}), description or None)
        except MlflowException as refusal:
            # Another process made it since we looked.
            if error_code(refusal) not in KNOWN_CODES:
                raise


def get_version(registry_uri: str, name: str, version: str) -> ModelVersion:
    """Fetch a version of a registered model from MLflow.

    Raises:
        StoreError: It does not exist.
        TryAgain: The registry does not answer.
    """
    client = open_client(registry_uri, registry_uri)
    with our_errors(f"look up {name} version {version}", registry_uri):
        return client.get_model_version(name, version)


def _check_name(name: str, registry_uri: str) -> None:
    key = "model_registry.model_name"
    if not name.strip() or re.search(r"[/:]", name) or name in {".", ".."}:
        raise StoreError(
            f"{key} is '{name}', which is not a name of a registered model.",
            hint="Use letters, digits, spaces, '_', '-' and '.', but neither '/' nor ':'.",
        )
    if registry_uri.startswith(UNITY_CATALOG) and len(name.split(".")) != N_CATALOG_PARTS:
        raise StoreError(
            f"{key} is '{name}', but {masked(registry_uri)} needs three parts.",
            hint="Write it as catalog.schema.model.",
        )


def tag_name(key: str, registry_uri: str) -> str:
    """Unity Catalog refuses some characters in the names of tags.

    >>> tag_name("mlflow.source.type", "databricks-uc")
    'mlflow_source_type'
    >>> tag_name("mlflow.source.type", "sqlite:////data/mlflow.db")
    'mlflow.source.type'
    """
    is_catalog = registry_uri.startswith(UNITY_CATALOG)
    return REFUSED_IN_CATALOG.sub("_", key) if is_catalog else key
