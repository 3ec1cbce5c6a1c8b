"""The regression task: values worked by hand, and what it refuses."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.linear_model import LinearRegression

from mlrecipes.errors import DataError, UserCodeError
from mlrecipes.records import Bars, Curve, Table
from mlrecipes.tasks import Predictions, task_for

TASK = task_for("regression/v1")
TARGET = pd.Series([1.0, 2.0, 4.0, 5.0], name="price")
PREDICTED = Predictions(np.array([2.0, 2.0, 2.0, 6.0]))


class Gives:
    """A model that predicts what it was made with."""

    def __init__(self, predicted: Any) -> None:
        self.predicted = predicted

    def predict(self, features: pd.DataFrame) -> Any:
        return self.predicted


# ---- evaluate ----------------------------------------------------------------------------


def test_metrics_are_those_worked_by_hand() -> None:
    """Errors 1, 0, -2, 1: squares 6 in all; the target's squares around its mean 3 are 10."""
    assert TASK.evaluate(TARGET, PREDICTED) == pytest.approx(
        {
            "example_count": 4,
            "mean_absolute_error": 1.0,
            "mean_squared_error": 1.5,
            "root_mean_squared_error": math.sqrt(1.5),
            "max_error": 2.0,
            "mean_absolute_percentage_error": (1 + 0 + 0.5 + 0.2) / 4,
            "r2_score": 0.4,
            "score": 0.4,
            "sum_on_target": 12.0,
            "mean_on_target": 3.0,
        }
    )


def test_metrics_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    target, predicted, weight = rng.normal(size=(3, 200))
    weight = np.abs(weight)
    found = TASK.evaluate(pd.Series(target), Predictions(predicted), weight)
    for name in ("mean_absolute_error", "mean_squared_error", "root_mean_squared_error"):
        expected = getattr(metrics, name)(target, predicted, sample_weight=weight)
        assert found[name] == pytest.approx(expected, rel=1e-12)
    r2 = metrics.r2_score(target, predicted, sample_weight=weight)
    assert found["score"] == found["r2_score"] == r2


def test_every_metric_that_a_threshold_may_name_is_computed() -> None:
    assert set(TASK.metric_directions) <= set(TASK.evaluate(TARGET, PREDICTED))
    assert TASK.primary_metric == "root_mean_squared_error"


def test_the_mean_of_a_weighed_target_is_weighed() -> None:
    found = TASK.evaluate(TARGET, PREDICTED, [0, 0, 1, 3])
    assert (found["sum_on_target"], found["mean_on_target"]) == (19.0, 4.75)


def test_r2_of_a_single_row_is_nan() -> None:
    assert math.isnan(TASK.evaluate(TARGET[:1], Predictions(np.array([1.0])))["r2_score"])


def test_a_null_target_cannot_be_scored() -> None:
    with pytest.raises(DataError, match="'price' cannot be scored: 1 of 2 rows are null or inf"):
        TASK.evaluate(pd.Series([1.0, None], name="price"), Predictions(np.zeros(2)))


def test_no_rows_cannot_be_scored() -> None:
    with pytest.raises(DataError, match="The target cannot be scored: there is no row"):
        TASK.evaluate(pd.Series([], dtype=float), Predictions(np.zeros(0)))


# ---- check_target ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        [1, 2, 3],
        [1.5, None, 2.0],
        pd.array([1, None, 3], dtype="Int64"),
        [Decimal("1.5"), Decimal(2), None],
        [True, False, True],
    ],
)
def test_numbers_can_be_a_target(values: Any) -> None:
    TASK.check_target(pd.Series(values), "the data")


def test_text_is_no_target() -> None:
    target = pd.Series(["cheap", "1.5", None], name="price")
    expected = (
        r"the training part: the target 'price' must hold numbers .*, but 2 of 3 rows are "
        r"something else \(str\), such as 'cheap', '1.5'.\n.*classification/v1"
    )
    with pytest.raises(DataError, match=expected):
        TASK.check_target(target, "the training part")


def test_text_among_numbers_is_counted() -> None:
    with pytest.raises(DataError, match=r"1 of 3 rows are something else \(object\), such as '\?'"):
        TASK.check_target(pd.Series([1, "?", 2.5], dtype=object), "the data")


@pytest.mark.parametrize("values", [pd.to_datetime(["2024-01-01"]), pd.Categorical([1, 2])])
def test_dates_and_categories_are_no_target(values: Any) -> None:
    with pytest.raises(DataError, match="must hold numbers"):
        TASK.check_target(pd.Series(values), "the data")


def test_an_infinite_target_is_an_error() -> None:
    with pytest.raises(DataError, match="the target 'y' is infinite in 2 of 4 rows"):
        TASK.check_target(pd.Series([1.0, math.inf, -math.inf, None], name="y"), "the data")


def test_a_target_of_nulls_is_an_error() -> None:
    with pytest.raises(DataError, match="the target has no value: all of its 2 rows are null"):
        TASK.check_target(pd.Series([None, None]), "the data")


# ---- predict -----------------------------------------------------------------------------


def test_a_fitted_model_predicts_a_number_a_row() -> None:
    features = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    model = LinearRegression().fit(features, [2.0, 4.0, 6.0])
    predictions = TASK.predict(model, features)
    assert predictions.labels == pytest.approx([2.0, 4.0, 6.0])
    assert predictions.scores is None
    assert predictions.positive_scores is None
    assert len(predictions) == 3


def test_a_column_of_predictions_will_do() -> None:
    features = pd.DataFrame({"x": [1, 2]})
    assert TASK.predict(Gives([[1.0], [2.0]]), features).labels.tolist() == [1.0, 2.0]


def test_another_number_of_predictions_is_an_error() -> None:
    with pytest.raises(UserCodeError, match=r"Gives.predict gave an array of shape \(3,\); \(2,\)"):
        TASK.predict(Gives([1, 2, 3]), pd.DataFrame({"x": [1, 2]}))


def test_predictions_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(UserCodeError, match="1 of 2 predictions are NaN or infinite"):
        TASK.predict(Gives([1.0, math.nan]), pd.DataFrame({"x": [1, 2]}))


def test_predictions_that_are_no_numbers_are_an_error() -> None:
    with pytest.raises(UserCodeError, match=r"predicted .*cheap.*; a regression recipe expects"):
        TASK.predict(Gives(["cheap"]), pd.DataFrame({"x": [1]}))


# ---- what is shown -----------------------------------------------------------------------


def test_the_evaluation_frame_leaves_the_index_behind() -> None:
    frame = TASK.evaluation_frame(TARGET.set_axis([7, 7, 8, 8]), PREDICTED)
    assert frame.index.tolist() == [0, 1, 2, 3]
    assert frame.to_dict("list") == {"prediction": [2.0, 2.0, 2.0, 6.0], "target": [1, 2, 4, 5]}


def test_the_worst_rows_are_those_furthest_off() -> None:
    assert TASK.worst_rows(TARGET, PREDICTED, 2).tolist() == [2, 0]


def test_a_prediction_is_shown_as_a_number() -> None:
    assert TASK.shown_prediction(PREDICTED, 3) == 6.0


def test_there_are_no_classes_to_count() -> None:
    assert TASK.class_balance({"training": pd.DataFrame({"y": [1.0]})}, "y") is None


def test_sections_hold_points_residuals_and_errors() -> None:
    plots, errors = TASK.sections(TARGET, PREDICTED)
    points, residuals = plots.blocks
    assert isinstance(points, Curve)
    assert points.series[0].x == (2.0, 2.0, 2.0, 6.0)
    assert points.series[1].x == (1.0, 6.0)
    assert isinstance(residuals, Bars)
    assert sum(residuals.values) == 4
    bars, table = errors.blocks
    assert isinstance(bars, Bars)
    assert isinstance(table, Table)
    assert table.rows[-1] == (4, 1, 6.0, 5.0, 1.0)


def test_at_most_500_points_are_drawn_and_always_the_same() -> None:
    target = pd.Series(np.arange(2000.0))
    first, again = (
        TASK.sections(target, Predictions(np.arange(2000.0)))[0].blocks[0] for _ in range(2)
    )
    assert isinstance(first, Curve)
    assert len(first.series[0].x) == 500
    assert first == again
    assert first.caption == "Actual against predicted values (500 of 2,000 rows)"


def test_sections_of_one_row_can_be_drawn() -> None:
    assert len(TASK.sections(pd.Series([1.0]), Predictions(np.array([1.0])))) == 2
