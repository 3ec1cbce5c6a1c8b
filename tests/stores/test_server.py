"""Runs and versions on a real tracking server, and what is said when it goes away."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlrecipes.cleaning import RecipeMark
from mlrecipes.errors import TryAgain
from mlrecipes.stores.cleaning import MlflowModelCleaner, MlflowRunCleaner
from mlrecipes.stores.mlflow_client import open_client
from mlrecipes.stores.registry import MlflowRegistry
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget, ping
from tests.servers import Server, mlflow_server, stop

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Server]]:
    store = ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    files = ["--artifacts-destination", str(tmp_path / "files")]
    command = ["server", *store, *files, "--workers", "1"]
    with mlflow_server(command, "/health", tmp_path, os.environ) as running:
        yield running


def test_a_run_goes_through_a_server_until_the_server_is_gone(
    server: tuple[str, Server], tmp_path: Path
) -> None:
    """One test, because a server takes seconds to start."""
    uri, process = server
    ping(uri, origin="experiment.tracking_uri")
    (tmp_path / "model").mkdir()
    (tmp_path / "model/MLmodel").write_text("flavors: {}")
    target = TrackingTarget(uri, "houses", None)
    tracker = MlflowTracker(target, tmp_path / "open_runs.json")
    run = tracker.start_run({"who": "ann"})
    tracker.log(run.run_id, params={"a": 1}, metrics={"p@5": 0.5})
    tracker.log_directory(run.run_id, tmp_path / "model", "train/model")
    version = MlflowRegistry(uri, uri).register("houses", run.run_id, "train/model", {})
    tracker.end_open_runs("FINISHED")

    known = open_client(uri).get_run(run.run_id)
    assert (known.info.status, known.data.metrics) == ("FINISHED", {"p_x40_5": 0.5})
    assert (version.version, version.source.partition(":")[0]) == ("1", "mlflow-artifacts")

    left = tracker.start_run({})
    stop(process)
    with pytest.warns(
        UserWarning, match=f"Run {left.run_id} stays open for now: .* does not answer"
    ):
        tracker.end_open_runs("FAILED")
    assert left.run_id in (tmp_path / "open_runs.json").read_text()


def test_a_server_gives_back_the_name_of_a_deleted_experiment(
    server: tuple[str, Server],
) -> None:
    """One test, because a server takes seconds to start."""
    uri, process = server
    client, runs, models = open_client(uri), MlflowRunCleaner(uri), MlflowModelCleaner(uri, uri)
    mark = RecipeMark("ab12", "local")
    here = client.create_experiment("houses")
    run_id = client.create_run(here, tags=mark.tags).info.run_id
    client.create_registered_model("houses")
    client.create_model_version("houses", f"runs:/{run_id}/model", run_id)
    client.set_registered_model_alias("houses", "champion", "1")

    model = models.find("houses")
    assert model is not None
    assert (model.versions, model.aliases) == (("1",), {"champion": "1"})
    models.delete_alias("houses", "champion")
    for _twice in range(2):
        models.delete_version("houses", "1")
        models.delete_model("houses")
    assert models.find("houses") is None

    assert [run.run_id for run in runs.runs([here, "0"], mark=mark)] == [run_id]
    for _twice in range(2):
        runs.delete_run(run_id)
    assert [run.run_id for run in runs.runs([here], mark=mark, are_deleted=True)] == [run_id]
    runs.rename_experiment(here, "houses (reset 2026-01-02T120000Z)")
    for _twice in range(2):
        runs.delete_experiment(here)
    assert (runs.run(run_id), runs.experiment(here), runs.experiments("houses")) == (None, None, [])
    assert client.create_experiment("houses") != here

    stop(process)
    with pytest.raises(TryAgain, match="does not answer"):
        runs.delete_run(run_id)
