"""Thinning out the more frequent class: when, how many rows, and always the same ones."""

import pandas as pd
import pytest

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.tasks import task_for
from mlrecipes.tasks.rebalance import balance_training, thin_out

LOPSIDED = pd.Series(["bad"] * 800 + ["good"] * 7200).sample(frac=1, random_state=0)


def config(recipe: str = "classification/v1", **train: object) -> RecipeConfig:
    steps = {
        "ingest": {"using": "csv", "location": "x.csv"},
        "train": {"estimator_method": "estimator_fn", **train},
    }
    values = {"recipe": recipe, "target_col": "y", "positive_class": "bad", "steps": steps}
    return RecipeConfig.model_validate(values)


def test_the_rarer_class_reaches_its_share() -> None:
    """800 rows are 30% of 2666."""
    balance = thin_out(LOPSIDED, 0.3, seed=42)
    assert balance.positions is not None
    kept = LOPSIDED.iloc[balance.positions]
    assert kept.value_counts().to_dict() == {"good": 1866, "bad": 800}


def test_the_kept_rows_keep_their_order() -> None:
    positions = thin_out(LOPSIDED, 0.3, seed=42).positions
    assert positions is not None
    assert positions.tolist() == sorted(set(positions.tolist()))


def test_the_same_seed_draws_the_same_rows_and_another_seed_others() -> None:
    first, again, other = (thin_out(LOPSIDED, 0.3, seed).positions for seed in (1, 1, 2))
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_the_card_says_what_was_left_out_and_what_that_means() -> None:
    assert thin_out(LOPSIDED, 0.3, seed=42).sentence == (
        "Of 8,000 training rows 2,666 are used: all 800 of class bad (10.0%) and 1,866 of the "
        "7,200 of class good, drawn with seed 42, so that class bad has 30%. The model's "
        "probabilities are those of that mixture, not of the data. To use all rows, set "
        "steps.train.rebalance_training_data: false."
    )


@pytest.mark.parametrize(
    ("target", "share"),
    [
        ([1] * 100 + [0] * 4900, 0.3),
        ([1] * 3000 + [0] * 7000, 0.3),
        ([0] * 6000, 0.3),
        (["a", "b", "c"] * 2000, 0.5),
    ],
    ids=["5,000 rows", "balanced enough", "one class", "three classes"],
)
def test_all_rows_are_kept(target: list[object], share: float) -> None:
    balance = thin_out(pd.Series(target), share, seed=42)
    assert balance.positions is None
    assert balance.sentence == ""


def test_a_share_that_is_no_binary_fraction_loses_no_row() -> None:
    """600 x 0.9 / 0.1 is 5399.99.. in floating point."""
    positions = thin_out(pd.Series([1] * 600 + [0] * 9000), 0.1, seed=1).positions
    assert positions is not None
    assert len(positions) == 6000


def test_the_recipe_decides_by_its_settings() -> None:
    task = task_for("classification/v1", "bad")
    assert balance_training(LOPSIDED, task, config()).positions is not None
    to_half = balance_training(LOPSIDED, task, config(resampling_minority_percentage=0.5))
    assert to_half.positions is not None
    assert len(to_half.positions) == 1600
    off = balance_training(LOPSIDED, task, config(rebalance_training_data=False))
    assert off.positions is None


@pytest.mark.parametrize("recipe", ["regression/v1", "classification/v1"])
def test_only_a_binary_task_is_rebalanced(recipe: str) -> None:
    assert balance_training(LOPSIDED, task_for(recipe), config()).positions is None
