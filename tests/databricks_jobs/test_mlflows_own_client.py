"""MLflow's own `--backend databricks` on the double: it works, and this is what it does.

docs/databricks_jobs.md says the same in words. Databricks retired this path: shell commands run
on Databricks Runtime 12 and older only.
"""

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import ExecutionException, MlflowException
from mlflow.projects.databricks import DatabricksSubmittedRun

from tests.databricks_jobs.tiny import SECRET, tiny_project
from tests.databricks_jobs.workspace_double import TOKEN, Double, workspace_double
from tests.mlflow_at import mlflow_at

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
CONFIG = json.loads((ROOT / "profiles" / "databricks.cluster.json").read_text())
N_APPLICANTS = 700


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory, mlflow_address: str) -> Iterator[Double]:
    with workspace_double(tmp_path_factory.mktemp("double"), mlflow_address) as double:
        yield double


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_project(tmp_path_factory.mktemp("tiny") / "project")


@pytest.fixture(autouse=True)
def _signed_in(double: Double, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", double.address)
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setattr(DatabricksSubmittedRun, "POLL_STATUS_INTERVAL", 0.1)


def mlflow_run(double: Double, project: Path, *arguments: str) -> int:
    """What a user types; the number of the job that it submitted."""
    config = ["-b", "databricks", "-c", str(ROOT / "profiles" / "databricks.cluster.json")]
    options = [*config, "--env-manager", "local", *arguments]
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", "run", ".", "-e", "train", *options],
        cwd=project,
        env=os.environ | {"MLFLOW_TRACKING_URI": double.mlflow},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return len(double.jobs)


def run_of(double: Double, job: int) -> Run:
    (run,) = MlflowClient(double.mlflow).search_runs(
        ["0"], f"tags.`mlflow.databricks.shellJobRunID` = '{job}'"
    )
    return run


def test_this_project_trains_a_model(double: Double, whole_project: Path) -> None:
    job = mlflow_run(double, whole_project, "-P", f"applicants={N_APPLICANTS}")
    double.wait_until(lambda: double.jobs[job].has_ended)
    run = run_of(double, job)
    assert run.info.status == "FINISHED", double.jobs[job].log[-3000:]
    (child,) = MlflowClient(double.mlflow).search_runs(
        ["0"], f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    )
    assert child.info.status == "FINISHED"
    assert 0 < child.data.metrics["val_roc_auc"] < 1
    with mlflow_at(double.mlflow):
        model = mlflow.pyfunc.load_model(f"runs:/{child.info.run_id}/train/model")
    assert "BUREAU_CREDITS" in model.metadata.get_input_schema().input_names()
    body = json.loads(double.calls("runs/submit")[-1])
    assert body["new_cluster"] == CONFIG["new_cluster"]
    assert body["libraries"] == [{"pypi": {"package": f"mlflow=={mlflow.__version__}"}}]


def test_a_job_that_fails_is_exit_code_0_of_the_command_line(double: Double, tiny: Path) -> None:
    """It does not wait, and the MLflow run of a job that never got that far stays open."""
    double.states = [{"life_cycle_state": "TERMINATED", "result_state": "FAILED"}]
    job = mlflow_run(double, tiny, "-P", "x=fail")
    double.states = []
    assert run_of(double, job).info.status == "RUNNING"


def test_what_git_does_not_track_is_uploaded_too(double: Double, tiny: Path) -> None:
    packed = b""
    for archive in double.root.glob("dbfs/mlflow-experiments/*/projects-code/*.tar.gz"):
        with tarfile.open(archive) as tar:
            names = tar.getnames()
            if "mlflow-project/train.py" in names:
                assert "mlflow-project/.git/HEAD" in names
                file = tar.extractfile("mlflow-project/.env")
                packed = file.read() if file else b""
    assert packed == f"PASSWORD={SECRET}".encode()


# MLflow does not close the archive that it makes.
leaves_a_file_open = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def run_and_wait(double: Double, project: Path, x: str, config: dict[str, object]) -> None:
    """MLflow's own Python call, which waits."""
    with mlflow_at(double.mlflow):
        mlflow.projects.run(
            str(project),
            "train",
            parameters={"x": x},
            backend="databricks",
            backend_config=config,
            env_manager="local",
            experiment_id="0",
        )


@leaves_a_file_open
def test_from_python_a_job_that_fails_is_an_error(double: Double, tiny: Path) -> None:
    running = {"life_cycle_state": "RUNNING"}
    double.states = [running, running, {"life_cycle_state": "TERMINATED", "result_state": "FAILED"}]
    with pytest.raises(ExecutionException, match="failed"):
        run_and_wait(double, tiny, "fail", CONFIG)
    double.states = []


@leaves_a_file_open
def test_a_runtime_that_databricks_offers_today_is_refused(double: Double, tiny: Path) -> None:
    cluster = CONFIG["new_cluster"] | {"spark_version": "17.3.x-scala2.13"}
    with pytest.raises(MlflowException, match="does not run on Databricks Runtime 13 or later"):
        run_and_wait(double, tiny, "alone", {"new_cluster": cluster, "libraries": []})


@leaves_a_file_open
def test_a_flat_configuration_takes_mlflows_own_options_for_keys_of_the_cluster(
    double: Double, tiny: Path
) -> None:
    with pytest.raises(MlflowException, match=r"unknown keys: .*'ENV_MANAGER'"):
        run_and_wait(double, tiny, "alone", CONFIG["new_cluster"])


def test_no_token_is_in_what_was_sent(double: Double) -> None:
    bodies = b"".join(body for _method, path, body in double.seen if not path.startswith("/dbfs/"))
    assert bodies
    assert TOKEN.encode() not in bodies
