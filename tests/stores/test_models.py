"""A logged model stands on its own: it loads and answers without mlrecipes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from mlrecipes.ports import ModelDescription
from mlrecipes.stores.models import MlflowModels, load_pyfunc, model_requirements
from mlrecipes.user_code.imports import UserCode

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


def test_labels_alone_are_one_value_a_row(tmp_path: Path) -> None:
    target = np.where(X["b"] > 0.5, "yes", "no")
    path = saved(tmp_path, fitted(target, LogisticRegression()), all_class_scores=False)
    assert set(load_pyfunc(path).predict(X)) == {"yes", "no"}


@pytest.mark.parametrize(
    ("target", "positive"),
    [
        ((X["b"] > 0.5).astype(int), 1),
        (X["b"] > 0.5, True),
        (pd.Series(np.where(X["b"] > 0.5, "yes", "no")), "yes"),
        ((X["b"] > 0.5).astype(int), 0),
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
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "-c", LOAD, str(path)],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    by_pyfunc, by_sklearn, knows_engine = done.stdout.split()
    assert float(by_pyfunc) == pytest.approx(3.0)
    assert float(by_sklearn) == pytest.approx(3.0)
    assert knows_engine == "False"
