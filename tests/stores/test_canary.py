"""A model says why, and it is noticed when it does not answer as in training."""

import json
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mlrecipes.errors import StoreError
from mlrecipes.ports import ModelDescription
from mlrecipes.stores.canary import check_canary
from mlrecipes.stores.models import MlflowModels, load_pyfunc, model_requirements

REQUIREMENTS = model_requirements([])
RANDOM = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "debt": RANDOM.uniform(0, 1, 300),
        "age": RANDOM.uniform(20, 70, 300),
        "town": RANDOM.choice(["Ulm", "Bonn", "Kiel"], 300),
    }
)
RISK = X["debt"] * 3 + (X["town"] == "Ulm") * 2
IS_BAD = RISK.gt(RISK.median()).astype(int)
LIGHT: dict[str, Any] = {"n_estimators": 20, "n_jobs": 1, "verbose": -1}


def encoded(estimator: Any, target: Any) -> Pipeline:
    """As the train step makes it: an estimator fitted on an array, and a pipeline around both."""
    first = ColumnTransformer(
        [("town", OneHotEncoder(sparse_output=False), ["town"])], remainder="passthrough"
    ).fit(X)
    fitted = estimator.fit(first.transform(X), target)
    return Pipeline([("transformer", first), ("estimator", fitted)])


def saved(path: Path, pipeline: Pipeline, rows: pd.DataFrame = X, **description: Any) -> Path:
    described = ModelDescription(
        **{"task": "regression", "requirements": REQUIREMENTS} | description
    )
    MlflowModels().save(pipeline, described, rows, path)
    return path


@pytest.fixture(scope="module")
def classifier() -> Pipeline:
    return encoded(LGBMClassifier(**LIGHT), IS_BAD)


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("positive", [1, 0])
def test_reasons_push_towards_the_positive_class(
    tmp_path: Path, classifier: Pipeline, positive: int
) -> None:
    path = saved(
        tmp_path / "model",
        classifier,
        predict_output="probability",
        classes=(0, 1),
        positive_class=positive,
    )
    said = load_pyfunc(path).predict(X, params={"reason_codes": 3})
    known = [said[f"contribution_{i}"].fillna(0) for i in (1, 2, 3)]
    assert ((known[0] >= known[1]) & (known[1] >= known[2])).all()
    risky = IS_BAD if positive else 1 - IS_BAD
    assert set(said["reason_1"].dropna()) <= {"debt", "town", "age"}
    assert (known[0][risky == 1] > 0).all()
    assert said["reason_1"][risky == 1].isin(["debt", "town"]).all()
    assert said["prediction"].equals(said["probability"])


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
def test_contributions_of_encoded_columns_are_summed_to_raw_ones(tmp_path: Path) -> None:
    pipeline = encoded(LGBMRegressor(**LIGHT), RISK)
    path = saved(tmp_path / "model", pipeline)
    said = load_pyfunc(path).predict(X.head(20), params={"reason_codes": 5})
    exact = pipeline[-1].predict(pipeline[0].transform(X.head(20)), pred_contrib=True)
    names = list(pipeline[0].get_feature_names_out())
    town = exact[:, [name.startswith("town__") for name in names] + [False]].sum(axis=1)
    for row in range(20):
        found = {said[f"reason_{i}"][row]: said[f"contribution_{i}"][row] for i in (1, 2, 3, 4, 5)}
        assert found.get("town", 0.0) == pytest.approx(max(town[row], 0.0))


def test_an_estimator_without_contributions_says_so(tmp_path: Path) -> None:
    rows = X[["debt", "age"]]
    pipeline = Pipeline([("t", "passthrough"), ("e", LinearRegression().fit(rows, RISK))])
    model = load_pyfunc(saved(tmp_path / "model", pipeline, rows))
    with pytest.raises(ValueError, match=r"contributions that LightGBM gives.*LinearRegression"):
        model.predict(rows, params={"reason_codes": 1})


def test_a_changed_transformer_is_noticed(tmp_path: Path) -> None:
    rows = X[["debt", "age"]]
    first = StandardScaler().set_output(transform="pandas").fit(rows)
    pipeline = Pipeline([("t", first), ("e", LinearRegression().fit(first.transform(rows), RISK))])
    path = saved(tmp_path / "model", pipeline, rows)
    assert check_canary(path, load_pyfunc(path).unwrap_python_model(), "the model") == 5
    first.mean_ = first.mean_ + 1e-6
    (path / "artifacts/sk_model/model.pkl").write_bytes(cloudpickle.dumps(pipeline))
    with pytest.raises(
        StoreError,
        match=r"the model does not answer as when it was trained: of "
        r"row 1 it says prediction .* a file of it was changed",
    ):
        check_canary(path, load_pyfunc(path).unwrap_python_model(), "the model")


def test_libraries_that_differ_are_named(tmp_path: Path) -> None:
    rows = X[["debt"]]
    pipeline = Pipeline([("t", "passthrough"), ("e", LinearRegression().fit(rows, RISK))])
    path = saved(tmp_path / "model", pipeline, rows)
    kept = path / "artifacts/sk_model/canary.json"
    content = json.loads(kept.read_text())
    content["answer"]["prediction"][2] += 1.0
    content["libraries"]["numpy"] = "1.0"
    kept.write_text(json.dumps(content))
    with pytest.raises(StoreError, match=r"of row 3 .*numpy 1\.0 then, \d.* now"):
        check_canary(path, load_pyfunc(path).unwrap_python_model(), "the model")
