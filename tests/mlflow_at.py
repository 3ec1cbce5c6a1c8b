"""MLflow's own loading takes its addresses from the process; here they are given back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import mlflow

VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")


@contextmanager
def mlflow_at(uri: str) -> Iterator[None]:
    """Let ``models:/`` and ``runs:/`` mean one store until the end of the block.

    MLflow keeps both addresses in the environment too, where processes that later tests
    start would find them.
    """
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri("")
        mlflow.set_registry_uri("")
        for name in VARIABLES:
            os.environ.pop(name, None)
