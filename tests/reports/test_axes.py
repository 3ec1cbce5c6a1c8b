"""Scales hold what is drawn; ticks are round and inside."""

import math

from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.reports.axes import Scale, scale_of, ticks

values = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(values, min_size=1, max_size=20))
def test_every_value_lies_within_the_scale(drawn: list[float]) -> None:
    scale = scale_of(drawn, 0, 100)
    assert scale is not None
    assert all(-0.1 <= scale.place(value) <= 100.1 for value in drawn)


@given(values, st.floats(1e-3, 1e9))
def test_ticks_lie_within_the_scale_and_there_are_a_few(low: float, width: float) -> None:
    scale = Scale(low, low + width, 0, 100)
    if scale.low == scale.high:
        return
    marks = ticks(scale)
    assert 1 <= len(marks) <= 12
    margin = width * 1e-6 + abs(low) * 1e-9
    assert all(scale.low - margin <= mark <= scale.high + margin for mark in marks)


def test_nothing_to_draw_has_no_scale() -> None:
    assert scale_of([math.nan, math.inf], 0, 100) is None
