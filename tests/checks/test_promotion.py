"""Promote, keep, inconclusive, blocked: what is measured decides, and nothing else."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.checks.promotion import (
    Difference,
    Outcome,
    Rule,
    SliceDifference,
    decide,
    difference_of,
    first_verdict,
)

NUMBERS = st.floats(-1, 1)


def difference(lower: float, upper: float, value: float | None = None) -> Difference:
    middle = (lower + upper) / 2 if value is None else value
    return Difference("roc_auc", 0.7, 0.7 + middle, middle, lower, upper)


@pytest.mark.parametrize(
    ("lower", "upper", "min_gain", "outcome"),
    [
        (0.001, 0.02, 0.0, Outcome.PROMOTE),
        (0.0, 0.02, 0.0, Outcome.INCONCLUSIVE),
        (-0.001, 0.02, 0.0, Outcome.INCONCLUSIVE),
        (-0.02, -0.001, 0.0, Outcome.KEEP),
        (0.0, 0.0, 0.0, Outcome.KEEP),
        (0.001, 0.02, 0.005, Outcome.INCONCLUSIVE),
        (0.001, 0.004, 0.005, Outcome.KEEP),
        (0.006, 0.02, 0.005, Outcome.PROMOTE),
    ],
)
def test_the_interval_decides(
    lower: float, upper: float, min_gain: float, outcome: Outcome
) -> None:
    verdict = decide(difference(lower, upper), (), Rule(min_gain=min_gain))
    assert verdict.outcome is outcome


def test_a_verdict_says_why_and_what_would_have_to_be_true() -> None:
    verdict = decide(difference(-0.0031, 0.0054, 0.0012), (), Rule())
    assert verdict.reason == "difference of roc_auc +0.0012 [-0.0031, 0.0054] is within noise"
    assert "more than +0.0043 at this width" in verdict.needed


@pytest.mark.parametrize("which", range(3))
def test_what_is_no_number_blocks(which: int) -> None:
    numbers = [0.01, 0.005, 0.02]
    numbers[which] = math.nan
    bad = Difference("roc_auc", 0.7, 0.71, *numbers)
    verdict = decide(bad, (), Rule())
    assert (verdict.outcome, verdict.reason) == (
        Outcome.BLOCKED,
        "roc_auc is not a finite number on these rows",
    )


def test_a_slice_that_surely_loses_blocks_a_better_model_and_each_reason_is_told() -> None:
    slices = [
        SliceDifference("gender = F", 900, difference(-0.09, -0.03)),
        SliceDifference("gender = M", 900, difference(-0.05, -0.01)),
        SliceDifference("gender = X", 900, difference(math.nan, math.nan)),
    ]
    verdict = decide(difference(0.01, 0.02), slices, Rule(), ["it was rejected by evaluate"])
    assert verdict.outcome is Outcome.BLOCKED
    assert verdict.reasons == (
        "it was rejected by evaluate",
        "slice gender = F (900 rows) loses -0.0600 [-0.0900, -0.0300] in roc_auc, more than 0.02",
    )


def test_a_model_that_is_no_better_is_kept_out_by_that_alone() -> None:
    slices = [SliceDifference("gender = F", 900, difference(-0.09, -0.03))]
    verdict = decide(difference(-0.05, -0.03), slices, Rule())
    assert verdict.outcome is Outcome.KEEP
    assert [reason.split()[0] for reason in verdict.reasons] == ["difference", "slice"]
    assert decide(difference(-0.01, 0.03), slices, Rule()).outcome is Outcome.BLOCKED


def test_models_that_could_not_be_compared_are_blocked() -> None:
    assert decide(None, (), Rule()).reason == "the models could not be compared"


def test_a_first_model_needs_its_gates_only() -> None:
    assert first_verdict([]).outcome is Outcome.FIRST
    assert first_verdict(["it has no verdict"]).outcome is Outcome.BLOCKED


def test_a_smaller_loss_is_a_gain() -> None:
    replicates = [[0.5, 0.6], [0.4, 0.5]]
    found = difference_of(
        "log_loss", (0.55, 0.45), replicates, greater_is_better=False, confidence=0.95
    )
    assert found.value == pytest.approx(0.1)
    assert (found.lower, found.upper) == (pytest.approx(0.1), pytest.approx(0.1))


@pytest.mark.parametrize(
    ("n_bad", "may_be_undefined", "is_finite"),
    [(1, False, False), (5, True, True), (6, True, False)],
)
def test_resamples_without_the_metric_are_borne_in_slices_only_and_only_a_few(
    n_bad: int, may_be_undefined: bool, is_finite: bool
) -> None:
    replicates = np.zeros((2, 100))
    replicates[0, :n_bad] = np.nan
    found = difference_of(
        "roc_auc",
        (0.7, 0.7),
        replicates,
        greater_is_better=True,
        confidence=0.95,
        may_be_undefined=may_be_undefined,
    )
    assert found.is_finite is is_finite


@given(NUMBERS, NUMBERS, st.floats(0, 0.5))
def test_turning_the_models_round_never_promotes_both(a: float, b: float, min_gain: float) -> None:
    lower, upper = min(a, b), max(a, b)
    one = decide(difference(lower, upper), (), Rule(min_gain=min_gain)).outcome
    other = decide(difference(-upper, -lower), (), Rule(min_gain=min_gain)).outcome
    assert [one, other].count(Outcome.PROMOTE) <= 1
    if one is Outcome.PROMOTE:
        assert other is Outcome.KEEP


@given(NUMBERS, NUMBERS, st.floats(0, 0.5), st.floats(0, 0.5))
def test_who_asks_for_more_never_promotes_more(
    a: float, b: float, less: float, more: float
) -> None:
    lower, upper = min(a, b), max(a, b)
    low, high = min(less, more), max(less, more)
    if decide(difference(lower, upper), (), Rule(min_gain=high)).outcome is Outcome.PROMOTE:
        assert decide(difference(lower, upper), (), Rule(min_gain=low)).outcome is Outcome.PROMOTE
