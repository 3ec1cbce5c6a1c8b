"""Outcomes over time: intervals, and when a rate or a mean has changed."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mlrecipes.checks.outcomes import (
    EVENT_RATE,
    TARGET_MEAN,
    Outcomes,
    outcomes_from,
    outcomes_of,
    wilson,
)

TRAINING = Outcomes(EVENT_RATE, 8_500, 0.08, math.sqrt(0.08 * 0.92))


def rates(n_rows: int, rate: float, n_windows: int, seed: int) -> list[Outcomes]:
    """Windows of so many rows; the training that each is compared with is drawn elsewhere."""
    random = np.random.default_rng(seed)
    found = [outcomes_of(random.random(n_rows) < rate, is_event=True) for _ in range(n_windows)]
    return [one for one in found if one is not None]


@given(n_rows=st.integers(1, 5_000), data=st.data(), chance=st.sampled_from([0.01, 0.05, 0.2]))
def test_the_interval_is_that_of_scipy(n_rows: int, data: st.DataObject, chance: float) -> None:
    n_events = data.draw(st.integers(0, n_rows))
    expected = stats.binomtest(n_events, n_rows).proportion_ci(1 - chance, method="wilson")
    found = wilson(n_events / n_rows, n_rows, chance)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-9)


@given(n=st.integers(20, 5_000), m=st.integers(20, 5_000), data=st.data())
def test_a_change_up_and_the_same_change_down_are_judged_alike(
    n: int, m: int, data: st.DataObject
) -> None:
    one, other = data.draw(st.integers(1, n)) / n, data.draw(st.integers(1, m)) / m
    now, then = Outcomes(EVENT_RATE, n, one, 0.1), Outcomes(EVENT_RATE, m, other, 0.1)
    no_now, no_then = (Outcomes(EVENT_RATE, x.n_rows, 1 - x.mean, 0.1) for x in (now, then))
    surely = 1e-9  # any size matters
    assert now.moved_from(then, surely, 0.01) == no_now.moved_from(no_then, surely, 0.01)
    assert now.moved_from(then, surely, 0.01) == then.moved_from(now, surely, 0.01)
    assert not now.moved_from(now, surely, 0.01)


def test_a_rate_that_stays_hardly_ever_raises_an_alarm() -> None:
    """Of 2,000 windows without change, also against a training that is a sample itself."""
    for n_rows in (100, 400, 1_000):
        thens = rates(8_500, 0.08, 2_000, seed=1)
        nows = rates(n_rows, 0.08, 2_000, seed=n_rows)
        n_alarms = sum(a.moved_from(b, 0.25, 0.01) for a, b in zip(nows, thens, strict=True))
        assert n_alarms <= 18, n_rows  # half of a percent is spent; three standard errors more


def test_half_as_many_events_more_are_seen_in_two_thousand_rows() -> None:
    assert sum(o.moved_from(TRAINING, 0.25, 0.01) for o in rates(2_000, 0.12, 400, seed=3)) >= 380
    assert sum(o.moved_from(TRAINING, 0.25, 0.01) for o in rates(1_000, 0.16, 400, seed=3)) >= 396


def test_what_is_sure_and_small_does_not_matter() -> None:
    then = Outcomes(EVENT_RATE, 10**7, 0.08, 0.27)
    now = Outcomes(EVENT_RATE, 10**7, 0.09, 0.28)
    assert not now.moved_from(then, 0.25, 0.01)
    assert now.moved_from(then, 0.1, 0.01)


def test_no_event_at_all_in_many_rows_is_seen() -> None:
    assert Outcomes(EVENT_RATE, 1_000, 0.0, 0.0).moved_from(TRAINING, 0.25, 0.01)


def test_a_mean_is_held_against_its_spread() -> None:
    random = np.random.default_rng(0)
    then = outcomes_of(random.normal(50, 10, 5_000), is_event=False)
    near = outcomes_of(random.normal(50.5, 10, 5_000), is_event=False)
    far = outcomes_of(random.normal(53, 10, 1_000), is_event=False)
    assert then is not None
    assert near is not None
    assert far is not None
    assert not near.moved_from(then, 0.15, 0.01)
    assert far.moved_from(then, 0.15, 0.01)
    assert far.interval() == pytest.approx(
        stats.norm.interval(0.95, far.mean, far.std / math.sqrt(1_000))
    )


def test_a_profile_gives_back_what_it_keeps_and_an_older_one_nothing() -> None:
    assert outcomes_from({"outcomes": TRAINING.facts}) == TRAINING
    assert outcomes_from({}) is None
    assert outcomes_of(np.array([math.nan]), is_event=False) is None
    assert outcomes_of(np.array([1.0, math.nan, 3.0]), is_event=False) == Outcomes(
        TARGET_MEAN, 2, 2.0, 1.0
    )
