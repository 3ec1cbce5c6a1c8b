"""The command line in processes of its own, as a user meets it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow import MlflowClient

from mlrecipes.stores.lock import workspace_lock
from tests.conftest import REGRESSION, write_project

pytestmark = pytest.mark.e2e

LAUNCH = Path(__file__).parents[2] / "src" / "launch.py"
SLOW_TRAIN = """\
import time
from pathlib import Path

from sklearn.linear_model import Ridge


class SlowRidge(Ridge):
    def fit(self, X, y):
        Path("fitting").touch()
        if Path("slow").exists():
            time.sleep(120)
        return super().fit(X, y)


def estimator_fn(params):
    return SlowRidge(**params)
"""


def start(root: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, str(LAUNCH), *arguments],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )


def mlrecipes(root: Path, *arguments: str, expect: int = 0) -> str:
    process = start(root, *arguments)
    out, err = process.communicate(timeout=240)
    assert process.returncode == expect, out + err
    assert "Traceback" not in out + err
    return out + err


def plan(root: Path) -> dict[str, tuple[str, str]]:
    decisions = json.loads(mlrecipes(root, "plan", "--json"))
    return {d["step"]: (d["action"], d["because"]) for d in decisions}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def client(root: Path) -> MlflowClient:
    uri = f"sqlite:///{root / 'mlflow.db'}"
    return MlflowClient(uri, uri)


def wait_for(path: Path) -> None:
    for _ in range(600):
        if path.exists():
            return
        time.sleep(0.1)
    raise AssertionError(f"{path} did not appear")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recipe that ran once, and a copy of it to start each test from."""
    root = write_project(tmp_path_factory.mktemp("home") / "my recipe", REGRESSION)
    mlrecipes(root, "run")
    backup = root.with_name("backup")
    shutil.copytree(root, backup)
    return root, backup


@pytest.fixture
def trained(pristine: tuple[Path, Path]) -> Path:
    """The same place each time: where runs are recorded is part of what a result is made from."""
    root, backup = pristine
    for path in root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "mlflow.db":  # an open connection must not keep the old file
            path.unlink()
    shutil.copytree(backup, root, dirs_exist_ok=True)
    return root


def test_a_second_run_does_nothing_and_says_so(trained: Path) -> None:
    assert "Nothing to do: all 6 steps are up to date." in mlrecipes(trained, "run")
    assert len(client(trained).search_model_versions("name='houses'")) == 1


def test_a_run_that_does_nothing_imports_no_heavy_library(trained: Path) -> None:
    code = (
        "import sys; sys.argv[0] = 'x'\n"
        "from mlrecipes.cli import _run\n"
        "assert _run(['run']) == 0\n"
        "heavy = {'mlflow', 'pandas', 'numpy', 'sklearn', 'pyarrow', 'sqlglot'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=trained,
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(LAUNCH.parent)},
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_changed_parameter_runs_train_and_what_follows_and_says_why(trained: Path) -> None:
    edit(trained / "recipe.yaml", "alpha: 1.0", "alpha: 2.0")
    assert plan(trained) == {
        "ingest": ("cached", "nothing changed"),
        "split": ("cached", "nothing changed"),
        "transform": ("cached", "nothing changed"),
        "train": ("run", "steps.train.estimator_params.alpha 1.0 → 2.0"),
        "evaluate": ("depends", "train runs"),
        "register": ("depends", "train runs"),
    }
    mlrecipes(trained, "run")
    assert client(trained).get_model_version_by_alias("houses", "challenger").version == 2


def test_going_back_to_an_older_model_moves_the_alias_back(trained: Path) -> None:
    edit(trained / "recipe.yaml", "alpha: 1.0", "alpha: 2.0")
    mlrecipes(trained, "run")
    edit(trained / "recipe.yaml", "alpha: 2.0", "alpha: 1.0")
    mlrecipes(trained, "run")
    assert "Ridge()" in mlrecipes(trained, "inspect", "train")  # 1.0 is Ridge's own default
    assert client(trained).get_model_version_by_alias("houses", "challenger").version == 1


def test_a_comment_a_reformat_or_a_touch_runs_nothing(trained: Path) -> None:
    code = trained / "steps" / "train.py"
    edit(
        code, "    return Ridge(**params)", "    # why\n    return Ridge(\n        **params\n    )"
    )
    (trained / "steps" / "transform.py").touch()
    (trained / "houses.csv").touch()
    assert {action for action, _because in plan(trained).values()} == {"cached"}


def test_changed_code_is_named(trained: Path) -> None:
    edit(trained / "steps" / "train.py", "Ridge(**params)", "Ridge(**params, tol=0.01)")
    assert plan(trained)["train"] == ("run", "steps/train.py: estimator_fn changed")


def test_changed_code_in_an_imported_module_is_named(regression: Path) -> None:
    (regression / "steps" / "settings.py").write_text("TOLERANCE = 0.1\n")
    train = regression / "steps" / "train.py"
    edit(train, "def ", "from steps.settings import TOLERANCE\n\n\ndef ")
    mlrecipes(regression, "run", "--to", "train")
    (regression / "steps" / "settings.py").write_text("TOLERANCE = 0.2\n")
    assert plan(regression)["train"] == ("run", "steps/settings.py: module level changed")


def test_a_changed_input_file_is_named(trained: Path) -> None:
    with (trained / "houses.csv").open("a") as file:
        file.write("1000,3,50,80\n")
    assert plan(trained)["ingest"] == ("run", "input houses.csv changed")


def test_rows_that_are_added_move_no_row_to_another_part(trained: Path) -> None:
    before = artifact_keys(trained)
    with (trained / "houses.csv").open("a") as file:
        file.write("1000,3,50,80\n")
    mlrecipes(trained, "run", "--to", "split")
    after = artifact_keys(trained)
    assert all(after[house] == part for house, part in before.items())


def artifact_keys(root: Path) -> dict[int, str]:
    import pandas as pd

    parts = {}
    for part in ("training_data", "validation_data", "test_data"):
        path = mlrecipes(root, "get-artifact", part).strip()
        parts |= dict.fromkeys(pd.read_parquet(path)["house"], part)
    return parts


def test_kill_9_in_the_middle_of_train_resumes_at_train(regression: Path) -> None:
    (regression / "steps" / "train.py").write_text(SLOW_TRAIN)
    (regression / "slow").touch()
    process = start(regression, "run")
    wait_for(regression / "fitting")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (regression / "slow").unlink()

    out = mlrecipes(regression, "run")
    assert [line for line in out.splitlines() if "kept" in line and "transform" in line]
    assert "train      running: never ran" in out
    runs = client(regression).search_runs(["1"])
    assert sorted(run.info.status for run in runs) == ["FINISHED", "KILLED"]
    assert not list((regression / ".mlrecipes").glob("staging/*"))
    assert "Nothing to do" in mlrecipes(regression, "run")


def test_a_run_that_was_left_open_is_ended_even_if_nothing_else_is_to_do(trained: Path) -> None:
    """As after a kill between the result and the end of its run."""
    (run,) = client(trained).search_runs(["1"])
    client(trained).update_run(run.info.run_id, status="RUNNING")
    journal = {f"sqlite:///{trained / 'mlflow.db'}": [run.info.run_id]}
    (trained / ".mlrecipes" / "open_runs.json").write_text(json.dumps(journal))
    assert "Nothing to do" in mlrecipes(trained, "run")
    assert client(trained).get_run(run.info.run_id).info.status == "FINISHED"


def test_a_start_behind_the_target_exits_2(trained: Path) -> None:
    out = mlrecipes(trained, "run", "--from", "train", "--to", "split", expect=2)
    assert "train does not come before split" in out


def test_a_result_that_is_gone_is_told(trained: Path) -> None:
    shutil.rmtree(next((trained / ".mlrecipes" / "objects").glob("split-*")))
    assert plan(trained)["split"] == ("run", "its last result is damaged or gone")


def test_sigterm_ends_the_run_as_killed(regression: Path) -> None:
    (regression / "steps" / "train.py").write_text(SLOW_TRAIN)
    (regression / "slow").touch()
    process = start(regression, "run")
    wait_for(regression / "fitting")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert [run.info.status for run in client(regression).search_runs(["1"])] == ["KILLED"]


def test_a_second_process_exits_75_and_names_the_first(regression: Path) -> None:
    (regression / "steps" / "train.py").write_text(SLOW_TRAIN)
    (regression / "slow").touch()
    process = start(regression, "run")
    try:
        wait_for(regression / "fitting")
        out = mlrecipes(regression, "run", expect=75)
        assert f"process {process.pid} of" in out
    finally:
        process.kill()
        process.communicate()


def test_a_rejected_model_exits_3_and_registers_nothing(regression: Path) -> None:
    (regression / "profiles" / "local.yaml").write_text("MAX_RMSE: 0.001\n")
    out = mlrecipes(regression, "run", expect=3)
    assert "the model was rejected. Nothing was registered." in out
    assert "root_mean_squared_error" in out
    assert "recipe.yaml:13" in out
    assert client(regression).search_registered_models() == []
    mlrecipes(regression, "run", "--to", "register", expect=3)
    (run,) = client(regression).search_runs(["1"])
    assert run.data.tags["validation_status"] == "REJECTED"
    assert run.info.status == "FINISHED"


def test_all_problems_of_the_configuration_are_told_at_once(regression: Path) -> None:
    edit(regression / "recipe.yaml", "using: csv", "usin: csv")
    edit(regression / "recipe.yaml", "target_col", "targt_col")
    out = mlrecipes(regression, "check", expect=2)
    assert "recipe.yaml:2" in out
    assert "recipe.yaml:5" in out
    assert "Did you mean 'using'" in out
    assert not (regression / ".mlrecipes").exists()


def test_a_threshold_on_an_unknown_metric_is_found_without_running(regression: Path) -> None:
    edit(regression / "recipe.yaml", "metric: root_mean_squared_error", "metric: rmsee")
    assert "rmsee" in mlrecipes(regression, "check", expect=2)


def test_a_missing_user_function_is_found_without_running(regression: Path) -> None:
    edit(regression / "steps" / "train.py", "def estimator_fn", "def estimator")
    out = mlrecipes(regression, "check", expect=2)
    assert "recipe.yaml:9: steps.train.estimator_method is 'estimator_fn'" in out


def test_an_error_in_user_code_names_its_line_and_leaves_a_card(regression: Path) -> None:
    edit(regression / "steps" / "train.py", "return Ridge", "1 / 0\n    return Ridge")
    out = mlrecipes(regression, "run", "--set", "MAX_RMSE=4", expect=1)
    assert "ZeroDivisionError: division by zero (steps/train.py:5)" in out
    assert "Go on with: mlrecipes run --set MAX_RMSE=4" in out
    card = regression / ".mlrecipes" / "cards" / "local" / "train.html"
    assert "ZeroDivisionError" in card.read_text()
    assert "division by zero" in mlrecipes(regression, "inspect", "train")


def test_a_missing_column_is_named_with_its_place(regression: Path) -> None:
    edit(regression / "recipe.yaml", "id_cols: [house]", "id_cols: [huose]")
    out = mlrecipes(regression, "run", expect=1)
    assert "recipe.yaml:3: id_cols names 'huose'" in out
    assert "Did you mean 'house'?" in out


def test_a_damaged_result_is_made_again(trained: Path) -> None:
    path = next((trained / ".mlrecipes" / "objects").glob("split-*/training_data.parquet"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    edit(trained / "recipe.yaml", "alpha: 1.0", "alpha: 2.0")
    out = mlrecipes(trained, "run")
    assert "split      repaired: training_data" in out
    assert "Nothing to do" in mlrecipes(trained, "run")


def test_status_tells_what_each_step_has(trained: Path) -> None:
    out = mlrecipes(trained, "status")
    assert "400 rows x 4 columns" in out


def test_clean_forgets_a_step(trained: Path) -> None:
    assert "Forgotten: train." in mlrecipes(trained, "clean", "--step", "train")
    assert plan(trained)["train"] == ("run", "never ran")


def test_a_run_prints_json_on_stdout_only(regression: Path) -> None:
    process = start(regression, "run", "--to", "split", "--json")
    out, err = process.communicate(timeout=120)
    assert [step["step"] for step in json.loads(out)["steps"]] == ["ingest", "split"]
    assert "ingest" in err


def test_an_option_that_does_not_exist_exits_2(regression: Path) -> None:
    mlrecipes(regression, "run", "--nope", expect=2)


def test_an_unknown_step_exits_2_with_a_suggestion(regression: Path) -> None:
    assert "Did you mean 'train'?" in mlrecipes(regression, "run", "--to", "tran", expect=2)


def test_a_reset_lists_and_deletes_nothing_without_yes(trained: Path) -> None:
    out = mlrecipes(trained, "reset")
    assert "registered model houses: version 1; alias challenger of 1" in out
    assert "1 run of this recipe with this profile" in out
    assert "experiment my recipe (id 1)" in out
    assert "Nothing was deleted. Do it: mlrecipes reset --yes" in out
    assert mlrecipes(trained, "reset", "--confirm", "perhaps") == out
    assert client(trained).get_registered_model("houses").aliases == {"challenger": 1}
    assert "Nothing to do" in mlrecipes(trained, "run")


def test_a_reset_deletes_with_yes_and_the_second_one_finds_nothing(trained: Path) -> None:
    out = mlrecipes(trained, "reset", "--yes")
    assert "Deleted 1 alias, 1 version, 1 model, 1 run, 1 experiment." in out
    assert client(trained).search_registered_models() == []
    assert [one.name for one in client(trained).search_experiments()] == ["Default"]
    assert "There is nothing to delete." in mlrecipes(trained, "reset", "--yes")
    assert plan(trained)["transform"] == ("cached", "nothing changed")
    assert plan(trained)["train"][1].startswith("its runs went in the reset of 20")


def test_a_reset_as_json(trained: Path) -> None:
    listed = json.loads(mlrecipes(trained, "reset", "--json"))
    assert (listed["is_done"], listed["command"]) == (False, "mlrecipes reset --yes")
    assert [part["kind"] for part in listed["goes"]] == [
        *("alias", "version", "model", "run", "experiment")
    ]
    assert listed["stays"] == []
    assert json.loads(mlrecipes(trained, "reset", "--yes", "--json"))["is_done"] is True


def test_a_reset_beside_another_process_exits_75(trained: Path) -> None:
    with workspace_lock(trained / ".mlrecipes"):
        out = mlrecipes(trained, "reset", "--yes", expect=75)
        assert f"process {os.getpid()} of" in out
        assert "A reset would delete:" in mlrecipes(trained, "reset")
    assert len(client(trained).search_model_versions("name='houses'")) == 1


def test_a_protected_profile_says_what_to_type(regression: Path) -> None:
    (regression / "profiles" / "prod.yaml").write_text("MAX_RMSE: 5.0\nprotected: true\n")
    out = mlrecipes(regression, "reset", "-p", "prod", "--yes", expect=2)
    assert "profiles/prod.yaml:2: protected is true. Nothing was deleted." in out
    assert "--yes --model-name NAME" in out
    out = mlrecipes(regression, "reset", "-p", "prod", "--yes", "--model-name", "houses")
    assert "There is nothing to delete." in out
