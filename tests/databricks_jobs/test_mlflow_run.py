"""`mlflow run` with the backend, as a user types it: the double runs the job for real."""

import gzip
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import ExecutionException

from mlrecipes.databricks_jobs.backend import DatabricksJobs
from mlrecipes.origin import FILE
from tests.databricks_jobs.double_compute import JOB_TOKEN
from tests.databricks_jobs.tiny import (
    PROJECT,
    SECRET,
    plugin,
    put_greeting_where_the_double_finds_it,
    tiny_project,
)
from tests.databricks_jobs.workspace_double import TOKEN, Double, workspace_double
from tests.mlflow_at import mlflow_at

pytestmark = pytest.mark.e2e

SRC = Path(__file__).parents[2] / "src"
SERVERLESS = {
    "volume": "/Volumes/main/ml/jobs",
    "serverless": {"environment_version": "4"},
    "requirements": "requirements.txt",
    "poll_s": 1,
}
CLUSTER = {"spark_version": "17.3.x-scala2.13", "node_type_id": "n", "num_workers": 0}


@dataclass
class Place:
    """A project, a double, and an MLflow server."""

    root: Path
    double: Double
    mlflow: str

    def command(self, x: str) -> list[str]:
        (self.root / "jobs.json").write_text(json.dumps(SERVERLESS))
        run = ["run", "project", "-e", "train", "-b", "databricks-jobs", "-c", "jobs.json"]
        return [sys.executable, "-m", "mlflow", *run, "-P", f"x={x}"]

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "MLFLOW_TRACKING_URI": self.mlflow,
            "DATABRICKS_HOST": self.double.address,
            "DATABRICKS_TOKEN": TOKEN,
            "PYTHONPATH": os.pathsep.join([str(SRC), str(self.root / "plugin")]),
        }

    def mlflow_run(self, x: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            self.command(x),
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def run_here(self, x: str, compute: dict[str, object]) -> None:
        """As `mlflow run` calls the backend, in this process."""
        config = {name: SERVERLESS[name] for name in ("volume", "requirements", "poll_s")} | compute
        backend, project = DatabricksJobs(), str(self.root / "project")
        with mlflow_at(self.mlflow):
            backend.run(project, "train", {"x": x}, None, config, self.mlflow, "0")

    def last_run(self) -> Run:
        (run,) = MlflowClient(self.mlflow).search_runs(["0"], max_results=1)
        return run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, mlflow_address: str) -> Iterator[Place]:
    root = tmp_path_factory.mktemp("jobs")
    tiny_project(root / "project")
    plugin(root / "plugin")
    with workspace_double(root) as double:
        put_greeting_where_the_double_finds_it(double)
        yield Place(root, double, mlflow_address)


@pytest.fixture(autouse=True)
def _signed_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN"):
        monkeypatch.setenv(name, place.environment[name])


def test_a_project_runs_in_the_job_and_in_the_run_that_mlflow_made(place: Place) -> None:
    place.run_here("$(two) words", {"serverless": SERVERLESS["serverless"]})
    client, run = MlflowClient(place.mlflow), place.last_run()
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.databricks.runURL"].startswith(place.double.address)
    assert run.data.tags["mlflow.project.backend"] == "databricks-jobs"
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"x.txt", "files.json"}
    text = Path(client.download_artifacts(run.info.run_id, "x.txt")).read_text()
    assert text == "$(two) words!"
    files = json.loads(Path(client.download_artifacts(run.info.run_id, "files.json")).read_text())
    assert files["files"] == sorted([FILE, *PROJECT])


def test_requirements_lie_in_the_volume_and_databricks_installs_them(place: Place) -> None:
    request = json.loads(place.double.calls("runs/submit")[0])
    assert request["tasks"][0]["disable_auto_optimization"] is True
    spec = request["environments"][0]["spec"]
    (line,) = spec.pop("dependencies")
    assert spec == {"environment_version": "4"}
    file = place.double.root / line.removeprefix("-r /")
    assert file.name == "requirements.txt"
    assert file.read_text() == PROJECT["requirements.txt"]


def test_no_secret_is_in_what_was_sent_or_uploaded(place: Place) -> None:
    bodies = b"".join(body for _method, _path, body in place.double.seen)
    for secret in (TOKEN, JOB_TOKEN, SECRET):
        assert secret.encode() not in bodies
    archives = list(place.double.root.glob("Volumes/main/ml/jobs/mlrecipes/*.tar.gz"))
    assert len(archives) == 1
    assert SECRET.encode() not in gzip.decompress(archives[0].read_bytes())


def test_a_job_that_fails_is_exit_code_1_with_its_error_and_link(place: Place) -> None:
    done = place.mlflow_run("fail")
    assert done.returncode == 1
    assert "The job ended with FAILED: ValueError: no such column" in done.stderr
    assert f"{place.double.address}/jobs/runs/" in done.stderr
    assert place.last_run().info.status == "FAILED"


def test_a_cluster_that_is_there_runs_it_too(place: Place) -> None:
    place.run_here("on a cluster", {"existing_cluster_id": "0102-abc"})
    assert place.last_run().info.status == "FINISHED"
    (task,) = json.loads(place.double.calls("runs/submit")[-1])["tasks"]
    assert task["existing_cluster_id"] == "0102-abc"
    (library,) = task["libraries"]
    assert library["requirements"].startswith("/Volumes/main/ml/jobs/mlrecipes/")


def test_a_new_cluster_runs_it_and_an_exit_code_comes_with_the_last_words(place: Place) -> None:
    with pytest.raises(ExecutionException, match="exit code 3") as caught:
        place.run_here("exit", {"new_cluster": CLUSTER})
    assert "roc_auc 0.6 < 0.7 required" in str(caught.value)
    assert place.last_run().info.status == "FAILED"
    (task,) = json.loads(place.double.calls("runs/submit")[-1])["tasks"]
    assert task["new_cluster"] == CLUSTER
    assert list(task["libraries"][0]) == ["requirements"]


@pytest.mark.parametrize(
    ("stop", "life"), [(signal.SIGINT, "PENDING"), (signal.SIGTERM, "RUNNING")]
)
def test_who_stops_mlflow_run_stops_the_job(place: Place, stop: signal.Signals, life: str) -> None:
    double = place.double
    n_jobs, n_cancelled = len(double.jobs), len(double.calls("runs/cancel"))
    double.states = [{"life_cycle_state": "PENDING"}] if life == "PENDING" else []
    n_looks = len(double.calls("runs/get"))
    # Where tests run in the background, children would be born deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    client = subprocess.Popen(
        place.command("sleep"), cwd=place.root, env=place.environment, stderr=subprocess.PIPE
    )

    def waits() -> bool:
        if len(double.jobs) == n_jobs or len(double.calls("runs/get")) < n_looks + 2:
            return client.poll() is not None
        return bool(double.states) or double.jobs[n_jobs + 1].state["life_cycle_state"] == life

    double.wait_until(waits)
    client.send_signal(stop)
    _out, said = client.communicate()
    assert client.returncode == 1, said  # click's own, whatever the signal
    assert double.calls("runs/cancel")[n_cancelled:] == [b'{"run_id": %d}' % (n_jobs + 1)]
    assert double.jobs[n_jobs + 1].state["result_state"] == "CANCELED"
    assert place.last_run().info.status == "KILLED"
    double.states = []
