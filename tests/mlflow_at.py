"""MLflow stores of tests; MLflow's own loading takes its addresses from the process."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")


@dataclass(frozen=True)
class Store:
    """A tracking store and a registry in one SQLite file."""

    path: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def client(self) -> "MlflowClient":
        from mlrecipes.stores.mlflow_client import open_client

        return open_client(self.uri, self.uri)

    def at(self) -> AbstractContextManager[None]:
        """Let ``models:/`` and ``runs:/`` mean this store until the end of the block."""
        return mlflow_at(self.uri)


@contextmanager
def mlflow_at(uri: str) -> Iterator[None]:
    """Let ``models:/`` and ``runs:/`` mean one store until the end of the block.

    MLflow keeps both addresses in the environment too, where processes that later tests
    start would find them.
    """
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri("")
        mlflow.set_registry_uri("")
        for name in VARIABLES:
            os.environ.pop(name, None)
