"""Aliases and the ledger of promotions in MLflow's registry.

The ledger is a registered model of its own, whose versions are the rows: MLflow gives numbers
to versions one after the other, also when several processes ask at once, and a version comes
into being with its tags. Aliases know no such order: the last writer wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, shorten
from mlrecipes.promotion_ports import FetchedModel, VersionFacts
from mlrecipes.promotion_records import LEDGER_TAG, Entry, ledger_name
from mlrecipes.stores.mlflow_client import error_code, open_client, our_errors, quiet
from mlrecipes.stores.registry import (
    READY_WITHIN_S,
    REGISTRY_LOGGER,
    UNITY_CATALOG,
    UNKNOWN_CODES,
    ensure_model,
    tag_name,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

__all__ = ["MlflowPromotions"]

PREFIX = "mlrecipes.ledger."
DESCRIPTION = (
    "The ledger of promotions: each version is one decision, told by its tags. Not for use as a "
    "model. Read it: mlrecipes promotions"
)
N_AT_ONCE = 200


class MlflowPromotions:
    """A :class:`~mlrecipes.promotion_ports.PromotionRegistry` in MLflow.

    In Unity Catalog, where it was never run, each row of the ledger carries a copy of the
    model's files, because a version is made of files there.

    Args:
        registry_uri: Of the registry.
        tracking_uri: Of the server that knows the runs; often the same.
    """

    def __init__(self, registry_uri: str, tracking_uri: str) -> None:
        self._uri = registry_uri
        self._tracking_uri = tracking_uri
        self._client_made: MlflowClient | None = None

    @property
    def user(self) -> str:
        """The name of the account that this process runs under."""
        from mlrecipes.stores.tracking import user_name

        return user_name()

    def aliases(self, name: str) -> Mapping[str, str]:
        """Alias to version; empty if there is no such model."""
        with our_errors(f"look up {name}", self._uri), _gone_is_fine():
            found = self._client().get_registered_model(name)
            return {alias: str(version) for alias, version in sorted(found.aliases.items())}
        return {}

    def version(self, name: str, version: str) -> VersionFacts:
        """Look a version up.

        Raises:
            StoreError: There is none, or it is not ready.
            TryAgain: The registry does not answer.
        """
        with our_errors(f"look up {name} version {version}", self._uri):
            found = self._client().get_model_version(name, version)
        if found.status != "READY":
            raise StoreError(
                f"{name} version {version} is {found.status}, not READY.",
                hint="Wait until it is, or register the model again: mlrecipes run --from register",
            )
        tags = {str(key): str(value) for key, value in (found.tags or {}).items()}
        return VersionFacts(name, str(found.version), found.source or "", found.run_id or "", tags)

    def newest(self, name: str) -> str | None:
        """The highest version; None if there is none."""
        numbers = [int(one.version) for one in self._versions(name)]
        return str(max(numbers)) if numbers else None

    def point(self, name: str, alias: str, version: str | None) -> None:
        """Let an alias point at a version; None takes the alias away."""
        client = self._client()
        if version is None:
            with our_errors(f"delete alias '{alias}' of {name}", self._uri), _gone_is_fine():
                client.delete_registered_model_alias(name, alias)
            return
        with our_errors(f"set alias '{alias}' of {name} version {version}", self._uri):
            client.set_registered_model_alias(name, alias, version)

    def tag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        client = self._client()
        with our_errors(f"tag {name} version {version}", self._uri):
            for key, value in sorted(tags.items()):
                client.set_model_version_tag(name, version, tag_name(key, self._uri), value)

    def append(self, name: str, entry: Entry, about: VersionFacts) -> int:
        """Write a row of the ledger, and give its number."""
        client, ledger = self._client(), ledger_name(name)
        tags = {tag_name(f"{PREFIX}{key}", self._uri): text for key, text in _texts(entry)}
        with our_errors(f"write the ledger {ledger}", self._uri), quiet(REGISTRY_LOGGER):
            mark = {tag_name(LEDGER_TAG, self._uri): name}
            ensure_model(client, ledger, mark, DESCRIPTION)
            made = client.create_model_version(
                ledger,
                about.source,
                about.run_id or None,
                tags=tags,
                await_creation_for=READY_WITHIN_S,
            )
        return int(made.version)

    def entries(self, name: str) -> Sequence[Entry]:
        """All rows of the ledger, in their order."""
        prefix = tag_name(PREFIX, self._uri)
        rows = []
        for version in self._versions(ledger_name(name)):
            tags = {
                key.removeprefix(prefix): str(value)
                for key, value in (version.tags or {}).items()
                if key.startswith(prefix)
            }
            entry = Entry.from_tags(int(version.version), tags)
            rows += [] if entry is None else [entry]
        return tuple(sorted(rows, key=lambda entry: entry.number))

    def amend(self, name: str, number: int, values: Mapping[str, str]) -> None:
        """Set fields of a row, by their names."""
        named = {f"{PREFIX}{key}": str(value) for key, value in values.items()}
        self.tag(ledger_name(name), str(number), named)

    def fetch(self, name: str, version: str, folder: Path) -> FetchedModel:
        """Load a version's pipeline with the code that was logged with it.

        Raises:
            StoreError: It is not there, or is no model of a recipe.
            TryAgain: A server does not answer.
        """
        from mlrecipes.stores.canary import check_canary
        from mlrecipes.stores.model_fetching import fetch_model, resolve_model
        from mlrecipes.stores.models import load_pyfunc, model_lookups
        from mlrecipes.stores.scoring_model import as_fitted

        found = resolve_model(f"models:/{name}/{version}", self._tracking_uri, self._uri)
        path = fetch_model(found, self._tracking_uri, self._uri, folder)
        try:
            model = load_pyfunc(path).unwrap_python_model()
            # The names that scoring_model.py gives: part of what a logged model is.
            pipeline, dtypes = model._pipeline, model._columns
        except Exception as error:
            raise StoreError(
                f"{name} version {version} cannot be loaded as a model of a recipe: "
                f"{type(error).__name__}: {shorten(error, limit=160)}"
            ) from error
        check_canary(path, model, f"{name} version {version}")

        def fit(rows: Any) -> Any:
            return as_fitted(rows, dtypes)

        columns = tuple(str(column) for column in dtypes.index)
        return FetchedModel(pipeline, columns, fit, model_lookups(path))

    # -- private ---------------------------------------------------------------------------

    def _client(self) -> MlflowClient:
        if self._client_made is None:
            self._client_made = open_client(self._tracking_uri, self._uri)
        return self._client_made

    def _versions(self, name: str) -> list[ModelVersion]:
        """All versions; Unity Catalog tells tags only of a version that is asked for by itself."""
        client, token, found = self._client(), None, []
        wanted = f'name="{name}"' if "'" in name else f"name='{name}'"
        with our_errors(f"list the versions of {name}", self._uri), _gone_is_fine():
            while True:
                page = client.search_model_versions(wanted, N_AT_ONCE, page_token=token)
                found += [version for version in page if version.name == name]
                token = page.token
                if not token:
                    break
            if self._uri.startswith(UNITY_CATALOG):
                found = [client.get_model_version(name, one.version) for one in found]
        return found


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error_code(error) not in UNKNOWN_CODES:
            raise


def _texts(entry: Entry) -> list[tuple[str, str]]:
    return sorted(entry.to_tags().items())
