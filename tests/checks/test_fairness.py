"""Groups of protected attributes: rates worked by hand, and who is compared with whom."""

import math

import numpy as np
import pandas as pd

from mlrecipes.checks.fairness import attribute_groups, compare_groups

SEX = np.repeat(["F", "M", "X"], [100, 50, 3])
SELECTED = np.concatenate([np.arange(100) < 80, np.arange(50) < 20, np.ones(3, bool)])
DESERVING = np.concatenate([np.arange(100) < 90, np.arange(50) < 40, np.ones(3, bool)])


def test_rates_are_compared_with_the_most_selected_group_of_enough_rows() -> None:
    frame = pd.DataFrame({"sex": SEX})
    groups = attribute_groups(frame, "sex", 10)
    found = compare_groups("sex", groups, (SELECTED, DESERVING), 10, (0.95, 400, 0))
    women, men, few = found
    assert (women.value, women.selection_rate, women.impact_ratio) == ("F", 0.8, (1.0, 1.0, 1.0))
    assert men.impact_ratio[0] == 0.5
    assert 0.3 < men.impact_ratio[1] < 0.5 < men.impact_ratio[2] < 0.7
    assert (women.tpr, men.tpr) == (80 / 90, 0.5)
    assert men.tpr_gap[0] == 0.5 - 80 / 90
    assert (women.is_signal, men.is_signal) == (False, True)
    assert (few.value, few.n_rows, few.selection_rate) == ("(other)", 3, 1.0)
    assert math.isnan(few.impact_ratio[0])
    assert not few.is_signal


def test_many_numbers_are_compared_in_quarters() -> None:
    frame = pd.DataFrame({"age": [*np.linspace(20, 60, 80), np.nan]})
    groups = attribute_groups(frame, "age", 10)
    assert [group.n_rows for group in groups] == [20, 20, 20, 20, 1]


def test_nobody_selected_is_no_ratio() -> None:
    frame = pd.DataFrame({"sex": SEX})
    groups = attribute_groups(frame, "sex", 10)
    nobody = np.zeros(153, dtype=bool)
    found = compare_groups("sex", groups, (nobody, DESERVING), 10, (0.95, 10, 0))
    assert all(math.isnan(group.impact_ratio[0]) and not group.is_signal for group in found)
