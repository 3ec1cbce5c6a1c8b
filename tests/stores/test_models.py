"""A logged model stands on its own: it loads and answers without mlrecipes."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from mlrecipes.errors import StoreError, UserCodeError
from mlrecipes.ports import ModelDescription
from mlrecipes.stores.models import MlflowModels, load_pyfunc, model_requirements
from mlrecipes.stores.registry import MlflowRegistry
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget
from mlrecipes.user_code.imports import UserCode
from tests.mlflow_at import Store
from tests.servers import mlflow_server, post

REQUIREMENTS = model_requirements([])
X = pd.DataFrame({"a": np.arange(40), "b": np.linspace(0.0, 1.0, 40)})


def fitted(target: Any, estimator: Any, transformer: Any = "passthrough") -> Pipeline:
    return Pipeline([("transformer", transformer), ("estimator", estimator)]).fit(X, target)


def saved(tmp_path: Path, pipeline: Pipeline, **description: Any) -> Path:
    path = tmp_path / "model"
    classes = tuple(getattr(pipeline[-1], "classes_", ()))
    described = ModelDescription(
        **{"task": "binary", "classes": classes, "requirements": REQUIREMENTS} | description
    )
    MlflowModels().save(pipeline, described, X.head(), path)
    return path


def test_a_regression_answers_with_one_number_a_row(tmp_path: Path) -> None:
    path = saved(tmp_path, fitted(X["b"] * 3, LinearRegression()), task="regression")
    assert load_pyfunc(path).predict(X.head(2)) == pytest.approx(X["b"].head(2) * 3, abs=1e-9)


def test_a_classifier_answers_with_scores_and_label_as_recipes_did(tmp_path: Path) -> None:
    target = np.where(X["b"] > 0.5, "yes", "no")
    path = saved(tmp_path, fitted(target, LogisticRegression()))
    answer = load_pyfunc(path).predict(X)
    assert list(answer.columns) == [
        "predicted_score_no",
        "predicted_score_yes",
        "predicted_score",
        "predicted_label",
    ]
    highest = answer[["predicted_score_no", "predicted_score_yes"]].max(axis=1)
    assert (answer["predicted_score"] == highest).all()
    assert set(answer["predicted_label"]) == {"yes", "no"}


THREE = np.where(X["b"] < 0.3, "low", np.where(X["b"] < 0.7, "middle", "high"))


@pytest.mark.parametrize(
    ("target", "names"),
    [
        (THREE, ["high", "low", "middle"]),
        (X["a"] // 14, ["0", "1", "2"]),
        (X["b"] > 0.5, ["False", "True"]),
    ],
)
def test_each_class_has_a_column_and_the_label_keeps_its_type(
    tmp_path: Path, target: Any, names: list[str]
) -> None:
    pipeline = fitted(target, LogisticRegression())
    path = saved(tmp_path, pipeline, task="multiclass", predict_prefix="p_")
    answer = load_pyfunc(path).predict(X)
    assert list(answer.columns) == [*(f"p_score_{name}" for name in names), "p_score", "p_label"]
    assert answer["p_label"].tolist() == pipeline.predict(X).tolist()


def test_classes_that_are_moments_are_named_by_their_text(tmp_path: Path) -> None:
    moments = np.where(X["b"] > 0.5, np.datetime64("2020-01-01"), np.datetime64("2021-01-01"))
    path = saved(tmp_path, fitted(pd.Series(moments), LogisticRegression()))
    assert "predicted_score_2020-01-01" in str(list(load_pyfunc(path).predict(X).columns))


@pytest.mark.parametrize(
    "description", [{"predict_output": "label"}, {"all_class_scores": False}, {"classes": ()}]
)
def test_without_scores_there_is_a_label_a_row(tmp_path: Path, description: Any) -> None:
    path = saved(tmp_path, fitted(THREE, LogisticRegression()), **description)
    assert set(load_pyfunc(path).predict(X)) == {"low", "middle", "high"}


@pytest.mark.parametrize(
    ("target", "positive"),
    [
        ((X["b"] > 0.5).astype(int), 1),
        (X["b"] > 0.5, True),
        (pd.Series(np.where(X["b"] > 0.5, "yes", "no")), "yes"),
        ((X["b"] > 0.5).astype(int), 0),
        ((X["b"] > 0.5).astype(float), 1),
        ((X["b"] > 0.5).astype(int), True),
        (X["b"] > 0.5, 1),
        (pd.Series(np.where(X["b"] > 0.5, "1", "0")), "1"),
    ],
)
def test_a_probability_is_that_of_the_positive_class(
    tmp_path: Path, target: Any, positive: Any
) -> None:
    pipeline = fitted(target, LogisticRegression())
    path = saved(tmp_path, pipeline, predict_output="probability", positive_class=positive)
    column = list(pipeline[-1].classes_).index(positive)
    assert load_pyfunc(path).predict(X) == pytest.approx(pipeline.predict_proba(X)[:, column])


def test_a_transformer_that_changes_its_input_spoils_nothing(tmp_path: Path) -> None:
    def drop(frame: pd.DataFrame) -> pd.DataFrame:
        frame["c"] = frame.pop("b")
        return frame

    pipeline = Pipeline(
        [("transformer", FunctionTransformer(drop)), ("estimator", LinearRegression())]
    ).fit(X.copy(), X["b"])
    path = saved(tmp_path, pipeline, task="regression")
    columns = [column["name"] for column in load_pyfunc(path).metadata.signature.inputs.to_dict()]
    assert columns == ["a", "b"]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    from mlflow.exceptions import MlflowException

    model = load_pyfunc(saved(tmp_path, fitted(X["b"], LinearRegression()), task="regression"))
    with pytest.raises(MlflowException, match=r"missing inputs \['b'\]"):
        model.predict(X[["a"]])


def test_an_extra_column_is_ignored(tmp_path: Path) -> None:
    model = load_pyfunc(saved(tmp_path, fitted(X["b"], LinearRegression()), task="regression"))
    assert len(model.predict(X.assign(c="text"))) == 40


def test_a_text_that_is_missing_passes(tmp_path: Path) -> None:
    texts = pd.DataFrame({"t": ["a", None, "b", "a"]})
    pipeline = Pipeline([("transformer", OneHotEncoder()), ("estimator", LinearRegression())])
    pipeline.fit(texts, [1.0, 2.0, 3.0, 1.0])
    described = ModelDescription("regression", requirements=REQUIREMENTS)
    MlflowModels().save(pipeline, described, texts, tmp_path / "model")
    answer = load_pyfunc(tmp_path / "model").predict(pd.DataFrame({"t": [None, "b"]}))
    assert answer == pytest.approx([2.0, 3.0])


def test_at_most_five_rows_are_kept_as_example(tmp_path: Path) -> None:
    described = ModelDescription("regression", requirements=REQUIREMENTS)
    MlflowModels().save(fitted(X["b"], LinearRegression()), described, X, tmp_path / "model")
    assert load_pyfunc(tmp_path / "model").input_example.equals(X.head())


def test_signature_and_example_are_there(tmp_path: Path) -> None:
    path = saved(tmp_path, fitted(X["b"], LinearRegression()), task="regression")
    example = json.loads((path / "serving_input_example.json").read_text())
    assert example["dataframe_split"]["columns"] == ["a", "b"]
    assert load_pyfunc(path).metadata.signature.outputs is not None


def test_requirements_are_exact_and_leave_out_what_is_not_installed() -> None:
    found = model_requirements(["lightgbm", "no_such_module", "steps"])
    assert all("==" in requirement for requirement in found)
    names = [requirement.split("==")[0] for requirement in found]
    assert names == ["cloudpickle", "lightgbm", "mlflow", "numpy", "pandas", "scikit-learn"]


def test_a_part_loads_alone(tmp_path: Path) -> None:
    import mlflow.sklearn

    estimator = LinearRegression().fit(X, X["b"])
    described = ModelDescription("regression", requirements=REQUIREMENTS)
    MlflowModels().save_part(estimator, described, tmp_path / "part")
    assert mlflow.sklearn.load_model(str(tmp_path / "part")).coef_.shape == (2,)


TRANSFORM = """\
from sklearn.base import BaseEstimator, TransformerMixin


class Doubled(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X * 2


transformer_fn = Doubled
"""

LOAD = """\
import sys
import mlflow
import pandas as pd

rows = pd.DataFrame({"a": [39], "b": [1.0]})
print(mlflow.pyfunc.load_model(sys.argv[1]).predict(rows)[0])
print(mlflow.sklearn.load_model(sys.argv[1]).predict(rows)[0])
print("mlrecipes" in sys.modules)
"""


def printed_elsewhere(program: str, path: Path) -> str:
    """What a program prints of a model in a process that knows no code of this project."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(path)],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_with_the_users_own_class_loads_in_a_fresh_process(tmp_path: Path) -> None:
    steps = tmp_path / "recipe" / "steps"
    steps.mkdir(parents=True)
    (steps / "transform.py").write_text(TRANSFORM)
    code = UserCode(tmp_path / "recipe")
    with code.importable():
        pipeline = fitted(
            X["b"] * 3, LinearRegression(), code.load("transform", "transformer_fn")()
        )
        path = saved(tmp_path, pipeline, task="regression", code_paths=(steps,))
    (steps / "transform.py").unlink()
    by_pyfunc, by_sklearn, knows_engine = printed_elsewhere(LOAD, path).split()
    assert float(by_pyfunc) == pytest.approx(3.0)
    assert float(by_sklearn) == pytest.approx(3.0)
    assert knows_engine == "False"


# ---- types: as fitted, however the rows come ---------------------------------------------------


class Seen(TransformerMixin, BaseEstimator):
    """Keeps what it was asked to transform, for the test to look at."""

    rows: pd.DataFrame

    def fit(self, rows: Any, target: Any = None) -> "Seen":
        return self

    def transform(self, rows: pd.DataFrame) -> np.ndarray:
        Seen.rows = rows
        return np.zeros((len(rows), 1))


def typed_columns() -> pd.DataFrame:
    n_rows = 6
    return pd.DataFrame(
        {
            "long": np.arange(n_rows),
            "short": np.arange(n_rows, dtype="int8"),
            "unsigned": np.arange(n_rows, dtype="uint64"),
            "single": np.arange(n_rows, dtype="float32"),
            "text": ["a", None] * 3,
            "truth": [True, False] * 3,
            "truth_or_gap": pd.Series([True, None] * 3, dtype=object),
            "day": pd.date_range("2026-01-01", periods=n_rows),
            "moment": pd.date_range("2026-01-01", periods=n_rows, tz="Europe/Berlin"),
            "kind": pd.Categorical(["u", "v"] * 3, categories=["w", "v", "u"]),
            "nullable": pd.array([1, None] * 3, dtype="Int64"),
            "span": pd.to_timedelta(np.arange(n_rows), unit="h"),
        }
    )


@pytest.fixture
def typed(tmp_path: Path) -> Path:
    frame = typed_columns()
    steps = [("transformer", Seen()), ("estimator", LinearRegression())]
    pipeline = Pipeline(steps).fit(frame, np.arange(len(frame)))
    described = ModelDescription("regression", requirements=REQUIREMENTS)
    MlflowModels().save(pipeline, described, frame.head(), tmp_path / "model")
    return tmp_path / "model"


def ask(path: Path, record: dict[str, Any]) -> pd.DataFrame:
    """Parse a record as MLflow's scoring server does, and say what reached the transformer."""
    from mlflow.pyfunc.scoring_server import invocations

    model = load_pyfunc(path)
    request = json.dumps({"dataframe_records": [record]})
    answer = invocations(request, "application/json", model, model.metadata.get_input_schema())
    assert answer.status == 200, answer.response
    return Seen.rows


def record_of(path: Path) -> dict[str, Any]:
    example = json.loads((path / "serving_input_example.json").read_text())["dataframe_split"]
    return dict(zip(example["columns"], example["data"][0], strict=True))


def test_rows_reach_the_pipeline_with_the_types_it_was_fitted_on(typed: Path) -> None:
    frame = typed_columns()
    load_pyfunc(typed).predict(frame[frame.columns[::-1]])
    pd.testing.assert_frame_equal(Seen.rows, frame)


def test_a_request_in_json_gets_the_types_the_pipeline_was_fitted_on(typed: Path) -> None:
    rows = ask(typed, record_of(typed))
    assert rows.dtypes.drop("truth_or_gap").equals(typed_columns().dtypes.drop("truth_or_gap"))
    pd.testing.assert_frame_equal(
        rows.drop(columns="truth_or_gap"), typed_columns().head(1).drop(columns="truth_or_gap")
    )


@pytest.mark.parametrize("column", ["single", "text", "day", "moment", "kind", "nullable"])
def test_a_gap_in_a_request_stays_a_gap(typed: Path, column: str) -> None:
    assert ask(typed, record_of(typed) | {column: None})[column].isna().all()


def test_a_category_never_seen_is_a_gap(typed: Path) -> None:
    assert ask(typed, record_of(typed) | {"kind": "new"})["kind"].isna().all()


def test_a_gap_in_a_whole_number_is_refused_with_the_columns_name(typed: Path) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="Failed to convert column long"):
        ask(typed, record_of(typed) | {"long": None})


def test_a_value_that_cannot_be_what_it_was_is_refused_with_its_column(typed: Path) -> None:
    with pytest.raises(ValueError, match=r"Column 'nullable' must be Int64; it holds \['many'\]"):
        load_pyfunc(typed).predict(typed_columns().head(1).assign(nullable="many"))


# ---- what may go wrong when a model is written ---------------------------------------------------


def test_what_cannot_be_pickled_is_named(tmp_path: Path) -> None:
    pipeline = fitted(X["b"], LinearRegression())
    pipeline[-1].log = (line for line in ["a generator"])
    expected = "The estimator LinearRegression cannot be pickled: TypeError"
    with pytest.raises(StoreError, match=expected):
        saved(tmp_path, pipeline, task="regression")


def test_probabilities_of_an_estimator_that_has_none_are_refused(tmp_path: Path) -> None:
    pipeline = fitted(X["b"], LinearRegression())
    with pytest.raises(UserCodeError, match="LinearRegression has no predict_proba"):
        saved(tmp_path, pipeline, predict_output="probability", positive_class=1)


def test_a_damaged_pipeline_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path, fitted(X["b"], LinearRegression()), task="regression")
    (path / "artifacts" / "sk_model" / "model.pkl").write_bytes(b"cut")
    with pytest.raises(StoreError, match=r"model.pkl cannot be read"):
        MlflowModels().load_pipeline(path)


def test_a_model_tells_nothing_of_the_machine_it_was_made_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uv.lock").write_text("version = 1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\nversion = '1'\n")
    monkeypatch.chdir(tmp_path)
    path = saved(tmp_path, fitted(X["b"], LinearRegression()), task="regression")
    description = (path / "MLmodel").read_text()
    assert tempfile.gettempdir() not in description
    assert str(Path(__file__).parents[2]) not in description
    assert sorted(file.name for file in path.iterdir()) == [
        "MLmodel",
        "artifacts",
        "conda.yaml",
        "input_example.json",
        "python_env.yaml",
        "requirements.txt",
        "scoring_model.py",
        "serving_input_example.json",
    ]


def test_a_transformer_alone_has_the_sklearn_flavor_only(tmp_path: Path) -> None:
    import mlflow.sklearn
    from mlflow.models import Model

    described = ModelDescription("regression", requirements=REQUIREMENTS)
    MlflowModels().save_part(StandardScaler().fit(X), described, tmp_path / "part")
    assert list(Model.load(str(tmp_path / "part")).flavors) == ["sklearn"]
    assert mlflow.sklearn.load_model(str(tmp_path / "part")).transform(X).shape == X.shape


def test_saving_says_nothing_and_leaves_the_loggers_as_they_were(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    import logging

    path = saved(tmp_path, fitted(X["b"], LinearRegression()), task="regression")
    load_pyfunc(path).predict(X)
    assert not caplog.records
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("mlflow.pyfunc").filters == []


class Unchanged(RegressorMixin, BaseEstimator):
    """Predicts the first column."""

    def fit(self, rows: Any, target: Any) -> "Unchanged":
        self.fitted_ = True
        return self

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        return rows.iloc[:, 0].to_numpy(dtype=float)


# ---- where it is used ----------------------------------------------------------------------------


def test_two_models_in_one_process_use_their_own_code(tmp_path: Path) -> None:
    models = {}
    for factor in (2, 5):
        root = tmp_path / str(factor)
        steps = root / "steps"
        steps.mkdir(parents=True)
        (steps / "transform.py").write_text(TRANSFORM.replace("X * 2", f"X.iloc[:, :1] * {factor}"))
        code = UserCode(root)
        with code.importable():
            doubled = code.load("transform", "transformer_fn")()
            pipeline = fitted(X["a"] * factor, Unchanged(), doubled)
            models[factor] = saved(root, pipeline, task="regression", code_paths=(steps,))
    before = list(sys.path)
    loaded = {factor: load_pyfunc(path) for factor, path in models.items()}
    answers = {factor: float(model.predict(X.tail(1))[0]) for factor, model in loaded.items()}
    sys.path[:] = before
    for name in [name for name in sys.modules if name.partition(".")[0] == "steps"]:
        del sys.modules[name]
    assert answers == {2: 78.0, 5: 195.0}


def test_a_model_of_a_run_loads_by_its_run_and_by_its_version(
    mlflow: Store, tmp_path: Path
) -> None:
    from mlflow.pyfunc import load_model

    uri = mlflow.uri
    path = saved(tmp_path, fitted(X["b"] * 3, LinearRegression()), task="regression")
    tracker = MlflowTracker(TrackingTarget(uri, "houses", None), tmp_path / "open_runs.json")
    run_id = tracker.start_run({}).run_id
    tracker.log_directory(run_id, path, "train/model")
    version = MlflowRegistry(uri, uri).register("houses", run_id, "train/model", {})
    with mlflow.at():
        for address in (f"runs:/{run_id}/train/model", f"models:/houses/{version.version}"):
            answer = load_model(address).predict(X.tail(1))
            assert answer == pytest.approx([3.0])


def test_a_model_is_served_and_answers_a_request(tmp_path: Path) -> None:
    root = tmp_path / "recipe"
    (root / "steps").mkdir(parents=True)
    (root / "steps" / "transform.py").write_text(TRANSFORM)
    code = UserCode(root)
    with code.importable():
        doubled = code.load("transform", "transformer_fn")()
        pipeline = fitted(X["b"] * 3, LinearRegression(), doubled)
        path = saved(tmp_path, pipeline, task="regression", code_paths=(root / "steps",))
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    binaries = Path(sys.executable).parent
    environment["PATH"] = f"{binaries}{os.pathsep}{environment.get('PATH', '')}"
    command = ("models", "serve", "-m", str(path), "--env-manager", "local", "-w", "1")
    with mlflow_server(command, "/ping", tmp_path, environment) as (address, _):
        request = {"dataframe_split": {"columns": ["b", "a"], "data": [[1.0, 39], [0.0, 0]]}}
        answer = post(f"{address}/invocations", request)
    assert answer["predictions"] == pytest.approx([3.0, 0.0], abs=1e-9)


def test_a_flag_without_a_value_is_never_taken_for_false(tmp_path: Path) -> None:
    """MLflow's request parser turns a null into False where the signature says boolean."""
    rows = pd.DataFrame({"heated": [True, False] * 20, "b": np.linspace(0.0, 1.0, 40)})
    pipeline = Pipeline([("estimator", LinearRegression())]).fit(rows, rows["b"])
    described = ModelDescription("regression", requirements=REQUIREMENTS)
    MlflowModels().save(pipeline, described, rows, tmp_path / "flags")
    inputs = load_pyfunc(tmp_path / "flags").metadata.signature.inputs
    assert [str(kind) for kind in inputs.input_types()] == ["Any", "DataType.double"]
    assert load_pyfunc(tmp_path / "flags").predict(rows) == pytest.approx(rows["b"])
