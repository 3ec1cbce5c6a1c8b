"""Ticks as they are written, and scales with round ends."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.reports.axes import Scale, rounded_out, scale_of, tick_texts

REAL = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("low", "high", "first", "last"),
    [
        (0, 1, "0.0", "1.0"),
        (0, 0.3, "0.0", "0.3"),
        (0, 50, "0", "50"),
        (0, 20_000, "0", "20,000"),
        (0, 500_000, "0", "500k"),
        (0, 2.5e6, "0.0", "2.5M"),
        (-4e9, 0, "-4bn", "0"),
        (1_000.2, 1_000.6, "1,000.2", "1,000.6"),
        (0, 1e-9, "0", "1e-09"),
    ],
)
def test_ticks_are_written(low: float, high: float, first: str, last: str) -> None:
    texts = [text for _, text in tick_texts(Scale(low, high, 0, 100))]
    assert (texts[0], texts[-1]) == (first, last)


@given(st.floats(-1e9, 1e9), st.floats(1e-2, 1e9))
def test_no_two_ticks_read_the_same(low: float, span: float) -> None:
    texts = [text for _, text in tick_texts(Scale(low, low + span, 0, 100))]
    assert len(set(texts)) == len(texts) or span / max(abs(low), span) < 1e-6


@given(st.lists(REAL, min_size=1))
def test_a_rounded_scale_holds_what_the_scale_held(values: list[float]) -> None:
    scale = scale_of(values, 0, 100)
    assert scale is not None
    wide = rounded_out(scale)
    slack = 1e-8 * (scale.high - scale.low)
    assert wide.low <= scale.low + slack
    assert wide.high >= scale.high - slack
    assert math.isfinite(wide.place(values[0]))


def test_a_scale_that_would_grow_too_much_stays() -> None:
    scale = Scale(0, 11, 0, 100)
    assert rounded_out(scale, at_most=0.1) == scale
