"""Performance that is estimated without labels, and when it must not be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from mlrecipes.checks.performance import (
    calibration_facts,
    calibration_problem,
    error_facts,
    estimate_errors,
    estimate_events,
    is_lost,
)


def drawn(n_rows: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated scores and what happened."""
    random = np.random.default_rng(seed)
    scores = 1 / (1 + np.exp(2 - random.normal(shift, 1.2, n_rows)))
    return scores, (random.random(n_rows) < scores).astype(int)


def test_calibrated_scores_tell_how_good_they_are() -> None:
    scores, actual = drawn(5_000, 0, shift=0.5)
    found = {one.metric: one for one in estimate_events(scores, 42)}
    true = {
        "roc_auc": metrics.roc_auc_score(actual, scores),
        "brier_score": metrics.brier_score_loss(actual, scores),
        "log_loss": metrics.log_loss(actual, scores),
        "event_rate": actual.mean(),
    }
    for name, value in true.items():
        assert found[name].low <= value <= found[name].high, name
        assert found[name].value == pytest.approx(value, abs=0.02)


def test_the_band_holds_what_happens_nineteen_times_of_twenty() -> None:
    hits = 0
    for seed in range(30):
        scores, actual = drawn(800, seed)
        band = estimate_events(scores, 1)[0]
        hits += band.low <= metrics.roc_auc_score(actual, scores) <= band.high
    assert 26 <= hits <= 30


@settings(max_examples=20)
@given(scores=st.lists(st.floats(0.01, 0.99), min_size=2, max_size=20))
def test_the_estimate_is_the_expectation_over_pairs(scores: list[float]) -> None:
    p = np.array(scores)
    pairs, right = 0.0, 0.0
    for a in p:
        for b in p:
            weight = a * (1 - b)
            pairs += weight
            right += weight * (1.0 if a > b else 0.5 if a == b else 0.0)
    found = {one.metric: one.value for one in estimate_events(p, 0)}
    assert found["roc_auc"] == pytest.approx(right / pairs)
    assert found["brier_score"] == pytest.approx((p * (1 - p)).mean())


def test_scores_that_do_not_mean_what_they_say_are_found() -> None:
    scores, actual = drawn(4_000, 0)
    assert calibration_problem(calibration_facts(scores, actual)) is None
    problem = calibration_problem(calibration_facts(np.sqrt(scores), actual))
    assert problem is not None
    assert problem.startswith("scores are off by 0.199")
    problem = calibration_problem(calibration_facts(scores[:50], actual[:50]))
    assert problem == (
        "the validation part has too few events to tell whether scores mean what they say"
    )


def test_scores_drawn_to_the_middle_are_found_where_events_are_few() -> None:
    """A model of few rows ranks well and dares to say little: it would promise too little."""
    scores, actual = drawn(120, 3)
    rate = actual.mean()
    middle = rate + (scores - scores.mean()) * 0.1
    problem = calibration_problem(calibration_facts(middle, actual))
    assert problem is not None
    assert problem.startswith("scores promise a roc_auc of 0.5")


def test_calibrated_scores_are_hardly_ever_called_wrong() -> None:
    facts = (calibration_facts(*drawn(1_500, seed)) for seed in range(40))
    assert sum(calibration_problem(one) is not None for one in facts) <= 2


def test_errors_by_cell_of_the_prediction_follow_the_predictions() -> None:
    random = np.random.default_rng(0)
    predicted = random.uniform(0, 1, 4_000)
    actual = predicted + random.normal(0, 0.05 + 0.2 * predicted)
    facts = error_facts(predicted, actual)
    later = random.uniform(0.5, 1, 2_000)
    became = later + random.normal(0, 0.05 + 0.2 * later)
    found = {one.metric: one for one in estimate_errors(later, facts)}
    absolute = np.abs(later - became).mean()
    squared = np.sqrt(((later - became) ** 2).mean())
    assert found["mean_absolute_error"].low <= absolute <= found["mean_absolute_error"].high
    assert found["root_mean_squared_error"].low <= squared
    assert squared <= found["root_mean_squared_error"].high
    assert found["mean_absolute_error"].value > np.abs(predicted - actual).mean() * 1.2


def test_a_loss_counts_only_if_it_is_sure_and_more_than_tolerated() -> None:
    then = (10.0, 9.8, 10.2)
    assert is_lost((11.0, 10.8, 11.2), then, 0.5, greater_is_better=False)
    assert not is_lost((10.4, 10.2, 10.6), then, 0.5, greater_is_better=False)
    assert not is_lost((11.0, 8.0, 14.0), then, 0.5, greater_is_better=False)
    assert not is_lost((float("nan"), 8.0, 14.0), then, 0.5, greater_is_better=False)
