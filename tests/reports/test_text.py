"""The card in a terminal: every line fits, and what is left out is counted."""

import json
import math
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.records import (
    Bars,
    Block,
    CardView,
    Facts,
    Profile,
    StepStatus,
    Table,
    Text,
)
from mlrecipes.reports.card_json import card_json
from mlrecipes.reports.text import render_facts
from tests.reports.pages import EMPTY, FIELDS, both, card, column

SHOWN = [
    *("title", "summary", "header name", "header value", "section title", "warning", "error"),
    *("text", "preformatted text", "fact name", "fact value", "table column", "table cell"),
    *("compared table", "curve caption", "bars caption", "heatmap caption"),
]

each_field = pytest.mark.parametrize("show", [FIELDS[name] for name in SHOWN], ids=SHOWN)
a_few = settings(max_examples=40)


def in_terminal(view: CardView, width: int = 100) -> str:
    return render_facts(json.loads(card_json(view)), width)


def lines_of(block: Block) -> list[str]:
    """The lines under the only section's title."""
    lines = in_terminal(card(block)).split("\n")
    return [line.removeprefix("  ") for line in lines[lines.index("Findings") + 1 :]]


@each_field
@a_few
@given(text=st.text(), width=st.integers(10, 120))
def test_no_line_is_wider_than_the_terminal(
    show: Callable[[str], CardView], text: str, width: int
) -> None:
    assert max(map(len, in_terminal(show(text), width).split("\n"))) <= width


@each_field
@a_few
@given(text=st.text(st.characters(), max_size=40))
def test_no_control_character_reaches_the_terminal(
    show: Callable[[str], CardView], text: str
) -> None:
    shown = in_terminal(show(text)).replace("\n", "")
    assert {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"} == set()


@each_field
def test_a_field_is_shown(show: Callable[[str], CardView]) -> None:
    assert "needle" in in_terminal(show("needle"))


def test_a_cut_line_ends_with_a_sign() -> None:
    assert in_terminal(card(summary="x" * 30), width=20).split("\n")[1] == f"{'x' * 19}…"


def test_the_first_line_is_title_and_status() -> None:
    view = card(title="train@demo", status=StepStatus.REJECTED)
    assert in_terminal(view).split("\n")[0] == "train@demo: rejected"


def test_summary_and_header_follow() -> None:
    view = card(summary="done", header=(("rows", 20_000), ("run", None)))
    assert in_terminal(view).split("\n")[1:4] == ["done", "rows: 20,000", "run: –"]


def test_an_error_keeps_its_lines() -> None:
    assert "\n\nno such column\nhint: look\n" in in_terminal(
        card(error="no such column\nhint: look")
    )


def test_warnings_come_last() -> None:
    view = card(warnings=("few rows", "old file"))
    assert in_terminal(view).endswith("\n\nWarnings\n  few rows\n  old file")


def test_facts_are_one_a_line() -> None:
    assert lines_of(Facts((("rows", 1), ("share", 0.5)))) == ["rows: 1", "share: 0.5"]


def test_a_table_has_columns_as_wide_as_their_widest_cell() -> None:
    table = Table(("name", "n"), (("a", "x"), ("longer", "yes")))
    assert lines_of(table) == ["name    n", "a       x", "longer  yes"]


def test_numbers_end_at_the_right_edge_of_their_column() -> None:
    table = Table(("name", "n"), (("a", 1), ("longer", 20_000), ("b", None)))
    assert lines_of(table) == [
        "name         n",
        "a            1",
        "longer  20,000",
        "b            –",
    ]


def test_a_table_shows_its_caption() -> None:
    assert lines_of(Table(("n",), ((1,),), caption="Sizes"))[0] == "Sizes"


def test_an_error_longer_than_a_line_is_told_in_full() -> None:
    error = " ".join(f"word{i}" for i in range(60))
    assert error in " ".join(in_terminal(card(error=error), 40).split())


def test_a_long_line_of_an_error_keeps_its_indent() -> None:
    lines = in_terminal(card(error=f"failed\n  {'word ' * 20}"), 40).split("\n")
    assert lines[4].startswith("  word")
    assert lines[5].startswith("  word")


def test_a_long_warning_is_told_in_full() -> None:
    warning = " ".join(f"word{i}" for i in range(60))
    assert warning in " ".join(in_terminal(card(warnings=(warning,)), 40).split())


def test_a_long_table_says_how_many_rows_are_hidden() -> None:
    assert lines_of(Table(("n",), tuple((i,) for i in range(40))))[-1] == "and 25 more rows"


def test_a_wide_table_says_how_many_columns_are_hidden() -> None:
    wide = Table(tuple("abcd"), (("x" * 32,) * 4,))
    assert lines_of(wide)[-1] == "and 2 more columns"


def test_a_table_too_long_and_too_wide_says_both() -> None:
    table = Table(tuple("abc"), (("x" * 32,) * 3,) * 16)
    assert lines_of(table)[-1] == "and 1 more row, 1 more column"


def test_a_table_shows_as_many_columns_as_fit() -> None:
    table = Table(tuple("abcdefgh"), ((1,) * 8,))
    assert lines_of(table) == ["a  b  c  d  e  f  g  h", "1  1  1  1  1  1  1  1"]


def test_a_table_that_fits_hides_nothing() -> None:
    lines = lines_of(Table(tuple("abcdef"), ((1,) * 6,) * 15))
    assert len(lines) == 16
    assert not lines[-1].startswith("and")


def test_a_long_cell_is_cut() -> None:
    assert lines_of(Table(("a",), (("x" * 99,),)))[-1] == f"{'x' * 31}…"


def test_a_long_text_says_how_many_lines_are_hidden() -> None:
    assert lines_of(Text("\n".join(map(str, range(18)))))[-2:] == ["14", "and 3 more lines"]


def test_a_chart_is_named_by_its_caption() -> None:
    assert lines_of(Bars("Gain", "gain", ("a",), (1.0,))) == ["Gain (drawn in the HTML card)"]


def test_a_profile_counts_its_columns() -> None:
    assert lines_of(Profile((column(),) * 3)) == ["3 columns, drawn in the HTML card"]


def test_a_comparison_names_its_tables() -> None:
    assert lines_of(both()) == ["train, test compared in the HTML card"]


@pytest.mark.parametrize("block", EMPTY.values(), ids=EMPTY.keys())
def test_a_block_with_nothing_in_it_is_text_too(block: Block) -> None:
    assert in_terminal(card(block)).startswith("train@demo: succeeded\nall is well\n\nFindings")


@pytest.mark.parametrize("value", [math.nan, math.inf, None], ids=str)
def test_no_number_is_a_dash(value: float | None) -> None:
    assert lines_of(Facts((("a", value),))) == ["a: –"]
