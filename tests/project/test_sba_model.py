"""Loans become numbers, and numbers a model that is the same every time."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlrecipes.user_code.imports import UserCode

RECIPE = Path(__file__).parents[2] / "recipes" / "loss_given_default"


@pytest.fixture(autouse=True)
def _recipe_code() -> Iterator[None]:
    with UserCode(RECIPE, {"sba_loans": RECIPE.parent / "sba_loans"}).importable():
        yield


def loans() -> pd.DataFrame:
    """Two invented loans."""
    return pd.DataFrame(
        {
            "State": ["OH", "CA"],
            "BankState": ["OH", "NC"],
            "RevLineCr": ["Y", None],
            "NoEmp": [4.0, 0.0],
            "GrAppv": [100.0, 200.0],
            "SBA_Appv": [50.0, 150.0],
            "DisbursementGross": [400.0, 200.0],
        }
    )


def test_ratios_of_amounts_are_added() -> None:
    from steps.transform import transformer_fn

    numbers = transformer_fn().fit_transform(loans())
    assert numbers["GuaranteedShare"].tolist() == [0.5, 0.75]
    assert numbers["ApprovedToDisbursed"].tolist() == [0.25, 1.0]
    assert numbers["BankInState"].tolist() == [1.0, 0.0]


def test_a_ratio_to_nothing_is_unknown() -> None:
    from steps.transform import transformer_fn

    per_employee = transformer_fn().fit_transform(loans())["ApprovedPerEmployee"]
    assert per_employee.iloc[0] == 25.0
    assert np.isnan(per_employee.iloc[1])


def test_amounts_become_logarithms() -> None:
    from steps.transform import transformer_fn

    assert transformer_fn().fit_transform(loans())["GrAppv"].iloc[0] == np.log1p(100.0)


def test_a_text_unseen_in_training_is_unknown() -> None:
    from steps.transform import transformer_fn

    fitted = transformer_fn().fit(loans())
    later = fitted.transform(loans().assign(State="ZZ"))
    assert later["State"].isna().all()
    assert later["BankState"].notna().all()


def test_everything_the_model_sees_is_a_number() -> None:
    from steps.transform import transformer_fn

    numbers = transformer_fn().fit_transform(loans())
    assert set(numbers.dtypes) == {np.dtype("float64")}


def test_the_transformer_changes_nothing_in_its_input() -> None:
    from steps.transform import transformer_fn

    before = loans()
    transformer_fn().fit_transform(before)
    pd.testing.assert_frame_equal(before, loans())


def test_the_model_of_the_day_of_approval_does_without_the_amount_paid_out() -> None:
    from steps.transform import transformer_fn

    at_approval = loans().drop(columns="DisbursementGross")
    numbers = transformer_fn().fit_transform(at_approval)
    assert "GuaranteedShare" in numbers
    assert "ApprovedToDisbursed" not in numbers


def test_parameters_of_the_recipe_win_over_the_defaults() -> None:
    from steps.train import estimator_fn

    assert estimator_fn().get_params()["num_leaves"] == 31
    assert estimator_fn({"num_leaves": 7}).get_params()["num_leaves"] == 7


def test_equal_data_give_equal_models() -> None:
    from steps.train import estimator_fn

    random = np.random.default_rng(0)
    features = pd.DataFrame(random.random((500, 3)), columns=["a", "b", "c"])
    target = features["a"] * features["b"]
    one, two = (estimator_fn({"n_estimators": 20}).fit(features, target) for _ in range(2))
    assert one.booster_.model_to_string() == two.booster_.model_to_string()


def test_a_forecast_within_a_tenth_counts() -> None:
    from steps.custom_metrics import share_within_tenth

    scored = pd.DataFrame({"prediction": [0.5, 0.5, 0.5, 0.5], "target": [0.45, 0.58, 0.7, 0.0]})
    assert share_within_tenth(scored, {}) == 0.5
