"""Slices of a table: what may be written, and which rows it means."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.checks.slices import NULLS, OTHERS, parse_slice
from mlrecipes.errors import DataError

FRAME = pd.DataFrame(
    {
        "sex": ["F", "M", "F", None, "X"],
        "age": [30.0, 40.0, np.nan, 50.0, 20.0],
        "home town": ["a", "b", "b", "c", None],
        "day": pd.to_datetime(["2020-01-01", "2020-06-01", None, "2021-01-01", "2021-06-01"]),
        "is_new": [True, False, True, False, True],
    },
    index=[7, 7, 3, 2, 1],
)


def rows(text: str, frame: pd.DataFrame = FRAME) -> list[int]:
    (group,) = parse_slice(text).groups(frame, 1)
    assert group.n_rows == group.mask.sum()
    found: list[int] = np.flatnonzero(group.mask).tolist()
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age >= 40", [1, 3]),
        ("not age >= 40", [0, 4]),  # a null is on neither side
        ("age >= 40 or sex == 'F'", [0, 1, 2, 3]),  # the unknown half does not matter
        ("not (age >= 40 or sex == 'F')", [4]),
        ("age > 20 and not sex == 'F'", [1]),
        ("sex != 'F'", [1, 4]),
        ("sex in ['F', 'X']", [0, 2, 4]),
        ("sex not in ('F', 'X')", [1]),
        ("20 < age <= 40", [0, 1]),
        ("age * 2 - 10 > 5e1 + 10 / 1", [1, 3]),
        ("age > -25 * -1.5", [1, 3]),
        ("age / (age - 30) > 0", [1, 3]),  # nothing is divided by zero
        ("`home town` == 'b'", [1, 2]),
        ("sex == '`age`'", []),
        ("day >= '2021-01-01'", [3, 4]),
        ("'2021-01-01' > day", [0, 1]),
        ("is_new == True and age < 100", [0, 4]),
        ("sex > 'L'", [1, 4]),
    ],
)
def test_a_condition_means_the_rows_for_which_it_is_known_to_hold(
    text: str, expected: list[int]
) -> None:
    assert rows(text) == expected


def test_a_column_gives_one_group_a_value_and_one_for_nulls() -> None:
    groups = parse_slice(" sex ").groups(FRAME, 1)
    assert [(g.slice, g.value, g.n_rows) for g in groups] == [
        ("sex", "F", 2),
        ("sex", "M", 1),
        ("sex", "X", 1),
        ("sex", NULLS, 1),
    ]
    assert groups[0].label == "sex = F"


def test_rare_values_are_put_together() -> None:
    groups = parse_slice("`home town`").groups(FRAME, 2)
    assert [(g.value, g.n_rows) for g in groups] == [("b", 2), (OTHERS, 2), (NULLS, 1)]


def test_at_most_twenty_values_have_a_group_of_their_own() -> None:
    names = [f"c{i:02d}" for i in range(30) for _ in range(i + 1)]
    groups = parse_slice("code").groups(pd.DataFrame({"code": names}), 1)
    assert [g.value for g in groups] == [*(f"c{i:02d}" for i in range(10, 30)), OTHERS]


def test_codes_that_a_null_turned_into_floats_stay_codes() -> None:
    groups = parse_slice("code").groups(pd.DataFrame({"code": [10.0, 2.0, None, 2.5]}), 1)
    assert [g.value for g in groups] == ["2", "2.5", "10", NULLS]


def test_a_column_of_many_numbers_is_no_slice() -> None:
    frame = pd.DataFrame({"amount": np.arange(100) * 10.0})
    with pytest.raises(DataError, match=r"100 different numbers .*\n.*\"amount > 495.0\""):
        parse_slice("amount").groups(frame, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no slice"),
        ("age >", "no slice (invalid syntax)"),
        ("home town == 'b'", "stands in backticks"),
        ("age = 5", "no slice"),
        ("1 < 2", "names no column"),
        ("age > None", "the value None"),
        ("age + 1", "a part of the kind BinOp"),
        ("age and sex == 'F'", "'age' is compared with nothing"),
        ("age.max() > 1", "a call"),
        ("age.real > 1", "a dot"),
        ("age[0] > 1", "square brackets"),
        ("age ** 9 > 1", "a part of the kind BinOp"),
        ("(age > 1) == True", "a condition in the place of a value"),
        ("(age > 1) & (age < 3)", "use and, or"),
        ("age is 5", "use =="),
        ("age in sex", "followed by a list"),
        ("age in [age]", "a column in a list"),
        ("[x for x in age] == 1", "ListComp"),
        ("(lambda: 1) == age", "Lambda"),
        ("f'{age}' == 'x'", "JoinedStr"),
        ("age > b'1'", "the value b'1'"),
        ("age > 1j", "the value 1j"),
        ("age > 1" + " or age > 1" * 100, "1,107 characters"),
        ("age > " + "-" * 40 + "1", "nested too deeply"),
        ("not " * 40 + "age > 1", "nested too deeply"),
        ("age\0 > 1", "no slice"),
        ("(" * 200 + "age", "no slice"),
    ],
)
def test_what_is_no_condition_is_refused_in_words_that_continue_a_key(
    text: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)) as caught:
        parse_slice(text)
    assert str(caught.value).startswith("is ")
    assert len(str(caught.value)) < 330


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("agge > 5", "names 'agge', which is no column.*\n.*Did you mean 'age'"),
        ("sexx", "names 'sexx', which is no column.*\n.*Did you mean 'sex'"),
        ("sex > 5", r"compares text with numbers. Its columns: sex \(str\)"),
        ("sex + 1 > 5", "computes with sex, which is no number"),
        ("day > 5", "compares dates with numbers"),
        ("day > 'soon'", "compares a date with 'soon'"),
    ],
)
def test_what_does_not_fit_the_data_is_told(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_slice(text).groups(FRAME, 1)


@given(
    st.lists(st.one_of(st.none(), st.sampled_from("abcdef")), max_size=40),
    st.integers(1, 10),
)
def test_groups_of_a_column_hold_each_row_once(values: list[Any], min_rows: int) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype="str")})
    groups = parse_slice("x").groups(frame, min_rows)
    assert np.sum([g.mask for g in groups], axis=0).tolist() in ([1] * len(values), 0.0)
    assert all(g.n_rows >= min_rows for g in groups if g.value not in {OTHERS, NULLS})
