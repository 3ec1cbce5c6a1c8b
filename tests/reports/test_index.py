"""The overview: every step in order, how it ended, and links that stay at home."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.reports.index import StepRow, render_index
from mlrecipes.reports.wording import clean
from tests.reports.pages import Page, plain

ROW = StepRow("train", "succeeded", "a model", 12.3, "train.html")
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "//evil.example/x",
    "https://evil.example",
    "' onmouseover='",
    "{{7*7}}",
]
FIELDS: dict[str, Callable[[str], str]] = {
    "name": lambda t: render_index([replace(ROW, name=t)], recipe="demo", profile="local"),
    "status": lambda t: render_index([replace(ROW, status=t)], recipe="demo", profile="local"),
    "summary": lambda t: render_index([replace(ROW, summary=t)], recipe="demo", profile="local"),
    "link": lambda t: render_index([replace(ROW, card_href=t)], recipe="demo", profile="local"),
    "recipe": lambda t: render_index([ROW], recipe=t, profile="local"),
    "profile": lambda t: render_index([ROW], recipe="demo", profile=t),
}

each_field = pytest.mark.parametrize("show", FIELDS.values(), ids=FIELDS.keys())


def page(*rows: StepRow) -> Page:
    return Page(render_index(rows, recipe="demo", profile="local"))


def test_recipe_and_profile_are_named() -> None:
    assert "demo profile local demo" in page().text


def test_steps_stand_in_their_order() -> None:
    rows = [replace(ROW, name=name, summary="", duration_s=None) for name in ("split", "train")]
    assert "split succeeded train succeeded" in page(*rows).text


def test_a_step_shows_status_duration_and_summary() -> None:
    assert "train succeeded 12.3 s a model" in page(ROW).text


def test_a_step_links_to_its_card() -> None:
    assert ("href", "./train.html") in page(ROW).attributes


def test_a_step_without_a_card_has_no_link() -> None:
    assert "a" not in page(replace(ROW, card_href=None)).tags


def test_a_recipe_without_steps_says_so() -> None:
    assert "No step has run." in page().text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0.0 s"),
        (59.94, "59.9 s"),
        (184.2, "3 min 4 s"),
        (7_260.0, "2 h 1 min"),
        (math.nan, ""),
        (math.inf, ""),
        (-1.0, ""),
    ],
    ids=str,
)
def test_a_duration_is_told_in_words(seconds: float | None, text: str) -> None:
    assert replace(ROW, duration_s=seconds).duration == text


@pytest.mark.parametrize("status", ["succeeded", "cached", "rejected", "failed", "not run"])
def test_every_status_stands_there_as_a_word(status: str) -> None:
    assert f"train {status}" in page(replace(ROW, status=status)).text


@each_field
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_text_leaves_the_elements_as_they_are(show: Callable[[str], str], attack: str) -> None:
    hostile, harmless = Page(show(attack)), Page(show("harmless"))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]
    assert not any(name.startswith("on") for name, _ in hostile.attributes)


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_link_leads_to_a_file_beside_the_page(attack: str) -> None:
    (link,) = (v for n, v in page(replace(ROW, card_href=attack)).attributes if n == "href")
    assert link.startswith("./")
    assert ":" not in link


@pytest.mark.parametrize("field", ["name", "summary", "recipe", "profile"])
@given(text=st.text(max_size=20))
def test_any_text_is_shown_cleaned(field: str, text: str) -> None:
    assert plain(clean(text)) in Page(FIELDS[field](text)).text


@given(text=st.text(st.characters(), max_size=20))
def test_any_link_is_a_page(text: str) -> None:
    assert "train" in Page(FIELDS["link"](text)).text


def test_the_same_rows_give_the_same_bytes() -> None:
    assert FIELDS["name"]("train") == FIELDS["name"]("train")


def test_the_page_refers_to_nothing_in_the_network() -> None:
    html = FIELDS["name"]("train")
    assert [word for word in ("http:", "https:", "url(", "@import") if word in html] == []
