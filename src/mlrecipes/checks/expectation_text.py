"""Expectations in words, for suites whose author wrote none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mlrecipes.errors import few
from mlrecipes.quality_records import EXISTS_ELSEWHERE, UNEXPECTED_ROWS, Expectation

__all__ = ["in_words"]


def in_words(expectation: Expectation) -> str:
    """Say what is expected.

    >>> in_words(Expectation("expect_column_values_to_not_be_null", {"column": "age"}))
    'age is never missing'
    >>> kwargs = {"column": "age", "min_value": 0, "mostly": 0.99}
    >>> in_words(Expectation("expect_column_values_to_be_between", kwargs))
    'age is at least 0, in at least 99% of the rows'
    """
    if expectation.description:
        return expectation.description.rstrip(".")
    say = _WORDS.get(expectation.type)
    words = say(expectation.kwargs) if say else _plainly(expectation)
    share = expectation.mostly
    return words if share >= 1 else f"{words}, in at least {_percent(share)} of the rows"


def _percent(share: float) -> str:
    return f"{100 * share:.4f}".rstrip("0").rstrip(".") + "%"


def _plainly(expectation: Expectation) -> str:
    words = expectation.type.removeprefix("expect_").replace("_", " ")
    columns = ", ".join(expectation.columns)
    return f"{columns}: {words}" if columns else words


def _bounds(kwargs: Any, of: str = "") -> str:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is not None and high is not None:
        return f"{of}is between {low} and {high}"
    return f"{of}is at least {low}" if low is not None else f"{of}is at most {high}"


def _of_column(words: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda kwargs: f"{kwargs.get('column')} {words(kwargs)}"


_WORDS: dict[str, Callable[[Any], str]] = {
    EXISTS_ELSEWHERE: _of_column(
        lambda k: f"is among {k.get('other_column')} of {k.get('other_table')}"
    ),
    UNEXPECTED_ROWS: lambda k: "no row of: " + str(k.get("unexpected_rows_query")),
    "expect_table_row_count_to_be_between": lambda k: _bounds(k, "the number of rows "),
    "expect_table_columns_to_match_set": lambda k: f"there are {len(k['column_set'])} columns",
    "expect_column_to_exist": lambda k: f"there is a column {k.get('column')}",
    "expect_column_values_to_not_be_null": _of_column(lambda _: "is never missing"),
    "expect_column_values_to_be_unique": _of_column(lambda _: "is never there twice"),
    "expect_column_values_to_be_between": _of_column(_bounds),
    "expect_column_value_lengths_to_be_between": _of_column(lambda k: _bounds(k, "has a length: ")),
    "expect_column_mean_to_be_between": _of_column(lambda k: _bounds(k, "has a mean that ")),
    "expect_column_values_to_be_in_set": _of_column(
        lambda k: f"is one of {few(k['value_set'], limit=8)}"
    ),
    "expect_column_values_to_match_regex": _of_column(lambda k: f"matches {k.get('regex')}"),
    "expect_column_values_to_be_of_type": _of_column(lambda k: f"is of type {k.get('type_')}"),
    "expect_column_values_to_be_in_type_list": _of_column(
        lambda k: f"is of a type among {few(k['type_list'])}"
    ),
    "expect_compound_columns_to_be_unique": lambda k: (
        f"{', '.join(k['column_list'])} together are never there twice"
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": lambda k: (
        f"{k.get('column_A')} is greater than {'or equal to ' if k.get('or_equal') else ''}"
        f"{k.get('column_B')}"
    ),
}
