"""Finding and deleting in a real MLflow: by mark, page by page, and never twice an error."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from mlrecipes.cleaning import FoundExperiment, FoundModel, RecipeMark
from mlrecipes.errors import StoreError
from mlrecipes.stores import cleaning
from mlrecipes.stores.cleaning import MlflowModelCleaner, MlflowRunCleaner
from tests.mlflow_at import Store

OURS = RecipeMark("ab12", "local")


@pytest.fixture(scope="module")
def uri(mlflow: Store) -> str:
    return mlflow.uri


@pytest.fixture(scope="module")
def client(mlflow: Store) -> MlflowClient:
    return mlflow.client


@pytest.fixture
def runs(uri: str) -> MlflowRunCleaner:
    return MlflowRunCleaner(uri)


@pytest.fixture
def models(uri: str) -> MlflowModelCleaner:
    return MlflowModelCleaner(uri, uri)


def new_run(client: MlflowClient, experiment_id: str, **tags: str) -> str:
    return str(client.create_run(experiment_id, tags=tags).info.run_id)


def test_runs_are_found_by_recipe_and_profile(runs: MlflowRunCleaner, client: MlflowClient) -> None:
    here = client.create_experiment("by mark")
    ours = new_run(client, here, **OURS.tags)
    new_run(client, here)
    new_run(client, here, **RecipeMark("ab12", "prod").tags)
    new_run(client, here, **RecipeMark("cd34", "local").tags)
    assert [run.run_id for run in runs.runs([here], mark=OURS)] == [ours]
    assert len(runs.runs([here])) == 4
    assert runs.runs([], mark=OURS) == []


def test_children_and_runs_of_the_project_are_told(
    runs: MlflowRunCleaner, client: MlflowClient
) -> None:
    here = client.create_experiment("families")
    parent = new_run(client, here, **{"mlflow.source.type": "PROJECT"})
    child = new_run(client, here, **{"mlflow.parentRunId": parent, **OURS.tags})
    (found,) = runs.runs([here], parent_id=parent)
    assert (found.run_id, found.parent_id, found.mark) == (child, parent, OURS)
    above = runs.run(parent)
    assert above is not None
    assert (above.is_project, above.mark, found.is_project) == (True, None, False)


def test_a_deleted_run_is_found_among_the_deleted_only(
    runs: MlflowRunCleaner, client: MlflowClient
) -> None:
    here = client.create_experiment("deleted runs")
    run_id = new_run(client, here, **OURS.tags)
    runs.delete_run(run_id)
    runs.delete_run(run_id)
    assert (runs.run(run_id), runs.runs([here])) == (None, [])
    assert [run.run_id for run in runs.runs([here], mark=OURS, are_deleted=True)] == [run_id]


def test_runs_are_found_over_many_pages_and_experiments(
    runs: MlflowRunCleaner, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "N_RUNS_AT_ONCE", 2)
    monkeypatch.setattr(cleaning, "N_EXPERIMENTS_AT_ONCE", 1)
    places = [client.create_experiment(f"pages {number}") for number in range(2)]
    made = sorted(new_run(client, place) for place in places for _ in range(3))
    assert [run.run_id for run in runs.runs(places)] == made
    assert {one.name for one in runs.experiments()} >= {"Default", "pages 0", "pages 1"}


def test_a_deleted_experiment_is_not_found_and_can_be_restored_by_its_id(
    runs: MlflowRunCleaner, client: MlflowClient
) -> None:
    here = client.create_experiment("it's gone")
    run_id = new_run(client, here)
    assert runs.experiments("it's gone") == [FoundExperiment(here, "it's gone")]
    runs.rename_experiment(here, "it's gone (reset)")
    runs.delete_experiment(here)
    assert (runs.experiments("it's gone"), runs.experiment(here)) == ([], None)
    assert client.create_experiment("it's gone") != here
    client.restore_experiment(here)
    assert client.get_run(run_id).info.lifecycle_stage == "active"


def test_what_is_not_there_is_no_error_to_look_for_or_to_delete(
    runs: MlflowRunCleaner, models: MlflowModelCleaner
) -> None:
    assert runs.run("0" * 32) is None
    assert runs.experiment("4711") is None
    assert runs.experiments("nobody") == []
    assert models.find("nobody") is None
    runs.delete_run("0" * 32)
    runs.delete_experiment("4711")
    models.delete_alias("nobody", "champion")
    models.delete_version("nobody", "1")
    models.delete_model("nobody")


def test_an_experiment_that_cannot_be_renamed_is_a_store_error(runs: MlflowRunCleaner) -> None:
    with pytest.raises(StoreError, match="Could not rename experiment 4711"):
        runs.rename_experiment("4711", "another")


@pytest.mark.parametrize("name", ["houses", "it's ours", 'the "best"'])
def test_a_model_is_found_with_its_versions_and_deleted_part_by_part(
    models: MlflowModelCleaner, client: MlflowClient, name: str
) -> None:
    client.create_registered_model(name)
    for _ in range(11):
        client.create_model_version(name, "file:///nowhere")
    client.set_registered_model_alias(name, "champion", "2")
    numbers = tuple(str(number) for number in range(1, 12))
    assert models.find(name) == FoundModel(name, numbers, {"champion": "2"})
    models.delete_alias(name, "champion")
    models.delete_version(name, "1")
    assert models.find(name) == FoundModel(name, numbers[1:])
    models.delete_model(name)
    assert models.find(name) is None


def test_who_only_looks_makes_no_database(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    runs, models = MlflowRunCleaner(uri), MlflowModelCleaner(uri, uri)
    assert (runs.experiments(), runs.experiment("1"), runs.run("a")) == ([], None, None)
    assert (runs.runs(["1"]), models.find("houses")) == ([], None)
    assert list(tmp_path.iterdir()) == []
