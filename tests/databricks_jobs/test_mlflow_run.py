"""`mlflow run` with the backend, as a user types it: the double runs the job for real."""

import gzip
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.databricks_jobs.workspace_double import TOKEN, Double, workspace_double
from tests.servers import mlflow_server

pytestmark = pytest.mark.e2e

SRC = Path(__file__).parents[2] / "src"
# Without the processes for jobs of its own.
QUIET = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
SECRET = "hush-" + "hush"
PROJECT = {
    "MLproject": "name: tiny\nentry_points:\n  train:\n    parameters:\n"
    '      x: {type: string, default: ""}\n'
    '    command: "python train.py --x {x}"\n',
    "requirements.txt": "./greeting-1.0-py3-none-any.whl\n",
    "train.py": "import sys, os, greeting, mlflow\n"
    "if sys.argv[2] == 'fail':\n    raise ValueError('no such column')\n"
    "with mlflow.start_run():\n    mlflow.log_text(sys.argv[2] + greeting.WORD, 'x.txt')\n"
    "    mlflow.log_dict(dict(files=sorted(os.listdir())), 'files.json')\n",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Double, str]]:
    """A project under git, a double, and the address of an MLflow server."""
    root = tmp_path_factory.mktemp("jobs")
    project = root / "project"
    project.mkdir()
    for name, text in PROJECT.items():
        (project / name).write_text(text)
    with zipfile.ZipFile(project / "greeting-1.0-py3-none-any.whl", "w") as wheel:
        about = "greeting-1.0.dist-info"
        wheel.writestr("greeting.py", "WORD = '!'\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=project, check=True)  # noqa: S607
    (project / ".env").write_text(f"PASSWORD={SECRET}")
    # The entry point as an installed package has it.
    plugin = root / "plugin" / "plugin-1.0.dist-info"
    plugin.mkdir(parents=True)
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (plugin / "entry_points.txt").write_text(
        "[mlflow.project_backend]\n"
        "databricks-jobs = mlrecipes.databricks_jobs.backend:DatabricksJobs\n"
    )
    store = f"sqlite:///{root / 'mlflow.db'}"
    server = ["server", "--workers", "1", "--backend-store-uri", store]
    server += ["--artifacts-destination", str(root / "artifacts")]
    with (
        mlflow_server(server, "/health", root, os.environ | QUIET) as (address, _process),
        workspace_double(root) as double,
    ):
        yield root, double, address


def mlflow_run(place: tuple[Path, Double, str], x: str) -> "subprocess.CompletedProcess[str]":
    root, double, address = place
    config = {
        "volume": "/Volumes/main/ml/jobs",
        "serverless": {"environment_version": "4"},
        "requirements": "requirements.txt",
        "poll_s": 1,
    }
    (root / "jobs.json").write_text(json.dumps(config))
    run = ["run", "project", "-e", "train", "-b", "databricks-jobs", "-c", "jobs.json"]
    return subprocess.run(
        [sys.executable, "-m", "mlflow", *run, "-P", f"x={x}"],
        cwd=root,
        env=os.environ
        | {
            "MLFLOW_TRACKING_URI": address,
            "DATABRICKS_HOST": double.address,
            "DATABRICKS_TOKEN": TOKEN,
            "PYTHONPATH": os.pathsep.join([str(SRC), str(root / "plugin")]),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_project_runs_in_the_job_and_in_the_run_that_mlflow_made(
    place: tuple[Path, Double, str],
) -> None:
    _root, double, address = place
    done = mlflow_run(place, "$(two) words")
    assert done.returncode == 0, done.stderr[-3000:]
    client = MlflowClient(address)
    (run,) = client.search_runs(["0"], max_results=1)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.databricks.runURL"].startswith(double.address)
    assert run.data.tags["mlflow.project.backend"] == "databricks-jobs"
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"x.txt", "files.json"}
    text = Path(client.download_artifacts(run.info.run_id, "x.txt")).read_text()
    assert text == "$(two) words!"
    files = json.loads(Path(client.download_artifacts(run.info.run_id, "files.json")).read_text())
    assert files["files"] == sorted([*PROJECT, "greeting-1.0-py3-none-any.whl"])
    (body,) = double.calls("runs/submit")
    assert json.loads(body)["environments"][0]["spec"] == {"environment_version": "4"}
    bodies = b"".join(body for _method, _path, body in double.seen)
    assert TOKEN.encode() not in bodies
    for file in double.root.glob("Volumes/main/ml/jobs/mlrecipes/*.tar.gz"):
        assert SECRET.encode() not in gzip.decompress(file.read_bytes())


def test_a_job_that_fails_is_exit_code_1_with_its_error_and_link(
    place: tuple[Path, Double, str],
) -> None:
    _root, double, address = place
    done = mlflow_run(place, "fail")
    assert done.returncode == 1
    assert "The job ended with FAILED: RuntimeError: The project's command ended" in done.stderr
    assert f"{double.address}/jobs/runs/" in done.stderr
    (run,) = MlflowClient(address).search_runs(["0"], max_results=1)
    assert run.info.status == "FAILED"
