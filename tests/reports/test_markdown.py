"""What Markdown shows is the text: no tag, link, heading or column comes from data."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.reports.markdown import escape, markdown_bullets, markdown_table, paragraph

HOSTILE = st.text(
    st.sampled_from("|`*_[]()<>!#-+=~\\&:/.\n\r\t\u2028\x0b 1aw$") | st.characters(), max_size=40
)


@given(HOSTILE)
def test_no_text_holds_a_tag_a_pipe_or_a_line_break(text: str) -> None:
    for shown in (escape(text), paragraph(text)):
        assert not set("<>|") & set(shown)
        assert len(shown.splitlines()) <= 1


@given(HOSTILE)
def test_each_character_of_markup_is_escaped(text: str) -> None:
    rest = re.sub(r"\\[\\`*\[\]~$_/.]", "", escape(text))
    assert not set("\\`*[]~$") & set(rest)


@given(HOSTILE)
def test_a_paragraph_begins_no_other_block(text: str) -> None:
    assert not re.match(r"\s|[#+=>-]|\d+[.)]", paragraph(text))


@given(
    st.lists(HOSTILE, min_size=1, max_size=4), st.lists(st.lists(HOSTILE, max_size=6), max_size=4)
)
def test_a_table_keeps_its_number_of_columns(columns: list[str], rows: list[list[str]]) -> None:
    lines = list(markdown_table(columns, rows))
    assert len(lines) == len(rows) + 2
    assert {line.count("|") for line in lines} == {len(columns) + 1}


def test_names_stay_readable() -> None:
    assert escape("roc_auc 0.98 (n = 50), a-b.c") == "roc_auc 0.98 (n = 50), a-b.c"
    assert escape("_all_") == "\\_all\\_"


def test_addresses_are_no_links() -> None:
    assert escape("see https://e.example and www.e.example") == (
        "see https:\\//e.example and www\\.e.example"
    )


def test_one_text_is_a_paragraph_and_several_are_a_list() -> None:
    assert list(markdown_bullets(["One."])) == ["One."]
    assert list(markdown_bullets(["One.", "- two"])) == ["- One.", "- \\- two"]
