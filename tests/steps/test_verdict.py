"""The verdict on a model: what is missing or not finite does not pass."""

import math

import pytest

from mlrecipes.config.evaluate_schema import Evaluate
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.steps._verdict import Judged, Verdict, verdict_of


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
    assert verdict_of(Judged(metrics, 9), (), recipe(roc_auc=0.7, log_loss=0.3))[0] is expected


def test_without_thresholds_nothing_is_known() -> None:
    assert verdict_of(Judged({"roc_auc": 1.0}, 9), (), recipe()) == (Verdict.UNKNOWN, ())


def test_each_check_says_where_its_threshold_stands() -> None:
    _verdict, (check,) = verdict_of(Judged({"roc_auc": 0.6}, 9), (), recipe(roc_auc=0.7))
    assert check.key == "steps.evaluate.validation_criteria[0]"
    assert (check.value, check.is_passed) == (0.6, False)


SEX = {"metric": "roc_auc", "threshold": 0.6, "slice": "sex"}


def on_slice(*groups: Judged) -> tuple[Verdict, list[tuple[str | None, bool, int]]]:
    evaluate = Evaluate.model_validate({"validation_criteria": [SEX]})
    steps = recipe().steps.model_copy(update={"evaluate": evaluate})
    config = recipe().model_copy(update={"steps": steps})
    verdict, checks = verdict_of(Judged({"roc_auc": 0.9}, 99), groups, config)
    return verdict, [(check.slice, check.is_passed, check.n_rows) for check in checks]


def test_a_threshold_on_a_slice_holds_for_each_of_its_groups() -> None:
    women = Judged({"roc_auc": 0.7}, 50, "sex", "sex = F")
    men = Judged({"roc_auc": 0.5}, 40, "sex", "sex = M")
    old = Judged({"roc_auc": 0.1}, 40, "age > 60", "age > 60")
    assert on_slice(women, old) == (Verdict.VALIDATED, [("sex = F", True, 50)])
    assert on_slice(women, men) == (
        Verdict.REJECTED,
        [("sex = F", True, 50), ("sex = M", False, 40)],
    )


def test_a_slice_without_a_group_that_is_large_enough_does_not_pass() -> None:
    assert on_slice() == (Verdict.REJECTED, [("sex", False, 0)])
