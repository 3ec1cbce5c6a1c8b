"""evaluate: a model is scored on rows it has not seen, and gets a verdict."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline

from mlrecipes.ports import ModelDescription
from mlrecipes.records import StepResult, Table, Text
from mlrecipes.steps import Context
from mlrecipes.steps.evaluate import Inputs, run
from mlrecipes.stores.models import MlflowModels, model_requirements
from mlrecipes.testing import MemoryTracker

Evaluate = Callable[..., StepResult]

FRAME = pd.DataFrame({"x": np.linspace(-1, 1, 40)})
REGRESSION = FRAME.assign(y=FRAME["x"] * 3)
BINARY = FRAME.assign(y=np.where(FRAME["x"] > 0, "yes", "no"))
R2 = {"metric": "r2_score", "threshold": 0.9}
RMSE = {"metric": "root_mean_squared_error", "threshold": 0.5}


@pytest.fixture
def evaluate(context: Callable[..., Context], tracker: MemoryTracker, tmp_path: Path) -> Evaluate:
    """Fit on the whole table, and score its odd and even rows."""

    def call(frame: pd.DataFrame, estimator: Any, *criteria: Any, **keys: Any) -> StepResult:
        pipeline = Pipeline([("estimator", estimator)]).fit(frame[["x"]], frame["y"])
        described = ModelDescription("regression", requirements=model_requirements([]))
        MlflowModels().save(pipeline, described, frame[["x"]], tmp_path / "model")
        settings = {"n_resamples": 20, **keys.pop("evaluate", {})}
        section = {"evaluate": {"validation_criteria": list(criteria), **settings}}
        info = tracker.start_run({})
        inputs = Inputs(
            tmp_path / "model",
            {"run_id": info.run_id},
            frame.iloc[:0],
            frame.iloc[::2],
            frame.iloc[1::2],
        )
        functions = keys.pop("functions", None)
        return run(inputs, context(functions, steps=section, **keys))

    return call


def test_a_model_that_reaches_all_thresholds_is_validated(
    evaluate: Evaluate, tracker: MemoryTracker
) -> None:
    result = evaluate(REGRESSION, LinearRegression(), R2, RMSE)
    assert result.outputs["evaluation"]["status"] == "VALIDATED"
    assert tracker.runs["run-1"].tags["validation_status"] == "VALIDATED"


def test_a_model_that_misses_one_threshold_is_rejected(
    evaluate: Evaluate, tracker: MemoryTracker
) -> None:
    result = evaluate(REGRESSION, DummyRegressor(), R2 | {"threshold": -1}, RMSE)
    assert [check["is_passed"] for check in result.outputs["evaluation"]["checks"]] == [True, False]
    assert tracker.runs["run-1"].tags["validation_status"] == "REJECTED"


def test_without_thresholds_the_verdict_is_unknown_and_the_card_says_why(
    evaluate: Evaluate,
) -> None:
    result = evaluate(REGRESSION, LinearRegression())
    assert result.outputs["evaluation"]["status"] == "UNKNOWN"
    (text,) = result.sections[0].blocks
    assert isinstance(text, Text)
    assert text.text.startswith("The recipe has no validation_criteria")


def test_the_card_marks_the_thresholds_that_were_missed(evaluate: Evaluate) -> None:
    result = evaluate(REGRESSION, DummyRegressor(), R2 | {"threshold": -1}, RMSE)
    (table,) = result.sections[0].blocks
    assert isinstance(table, Table)
    assert table.emphasis == (1,)
    assert [row[0] for row in table.rows] == ["r2_score", "root_mean_squared_error"]
    assert [row[2:] for row in table.rows] == [
        ("at least", -1.0, "passed"),
        ("at most", 0.5, "NOT passed"),
    ]


def test_the_verdict_is_about_the_test_part_alone(evaluate: Evaluate) -> None:
    """The rows of validation have even numbers, those of test odd ones."""
    spoilt = REGRESSION.assign(y=REGRESSION["y"].where(REGRESSION.index != 2, 1000.0))
    metrics = evaluate(spoilt, DummyRegressor(strategy="median"), RMSE).outputs["evaluation"]
    (check,) = metrics["checks"]
    assert check["value"] == metrics["metrics"]["test_root_mean_squared_error"]
    assert metrics["metrics"]["val_root_mean_squared_error"] > 100 > check["value"]


def test_metrics_of_both_parts_are_recorded(evaluate: Evaluate, tracker: MemoryTracker) -> None:
    evaluate(REGRESSION, LinearRegression())
    metrics = tracker.runs["run-1"].metrics
    assert (metrics["val_example_count"], metrics["test_example_count"]) == (20, 20)
    assert metrics["test_r2_score"] == pytest.approx(1.0)


def test_the_test_table_is_recorded_as_input_of_the_run(
    evaluate: Evaluate, tracker: MemoryTracker
) -> None:
    evaluate(REGRESSION, LinearRegression())
    (given,) = tracker.runs["run-1"].inputs
    assert (given.name, given.context, given.target_col) == ("test_data", "test", "y")


@pytest.mark.parametrize(
    ("keys", "name", "is_greater_better"),
    [
        ({}, "test_root_mean_squared_error", "False"),
        ({"primary_metric": "r2_score"}, "test_r2_score", "True"),
    ],
)
def test_the_experiment_is_told_by_which_metric_models_compare(
    evaluate: Evaluate, tracker: MemoryTracker, keys: Any, name: str, is_greater_better: str
) -> None:
    evaluate(REGRESSION, LinearRegression(), **keys)
    assert tracker.runs["run-1"].experiment_tags == {
        "mlflow.experiment.primaryMetric.name": name,
        "mlflow.experiment.primaryMetric.greaterIsBetter": is_greater_better,
    }


def worst_error(frame: pd.DataFrame, metrics: Any) -> float:
    return float((frame["prediction"] - frame["target"]).abs().max())


CUSTOM = {"name": "worst_error", "function": "worst_error", "greater_is_better": False}
CUSTOM_METRIC: dict[str, Any] = {
    "custom_metrics": [CUSTOM],
    "functions": {"custom_metrics[0].function": worst_error},
}


@pytest.mark.parametrize(("estimator", "status"), [("linear", "VALIDATED"), ("mean", "REJECTED")])
def test_a_threshold_may_stand_on_a_metric_of_the_user(
    evaluate: Evaluate, estimator: str, status: str
) -> None:
    made = {"linear": LinearRegression(), "mean": DummyRegressor()}[estimator]
    result = evaluate(REGRESSION, made, {"metric": "worst_error", "threshold": 1}, **CUSTOM_METRIC)
    assert result.outputs["evaluation"]["status"] == status


def test_a_metric_that_is_not_finite_is_null_in_the_evaluation_and_does_not_pass(
    evaluate: Evaluate,
) -> None:
    one_value = REGRESSION.assign(y=1.0)
    custom = CUSTOM_METRIC | {
        "functions": {"custom_metrics[0].function": lambda frame, metrics: float("nan")}
    }
    criterion = {"metric": "worst_error", "threshold": 1}
    evaluation = evaluate(one_value, LinearRegression(), criterion, **custom).outputs["evaluation"]
    assert evaluation["metrics"]["test_worst_error"] is None
    assert evaluation["status"] == "REJECTED"
    assert json.dumps(evaluation, allow_nan=False)


def test_a_classifier_gets_its_curves_on_the_card(evaluate: Evaluate) -> None:
    binary = {"recipe": "classification/v1", "positive_class": "yes"}
    result = evaluate(BINARY, LogisticRegression(), **binary)
    assert result.summary.startswith("UNKNOWN, test_f1_score ")
    titles = [section.title for section in result.sections]
    assert titles[:2] == ["Model Validation", "Model Performance (Test)"]
    assert len(titles) > 3
    assert titles[-1] == "Run"
