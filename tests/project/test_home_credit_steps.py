"""The user functions of the Home Credit recipe: transformer, estimator, custom metrics."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from mlrecipes.config.load import load_config
from steps.custom_metrics import CUT_OFF, bad_rate_accepted
from steps.home_credit.synthetic import generate
from steps.train import estimator_fn
from steps.transform import transformer_fn


@pytest.fixture(scope="module")
def applications() -> pd.DataFrame:
    chunks = [c["application_train"] for c in generate(20_000, seed=42) if "application_train" in c]
    return pd.concat([chunk.to_pandas() for chunk in chunks]).drop(columns="SK_ID_CURR")


@pytest.fixture(scope="module")
def small(applications: pd.DataFrame) -> pd.DataFrame:
    return applications.drop(columns="TARGET").head(500)


def test_the_result_is_a_numeric_frame_with_feature_names(small: pd.DataFrame) -> None:
    transformer = transformer_fn().fit(small)
    result = transformer.transform(small)
    assert list(result.columns) == list(transformer.get_feature_names_out())
    assert all(np.issubdtype(kind, np.floating) for kind in result.dtypes)
    assert result.index.equals(small.index)


@pytest.mark.parametrize("kind", ["str", "object", "category", "string"])
def test_categories_are_numbered_and_missing_and_unseen_are_apart(kind: str) -> None:
    seen = pd.DataFrame({"GENDER": pd.Series(["M", "F", None], dtype=kind)})
    transformer = transformer_fn().fit(seen)
    new = pd.DataFrame({"GENDER": pd.Series(["F", "M", None, "X"], dtype=kind)})
    assert transformer.transform(new)["GENDER"].tolist() == [0.0, 1.0, -1.0, -2.0]


def test_a_missing_column_is_named(small: pd.DataFrame) -> None:
    transformer = transformer_fn().fit(small)
    with pytest.raises(ValueError, match="1 of 120 columns seen in training are missing: AMT_CR"):
        transformer.transform(small.drop(columns="AMT_CREDIT"))


def test_other_column_order_gives_the_same_result(small: pd.DataFrame) -> None:
    transformer = transformer_fn().fit(small)
    turned = transformer.transform(small[small.columns[::-1]])
    pd.testing.assert_frame_equal(turned, transformer.transform(small))


def test_a_fitted_transformer_survives_pickling(small: pd.DataFrame) -> None:
    transformer = transformer_fn().fit(small)
    stored = pickle.dumps(transformer)
    again = pickle.loads(stored)  # noqa: S301 - made in the line above
    pd.testing.assert_frame_equal(again.transform(small), transformer.transform(small))
    assert type(again).__module__ == "steps.transform"


def test_parameters_replace_defaults() -> None:
    model = estimator_fn({"n_estimators": 7})
    assert model.n_estimators == 7
    assert model.get_params()["deterministic"] is True


def test_two_trainings_give_the_same_bits(applications: pd.DataFrame) -> None:
    rows = applications.head(2_000)
    features = transformer_fn().fit_transform(rows.drop(columns="TARGET"))
    scores = [
        estimator_fn({"n_estimators": 20}).fit(features, rows["TARGET"]).predict_proba(features)
        for _ in range(2)
    ]
    assert np.array_equal(scores[0], scores[1])


def test_the_model_reaches_the_auc_of_the_real_data(applications: pd.DataFrame) -> None:
    train, test = train_test_split(
        applications, test_size=0.25, random_state=1, stratify=applications["TARGET"]
    )
    model = make_pipeline(transformer_fn(), estimator_fn())
    model.fit(train.drop(columns="TARGET"), train["TARGET"])
    scores = model.predict_proba(test.drop(columns="TARGET"))[:, 1]
    assert 0.735 <= roc_auc_score(test["TARGET"], scores) <= 0.785


def test_the_bad_rate_is_that_of_the_accepted_alone() -> None:
    frame = pd.DataFrame({"target": [0, 1, 1, 1], "score": [0.01, 0.09, CUT_OFF, 0.9]})
    assert bad_rate_accepted(frame, {}) == 0.5
    assert np.isnan(bad_rate_accepted(frame[2:], {}))


def test_the_cut_off_is_that_of_the_recipe() -> None:
    evaluate = load_config(Path(__file__).parents[2], "local").config.steps.evaluate
    assert (evaluate.cut_off, evaluate.selects) == (CUT_OFF, "below")
