"""Tables laid out: numbers to the right, columns matched by their names."""

import math
from typing import Any

import pytest

from mlrecipes.records import ColumnProfile, Profile, ProfileComparison, Table
from mlrecipes.reports.html import render_card
from mlrecipes.reports.tables import ComparedValue, compared_columns, numeric_columns
from tests.reports.pages import TWO, Page, card, column


@pytest.mark.parametrize(
    ("cells", "is_numeric"),
    [
        ([1, 2.5], True),
        ([None, 1], True),
        ([math.nan, math.inf], True),
        (["1", "2.5", "-3e-07", "1,000", "nan", "<NA>", "8.1%"], True),
        (["", "1"], True),
        ([None, None], False),
        (["", ""], False),
        ([], False),
        ([True, False], False),
        ([1, "one"], False),
        (["2016-03-01"], False),
        (["-"], False),
    ],
    ids=repr,
)
def test_a_column_of_numbers_is_known(cells: list[Any], is_numeric: bool) -> None:
    assert numeric_columns(2, [("name", cell) for cell in cells])[1] is is_numeric


def test_text_in_the_first_column_names_the_row() -> None:
    assert numeric_columns(1, [("0",), ("1",)]) == (False,)


def test_numbers_in_the_first_column_are_numbers() -> None:
    assert numeric_columns(1, [(0,), (1,)]) == (True,)


def test_a_row_that_is_too_short_is_no_error() -> None:
    assert numeric_columns(2, [(1,), (1, 2)]) == (True, True)


def test_numbers_are_aligned_to_the_right_with_their_title() -> None:
    elements = Page(render_card(card(Table(("a", "n"), (("x", None), ("y", 1)))))).elements
    cells = [attributes.get("class") for tag, attributes in elements if tag in {"th", "td"}]
    assert cells == [None, "n"] * 3


def test_columns_are_matched_by_name_and_not_by_place() -> None:
    train = Profile((column(name="a", mean=1.0), column(name="b", mean=2.0)))
    test = Profile((column(name="b", mean=3.0), column(name="c", mean=4.0)))
    compared = compared_columns(ProfileComparison(("train", "test"), (train, test)))
    means = {c.name: [p.mean if p is not None else None for p in c.parts] for c in compared}
    assert means == {"a": [1.0, None], "b": [2.0, 3.0], "c": [None, 4.0]}


def test_frequent_values_of_all_tables_are_compared() -> None:
    train = Profile((column(top_values=(("red", 2), ("blue", 1))),))
    test = Profile((column(top_values=(("blue", 3),)),))
    (compared,) = compared_columns(ProfileComparison(("train", "test"), (train, test)))
    assert compared.values == (
        ComparedValue("red", (2, None)),
        ComparedValue("blue", (1, 3)),
    )
    assert compared.composition == (((2, 1), 4), ((0, 3), 4))


def test_a_column_that_one_table_lacks_is_shown_with_a_dash() -> None:
    both = ProfileComparison(("train", "test"), (Profile((column(n_rows=8),)), Profile(())))
    assert Page(render_card(card(both))).text.endswith("12.5% –")


def test_a_table_without_a_column_has_no_distribution_of_it() -> None:
    both = ProfileComparison(("train", "test"), (Profile((column(),)), Profile(())))
    (compared,) = compared_columns(both)
    assert compared.histograms == (TWO, None)


def parts_of(*n_missing: int) -> ProfileComparison:
    """One column of 100 rows in several tables."""
    profiles = tuple(Profile((column(n_rows=100, n_missing=n),)) for n in n_missing)
    return ProfileComparison(tuple(f"table {i}" for i in range(len(n_missing))), profiles)


def test_a_share_of_missing_values_far_from_the_first_stands_out() -> None:
    (compared,) = compared_columns(parts_of(50, 54, 55, 45, 46))
    assert compared.missing_stands_out == (False, False, True, True, False)


@pytest.mark.parametrize(("n_missing", "is_told"), [(5, True), (4, False)])
def test_the_head_tells_what_a_bold_share_means(n_missing: int, is_told: bool) -> None:
    shown = Page(render_card(card(parts_of(0, n_missing)))).text
    assert ("bold: 5 points or more from the first" in shown) == is_told


def test_nothing_stands_out_beside_a_table_without_the_column() -> None:
    both = ProfileComparison(("train", "test"), (Profile(()), parts_of(90).profiles[0]))
    (compared,) = compared_columns(both)
    assert compared.missing_stands_out == (False, False)


def test_types_that_do_not_agree_are_all_shown() -> None:
    tables = tuple(Profile((column(dtype=t),)) for t in ("int64", "str", "int64"))
    (compared,) = compared_columns(ProfileComparison(("a", "b", "c"), tables))
    assert compared.dtype == "int64 / str"


def test_more_missing_values_than_rows_fill_the_bar_and_no_more() -> None:
    odd = Profile((ColumnProfile("a", "double", 2, 5, 0),))
    styles = [v for n, v in Page(render_card(card(odd))).attributes if n == "style"]
    assert styles == ["width:100.0%"]
