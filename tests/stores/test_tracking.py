"""Runs end up in a real MLflow as they were recorded, whatever happens on the way."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow import MlflowClient

import mlrecipes
from mlrecipes.errors import StoreError
from mlrecipes.ports import DatasetInput
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget, get_run
from mlrecipes.stores.tracking_values import frame_digest, plain_name, safe_name
from tests.mlflow_at import Store


@pytest.fixture(scope="module")
def uri(mlflow: Store) -> str:
    return mlflow.uri


@pytest.fixture
def new_tracker(uri: str, tmp_path: Path) -> Callable[..., MlflowTracker]:
    def make(experiment: str | None = "houses", **more: Any) -> MlflowTracker:
        target = TrackingTarget(uri, experiment, more.pop("experiment_id", None), **more)
        return MlflowTracker(target, tmp_path / "open_runs.json")

    return make


@pytest.fixture
def tracker(new_tracker: Callable[..., MlflowTracker]) -> MlflowTracker:
    return new_tracker()


@pytest.fixture
def client(mlflow: Store) -> MlflowClient:
    return mlflow.client


def python(code: str, *args: str) -> "subprocess.Popen[str]":
    """Run some code in a process of its own that finds our package."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(mlrecipes.__file__).parents[1])},
    )


# ---- opening runs ------------------------------------------------------------------------


def test_a_run_is_opened_in_an_experiment_that_is_made_for_it(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    run = tracker.start_run({"mlflow.source.type": "RECIPE"})
    assert run.status == "RUNNING"
    assert client.get_experiment(run.experiment_id).name == "houses"
    assert client.get_run(run.run_id).data.tags["mlflow.source.type"] == "RECIPE"


def test_artifacts_of_a_local_store_lie_beside_its_database(
    tracker: MlflowTracker, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = tracker.start_run({})
    tracker.log_text(run.run_id, "hello", "notes/a.txt")
    folder = Path(uri.removeprefix("sqlite:///")).parent / "mlartifacts"
    assert (folder / run.run_id / "artifacts/notes/a.txt").read_text() == "hello"
    assert not (tmp_path / "mlruns").exists()


def test_a_given_artifact_location_counts_for_a_new_experiment(
    new_tracker: Callable[..., MlflowTracker], client: MlflowClient, tmp_path: Path
) -> None:
    location = (tmp_path / "elsewhere").as_uri()
    run = new_tracker("elsewhere", artifact_location=location).start_run({})
    assert client.get_experiment(run.experiment_id).artifact_location == location


def test_a_run_is_a_child_of_the_project_run(
    new_tracker: Callable[..., MlflowTracker], client: MlflowClient
) -> None:
    run = new_tracker(parent_run_id="0123").start_run({})
    assert client.get_run(run.run_id).data.tags["mlflow.parentRunId"] == "0123"


def test_a_run_name_begins_with_the_prefix(
    new_tracker: Callable[..., MlflowTracker], client: MlflowClient
) -> None:
    run = new_tracker(run_name_prefix="night").start_run({})
    prefix, _, rest = client.get_run(run.run_id).info.run_name.partition("-")
    assert (prefix, len(rest)) == ("night", 8)


def test_an_experiment_can_be_given_by_its_id(
    new_tracker: Callable[..., MlflowTracker], client: MlflowClient
) -> None:
    experiment_id = client.create_experiment("by id")
    run = new_tracker(None, experiment_id=experiment_id).start_run({})
    assert run.experiment_id == experiment_id


def test_an_unknown_experiment_id_is_a_store_error(
    new_tracker: Callable[..., MlflowTracker],
) -> None:
    with pytest.raises(StoreError, match="No Experiment with id=4711"):
        new_tracker(None, experiment_id="4711").start_run({})


def test_a_deleted_experiment_is_named_with_the_way_to_restore_it(
    new_tracker: Callable[..., MlflowTracker], client: MlflowClient
) -> None:
    experiment_id = client.create_experiment("gone")
    client.delete_experiment(experiment_id)
    with pytest.raises(StoreError, match=f"experiments restore --experiment-id {experiment_id}"):
        new_tracker("gone").start_run({})


def test_a_user_without_a_name_can_start_a_run(
    tracker: MlflowTracker, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container, the number that a process runs under often has no entry in passwd."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)
    run = tracker.start_run({})
    assert client.get_run(run.run_id).data.tags["mlflow.user"] == "unknown"


# Imported before the fork, so that the four reach the database in the same moment.
RACE = """
import importlib, os, sys
from pathlib import Path
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget
importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
uri, folder = sys.argv[1:]
children = []
for i in range(4):
    child = os.fork()
    if child == 0:
        tracker = MlflowTracker(TrackingTarget(uri, "race", None), Path(folder, f"{i}.json"))
        Path(folder, f"{i}.txt").write_text(tracker.start_run({}).run_id)
        tracker.end_open_runs("FINISHED")
        os._exit(0)
    children.append(child)
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_four_processes_can_touch_a_fresh_database_at_once(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/fresh/mlflow.db"
    race = python(RACE, uri, str(tmp_path))
    _, errors = race.communicate(timeout=120)
    assert race.returncode == 0, errors
    runs = [get_run(uri, path.read_text()) for path in tmp_path.glob("*.txt")]
    assert len(runs) == 4
    assert len({run.info.experiment_id for run in runs}) == 1


def test_importing_the_tracker_imports_neither_mlflow_nor_pandas() -> None:
    code = (
        "import sys, mlrecipes.stores.tracking, mlrecipes.stores.registry;"
        "print({'mlflow', 'pandas'} & set(sys.modules))"
    )
    assert python(code).communicate(timeout=60)[0].strip() == "set()"


# ---- values ------------------------------------------------------------------------------


def test_values_are_recorded(tracker: MlflowTracker, client: MlflowClient) -> None:
    run_id = tracker.start_run({}).run_id
    tracker.log(run_id, params={"alpha": 1.0}, metrics={"rmse": 0.5}, tags={"who": "ann"})
    data = client.get_run(run_id).data
    assert (data.params, data.metrics) == ({"alpha": "1.0"}, {"rmse": 0.5})
    assert data.tags["who"] == "ann"


def test_more_values_than_fit_into_one_request_are_all_recorded(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    run_id = tracker.start_run({}).run_id
    tracker.log(
        run_id,
        params={f"p{i}": i for i in range(250)},
        metrics={f"m{i}": float(i) for i in range(900)},
        tags={f"t{i}": str(i) for i in range(120)},
    )
    data = client.get_run(run_id).data
    assert (len(data.params), len(data.metrics)) == (250, 900)
    assert data.tags["t119"] == "119"


def test_a_metric_that_is_not_finite_becomes_a_tag(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    run_id = tracker.start_run({}).run_id
    tracker.log(run_id, metrics={"a": float("inf"), "b": float("nan"), "c": np.float64(1)})
    data = client.get_run(run_id).data
    assert data.metrics == {"c": 1.0}
    assert (data.tags["nonfinite.a"], data.tags["nonfinite.b"]) == ("inf", "nan")


def test_long_values_are_cut_with_a_mark(tracker: MlflowTracker, client: MlflowClient) -> None:
    run_id = tracker.start_run({}).run_id
    tracker.log(run_id, params={"p": "x" * 9000}, tags={"t": "y" * 9000})
    data = client.get_run(run_id).data
    assert len(data.params["p"]) == 6000
    assert data.params["p"].endswith("… (cut of 9000 characters)")
    assert len(data.tags["t"]) == 8000


def test_names_that_mlflow_refuses_are_recorded(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    names = ["a=b", "x<5", "f(x)", "p@5", "90%", "a,b", "../up", "a//b", "/a", "a/", ".", "", "ä:b"]
    run_id = tracker.start_run({}).run_id
    tracker.log(run_id, metrics=dict.fromkeys(names, 1.0), params=dict.fromkeys(names, 1))
    data = client.get_run(run_id).data
    assert {plain_name(name) for name in data.metrics} == set(names)
    assert {plain_name(name) for name in data.params} == set(names)


@given(st.text(max_size=20))
def test_a_safe_name_is_taken_and_turns_back_into_the_name(name: str) -> None:
    from mlflow.utils.validation import _validate_metric_name

    _validate_metric_name(safe_name(name))
    assert plain_name(safe_name(name)) == name


@given(st.text("_x0123456789abcdef", max_size=20))
def test_names_that_look_escaped_turn_back_too(name: str) -> None:
    assert plain_name(safe_name(name)) == name


def test_long_names_stay_apart() -> None:
    first, second = safe_name("a" * 300), safe_name("a" * 301)
    assert first != second
    assert len(first) == len(second) == 250


def test_another_value_of_a_parameter_is_a_store_error(tracker: MlflowTracker) -> None:
    run_id = tracker.start_run({}).run_id
    tracker.log(run_id, params={"a": 1})
    with pytest.raises(StoreError, match="Could not record values of run"):
        tracker.log(run_id, params={"a": 2})


# ---- tables, files, experiment -------------------------------------------------------------


def test_tables_are_recorded_with_digest_schema_and_context(
    tracker: MlflowTracker, client: MlflowClient, tmp_path: Path
) -> None:
    frame = pd.DataFrame({"x": [1, 2], "word": ["a", None], "y": [0.5, 1.5]})
    run_id = tracker.start_run({}).run_id
    tracker.log_inputs(
        run_id, [DatasetInput("training_data", "training", frame, str(tmp_path), "y")]
    )
    (logged,) = client.get_run(run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("training_data", frame_digest(frame))
    assert '"name": "word"' in logged.dataset.schema
    assert json.loads(logged.dataset.profile) == {"num_rows": 2, "num_elements": 6}
    assert [(tag.key, tag.value) for tag in logged.tags] == [("mlflow.data.context", "training")]


def test_a_digest_sees_values_types_names_and_length() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]})
    others = [
        frame.replace(2, 4),
        frame.astype(float),
        frame.rename(columns={"x": "z"}),
        frame.head(2),
    ]
    assert len({frame_digest(other) for other in [frame, *others]}) == 5
    assert frame_digest(frame) == frame_digest(frame.copy())


def test_cells_that_cannot_be_hashed_have_a_digest() -> None:
    assert len(frame_digest(pd.DataFrame({"x": [[1], {"a": 2}]}))) == 16


def test_a_folder_is_uploaded(tracker: MlflowTracker, client: MlflowClient, tmp_path: Path) -> None:
    (tmp_path / "model/data").mkdir(parents=True)
    (tmp_path / "model/data/x.bin").write_bytes(b"123")
    run_id = tracker.start_run({}).run_id
    tracker.log_directory(run_id, tmp_path / "model", "train/model")
    assert [file.path for file in client.list_artifacts(run_id, "train/model/data")] == [
        "train/model/data/x.bin"
    ]


def test_a_folder_that_is_not_there_is_a_store_error(
    tracker: MlflowTracker, tmp_path: Path
) -> None:
    run_id = tracker.start_run({}).run_id
    with pytest.raises(StoreError, match="Could not upload train/model: there is no folder"):
        tracker.log_directory(run_id, tmp_path / "missing", "train/model")


def test_tags_are_set_on_the_experiment(tracker: MlflowTracker, client: MlflowClient) -> None:
    run = tracker.start_run({})
    tracker.set_experiment_tags(run.run_id, {"mlflow.experiment.primaryMetric.name": "rmse"})
    tags = client.get_experiment(run.experiment_id).tags
    assert tags["mlflow.experiment.primaryMetric.name"] == "rmse"


# ---- finding and ending runs ---------------------------------------------------------------


def test_a_run_is_found_unless_it_was_deleted(tracker: MlflowTracker, client: MlflowClient) -> None:
    run = tracker.start_run({})
    assert tracker.find_run(run.run_id) == run
    client.delete_run(run.run_id)
    assert tracker.find_run(run.run_id) is None
    assert tracker.find_run("no such run") is None


def test_what_was_recorded_of_a_run_is_read_back(
    tracker: MlflowTracker, client: MlflowClient
) -> None:
    run = tracker.start_run({"mlflow.user": "ann", "colour": "red"})
    tracker.log(run.run_id, params={"alpha": 1}, metrics={"auc": 0.5})
    record = tracker.read_run(run.run_id)
    assert record is not None
    assert (record.user, record.tags["colour"]) == ("ann", "red")
    assert (record.params, record.metrics) == ({"alpha": "1"}, {"auc": 0.5})
    assert record.started_at.endswith("+00:00")
    client.delete_run(run.run_id)
    assert tracker.read_run(run.run_id) is None


def test_get_run_gives_mlflow_s_run(tracker: MlflowTracker, uri: str) -> None:
    run = tracker.start_run({})
    assert get_run(uri, run.run_id).info.run_id == run.run_id


def test_a_run_that_is_not_there_is_a_store_error(uri: str) -> None:
    with pytest.raises(StoreError, match="Run 0123 is not in sqlite:"):
        get_run(uri, "0123")


def test_open_runs_are_ended_and_leave_the_journal(tracker: MlflowTracker, tmp_path: Path) -> None:
    run = tracker.start_run({})
    assert run.run_id in (tmp_path / "open_runs.json").read_text()
    tracker.end_open_runs("FAILED")
    found = tracker.find_run(run.run_id)
    assert found is not None
    assert found.status == "FAILED"
    assert not (tmp_path / "open_runs.json").exists()


def test_a_run_that_was_deleted_meanwhile_does_not_hinder_the_end(
    tracker: MlflowTracker, client: MlflowClient, tmp_path: Path
) -> None:
    run = tracker.start_run({})
    client.delete_run(run.run_id)
    tracker.end_open_runs("FINISHED")
    assert not (tmp_path / "open_runs.json").exists()


@pytest.mark.parametrize(("was_done", "status"), [(True, "FINISHED"), (False, "KILLED")])
def test_a_run_that_a_killed_process_left_is_ended(
    new_tracker: Callable[..., MlflowTracker], tmp_path: Path, *, was_done: bool, status: str
) -> None:
    run = new_tracker().start_run({})  # and this tracker is never heard of again
    tracker = new_tracker()
    tracker.reap(keep=lambda run_id: was_done and run_id == run.run_id)
    found = tracker.find_run(run.run_id)
    assert found is not None
    assert found.status == status
    assert not (tmp_path / "open_runs.json").exists()


LEAVE = """
import os, signal, sys
from pathlib import Path
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget
tracker = MlflowTracker(TrackingTarget(sys.argv[1], "houses", None), Path(sys.argv[2]))
print(tracker.start_run({}).run_id, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_of_a_process_that_was_shot_is_ended_by_the_next(
    tracker: MlflowTracker, uri: str, tmp_path: Path
) -> None:
    shot = python(LEAVE, uri, str(tmp_path / "open_runs.json"))
    run_id = shot.communicate(timeout=60)[0].strip()
    assert shot.returncode == -9
    left = tracker.find_run(run_id)
    assert left is not None
    assert left.status == "RUNNING"
    tracker.reap(keep=lambda _: False)
    ended = tracker.find_run(run_id)
    assert ended is not None
    assert ended.status == "KILLED"


def test_runs_of_another_server_stay_in_the_journal(
    new_tracker: Callable[..., MlflowTracker], tmp_path: Path
) -> None:
    run = new_tracker().start_run({})
    other = TrackingTarget(f"sqlite:///{tmp_path}/other.db", "houses", None)
    MlflowTracker(other, tmp_path / "open_runs.json").reap(keep=lambda _: False)
    assert run.run_id in (tmp_path / "open_runs.json").read_text()
    assert not (tmp_path / "other.db").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "null"])
def test_a_damaged_journal_is_as_good_as_none(
    tracker: MlflowTracker, tmp_path: Path, text: str
) -> None:
    (tmp_path / "open_runs.json").write_text(text)
    tracker.reap(keep=lambda _: False)


def test_reaping_without_a_journal_imports_no_mlflow(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget\n"
        "target = TrackingTarget('http://127.0.0.1:9', 'x', None)\n"
        "MlflowTracker(target, Path(sys.argv[1])).reap(keep=lambda _: False)\n"
        "print('mlflow' in sys.modules)"
    )
    assert python(code, str(tmp_path / "j.json")).communicate(timeout=60)[0].strip() == "False"
