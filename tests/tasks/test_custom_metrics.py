"""The user's own metrics: how they are called, and what they may give back."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes.errors import UserCodeError
from mlrecipes.tasks.custom_metrics import evaluate_custom

FRAME = pd.DataFrame({"prediction": [1.0, 3.0], "target": [1.0, 5.0]})
BUILTIN = {"mean_absolute_error": 1.0}
FEATURES = pd.DataFrame({"size": [10, 20]}, index=[7, 7])


@dataclass
class MetricValue:
    """As MLflow's: results by the name of their aggregation."""

    aggregate_results: dict[str, Any] = field(default_factory=dict)


def evaluate(*functions: Any) -> dict[str, float]:
    named = {getattr(function, "__name__", "metric"): function for function in functions}
    return evaluate_custom(named, FRAME, BUILTIN, FEATURES)


# ---- calling -----------------------------------------------------------------------------


def test_two_parameters_are_the_frame_and_the_builtin_metrics() -> None:
    def twice_mae(eval_df: pd.DataFrame, builtin_metrics: dict[str, float]) -> float:
        assert list(eval_df.columns) == ["prediction", "target"]
        return 2 * builtin_metrics["mean_absolute_error"]

    assert evaluate(twice_mae) == {"twice_mae": 2.0}


def test_predictions_and_targets_come_by_name_in_any_order() -> None:
    def bias(targets: pd.Series, predictions: pd.Series) -> float:
        return float((predictions - targets).mean())

    assert evaluate(bias) == {"bias": -1.0}


def test_metrics_by_name_look_like_those_of_mlflow() -> None:
    def from_metrics(predictions: pd.Series, targets: pd.Series, metrics: Any) -> Any:
        mae = metrics["mean_absolute_error"]
        assert mae.scores is None
        return mae + mae.aggregate_results["mean_absolute_error"]

    assert evaluate(from_metrics) == {"from_metrics": 2.0}


def test_a_column_of_the_features_comes_by_name_row_by_row() -> None:
    def weighted(predictions: pd.Series, targets: pd.Series, size: pd.Series) -> Any:
        return ((predictions - targets).abs() * size).sum() / size.sum()

    assert evaluate(weighted) == pytest.approx({"weighted": 40 / 30})


def test_a_parameter_with_a_default_keeps_it() -> None:
    def scaled(predictions: pd.Series, targets: pd.Series, factor: int = 3, *args: Any) -> Any:
        return factor * (targets - predictions).sum()

    assert evaluate(scaled) == {"scaled": 6.0}


def test_a_later_metric_can_use_an_earlier_one() -> None:
    def first(eval_df: pd.DataFrame, metrics: dict[str, float]) -> float:
        return 4

    def second(eval_df: pd.DataFrame, metrics: dict[str, float]) -> float:
        return metrics["first"] + 1

    assert evaluate(first, second) == {"first": 4.0, "second": 5.0}


def test_a_function_that_changes_the_frame_does_not_disturb_the_next() -> None:
    def spoils(eval_df: pd.DataFrame, metrics: dict[str, float]) -> float:
        eval_df["prediction"] = 0.0
        metrics.clear()
        return 0

    def total(predictions: pd.Series, targets: pd.Series) -> Any:
        return predictions.sum()

    assert evaluate(spoils, total)["total"] == 4.0


def test_an_unknown_parameter_is_an_error() -> None:
    def own(predictions: pd.Series, targets: pd.Series, colour: Any) -> float:
        return 0

    expected = r"^steps/custom_metrics.py:own has the parameter 'colour', which .*\('size'\)"
    with pytest.raises(UserCodeError, match=expected):
        evaluate(own)


# ---- results -----------------------------------------------------------------------------


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int64(2)])
def test_a_number_of_any_type_will_do(value: Any) -> None:
    result = evaluate(lambda eval_df, metrics: value)
    assert result == {"<lambda>": 2.0}
    assert type(result["<lambda>"]) is float


def test_a_metric_value_may_hold_the_metric_under_its_name() -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return MetricValue({"own": 0.5, "p90": 0.75})

    assert evaluate(own) == {"own": 0.5, "own/p90": 0.75}


def test_a_metric_value_with_a_mean_stands_for_its_mean() -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return MetricValue({"mean": 0.5, "variance": 0.25})

    assert evaluate(own) == {"own": 0.5, "own/mean": 0.5, "own/variance": 0.25}


def test_a_metric_value_with_one_result_stands_for_it() -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return MetricValue({"p90": 0.5})

    assert evaluate(own) == {"own": 0.5, "own/p90": 0.5}


def test_a_metric_value_without_a_main_result_is_an_error() -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return MetricValue({"p50": 0.5, "p90": 0.75})

    with pytest.raises(UserCodeError, match="aggregates 'p50', 'p90'; none of them is 'own' or"):
        evaluate(own)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, "NoneType"), ("0.5", "str"), ({"own": 1}, "dict"), (MetricValue(), "MetricValue")],
)
def test_anything_but_a_number_is_an_error_that_names_the_function(value: Any, shown: str) -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return value

    with pytest.raises(UserCodeError, match=rf"^steps/custom_metrics.py:own gave {shown} for the "):
        evaluate(own)


def test_a_metric_value_without_a_number_is_an_error() -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return MetricValue({"own": None})

    with pytest.raises(UserCodeError, match="gave a MetricValue whose 'own' is NoneType"):
        evaluate(own)


def test_a_function_that_fails_keeps_its_cause() -> None:
    def own(predictions: Any, targets: Any) -> Any:
        return 1 / 0

    expected = "steps/custom_metrics.py:own failed for the metric 'own': ZeroDivisionError"
    with pytest.raises(UserCodeError, match=expected) as error:
        evaluate(own)
    assert isinstance(error.value.__cause__, ZeroDivisionError)
