"""`mlflow run` on a copy of this project, in a folder with a space, as a newcomer does."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.models import Model

from tests.servers import mlflow_server, post

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
COPIED = (
    "MLproject",
    "conda.yaml",
    "recipe.yaml",
    "model_card.yaml",
    "profiles",
    "steps",
    "features",
    "expectations",
    "src",
    "recipes",
)
N_APPLICANTS = 3000


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("home") / "my project"
    target.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", ".mlrecipes", "*.db")
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copy(source, target / name)
    return target


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """This environment's programs first: the project runs in it, without building another."""
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": programs}


def mlflow(copy: Path, environment: dict[str, str], *arguments: str, expect: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mlflow", *arguments],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout + done.stderr


def run(copy: Path, environment: dict[str, str], *arguments: str, expect: int = 0) -> str:
    words = ("run", ".", "--env-manager", "local", "-P", f"applicants={N_APPLICANTS}")
    return mlflow(copy, environment, *words, *arguments, expect=expect)


@pytest.fixture(scope="module")
def external(copy: Path, environment: dict[str, str]) -> list[str]:
    """What the pipeline of the other team leaves in the feature store."""
    run(copy, environment, "-e", "features", "-P", "set=external")
    return feature_tables(copy)


@pytest.fixture(scope="module")
def main(copy: Path, environment: dict[str, str], external: list[str]) -> str:
    return run(copy, environment)


def feature_tables(copy: Path) -> list[str]:
    folder = copy / ".mlrecipes" / "feature_tables"
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def client(copy: Path) -> MlflowClient:
    uri = f"sqlite:///{copy / 'mlflow.db'}"
    return MlflowClient(uri, uri)


def runs(copy: Path) -> list[Run]:
    experiments = [experiment.experiment_id for experiment in client(copy).search_experiments()]
    return list(client(copy).search_runs(experiments))


def test_the_main_job_registers_a_validated_challenger(copy: Path, main: str) -> None:
    version = client(copy).get_model_version_by_alias("home_credit_default", "challenger")
    assert version.tags["validation_status"] == "VALIDATED"
    assert "register   done" in main


def test_each_pipeline_adds_its_feature_tables(copy: Path, main: str, external: list[str]) -> None:
    assert external == ["bureau_credits", "bureau_months"]
    assert "features   done" in main
    assert "5 written" in main
    assert len(feature_tables(copy)) == 7


def test_our_run_is_a_child_of_the_projects_run(copy: Path, main: str) -> None:
    assert main
    children = [run for run in runs(copy) if "mlflow.parentRunId" in run.data.tags]
    (child,) = children
    parent = client(copy).get_run(child.data.tags["mlflow.parentRunId"])
    assert parent.data.tags["mlflow.project.entryPoint"] == "main"
    assert parent.info.experiment_id == child.info.experiment_id


def test_the_run_holds_params_metrics_inputs_and_artifacts(copy: Path, main: str) -> None:
    assert main
    (child,) = [run for run in runs(copy) if "mlflow.parentRunId" in run.data.tags]
    assert child.data.params["max_depth"] == "4"
    assert {"training_roc_auc", "val_gini", "test_ks", "test_brier_score"} <= set(
        child.data.metrics
    )
    contexts = {
        tag.value
        for dataset in child.inputs.dataset_inputs
        for tag in dataset.tags
        if tag.key == "mlflow.data.context"
    }
    assert {"training", "validation", "test"} <= contexts
    artifacts = {item.path for item in client(copy).list_artifacts(child.info.run_id)}
    assert {"ingest", "train", "transform", "evaluate", "register", "recipe_snapshot"} <= artifacts


def test_identifiers_never_reach_the_model(copy: Path, main: str) -> None:
    assert main
    model = next((copy / ".mlrecipes" / "objects").glob("train-*/model"))
    columns = Model.load(str(model)).get_input_schema().input_names()
    assert "EXT_SOURCE_1" in columns
    assert "BUREAU_CREDITS" in columns
    assert "SK_ID_CURR" not in columns


def test_a_second_run_keeps_everything(copy: Path, environment: dict[str, str], main: str) -> None:
    assert main
    assert "Nothing to do" in run(copy, environment)
    # The command line beside it sees the same results and the same store, blank in the path or not.
    words = ("src/launch.py", "plan", "--set", f"APPLICANTS={N_APPLICANTS}")
    plan = subprocess.run(
        [sys.executable, *words], cwd=copy, capture_output=True, text=True, check=True
    )
    assert "Nothing to do" in plan.stdout
    # MLflow itself makes an empty folder of that name.
    assert not list(copy.parent.glob("my%20project/*"))


def test_one_entry_point_runs_up_to_its_step(
    copy: Path, environment: dict[str, str], main: str
) -> None:
    assert main
    out = run(copy, environment, "-e", "split")
    assert "Nothing to do: all 3 steps are up to date." in out


def test_a_value_cannot_become_a_command(
    copy: Path, environment: dict[str, str], main: str
) -> None:
    assert main
    attack = f"profile=$(touch '{copy}/made');`touch made`; touch made"
    out = run(copy, environment, "-e", "ingest", "-P", attack, expect=1)
    assert "is no name of a profile" in out
    assert not (copy / "made").exists()


def test_a_rejected_model_is_not_registered(
    copy: Path, environment: dict[str, str], main: str
) -> None:
    assert main
    recipe = copy / "recipe.yaml"
    before = recipe.read_text()
    try:
        recipe.write_text(before.replace("default(0.70)", "default(0.99)"))
        out = run(copy, environment, "-e", "register", expect=1)
    finally:
        recipe.write_text(before)
    assert "the model was rejected. Nothing was registered." in out
    assert len(client(copy).search_model_versions("name='home_credit_default'")) == 1


def test_a_reset_lists_and_deletes_with_yes_only(
    copy: Path, environment: dict[str, str], main: str
) -> None:
    """In a copy of the copy: the tests after this one need the model."""
    assert main
    other = copy.with_name("another project")
    shutil.copytree(copy, other, ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts"))
    words = ("run", ".", "--env-manager", "local")
    mlflow(other, environment, *words, "-P", f"applicants={N_APPLICANTS}")
    ours = [run.info.run_id for run in runs(other)]
    assert len(ours) == 2

    listed = mlflow(other, environment, *words, "-e", "reset")
    assert "1 run of this recipe with this profile" in listed
    assert "1 run of mlflow run with no other run below" in listed
    assert set(ours) <= {run.info.run_id for run in runs(other)}

    done = mlflow(other, environment, *words, "-e", "reset", "-P", "yes=true")
    deleted = "Deleted 2 aliases, 2 versions, 2 models, 1 project run, 1 run, 7 feature tables."
    assert deleted in done
    left = runs(other)
    assert {run.data.tags["mlflow.project.entryPoint"] for run in left} == {"reset"}
    assert {run.info.status for run in left} == {"FINISHED"}
    assert client(other).search_registered_models() == []


@pytest.fixture(scope="module")
def served(copy: Path, environment: dict[str, str], main: str) -> Iterator[str]:
    """The address of the registered model, served on this machine only."""
    assert main
    command = ("models", "serve", "-m", "models:/home_credit_default@challenger")
    tracking = {"MLFLOW_TRACKING_URI": f"sqlite:///{copy / 'mlflow.db'}"}
    options = ("--env-manager", "local")
    with mlflow_server((*command, *options), "/ping", copy, environment | tracking) as (address, _):
        yield address


def test_the_served_model_answers_with_a_probability(copy: Path, served: str) -> None:
    example = next(
        (copy / ".mlrecipes" / "objects").glob("train-*/model/serving_input_example.json")
    )
    predictions = post(f"{served}/invocations", json.loads(example.read_bytes()))["predictions"]
    assert len(predictions) == 5
    assert all(0 < probability < 1 for probability in predictions)
