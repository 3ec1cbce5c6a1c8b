"""Deciles, captured events and the cut-off on a card."""

import numpy as np
import pytest

from mlrecipes.records import Heatmap, Text
from mlrecipes.tasks import Policy, ScoredEvents
from mlrecipes.tasks._decile_sections import decile_sections, decile_table

EVENTS = ScoredEvents(np.repeat([1, 0], [20, 80]), np.linspace(0.99, 0.0, 100))


def test_deciles_count_events_from_the_highest_score_down() -> None:
    rows = decile_table(EVENTS).rows
    assert [row[2] for row in rows] == [10, 10, *[0] * 8]
    assert [row[6] for row in rows[:3]] == ["50.0%", "100.0%", "100.0%"]
    assert [row[7] for row in rows[:3]] == ["5.00", "5.00", "0.00"]
    assert rows[0][4] == "0.7225 to 1.0000"  # Wilson's interval of 10 in 10


@pytest.mark.parametrize(
    ("selects", "cells"),
    [("below", ((30.0, 20.0), (50.0, 0.0))), ("above", ((50.0, 0.0), (30.0, 20.0)))],
)
def test_the_cut_off_says_who_is_selected(selects: str, cells: object) -> None:
    policy = Policy(0.495, selects)
    words, matrix = decile_sections(EVENTS, policy)[1].blocks
    assert isinstance(matrix, Heatmap)
    assert isinstance(words, Text)
    assert matrix.cells == cells
    assert f"Rows with a score {selects} 0.495 are selected: 50 of 100 (50.0%)" in words.text


def test_one_class_has_no_deciles() -> None:
    assert decile_sections(ScoredEvents(np.ones(5), np.ones(5)), None) == ()
    assert decile_sections(None, None) == ()
