"""A model card as text and as a page: the same facts, and only as text."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.model_card_records import CardBlock, CardPart, ModelCardView, Words
from mlrecipes.records import Bars, Facts, Table
from mlrecipes.reports.model_card import render_model_card
from tests.reports.pages import Page, plain

VIEW = ModelCardView("loans", "3", "credit", "local", "VALIDATED", summary=("A model.", "Good."))


def card(*blocks: CardBlock) -> ModelCardView:
    return replace(VIEW, parts=(CardPart("Data", blocks),))


FIELDS: dict[str, Callable[[str], ModelCardView]] = {
    "name": lambda t: replace(VIEW, name=t),
    "version": lambda t: replace(VIEW, version=t),
    "recipe": lambda t: replace(VIEW, recipe=t),
    "profile": lambda t: replace(VIEW, profile=t),
    "verdict": lambda t: replace(VIEW, verdict=t),
    "warning": lambda t: replace(VIEW, warnings=("one", t)),
    "summary": lambda t: replace(VIEW, summary=(t,)),
    "part title": lambda t: replace(VIEW, parts=(CardPart(t, ()), CardPart(t, ()))),
    "paragraph": lambda t: card(Words((t,), t)),
    "list": lambda t: card(Words((t, t))),
    "fact": lambda t: card(Facts(((t, t),))),
    "table": lambda t: card(Table((t, "b"), ((t, 1), (2, t)), t)),
    "bars": lambda t: card(Bars(t, t, (t,), (1.0,))),
}
"""A card with one text in one field, by the field's name."""


@pytest.mark.parametrize("field", FIELDS)
@settings(max_examples=20)
@given(text=st.text(st.sampled_from("<>&\"'`|\n\\{}%a ") | st.characters(), max_size=20))
def test_no_text_becomes_a_tag(field: str, text: str) -> None:
    files = render_model_card(FIELDS[field](f"<script>{text}</script><img src=x onerror=y>"))
    page = Page(files.html)
    assert not {"script", "img"} & page.tags
    assert not any(name.startswith("on") for name, _ in page.attributes)
    for markdown in (files.markdown, files.description):
        assert "<" not in markdown


@pytest.mark.parametrize(
    "field", sorted(FIELDS.keys() - {"recipe", "profile", "verdict", "summary"})
)
def test_a_text_is_shown_in_both(field: str) -> None:
    files = render_model_card(FIELDS[field]("Some words"))
    assert "Some words" in files.markdown
    assert "Some words" in Page(files.html).text


def test_the_first_lines_tell_what_a_reader_must_know() -> None:
    view = replace(VIEW, verdict="REJECTED", warnings=("NOT VALIDATED.", "Leaks."))
    files = render_model_card(view)
    assert files.markdown.splitlines()[:5] == [
        "# Model card: loans, version 3",
        "",
        "> **NOT VALIDATED.**",
        ">",
        "> **Leaks.**",
    ]
    assert "REJECTED Before you read on NOT VALIDATED. Leaks." in Page(files.html).text


def test_equal_views_give_equal_bytes() -> None:
    view = card(Words(("One.", "Two."), "Limits"), Bars("b", "share", ("a",), (0.5,)))
    assert render_model_card(view) == render_model_card(replace(view))


def test_bars_are_a_table_in_markdown() -> None:
    markdown = render_model_card(card(Bars("Features", "share", ("income",), (0.25,)))).markdown
    assert "### Features\n\n| name | share |\n| --- | --- |\n| income | 0.25 |" in markdown


def test_the_page_is_offline_and_the_registry_gets_a_paragraph_a_sentence() -> None:
    files = render_model_card(card(Facts((("rows", 1234567),))))
    assert "default-src 'none'" in files.html
    assert "1,234,567" in plain(Page(files.html).text)
    assert files.description == "A model.\n\nGood."
