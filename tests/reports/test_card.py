"""A card shows everything, offline, and nothing that comes from data acts in it."""

import json
import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.records import (
    Bars,
    Block,
    CardView,
    ColumnProfile,
    Curve,
    Facts,
    Heatmap,
    Histogram,
    Profile,
    ProfileComparison,
    Section,
    Series,
    StepStatus,
    Table,
    Text,
)
from mlrecipes.reports.card_json import card_json
from mlrecipes.reports.html import render_card
from mlrecipes.reports.text import render_facts
from mlrecipes.reports.wording import clean

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "</title></svg><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
]


def blocks(word: str) -> tuple[Block, ...]:
    """One block of each kind, with the word in every text."""
    column = ColumnProfile(word, word, 4, 1, 2, top_values=((word, 2),))
    histogram = Histogram((0.0, 1.0, 2.0), (1, 3))
    number = ColumnProfile("x", "float64", 4, 0, 4, 0.5, 0.1, (0.0, 0.2, 0.5, 0.7, 1.0), histogram)
    profile = Profile((column, number))
    return (
        Text(word),
        Text(word, preformatted=True),
        Facts(((word, word), ("n", 3))),
        Table((word, "n"), ((word, 1.5), (word, None)), caption=word, emphasis=(0,)),
        profile,
        ProfileComparison((word, "test"), (profile, profile)),
        Curve(
            word, word, word, (Series(word, (0.0, 1.0), (0.0, 1.0)), Series("b", (0.5,), (0.5,)))
        ),
        Bars(word, word, (word,), (1.0,)),
        Heatmap(word, word, word, (word,), (word, "b"), ((1.0, 2.0),)),
    )


def view(word: str, status: StepStatus = StepStatus.FAILED) -> CardView:
    return CardView(
        title=word,
        step=word,
        recipe=word,
        profile=word,
        status=status,
        summary=word,
        header=((word, word),),
        sections=(Section(word, blocks(word)),),
        warnings=(word,),
        error=word,
        traceback=word,
    )


class Page(HTMLParser):
    """All tags with their attributes, and all text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_from_data_acts_in_a_card(attack: str) -> None:
    page = Page(render_card(view(attack)))
    harmless = Page(render_card(view("word")))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    names = {name for _, attributes in page.tags for name in attributes}
    assert names == {name for _, attributes in harmless.tags for name in attributes}
    assert not any(name.startswith("on") for name in names)
    assert "script" not in {tag for tag, _ in page.tags}


@given(st.text(max_size=30))
def test_any_text_is_shown_as_it_is_but_for_characters_that_hide(word: str) -> None:
    page = Page(render_card(view(word)))
    assert clean(word).strip() in page.text


def test_a_card_reaches_for_nothing_outside_itself() -> None:
    html = render_card(view("word"))
    policies = [a["content"] for tag, a in Page(html).tags if "http-equiv" in a]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
    assert "http:" not in html
    assert "https:" not in html


def test_equal_views_give_equal_bytes() -> None:
    assert render_card(view("word")) == render_card(view("word"))


def test_characters_that_hide_or_turn_text_do_not_reach_the_page() -> None:
    html = render_card(view("a\u202eb\u200bc\x1b[31md\x00"))
    assert not any(char in html for char in "\u202e\u200b\x1b\x00")


def test_a_huge_cell_is_shortened() -> None:
    assert len(render_card(view("x" * 1_000_000))) < 120_000


def test_130_columns_stay_below_two_megabytes() -> None:
    histogram = Histogram(tuple(map(float, range(21))), tuple(range(20)))
    column = ColumnProfile("x" * 30, "float64", 9, 0, 9, 1.0, 1.0, (1.0,) * 5, histogram)
    section = Section("Data Profile", (Profile((column,) * 130),))
    assert len(render_card(replace(view("w"), sections=(section,)))) < 2_000_000


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_break_nothing(odd: float) -> None:
    histogram = Histogram((0.0, 1.0), (0,))
    odd_blocks: tuple[Block, ...] = (
        Facts((("x", odd),)),
        Table(("x",), ((odd,), (None,))),
        Profile((ColumnProfile("x", "float64", 0, 0, 0, odd, odd, (odd,), histogram),)),
        Curve("c", "x", "y", (Series("s", (odd, 1.0), (1.0, odd)),)),
        Bars("b", "v", ("a", "b"), (odd, 1.0)),
        Heatmap("h", "r", "c", ("a",), ("b",), ((odd,),)),
    )
    html = render_card(replace(view("w"), sections=(Section("odd", odd_blocks),)))
    drawn = "".join(part.split("</svg>")[0] for part in html.split("<svg")[1:])
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_blocks_without_content_say_so_or_stay_silent() -> None:
    empty: tuple[Block, ...] = (
        Text(""),
        Facts(()),
        Table((), ()),
        Profile(()),
        ProfileComparison((), ()),
        Curve("c", "x", "y", ()),
        Bars("b", "v", (), ()),
        Heatmap("h", "r", "c", (), (), ()),
    )
    html = render_card(replace(view("w"), sections=(Section("empty", empty),)))
    assert html.count("no data") == 3


@pytest.mark.parametrize("status", list(StepStatus))
def test_the_status_is_told_in_words(status: StepStatus) -> None:
    assert status.value in Page(render_card(view("w", status))).text


def test_the_json_is_strict_and_names_the_kind_of_each_block() -> None:
    table = Table(("x",), ((float("nan"),),))
    text = card_json(replace(view("w"), sections=(Section("s", (table,)),)))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    facts = json.loads(text, parse_constant=refuse)
    assert facts["version"] == 1
    assert facts["sections"][0]["blocks"][0]["kind"] == "Table"
    assert facts["sections"][0]["blocks"][0]["rows"] == [[None]]


@given(st.text(max_size=60), st.integers(40, 120))
def test_a_card_in_the_terminal_keeps_its_width_and_sends_no_control_characters(
    word: str, width: int
) -> None:
    text = render_facts(json.loads(card_json(view(word))), width)
    assert all(len(line) <= width for line in text.split("\n"))
    assert not any(unicodedata.category(char) in {"Cc", "Cf"} for char in text if char != "\n")


def test_a_long_table_in_the_terminal_says_what_it_leaves_out() -> None:
    table = Table(tuple("abcdefgh"), (tuple(range(8)),) * 20)
    facts = json.loads(card_json(replace(view("w"), sections=(Section("s", (table,)),))))
    assert "and 5 more rows, 2 more columns" in render_facts(facts)
