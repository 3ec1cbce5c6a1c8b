"""The card for programs: strict JSON that says what its blocks are."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.records import (
    Bars,
    Block,
    CardView,
    Curve,
    Facts,
    Heatmap,
    Profile,
    Section,
    StepStatus,
    Table,
    Text,
)
from mlrecipes.reports.card_json import card_json
from tests.reports.pages import EMPTY, FIELDS, POINTS, both, card, column

ANY = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())


def refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def strict(view: CardView) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(card_json(view), parse_constant=refuse)
    return facts


def block_of(block: Block) -> dict[str, Any]:
    facts: dict[str, Any] = strict(card(block))["sections"][0]["blocks"][0]
    return facts


def test_the_version_is_one() -> None:
    assert strict(card())["version"] == 1


def test_all_fields_of_a_view_are_there() -> None:
    assert list(strict(card())) == [
        *("version", "title", "step", "recipe", "profile", "status", "summary"),
        *("header", "sections", "warnings", "error", "traceback"),
    ]


@pytest.mark.parametrize("status", StepStatus)
def test_the_status_is_a_word(status: StepStatus) -> None:
    assert strict(card(status=status))["status"] == status.value


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        (Text("t"), "Text"),
        (Facts((("a", 1),)), "Facts"),
        (Table(("a",), ((1,),)), "Table"),
        (Profile((column(),)), "Profile"),
        (both(), "ProfileComparison"),
        (Curve("c", "x", "y", (POINTS,)), "Curve"),
        (Bars("c", "gain", ("a",), (1.0,)), "Bars"),
        (Heatmap("h", "r", "c", ("a",), ("b",), ((1.0,),)), "Heatmap"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_block_says_its_kind(block: Block, kind: str) -> None:
    assert block_of(block)["kind"] == kind


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_a_number_that_is_not_finite_becomes_null(value: float) -> None:
    assert block_of(Table(("a", "b"), ((value, 1.5),)))["rows"] == [[None, 1.5]]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=str)
def test_a_header_that_is_not_finite_becomes_null(value: float) -> None:
    assert strict(card(header=(("a", value),)))["header"] == [["a", None]]


def test_a_histogram_keeps_edges_and_counts() -> None:
    (profiled,) = block_of(Profile((column(),)))["columns"]
    assert profiled["histogram"] == {"edges": [0.0, 1.0, 2.0], "counts": [3, 1]}


@given(ANY)
def test_any_cell_is_strict_json(value: Any) -> None:
    (row,) = block_of(Table(("a",), ((value,),)))["rows"]
    finite = not isinstance(value, float) or math.isfinite(value)
    assert row == [value if finite else None]


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return leaves(list(value.values()))
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


@pytest.mark.parametrize("show", FIELDS.values(), ids=FIELDS.keys())
@settings(max_examples=40)
@given(text=st.text(st.characters()))
def test_any_text_comes_back_whole(show: Callable[[str], CardView], text: str) -> None:
    assert text in leaves(strict(show(text)))


def test_sections_keep_their_order() -> None:
    view = replace(card(), sections=(Section("First", ()), Section("Second", ())))
    assert [section["title"] for section in strict(view)["sections"]] == ["First", "Second"]


@pytest.mark.parametrize("block", EMPTY.values(), ids=EMPTY.keys())
def test_a_block_with_nothing_in_it_is_json_too(block: Block) -> None:
    assert block_of(block)["kind"] == type(block).__name__


def test_the_same_view_gives_the_same_bytes() -> None:
    assert card_json(card(both(), Text("t"))) == card_json(card(both(), Text("t")))


def test_the_file_ends_with_a_line_break() -> None:
    assert card_json(card()).endswith("}\n")
