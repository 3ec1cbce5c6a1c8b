"""How much a model relies on each raw column."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from mlrecipes.steps import Context
from mlrecipes.steps._raw_importance import raw_importance

Make = Callable[..., Context]
N_ROWS = 600


@pytest.fixture
def rows() -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(N_ROWS, 3)), columns=["a", "b", "noise"])
    frame["kind"] = random.choice(["x", "y", "z"], N_ROWS)
    frame["y"] = 3 * frame["a"] + frame["b"]
    return frame


def importance(pipeline: Any, rows: pd.DataFrame, context: Context) -> dict[str, float]:
    pipeline.fit(rows.drop(columns="y"), rows["y"])
    return dict(raw_importance(pipeline, rows, context))


def test_of_a_linear_model_shares_are_those_of_its_coefficients(
    context: Make, rows: pd.DataFrame
) -> None:
    pipeline = make_pipeline(StandardScaler(), LinearRegression())
    found = importance(pipeline, rows.drop(columns="kind"), context())
    assert found["a"] / found["b"] == pytest.approx(3, rel=0.15)
    assert found.get("noise", 0.0) < 1e-9
    assert sum(found.values()) == pytest.approx(1)


def test_a_feature_of_several_columns_counts_for_each_of_them(
    context: Make, rows: pd.DataFrame
) -> None:
    def ratio(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"mixed": 3 * frame["a"] + frame["b"], "noise": frame["noise"]})

    pipeline = make_pipeline(FunctionTransformer(ratio), LGBMRegressor(n_estimators=30, verbose=-1))
    found = importance(pipeline, rows, context())
    assert found["a"] > found["b"] > 5 * found.get("noise", 0.0)
    assert "kind" not in found
    assert sum(found.values()) == pytest.approx(1)


def test_contributions_are_summed_over_what_a_column_became(
    context: Make, rows: pd.DataFrame
) -> None:
    rows["y"] = (rows["kind"] == "x") * 5 + rows["a"]
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["kind"]), remainder="passthrough"
    ).set_output(transform="pandas")
    pipeline = make_pipeline(encoder, LGBMRegressor(n_estimators=30, verbose=-1))
    found = importance(pipeline, rows, context())
    assert found["kind"] > found["a"] > found.get("noise", 0.0)
    assert set(found) <= {"a", "b", "noise", "kind"}


@pytest.mark.parametrize("estimator", [LinearSVC(), LGBMClassifier(n_estimators=9, verbose=-1)])
def test_classes_with_and_without_probabilities(
    context: Make, rows: pd.DataFrame, estimator: Any
) -> None:
    rows = rows.drop(columns="kind").assign(y=np.where(rows["a"] > 0, "yes", "no"))
    made = context(recipe="classification/v1", positive_class="yes")
    found = importance(make_pipeline(StandardScaler(), estimator), rows, made)
    assert found["a"] > 0.8
