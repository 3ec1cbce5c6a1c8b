"""The binary task: values worked by hand, classes of any type, and what it refuses."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from mlrecipes.errors import DataError, UserCodeError
from mlrecipes.records import Bars, Curve, Heatmap, Text
from mlrecipes.tasks import Predictions, task_for
from mlrecipes.tasks._binary_sections import auc_interval, lift_by_tenth

TASK = task_for("classification/v1", 1)
YES = task_for("classification/v1", "yes")
TARGET = pd.Series([1, 0, 1, 0, 0], name="y")


def scored(*positive: float, labels: Any = None) -> Predictions:
    scores = np.array([[1 - p, p] for p in positive])
    predicted = (scores[:, 1] > 0.5).astype(int) if labels is None else np.asarray(labels)
    return Predictions(predicted, scores, (0, 1), 1)


class Gives:
    """A model that predicts what it was made with."""

    def __init__(self, labels: Any, scores: Any, classes: Any = (0, 1)) -> None:
        self.labels, self.scores, self.classes_ = labels, scores, classes

    def predict(self, features: pd.DataFrame) -> Any:
        return self.labels

    def predict_proba(self, features: pd.DataFrame) -> Any:
        return self.scores


ONE_ROW = pd.DataFrame({"x": [1.0]})


# ---- evaluate ----------------------------------------------------------------------------


def test_metrics_are_those_worked_by_hand() -> None:
    """Scores .9 .8 | .6 .3 .1 for 1 0 | 1 0 0: of 6 pairs, 5 are in order."""
    found = TASK.evaluate(TARGET, scored(0.9, 0.8, 0.6, 0.3, 0.1))
    for fitted in ("calibration_slope", "calibration_intercept"):  # see test_resampling.py
        found.pop(fitted)
    assert found == pytest.approx(
        {
            "example_count": 5,
            "true_negatives": 2,
            "false_positives": 1,
            "false_negatives": 0,
            "true_positives": 2,
            "accuracy_score": 0.8,
            "score": 0.8,
            "precision_score": 2 / 3,
            "recall_score": 1.0,
            "f1_score": 0.8,
            "roc_auc": 5 / 6,
            "precision_recall_auc": 0.5 * (1 + 1) / 2 + 0.5 * (1 / 2 + 2 / 3) / 2,
            "log_loss": -sum(map(math.log, (0.9, 0.2, 0.6, 0.7, 0.9))) / 5,
            "brier_score": (0.01 + 0.64 + 0.16 + 0.09 + 0.01) / 5,
            "gini": 2 * 5 / 6 - 1,
            "ks": 1 - 1 / 3,
        }
    )


def test_metrics_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    scores, weight = rng.random(300), rng.random(300)
    target = (scores + rng.normal(size=300) > 0.7).astype(int)
    predictions = scored(*scores)
    found = TASK.evaluate(pd.Series(target), predictions, weight)
    for name in ("accuracy_score", "precision_score", "recall_score", "f1_score"):
        expected = getattr(metrics, name)(target, predictions.labels, sample_weight=weight)
        assert found[name] == pytest.approx(expected, rel=1e-12)
    weighted = {"sample_weight": weight}
    assert found["roc_auc"] == metrics.roc_auc_score(target, scores, **weighted)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(target, scores, **weighted))
    brier = metrics.brier_score_loss(target, scores, **weighted)
    assert found["brier_score"] == pytest.approx(brier, rel=1e-12)


def test_every_metric_that_a_threshold_may_name_is_computed() -> None:
    assert set(TASK.metric_directions) <= set(TASK.evaluate(TARGET, scored(*[0.4] * 5)))
    assert TASK.primary_metric == "f1_score"


def test_without_scores_there_are_no_metrics_of_scores() -> None:
    found = TASK.evaluate(TARGET, Predictions(np.array([1, 1, 1, 0, 0]), positive_class=1))
    assert found["f1_score"] == 0.8
    assert "roc_auc" not in found


def test_the_positive_class_may_be_the_first_one() -> None:
    task = task_for("classification/v1", 0)
    scores = np.array([[0.9, 0.1], [0.2, 0.8]])
    predictions = Predictions(np.array([0, 1]), scores, (0, 1), 0)
    found = task.evaluate(pd.Series([0, 1]), predictions)
    assert (found["true_positives"], found["true_negatives"], found["roc_auc"]) == (1, 1, 1.0)
    assert predictions.positive_scores is not None
    assert predictions.positive_scores.tolist() == [0.9, 0.2]


@pytest.mark.parametrize(
    "target",
    [
        pd.Series(["yes", "no"], dtype="str"),
        pd.Series(["yes", "no"], dtype=object),
        pd.Series(["yes", "no"], dtype="category"),
        pd.Series(["yes", "no"], dtype="string"),
    ],
)
def test_classes_may_be_texts_of_any_type(target: pd.Series) -> None:
    YES.check_target(target, "the data")
    predictions = Predictions(
        np.array(["yes", "yes"], dtype=object), positive_class="yes", classes=("no", "yes")
    )
    found = YES.evaluate(target, predictions)
    assert (found["true_positives"], found["false_positives"]) == (1, 1)


@pytest.mark.parametrize("dtype", ["int8", "Int64", "float64", "bool", "boolean", "object"])
def test_classes_may_be_numbers_of_any_type(dtype: str) -> None:
    target = pd.Series([1, 0, 1, 0, 0]).astype(dtype)
    TASK.check_target(target, "the data")
    found = TASK.evaluate(target, scored(0.9, 0.8, 0.6, 0.3, 0.1))
    assert (found["true_positives"], found["false_positives"]) == (2, 1)


def test_curves_of_one_class_are_nan_and_do_not_warn() -> None:
    found = TASK.evaluate(pd.Series([0, 0]), scored(0.1, 0.2))
    assert math.isnan(found["roc_auc"])
    assert math.isnan(found["precision_recall_auc"])
    assert found["log_loss"] == pytest.approx(-(math.log(0.9) + math.log(0.8)) / 2)


def test_precision_without_a_positive_prediction_is_0() -> None:
    found = TASK.evaluate(TARGET, scored(*[0.1] * 5))
    assert (found["precision_score"], found["f1_score"]) == (0, 0)


def test_a_null_target_cannot_be_scored() -> None:
    with pytest.raises(DataError, match="'y' cannot be scored: 1 of 2 rows are null"):
        TASK.evaluate(pd.Series([1, None], name="y"), scored(0.1, 0.2))


def test_no_rows_cannot_be_scored() -> None:
    with pytest.raises(DataError, match="there is no row"):
        TASK.evaluate(pd.Series([], dtype=int), Predictions(np.zeros(0)))


def test_predicted_classes_that_the_target_does_not_have_are_an_error() -> None:
    predictions = Predictions(np.array(["1", "0", "1", "0", "0"]), positive_class=1)
    with pytest.raises(DataError, match="predicts the classes '0', '1', which the target"):
        TASK.evaluate(TARGET, predictions)


# ---- check_target ------------------------------------------------------------------------


def test_nulls_are_no_class() -> None:
    """MLflow Recipes counted NaN as a third class and crashed on None among texts."""
    TASK.check_target(pd.Series([1.0, 0.0, None]), "the data")
    YES.check_target(pd.Series(["yes", "no", None], dtype=object), "the data")


def test_one_class_is_an_error() -> None:
    target = pd.Series([1, 1, None], name="y")
    expected = r"the test part: the target 'y' has 1 class, 1.0 \(2 rows\), 1 of 3 rows are null; "
    with pytest.raises(DataError, match=expected):
        TASK.check_target(target, "the test part")


def test_no_class_is_an_error() -> None:
    with pytest.raises(DataError, match="has no class, 2 of 2 rows are null"):
        TASK.check_target(pd.Series([None, None]), "the data")


def test_more_than_two_classes_are_an_error_with_the_most_frequent_ones() -> None:
    target = pd.Series(["a"] * 3 + ["yes"] * 2 + list("bcdef"), name="y")
    with pytest.raises(DataError, match="must have 2 classes") as error:
        YES.check_target(target, "the data")
    assert str(error.value) == (
        "the data: positive_class is 'yes', so the target 'y' must have 2 classes, but it has 7: "
        "'a' (3 rows), 'yes' (2 rows), 'b' (1 rows), 'c' (1 rows), 'd' (1 rows) and 2 more.\n"
        "  Delete positive_class from recipe.yaml to predict all classes, or make two of them in "
        "steps/ingest.py."
    )


def test_a_positive_class_that_is_not_in_the_data_is_an_error() -> None:
    with pytest.raises(DataError, match=r"'yes' is not a class.*\n.*positive_class: 0 or pos"):
        YES.check_target(pd.Series([0, 1, 1]), "the data")


def test_a_positive_class_of_another_type_is_explained() -> None:
    with pytest.raises(DataError, match=r'holds text: write positive_class: "1" in recipe.yaml'):
        TASK.check_target(pd.Series(["1", "0"]), "the data")


def test_a_positive_class_that_is_text_while_the_data_are_numbers_is_explained() -> None:
    with pytest.raises(DataError, match=r"holds int: write positive_class: 1 in recipe.yaml"):
        task_for("classification/v1", "1").check_target(pd.Series([1, 0]), "the data")


def test_an_unquoted_yes_in_yaml_is_explained() -> None:
    with pytest.raises(DataError, match=r'YAML reads yes and no .*write "yes" or "no"'):
        task_for("classification/v1", True).check_target(pd.Series(["yes", "no"]), "the data")


def test_categories_without_rows_are_no_classes() -> None:
    target = pd.Series(pd.Categorical([0, 1], categories=[0, 1, 2]))
    TASK.check_target(target, "the data")


def test_values_that_can_be_no_class_are_an_error() -> None:
    with pytest.raises(DataError, match=r"holds values that can be no class, such as \[1\]"):
        TASK.check_target(pd.Series([[1], [2]]), "the data")


# ---- predict -----------------------------------------------------------------------------


def test_a_fitted_classifier_gives_labels_and_scores() -> None:
    features = pd.DataFrame({"x": [-1.0, -2.0, 1.0, 2.0]})
    model = LogisticRegression().fit(features, ["no", "no", "yes", "yes"])
    predictions = YES.predict(model, features)
    assert predictions.labels.tolist() == ["no", "no", "yes", "yes"]
    assert predictions.classes == ("no", "yes")
    assert predictions.positive_scores is not None
    assert predictions.positive_scores.tolist() == model.predict_proba(features)[:, 1].tolist()


def test_a_classifier_without_probabilities_gives_labels_only() -> None:
    features = pd.DataFrame({"x": [-1.0, -2.0, 1.0, 2.0]})
    predictions = TASK.predict(LinearSVC().fit(features, [0, 0, 1, 1]), features)
    assert predictions.scores is None
    assert predictions.positive_scores is None


def test_probabilities_of_another_shape_are_an_error() -> None:
    with pytest.raises(UserCodeError, match=r"gave an array of shape \(1,\); \(1, 2\) is expected"):
        TASK.predict(Gives([1], np.array([0.5])), ONE_ROW)


def test_probabilities_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(UserCodeError, match="1 of 2 probabilities are NaN or infinite"):
        TASK.predict(Gives([1], np.array([[0.5, math.nan]])), ONE_ROW)


def test_values_outside_0_and_1_are_an_error() -> None:
    with pytest.raises(UserCodeError, match=r"gave 2 values outside \[0, 1\], such as -3"):
        TASK.predict(Gives([1], np.array([[-3.0, 4.0]])), ONE_ROW)


def test_rounding_in_single_precision_is_taken_back() -> None:
    scores = np.array([[-1e-7, 1 + 1e-7]])
    predictions = TASK.predict(Gives([1], scores), ONE_ROW)
    assert predictions.scores is not None
    assert predictions.scores.tolist() == [[0.0, 1.0]]


def test_a_model_that_does_not_know_the_positive_class_is_an_error() -> None:
    with pytest.raises(UserCodeError, match="classes '0', '1'; positive_class 'yes' is not"):
        YES.predict(Gives([1], np.array([[0.5, 0.5]])), ONE_ROW)


def test_a_model_that_does_not_name_its_classes_is_an_error() -> None:
    model = Gives([1], np.array([[0.5, 0.5]]), classes=None)
    with pytest.raises(UserCodeError, match="has predict_proba but not classes_"):
        TASK.predict(model, ONE_ROW)


# ---- what is shown -----------------------------------------------------------------------


def test_the_evaluation_frame_has_the_score_of_the_positive_class() -> None:
    frame = TASK.evaluation_frame(TARGET.set_axis([5] * 5), scored(0.9, 0.8, 0.6, 0.3, 0.1))
    assert list(frame.columns) == ["prediction", "target", "score"]
    assert frame["score"].tolist() == [0.9, 0.8, 0.6, 0.3, 0.1]
    assert frame["target"].tolist() == [1, 0, 1, 0, 0]


def test_the_worst_rows_are_those_with_the_least_probable_class() -> None:
    predictions = scored(0.9, 0.8, 0.6, 0.3, 0.1)
    assert TASK.worst_rows(TARGET, predictions, 2).tolist() == [1, 2]


def test_without_scores_the_worst_rows_are_the_wrong_ones_in_their_order() -> None:
    predictions = Predictions(np.array([1, 0, 0, 0, 1]), positive_class=1)
    assert TASK.worst_rows(TARGET, predictions, 3).tolist() == [2, 4, 0]


def test_a_prediction_is_shown_with_its_score() -> None:
    assert TASK.shown_prediction(scored(0.9, 0.25), 1) == "0 (score 0.2500)"
    assert TASK.shown_prediction(Predictions(np.array([1])), 0) == "1"


def test_classes_are_counted_part_by_part() -> None:
    parts = {
        "training": pd.DataFrame({"y": [0, 0, 0, 1]}),
        "test": pd.DataFrame({"y": [0, None]}),
    }
    table = TASK.class_balance(parts, "y")
    assert table is not None
    assert table.columns == ("class", "training rows", "training share", "test rows", "test share")
    assert table.rows == (("0", 3, 0.75, 1, 1.0), ("1", 1, 0.25, 0, 0.0))


def test_sections_show_the_confusion_matrix_and_the_curves() -> None:
    plots, scores, *_ = TASK.sections(TARGET, scored(0.9, 0.8, 0.6, 0.3, 0.1))
    confusion, roc, precision_recall, lift = plots.blocks
    assert isinstance(confusion, Heatmap)
    assert confusion.cells == ((2.0, 1.0), (0.0, 2.0))
    assert (confusion.rows, confusion.row_label) == (("0", "1"), "actual")
    assert isinstance(roc, Curve)
    assert roc.caption.startswith("ROC: AUC 0.8333, 95% interval ")
    assert roc.caption.endswith("(n = 5, 2 positive)")
    assert (roc.series[0].x[0], roc.series[0].x[-1]) == (0.0, 1.0)
    assert isinstance(precision_recall, Curve)
    assert isinstance(lift, Bars)
    assert lift.values == pytest.approx([2.5, 0, 2.5, 0, 0])
    assert all(isinstance(block, Curve) for block in scores.blocks)


def test_reliability_groups_rows_of_like_score() -> None:
    target = pd.Series([1, 0] * 50 + [1] * 100)
    reliability = TASK.sections(target, scored(*[0.4] * 100, *[0.9] * 100))[1].blocks[0]
    assert isinstance(reliability, Curve)
    assert reliability.series[0].x == pytest.approx((0.4, 0.9))
    assert reliability.series[0].y == pytest.approx((0.5, 1.0))
    assert "mean gap 0.1000 (n = 200)" in reliability.caption


def test_a_curve_has_at_most_200_points() -> None:
    scores = np.random.default_rng(0).random(5000)
    plots, *_ = TASK.sections(pd.Series([0, 1] * 2500), scored(*scores))
    for block in plots.blocks[1:3]:
        assert isinstance(block, Curve)
        assert len(block.series[0].x) <= 200


def test_equal_scores_of_all_rows_can_be_drawn() -> None:
    plots, scores, *_ = TASK.sections(TARGET, scored(*[0.3] * 5))
    assert len(plots.blocks) + len(scores.blocks) == 6


def test_without_both_classes_the_card_says_why_there_is_no_curve() -> None:
    (plots,) = TASK.sections(pd.Series([0, 0]), scored(0.1, 0.2))
    assert plots.blocks[1] == Text("0 of 2 rows are positive, so there is no curve to draw.")


def test_without_scores_there_is_a_confusion_matrix_only() -> None:
    (plots,) = TASK.sections(TARGET, Predictions(np.array([1, 0, 0, 0, 1]), positive_class=1))
    assert [type(block) for block in plots.blocks] == [Heatmap]


def test_lift_does_not_depend_on_the_order_of_equal_scores() -> None:
    scores = np.array([0.9] * 4 + [0.1] * 4)
    one = lift_by_tenth(np.array([1, 1, 0, 0, 0, 0, 0, 0]), scores)
    other = lift_by_tenth(np.array([0, 0, 1, 1, 0, 0, 0, 0]), scores)
    assert one.tolist() == other.tolist() == [2.0] * 4 + [0.0] * 4


def test_the_interval_of_an_auc_is_that_of_hanley_and_mcneil() -> None:
    """AUC 0.8, 50 and 50 rows: Q1 = 2/3, Q2 = 32/45, variance 0.0020316."""
    q1, q2 = 0.8 / 1.2, 1.28 / 1.8
    variance = (0.16 + 49 * (q1 - 0.64) + 49 * (q2 - 0.64)) / 2500
    half = 1.96 * math.sqrt(variance)
    assert auc_interval(0.8, 50, 50) == pytest.approx((0.8 - half, 0.8 + half))
    assert auc_interval(1.0, 3, 3) == (1.0, 1.0)
