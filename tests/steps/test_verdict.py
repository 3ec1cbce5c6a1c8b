"""The verdict on a model: what is missing or not finite does not pass."""

import math

import pytest

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.steps._verdict import Verdict, verdict_of


def recipe(**criteria: float) -> RecipeConfig:
    listed = [{"metric": name, "threshold": value} for name, value in criteria.items()]
    return RecipeConfig.model_validate(
        {
            "recipe": "classification/v1",
            "target_col": "y",
            "positive_class": 1,
            "steps": {
                "ingest": {"using": "csv", "location": "a.csv"},
                "evaluate": {"validation_criteria": listed},
            },
        }
    )


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ({"roc_auc": 0.7, "log_loss": 0.3}, Verdict.VALIDATED),
        ({"roc_auc": 0.69, "log_loss": 0.3}, Verdict.REJECTED),
        ({"roc_auc": 0.7, "log_loss": 0.31}, Verdict.REJECTED),
        ({"roc_auc": math.nan, "log_loss": 0.3}, Verdict.REJECTED),
        ({"roc_auc": math.inf, "log_loss": 0.3}, Verdict.REJECTED),
        ({"roc_auc": 0.7, "log_loss": -math.inf}, Verdict.REJECTED),
        ({"roc_auc": 0.7}, Verdict.REJECTED),
    ],
)
def test_every_threshold_must_be_reached_by_a_finite_number(
    metrics: dict[str, float], expected: Verdict
) -> None:
    assert verdict_of(metrics, recipe(roc_auc=0.7, log_loss=0.3))[0] is expected


def test_without_thresholds_nothing_is_known() -> None:
    assert verdict_of({"roc_auc": 1.0}, recipe()) == (Verdict.UNKNOWN, ())


def test_each_check_says_where_its_threshold_stands() -> None:
    _verdict, (check,) = verdict_of({"roc_auc": 0.6}, recipe(roc_auc=0.7))
    assert check.key == "steps.evaluate.validation_criteria[0]"
    assert (check.value, check.is_passed) == (0.6, False)
