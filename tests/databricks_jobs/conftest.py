"""One MLflow server for all tests of jobs, and a copy of the whole project."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import mlflow_server

ROOT = Path(__file__).parents[2]
NOT_COPIED = (
    *(".git", ".venv", ".mlrecipes", "__pycache__", "*_cache", ".hypothesis", "mlruns"),
    *("mlartifacts", "mlflow.db*", "data", "tests", "benchmarks", "docs", "notebooks"),
)


@pytest.fixture(scope="session")
def mlflow_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a real server with a database and artifacts of its own."""
    root = tmp_path_factory.mktemp("server")
    store = f"sqlite:///{root / 'mlflow.db'}"
    place = ["--backend-store-uri", store, "--artifacts-destination", str(root / "artifacts")]
    # Without the processes for jobs of its own.
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    command = ["server", "--workers", "1", *place]
    with mlflow_server(command, "/health", root, environment) as (address, _process):
        yield address


@pytest.fixture(scope="module")
def whole_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project as it lies here, without what no job needs."""
    target = tmp_path_factory.mktemp("whole") / "project"
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*NOT_COPIED))
    return target
