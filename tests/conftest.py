"""Small recipes in temporary folders, and a world that tells nobody."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from mlrecipes.stores.spark import open_session
from tests.dbutils import DBUtils
from tests.mlflow_at import Store

ROOT = Path(__file__).parents[1]

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"
os.environ["PYTHONPATH"] = str(ROOT / "src")  # for the processes that tests start
# Under `mlflow run . -e test` the tests must not record into the project's own run.
OF_A_PROJECT = (
    "MLFLOW_RUN_ID",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "MLFLOW_EXPERIMENT_ID",
)
for variable in OF_A_PROJECT:
    os.environ.pop(variable, None)

# How long an example takes says how busy the machine is, and nothing of our code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

REGRESSION = {
    "recipe.yaml": """\
recipe: regression/v1
target_col: price
id_cols: [house]
steps:
  ingest: {using: csv, location: houses.csv}
  split: {using: hash, key_cols: [house]}
  transform: {transformer_method: transformer_fn}
  train:
    estimator_method: estimator_fn
    estimator_params: {alpha: 1.0}
  evaluate:
    validation_criteria:
      - {metric: root_mean_squared_error, threshold: {{ MAX_RMSE }}}
model_registry: {model_name: houses}
""",
    "profiles/local.yaml": "MAX_RMSE: 5.0\n",
    "steps/transform.py": """\
from sklearn.preprocessing import StandardScaler


def transformer_fn():
    return StandardScaler()
""",
    "steps/train.py": """\
from sklearn.linear_model import Ridge


def estimator_fn(params):
    return Ridge(**params)
""",
}

CLASSIFICATION = REGRESSION | {
    "recipe.yaml": """\
recipe: classification/v1
target_col: sold
positive_class: "yes"
id_cols: [house]
ignore_cols: [price]
steps:
  ingest: {using: csv, location: houses.csv}
  split: {using: stratified}
  transform: {transformer_method: transformer_fn}
  train:
    estimator_method: estimator_fn
    predict_output: probability
  evaluate:
    validation_criteria:
      - {metric: roc_auc, threshold: {{ MIN_AUC }}}
model_registry: {model_name: sold_houses}
""",
    "profiles/local.yaml": "MIN_AUC: 0.7\n",
    "steps/train.py": """\
from sklearn.linear_model import LogisticRegression


def estimator_fn():
    return LogisticRegression()
""",
}


def houses(n_rows: int = 400) -> pd.DataFrame:
    """One row a house; the price follows from rooms and area, and whether it was sold."""
    random = np.random.default_rng(0)
    rooms, area = random.integers(1, 9, n_rows), random.uniform(30, 200, n_rows)
    price = 10 * rooms + area + random.normal(0, 2, n_rows)
    sold = np.where(price + random.normal(0, 20, n_rows) < np.median(price), "yes", "no")
    columns = {"house": np.arange(n_rows), "rooms": rooms, "area": area, "price": price}
    return pd.DataFrame(columns | {"sold": sold})


def write_project(root: Path, files: Mapping[str, str]) -> Path:
    """Write a recipe's files and its data into a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    frame = houses()
    if "regression" in files["recipe.yaml"]:
        frame = frame.drop(columns="sold")
    frame.to_csv(root / "houses.csv", index=False)
    return root


@pytest.fixture
def regression(tmp_path: Path) -> Path:
    """A recipe that predicts prices, in a folder with a space in its name."""
    return write_project(tmp_path / "my recipe", REGRESSION)


@pytest.fixture
def classification(tmp_path: Path) -> Path:
    """A recipe that predicts the probability of a sale."""
    return write_project(tmp_path / "my recipe", CLASSIFICATION)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side, each file stays on one worker, and all that needs Spark on another.

    So what a file prepares is made once, and Delta's jars are not fetched twice at a time. The
    files that share a server stay together as well.
    """
    for item in items:
        shared = {"spark", "mlflow_address"} & set(getattr(item, "fixturenames", ()))
        group = shared.pop() if shared else item.path.relative_to(ROOT).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(autouse=True)
def _same_environment() -> Iterator[None]:
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _same_steps() -> Iterator[None]:
    """A model that is loaded brings its own ``steps``; the next test has those of this project."""

    def steps() -> dict[str, ModuleType]:
        return {name: one for name, one in sys.modules.items() if name.split(".")[0] == "steps"}

    before = steps()
    yield
    for name in steps():
        del sys.modules[name]
    sys.modules.update(before)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One local Spark with Delta for all tests; its jars come from Maven Central."""
    session = open_session(
        {
            "spark.sql.shuffle.partitions": "1",
            "spark.databricks.delta.snapshotPartitions": "1",
            # Short-lived code is not worth compiling well, nor tiny tables generated code.
            "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            "spark.sql.adaptive.enabled": "false",
            "spark.sql.codegen.wholeStage": "false",
            "spark.sql.codegen.factoryMode": "NO_CODEGEN",
            "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        }
    )
    yield session
    session.stop()


@pytest.fixture(scope="session")
def _new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with MLflow's tables and nothing in them: making one takes seconds."""
    store = Store(tmp_path_factory.mktemp("new") / "mlflow.db")
    _ = store.client
    return store.path


@pytest.fixture(scope="module")
def mlflow(_new_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Tracking store and registry of the tests of one file, which share their names."""
    folder = tmp_path_factory.mktemp("a store")  # with a space in its name
    return Store(Path(shutil.copy(_new_store, folder / "mlflow.db")))


@pytest.fixture
def dbutils(tmp_path: Path) -> DBUtils:
    """What a notebook on Databricks finds: files below a folder, one secret, no parameter."""
    folder = tmp_path / "dbfs"
    folder.mkdir()
    return DBUtils(folder, secrets={"mlflow": {"token": "not-to-be-shown"}}, task="train")
