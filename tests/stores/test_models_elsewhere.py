"""A logged model works where mlrecipes is not: in a fresh process, by its URI, on a server."""

import os
import subprocess
import sys
import urllib.error
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import mlrecipes
from tests.servers import mlflow_server, post

pytestmark = pytest.mark.e2e

SOURCES = Path(mlrecipes.__file__).parents[1]
TRANSFORM = """\
def prepare(frame):
    words = frame["garden"].map(lambda word: 0 if word != word or word is None else len(word))
    return frame[["rooms", "area"]].fillna(0).astype(float).assign(words=words)
"""
MAKE = """
import sys
from pathlib import Path
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from mlrecipes.ports import ModelDescription
from mlrecipes.stores.models import MlflowModels, model_requirements
from mlrecipes.stores.registry import MlflowRegistry
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget
from steps.transform import prepare

root, uri = Path(sys.argv[1]), sys.argv[2]
frame = pd.DataFrame({"rooms": [1, 2, 3, 4] * 5, "area": [20.5, 31.0, 42.5, 90.0] * 5,
                      "garden": ["none", None, "small", "big"] * 5})
pipeline = Pipeline([("transformer", FunctionTransformer(prepare)),
                     ("estimator", LogisticRegression())])
pipeline.fit(frame, ["no", "no", "yes", "yes"] * 5)
description = ModelDescription("binary", "probability", classes=("no", "yes"),
    positive_class="yes", requirements=model_requirements([]), code_paths=(root / "steps",))
MlflowModels().save(pipeline, description, frame, root / "model")
tracker = MlflowTracker(TrackingTarget(uri, "houses", None), root / "open_runs.json")
run_id = tracker.start_run({}).run_id
tracker.log_directory(run_id, root / "model", "train/model")
tracker.end_open_runs("FINISHED")
registry = MlflowRegistry(uri, uri)
version = registry.register("houses", run_id, "train/model", {})
registry.set_alias("houses", "champion", version.version)
print(run_id, *pipeline.predict_proba(frame.head(4))[:, 1])
"""
USE = """
import sys
sys.modules["mlrecipes"] = None  # importing it fails
import mlflow.pyfunc, mlflow.sklearn, pandas as pd
rows = pd.DataFrame({"rooms": [1, 2, 3, 4], "area": [20.5, 31.0, 42.5, 90.0],
                     "garden": ["none", None, "small", "big"]})
flavor = {"pyfunc": lambda uri: mlflow.pyfunc.load_model(uri).predict(rows),
          "sklearn": lambda uri: mlflow.sklearn.load_model(uri).predict_proba(rows)[:, 1]}
for word in sys.argv[1:]:
    name, uri = word.split("=", 1)
    print(*flavor[name](uri))
"""


@dataclass(frozen=True)
class Made:
    """A model, saved, logged and registered by another process that is gone."""

    model: Path
    tracking_uri: str
    run_id: str
    probabilities: list[float]


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more


def run(cwd: Path, *command: str, **more: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("my recipe")
    (root / "steps").mkdir()
    (root / "steps/__init__.py").write_text("")
    (root / "steps/transform.py").write_text(TRANSFORM)
    uri = f"sqlite:///{root}/mlflow.db"
    printed = run(root, "-c", MAKE, str(root), uri, PYTHONPATH=f"{SOURCES}{os.pathsep}{root}")
    run_id, *probabilities = printed.split()
    # What follows must find the steps in the model, not here.
    (root / "steps").rename(root / "moved away")
    return Made(root / "model", uri, run_id, [float(number) for number in probabilities])


def test_a_model_loads_in_a_fresh_process_without_mlrecipes(made: Made, tmp_path: Path) -> None:
    """As a folder in both flavors, by the URI of its run and by its alias in the registry."""
    words = [
        f"pyfunc={made.model}",
        f"sklearn={made.model}",
        f"pyfunc=runs:/{made.run_id}/train/model",
        f"sklearn=runs:/{made.run_id}/train/model",
        "pyfunc=models:/houses@champion",
    ]
    printed = run(tmp_path, "-c", USE, *words, MLFLOW_TRACKING_URI=made.tracking_uri)
    answers = [[float(number) for number in line.split()] for line in printed.splitlines()]
    assert answers == [pytest.approx(made.probabilities)] * len(words)


# ---- mlflow models serve -------------------------------------------------------------------


@pytest.fixture(scope="module")
def ask(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Serve the model, and send it rows."""
    command = ("models", "serve", "-m", str(made.model), "--env-manager", "local")
    # `mlflow models serve` calls uvicorn by its name.
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    with mlflow_server(command, "/ping", elsewhere, environment(PATH=programs)) as (address, _):

        def send(*rows: dict[str, Any]) -> Any:
            return post(f"{address}/invocations", {"dataframe_records": rows})["predictions"]

        yield send


def test_a_served_model_answers_with_a_probability(ask: Callable[..., Any], made: Made) -> None:
    (probability,) = ask({"rooms": 1, "area": 20.5, "garden": "none"})
    assert probability == pytest.approx(made.probabilities[0])


@pytest.mark.parametrize(
    "row",
    [
        {"rooms": 1.0, "area": 20, "garden": "none"},
        {"rooms": 1, "area": None, "garden": "none"},
        {"rooms": 1, "area": 20.5, "garden": None},
        {"rooms": 1, "area": 20.5, "garden": "none", "more": "not used"},
    ],
    ids=["whole for double", "no double", "no text", "extra column"],
)
def test_a_request_with_gaps_is_not_refused(ask: Callable[..., Any], row: dict[str, Any]) -> None:
    (probability,) = ask(row)
    assert 0 < probability < 1


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"rooms": 1, "garden": "none"}, "missing inputs ['area']"),
        ({"rooms": "three", "area": 20.5, "garden": "none"}, "rooms"),
    ],
)
def test_a_request_that_cannot_be_scored_is_told_why(
    ask: Callable[..., Any], row: dict[str, Any], said: str
) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400") as caught:
        ask(row)
    with caught.value as answer:
        assert said in answer.read().decode()
