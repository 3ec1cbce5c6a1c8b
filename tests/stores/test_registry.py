"""A run's model becomes a version that loads, once, however often it is registered."""

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

from mlrecipes.errors import StoreError
from mlrecipes.stores.mlflow_client import open_client
from mlrecipes.stores.registry import MlflowRegistry, get_version
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget
from tests.mlflow_at import Store

NewRun = Callable[[], str]


def mlflow_sklearn() -> ModuleType:
    """The module, whose first import warns of a type hint in MLflow's own code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.pyfunc
        import mlflow.sklearn

        # Both names are lazy: only a touch imports them.
        _ = mlflow.pyfunc.load_model, mlflow.sklearn.load_model
    return mlflow.sklearn


@pytest.fixture(scope="module")
def uri(mlflow: Store) -> str:
    return mlflow.uri


@pytest.fixture(scope="module")
def new_run(uri: str, tmp_path_factory: pytest.TempPathFactory) -> NewRun:
    """Make a run with a model under ``train/model``."""
    folder = tmp_path_factory.mktemp("work")
    model = LinearRegression().fit(pd.DataFrame({"x": [1.0, 2.0]}), [2.0, 4.0])
    mlflow_sklearn().save_model(
        model, folder / "model", serialization_format="cloudpickle", pip_requirements=["mlflow"]
    )
    tracker = MlflowTracker(TrackingTarget(uri, "houses", None), folder / "open_runs.json")

    def make() -> str:
        run_id = tracker.start_run({}).run_id
        tracker.log_directory(run_id, folder / "model", "train/model")
        tracker.end_open_runs("FINISHED")
        return run_id

    return make


@pytest.fixture
def registry(uri: str) -> MlflowRegistry:
    return MlflowRegistry(uri, uri)


@pytest.fixture
def client(mlflow: Store) -> MlflowClient:
    return mlflow.client


def test_a_registered_model_loads_by_its_version(
    registry: MlflowRegistry, new_run: NewRun, mlflow: Store
) -> None:
    version = registry.register("loads", new_run(), "train/model", {})
    with mlflow.at():
        model = mlflow_sklearn().load_model(f"models:/loads/{version.version}")
    assert model.predict(pd.DataFrame({"x": [3.0]})) == pytest.approx([6.0])


def test_a_version_has_its_run_and_its_tags(
    registry: MlflowRegistry, new_run: NewRun, uri: str
) -> None:
    run_id = new_run()
    version = registry.register("tagged", run_id, "train/model", {"mlflow.source.type": "RECIPE"})
    known = get_version(uri, "tagged", version.version)
    assert (known.run_id, known.source, known.status) == (run_id, version.source, "READY")
    assert known.tags == {"mlflow.source.type": "RECIPE"}


def test_registering_a_run_again_gives_its_version_with_the_new_tags(
    registry: MlflowRegistry, new_run: NewRun, uri: str
) -> None:
    run_id = new_run()
    first = registry.register("twice", run_id, "train/model", {"a": "1"})
    assert registry.register("twice", run_id, "train/model", {"a": "2"}) == first
    assert get_version(uri, "twice", first.version).tags == {"a": "2"}


def test_another_run_is_another_version(registry: MlflowRegistry, new_run: NewRun) -> None:
    versions = [registry.register("many", new_run(), "train/model", {}) for _ in range(2)]
    assert [version.version for version in versions] == ["1", "2"]


def test_one_run_can_be_registered_under_two_names(
    registry: MlflowRegistry, new_run: NewRun
) -> None:
    run_id = new_run()
    versions = [registry.register(name, run_id, "train/model", {}) for name in ("one", "two")]
    assert [(version.name, version.version) for version in versions] == [("one", "1"), ("two", "1")]


def test_an_alias_moves_to_a_newer_version(
    registry: MlflowRegistry, new_run: NewRun, client: MlflowClient
) -> None:
    for number in ("1", "2"):
        assert registry.register("aliased", new_run(), "train/model", {}).version == number
        registry.set_alias("aliased", "champion", number)
        assert str(client.get_model_version_by_alias("aliased", "champion").version) == number


def test_an_alias_of_no_version_is_a_store_error(registry: MlflowRegistry) -> None:
    with pytest.raises(StoreError, match="Could not set alias 'champion' of nothing version 1"):
        registry.set_alias("nothing", "champion", "1")


def test_an_alias_that_mlflow_keeps_for_itself_is_a_store_error(
    registry: MlflowRegistry, new_run: NewRun
) -> None:
    registry.register("latest", new_run(), "train/model", {})
    with pytest.raises(StoreError, match="reserved"):
        registry.set_alias("latest", "latest", "1")


def test_an_unknown_run_is_a_store_error(registry: MlflowRegistry) -> None:
    with pytest.raises(StoreError, match="Could not register houses"):
        registry.register("houses", "0123", "train/model", {})


def test_a_run_without_a_model_is_a_store_error_and_leaves_no_name(
    registry: MlflowRegistry, new_run: NewRun, client: MlflowClient
) -> None:
    with pytest.raises(StoreError, match=r"no model under train/other\. Nothing was registered"):
        registry.register("empty", new_run(), "train/other", {})
    assert client.search_registered_models("name='empty'") == []


def test_a_run_that_was_deleted_is_a_store_error(
    registry: MlflowRegistry, new_run: NewRun, client: MlflowClient
) -> None:
    run_id = new_run()
    client.delete_run(run_id)
    with pytest.raises(StoreError, match=rf"Run {run_id} .* was deleted\. Nothing was registered"):
        registry.register("deleted", run_id, "train/model", {})


def test_versions_that_are_registered_at_once_under_a_new_name_are_all_there(
    new_run: NewRun, uri: str
) -> None:
    run_ids = [new_run() for _ in range(4)]
    registries = [MlflowRegistry(uri, uri) for _ in run_ids]
    barrier = threading.Barrier(len(run_ids))

    def register(registry: MlflowRegistry, run_id: str) -> str:
        barrier.wait(30)
        return registry.register("at once", run_id, "train/model", {}).version

    with ThreadPoolExecutor(len(run_ids)) as pool:
        versions = list(pool.map(register, registries, run_ids))
    assert sorted(versions) == ["1", "2", "3", "4"]


@pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", ".", ".."])
def test_a_name_that_mlflow_refuses_is_a_store_error(registry: MlflowRegistry, name: str) -> None:
    with pytest.raises(StoreError, match="not a name of a registered model"):
        registry.register(name, "0123", "train/model", {})


def test_unity_catalog_asks_for_three_parts() -> None:
    registry = MlflowRegistry("databricks-uc", "databricks")
    with pytest.raises(StoreError, match=r"catalog\.schema\.model"):
        registry.register("houses", "0123", "train/model", {})


def test_a_version_that_is_not_there_is_a_store_error(uri: str) -> None:
    with pytest.raises(StoreError, match="Could not look up nothing version 7"):
        get_version(uri, "nothing", "7")


def test_a_registry_can_be_another_database_than_that_of_the_runs(
    new_run: NewRun, uri: str, tmp_path: Path
) -> None:
    other = f"sqlite:///{tmp_path}/registry/models.db"
    version = MlflowRegistry(other, uri).register("apart", new_run(), "train/model", {})
    assert get_version(other, "apart", version.version).source == version.source


def test_a_version_can_be_described(registry: MlflowRegistry, new_run: NewRun, uri: str) -> None:
    version = registry.register("described", new_run(), "train/model", {})
    registry.describe("described", version.version, "What it is for.")
    assert get_version(uri, "described", version.version).description == "What it is for."


def test_a_version_that_is_not_there_cannot_be_described(registry: MlflowRegistry) -> None:
    with pytest.raises(StoreError, match="describe nothing version 9"):
        registry.describe("nothing", "9", "text")


def test_the_version_before_is_the_newest_older_one(
    registry: MlflowRegistry, new_run: NewRun, uri: str
) -> None:
    name = "ann's houses"
    runs = [new_run() for _ in range(3)]
    for run_id in runs:
        last = registry.register(name, run_id, "train/model", {})
    assert registry.version_before(name, "1") is None
    before = registry.version_before(name, last.version)
    assert before is not None
    assert (before.version, before.run_id) == ("2", runs[1])
    open_client(uri).delete_model_version(name, "2")
    skipped = registry.version_before(name, last.version)
    assert skipped is not None
    assert skipped.version == "1"
