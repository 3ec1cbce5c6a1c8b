"""Metrics of weighted rows, and the intervals that draws of rows give."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp, norm
from sklearn import metrics
from sklearn.linear_model import LogisticRegression

from mlrecipes.tasks import Predictions, task_for
from mlrecipes.tasks._calibration import Recalibration
from mlrecipes.tasks._weighted_classes import WeightedBinary, WeightedMulticlass
from mlrecipes.tasks._weighted_numbers import WeightedNumbers
from mlrecipes.tasks.resampling import interval, replicates_by_rows

BINARY = task_for("classification/v1", 1)
MULTICLASS = task_for("classification/v1")
REGRESSION = task_for("regression/v1")
CALIBRATION = {"calibration_slope", "calibration_intercept"}
ROWS = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.integers(0, 10), st.integers(1, 4)),
    min_size=2,
    max_size=30,
).filter(lambda rows: len({row[0] for row in rows}) == 2)
"""Actual class, score in tenths (so that there are ties), weight."""


def binary(scores: Sequence[float]) -> Predictions:
    positive = np.asarray(scores, dtype=float)
    table = np.column_stack([1 - positive, positive])
    return Predictions((positive > 0.5).astype(int), table, (0, 1), 1)


@settings(max_examples=40)
@given(ROWS)
def test_binary_metrics_with_weights_are_those_of_scikit_learn(rows: Any) -> None:
    actual, tenths, weight = (np.array(column) for column in zip(*rows, strict=True))
    predictions = binary(tenths / 10)
    model = WeightedBinary(actual, predictions, 1)
    names = sorted(model.names - CALIBRATION)
    once = model.values(np.ones(len(actual)), names)
    expected = BINARY.evaluate(pd.Series(actual), predictions)
    expected |= {"gini": 2 * expected["roc_auc"] - 1, "ks": once["ks"]}
    assert once == pytest.approx({name: expected[name] for name in names}, rel=1e-12)
    found = model.values(weight.astype(float), names)
    expected = BINARY.evaluate(pd.Series(actual), predictions, sample_weight=weight)
    for name in set(names) - {"gini", "ks"}:
        if not name.startswith(("true_", "false_")):  # these count rows, whatever the weights
            assert found[name] == pytest.approx(expected[name], rel=1e-12), name


@settings(max_examples=40)
@given(ROWS)
def test_a_row_that_counts_twice_is_two_rows_and_one_without_weight_is_none(rows: Any) -> None:
    actual, tenths, weight = (np.array(column) for column in zip(*rows, strict=True))
    weight = weight - 1
    copies = np.repeat(np.arange(len(actual)), weight)
    if len(set(actual[copies])) < 2:
        return
    model = WeightedBinary(actual, binary(tenths / 10), 1)
    found = model.values(weight.astype(float), sorted(model.names - CALIBRATION))
    copied = pd.Series(actual[copies])
    expected = BINARY.evaluate(copied, binary(tenths[copies] / 10))
    expected |= {"gini": 2 * expected["roc_auc"] - 1, "ks": found["ks"]}
    assert found == pytest.approx({name: expected[name] for name in found}, rel=1e-12)


def test_ks_is_the_largest_distance_of_the_two_distributions() -> None:
    random = np.random.default_rng(0)
    actual, scores = random.integers(0, 2, 300), random.integers(0, 40, 300) / 40
    model = WeightedBinary(actual, binary(scores), 1)
    expected = ks_2samp(scores[actual == 1], scores[actual == 0]).statistic
    assert model.values(np.ones(300), ["ks"])["ks"] == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from("abcd"), st.integers(0, 4), st.integers(1, 4)
        ),
        min_size=2,
        max_size=20,
    ).filter(lambda rows: len({row[0] for row in rows}) > 1)
)
def test_multiclass_metrics_with_weights_are_those_of_scikit_learn(rows: Any) -> None:
    actual, labels, fifths, weight = zip(*rows, strict=True)
    first = np.array(fifths) / 5
    scores = np.column_stack([first, (1 - first) / 4, (1 - first) * 3 / 4])
    predictions = Predictions(np.array(labels, dtype=object), scores, ("a", "b", "c"))
    model = WeightedMulticlass(pd.Series(actual), predictions)
    names = sorted(model.names)
    expected = MULTICLASS.evaluate(pd.Series(actual), predictions, sample_weight=np.array(weight))
    found = model.values(np.array(weight, dtype=float), names)
    assert found == pytest.approx({name: expected[name] for name in names}, rel=1e-12)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(-50, 50), st.integers(-50, 50), st.integers(1, 4)),
        min_size=2,
        max_size=20,
    )
)
def test_regression_metrics_with_weights_are_those_of_scikit_learn(rows: Any) -> None:
    actual, labels, weight = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    predictions = Predictions(labels)
    model = WeightedNumbers(pd.Series(actual), predictions)
    expected = REGRESSION.evaluate(pd.Series(actual), predictions, sample_weight=weight)
    found = model.values(weight, sorted(model.names))
    assert found == pytest.approx(
        {name: expected[name] for name in model.names}, rel=1e-9, abs=1e-12
    )


def test_calibration_is_the_fit_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=2000)
    actual = (random.random(2000) < 1 / (1 + np.exp(0.3 - 0.7 * logits))).astype(int)
    weight = random.integers(0, 3, 2000).astype(float)
    fit = LogisticRegression(C=np.inf, tol=1e-10).fit(logits[:, None], actual, sample_weight=weight)
    found = Recalibration(actual, 1 / (1 + np.exp(-logits)))
    assert found.slope(weight) == pytest.approx(fit.coef_[0, 0], rel=1e-6)
    shift = found.intercept(weight)
    chance = 1 / (1 + np.exp(-shift - logits))
    assert np.dot(weight, chance) == pytest.approx(np.dot(weight, actual), rel=1e-9)


@pytest.mark.parametrize(
    ("actual", "scores"),
    [([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]), ([0, 1, 0, 1], [0.5] * 4), ([1, 1], [0.2, 0.4])],
)
def test_where_no_line_fits_there_is_no_slope(actual: list[int], scores: list[float]) -> None:
    found = Recalibration(actual, np.array(scores))
    assert math.isnan(found.slope(np.ones(len(actual))))


def test_models_are_judged_on_the_same_draws() -> None:
    random = np.random.default_rng(1)
    target = pd.Series(random.integers(0, 2, 200))
    one = binary(random.random(200))
    found = BINARY.resampled_metrics(
        target, [one, one], ["roc_auc", "brier_score", "my_own"], n_resamples=20, seed=3
    )
    assert found.keys() == {"roc_auc", "brier_score"}
    assert found["roc_auc"].shape == (2, 20)
    assert found["roc_auc"][0].tolist() == found["roc_auc"][1].tolist()
    assert len(set(found["roc_auc"][0])) > 10

    def by_rows(positions: np.ndarray) -> dict[str, float]:
        return {"roc_auc": metrics.roc_auc_score(target[positions], one.scores[positions, 1])}

    slow = replicates_by_rows(by_rows, 200, n_resamples=5, seed=3)
    assert slow["roc_auc"] == pytest.approx(found["roc_auc"][0, :5], rel=1e-12)


def test_a_model_without_scores_has_the_metrics_of_labels() -> None:
    labels = Predictions(np.array([1, 0, 1]), positive_class=1)
    found = BINARY.resampled_metrics(
        pd.Series([1, 0, 0]), [labels], ["roc_auc", "f1_score"], n_resamples=3, seed=0
    )
    assert found.keys() == {"f1_score"}


@pytest.mark.parametrize(
    ("task", "target", "predictions", "names"),
    [
        (MULTICLASS, list("abc" * 10), Predictions(np.array(list("abc" * 10))), ["f1_score_macro"]),
        (REGRESSION, range(30), Predictions(np.arange(30.0) + 1), ["r2_score", "max_error"]),
    ],
)
def test_other_tasks_have_replicates_too(
    task: Any, target: Any, predictions: Predictions, names: list[str]
) -> None:
    found = task.resampled_metrics(pd.Series(target), [predictions], names, n_resamples=4, seed=0)
    assert {name: values.shape for name, values in found.items()} == dict.fromkeys(names, (1, 4))
    assert np.isfinite(np.concatenate([*found.values()])).all()


def test_an_interval_of_draws_that_rarely_define_the_metric_is_unknown() -> None:
    assert interval([0.5] * 95 + [math.nan] * 5, 0.95) == (0.5, 0.5)
    assert all(map(math.isnan, interval([0.5] * 80 + [math.nan] * 20, 0.95)))
    assert all(map(math.isnan, interval([], 0.95)))


def test_the_interval_holds_the_true_value_about_as_often_as_it_says() -> None:
    """Normal scores, one standard deviation apart: the true ROC AUC is known."""
    truth, n_hits, n_runs = norm.cdf(1 / math.sqrt(2)), 0, 200
    random = np.random.default_rng(5)
    for run in range(n_runs):
        actual = np.repeat([0, 1], [120, 80])
        scores = norm.cdf(random.normal(size=200) + actual)
        found = BINARY.resampled_metrics(
            pd.Series(actual), [binary(scores)], ["roc_auc"], n_resamples=200, seed=run
        )
        low, high = interval(found["roc_auc"][0], 0.9)
        n_hits += low <= truth <= high
    assert 0.83 <= n_hits / n_runs <= 0.95  # three standard errors about 0.89


@settings(max_examples=50)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=50), st.floats(0.5, 0.99))
def test_an_interval_lies_within_its_values(values: list[float], confidence: float) -> None:
    low, high = interval(values, confidence)
    assert min(values) <= low <= high <= max(values)
