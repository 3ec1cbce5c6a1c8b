"""The multiclass task: true macro and micro F1, unseen classes, and what it refuses."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from mlrecipes.errors import DataError
from mlrecipes.records import Heatmap, Table
from mlrecipes.tasks import Predictions, task_for

TASK = task_for("classification/v1")
TARGET = pd.Series(["a", "a", "a", "b", "b", "c"], name="kind")
LABELS = np.array(["a", "a", "b", "b", "c", "c"], dtype=object)


def softmax(n_rows: int, n_classes: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(0).normal(size=(n_rows, n_classes)))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


# ---- evaluate ----------------------------------------------------------------------------


def test_metrics_are_those_worked_by_hand() -> None:
    """F1 of a, b, c: 4/5, 1/2, 2/3; they have 3, 2 and 1 rows."""
    assert TASK.evaluate(TARGET, Predictions(LABELS)) == pytest.approx(
        {
            "example_count": 6,
            "accuracy_score": 4 / 6,
            "score": 4 / 6,
            "precision_score": (3 * 1 + 2 * 0.5 + 1 * 0.5) / 6,
            "recall_score": 4 / 6,
            "f1_score": (3 * 0.8 + 2 * 0.5 + 1 * 2 / 3) / 6,
            "f1_score_macro": (0.8 + 0.5 + 2 / 3) / 3,
            "f1_score_micro": 4 / 6,
        }
    )


def test_metrics_equal_those_of_scikit_learn() -> None:
    scores = softmax(300, 3)
    target = np.array(["a", "b", "c"], dtype=object)[np.arange(300) % 3]
    labels = np.array(["a", "b", "c"], dtype=object)[scores.argmax(axis=1)]
    weight = np.random.default_rng(1).random(300)
    found = TASK.evaluate(pd.Series(target), Predictions(labels, scores, ("a", "b", "c")), weight)
    weighted = {"sample_weight": weight}
    for average in ("macro", "micro"):
        expected = metrics.f1_score(target, labels, average=average, **weighted)
        assert found[f"f1_score_{average}"] == pytest.approx(expected, rel=1e-12)
    assert found["log_loss"] == pytest.approx(metrics.log_loss(target, scores, **weighted))
    auc = metrics.roc_auc_score(target, scores, multi_class="ovr", average="weighted", **weighted)
    assert found["roc_auc"] == pytest.approx(auc, rel=1e-12)


def test_every_metric_that_a_threshold_may_name_is_computed() -> None:
    found = TASK.evaluate(TARGET, Predictions(LABELS, softmax(6, 3), ("a", "b", "c")))
    assert set(TASK.metric_directions) <= set(found)
    assert TASK.primary_metric == "f1_score_macro"


def test_a_class_of_the_model_that_does_not_occur_has_no_weight() -> None:
    """scikit-learn gives no ROC AUC here at all."""
    scores = np.array([[0.7, 0.2, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    predictions = Predictions(np.array(["a", "b", "a"]), scores, ("a", "b", "c"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = TASK.evaluate(pd.Series(["a", "b", "a"]), predictions)
    assert found["roc_auc"] == 1.0


def test_a_class_that_the_model_never_saw_counts_with_probability_0() -> None:
    scores = np.array([[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
    predictions = Predictions(np.array(["a", "b", "a"]), scores, ("a", "b"))
    found = TASK.evaluate(pd.Series(["a", "b", "new"]), predictions)
    assert found["accuracy_score"] == pytest.approx(2 / 3)
    assert found["log_loss"] > 10
    assert math.isfinite(found["roc_auc"])


def test_a_single_class_has_no_roc_auc() -> None:
    predictions = Predictions(np.array(["a"]), np.array([[1.0]]), ("a",))
    found = TASK.evaluate(pd.Series(["a"]), predictions)
    assert math.isnan(found["roc_auc"])
    assert math.isnan(found["log_loss"])


def test_classes_of_several_types_can_be_scored() -> None:
    target = pd.Series([1, "a", 2.5], dtype=object)
    assert TASK.evaluate(target, Predictions(target.to_numpy()))["accuracy_score"] == 1


# ---- check_target ------------------------------------------------------------------------


def test_three_classes_will_do_and_nulls_are_none() -> None:
    TASK.check_target(pd.Series(["a", "b", "c", None]), "the data")


def test_two_classes_need_a_positive_class() -> None:
    with pytest.raises(DataError, match="positive_class does not say") as error:
        TASK.check_target(pd.Series(["no", "no", "yes", None], name="sold"), "the data")
    assert str(error.value) == (
        "the data: the target 'sold' has 2 classes, 'no' (2 rows), 'yes' (1 rows), and "
        "positive_class does not say which of them is the positive one.\n"
        '  Set positive_class: "no" or positive_class: "yes" in recipe.yaml. If other parts of '
        "the data hold more classes, this part has too few rows to hold them all."
    )


def test_the_setting_to_write_is_yaml() -> None:
    with pytest.raises(DataError, match="Set positive_class: false or positive_class: true in"):
        TASK.check_target(pd.Series([True, False]), "the data")


def test_one_class_is_an_error() -> None:
    with pytest.raises(DataError, match=r"has 1 class, 'a' \(2 rows\) in 2 rows"):
        TASK.check_target(pd.Series(["a", "a"]), "the data")


# ---- predict and show ----------------------------------------------------------------------


def test_a_fitted_classifier_gives_labels_and_scores() -> None:
    features = pd.DataFrame({"x": [0.0, 1.0, 5.0, 6.0, 10.0, 11.0]})
    model = LogisticRegression().fit(features, list("aabbcc"))
    predictions = TASK.predict(model, features)
    assert predictions.classes == ("a", "b", "c")
    assert predictions.scores is not None
    assert predictions.scores.shape == (6, 3)
    assert predictions.positive_scores is None
    assert str(TASK.shown_prediction(predictions, 0)).startswith("a (score 0.")


def test_a_label_without_scores_is_shown_alone() -> None:
    assert TASK.shown_prediction(Predictions(LABELS), 2) == "b"


def test_the_worst_rows_are_those_with_the_least_probable_class() -> None:
    scores = np.array([[0.6, 0.4], [0.1, 0.9], [0.5, 0.5]])
    predictions = Predictions(np.array(["a", "b", "a"]), scores, ("a", "b"))
    assert TASK.worst_rows(pd.Series(["a", "a", "new"]), predictions, 9).tolist() == [2, 1, 0]


def test_the_evaluation_frame_has_no_score() -> None:
    frame = TASK.evaluation_frame(TARGET, Predictions(LABELS, softmax(6, 3), ("a", "b", "c")))
    assert list(frame.columns) == ["prediction", "target"]


def test_sections_show_the_confusion_matrix_and_each_class() -> None:
    plots, classes = TASK.sections(TARGET, Predictions(LABELS))
    (confusion,) = plots.blocks
    assert isinstance(confusion, Heatmap)
    assert confusion.rows == ("a", "b", "c")
    assert confusion.cells == ((2, 1, 0), (0, 1, 1), (0, 0, 1))
    (table,) = classes.blocks
    assert isinstance(table, Table)
    assert table.rows[0] == pytest.approx(("a", 3, 1.0, 2 / 3, 0.8))


def test_of_many_classes_the_rare_ones_are_shown_as_one() -> None:
    target = pd.Series([*range(100), *range(10)])
    plots, classes = TASK.sections(target, Predictions(target.to_numpy()))
    confusion, table = plots.blocks[0], classes.blocks[0]
    assert isinstance(confusion, Heatmap)
    assert confusion.rows[-1] == "81 others"
    assert confusion.cells[-1][-1] == 81
    assert sum(map(sum, confusion.cells)) == 110
    assert isinstance(table, Table)
    assert (len(table.rows), table.caption) == (50, "Most frequent first; 50 more are not shown")


def test_of_many_classes_the_frequent_ones_are_counted() -> None:
    table = TASK.class_balance({"training": pd.DataFrame({"y": [*range(30), 29]})}, "y")
    assert table is not None
    assert table.rows[0] == ("29", 2, 2 / 31)
    assert (len(table.rows), table.caption) == (20, "Classes of y; 10 more are not shown")


def test_no_task_belongs_to_another_recipe() -> None:
    with pytest.raises(ValueError, match="No task belongs to the recipe 'ranking/v1'"):
        task_for("ranking/v1")
