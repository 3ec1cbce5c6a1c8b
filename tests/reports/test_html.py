"""The card as a page: what it shows, and what data can never make of it."""

import math
from collections.abc import Callable
from dataclasses import replace

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
    Histogram,
    Profile,
    ProfileComparison,
    Section,
    Series,
    StepStatus,
    Table,
    Text,
)
from mlrecipes.reports.html import render_card
from mlrecipes.reports.wording import clean
from tests.reports.pages import EMPTY, FIELDS, Page, both, card, column, plain

NAN, INF = math.nan, math.inf
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</style><script>",
    "{{7*7}}",
    "' onmouseover='",
]

each_field = pytest.mark.parametrize("show", FIELDS.values(), ids=FIELDS.keys())
each_attack = pytest.mark.parametrize("attack", ATTACKS)


def page(view: CardView) -> Page:
    return Page(render_card(view))


# ---- what is there ----------------------------------------------------------------------


def test_the_title_is_the_title_of_the_page() -> None:
    assert "<title>train@demo</title>" in render_card(card(title="train@demo"))


@pytest.mark.parametrize("status", StepStatus)
def test_the_status_stands_there_as_a_word(status: StepStatus) -> None:
    assert f"train {status.value}" in page(card(status=status)).text


def test_recipe_and_profile_stand_above_the_step() -> None:
    assert "demo · profile local train" in page(card(recipe="demo", profile="local")).text


def test_the_summary_is_shown() -> None:
    assert "20,000 rows x 122 columns" in page(card(summary="20,000 rows x 122 columns")).text


def test_the_header_shows_names_and_values() -> None:
    shown = page(card(header=(("rows", 20_000), ("verdict", None)))).text
    assert "rows 20,000 verdict –" in shown


def test_sections_are_shown_in_their_order() -> None:
    sections = (Section("First", (Text("one"),)), Section("Second", (Text("two"),)))
    assert "First one Second two" in page(replace(card(), sections=sections)).text


def test_every_link_leads_to_a_section_of_the_page() -> None:
    sections = (Section("First", ()), Section("Second", ()))
    attributes = page(replace(card(), sections=sections, warnings=("look",))).attributes
    links = [value for name, value in attributes if name == "href"]
    ids = [value for name, value in attributes if name == "id"]
    assert links == [f"#{target}" for target in ids] != []


def test_warnings_have_a_section_of_their_own() -> None:
    assert "Warnings few rows old file" in page(card(warnings=("few rows", "old file"))).text


def test_a_card_without_warnings_does_not_speak_of_them() -> None:
    assert "Warnings" not in page(card()).text


def test_a_failed_view_shows_error_and_traceback() -> None:
    failed = card(status=StepStatus.FAILED, error="no such column", traceback="line 7, in split")
    assert "What went wrong no such column Traceback line 7, in split" in page(failed).text


def test_a_traceback_is_shown_even_without_an_error() -> None:
    failed = card(status=StepStatus.FAILED, traceback="line 7, in split")
    assert "Traceback line 7, in split" in page(failed).text


def test_a_rejected_view_says_that_the_gate_stopped_it() -> None:
    rejected = card(status=StepStatus.REJECTED, error="AUC below 0.7")
    assert "Stopped by the gate AUC below 0.7" in page(rejected).text


@pytest.mark.parametrize(("n_facts", "n_tables"), [(12, 1), (13, 2)])
def test_many_facts_stand_in_two_columns(n_facts: int, n_tables: int) -> None:
    facts = Facts(tuple((f"name {i}", i) for i in range(n_facts)))
    elements = page(card(facts)).elements
    assert sum(tag == "table" for tag, _ in elements) == n_tables
    assert sum(tag == "tr" for tag, _ in elements) == n_facts


def test_a_traceback_keeps_its_lines() -> None:
    assert "<pre>one\n  two</pre>" in render_card(card(error="one\n  two"))


def test_a_long_traceback_keeps_its_last_line() -> None:
    trace = "Traceback\n" + "  in f\n" * 9_000 + "ValueError: no such column"
    shown = page(card(status=StepStatus.FAILED, traceback=trace)).text
    assert shown.endswith("in f ValueError: no such column Findings")


def test_a_line_of_an_error_is_told_in_full() -> None:
    error = " ".join(f"word{i}" for i in range(200))
    assert error in page(card(status=StepStatus.FAILED, error=error)).text


def test_a_cell_without_a_column_is_shown_too() -> None:
    assert "1 2 3" in page(card(Table(("a",), ((1, 2, 3),)))).text


@pytest.mark.parametrize(("n_columns", "style"), [(6, "plot"), (7, "plot whole")])
def test_a_wide_matrix_takes_the_whole_width(n_columns: int, style: str) -> None:
    heatmap = Heatmap("h", "r", "c", ("a",), ("b",) * n_columns, ((1.0,) * n_columns,))
    figures = [a["class"] for tag, a in page(card(heatmap)).elements if tag == "figure"]
    assert figures == [style]


def test_a_column_name_that_is_cut_is_whole_under_the_pointer() -> None:
    attributes = page(card(Profile((column(name="x" * 99),)))).attributes
    assert ("title", "x" * 99) in attributes


def test_the_emphasis_marks_its_row_alone() -> None:
    rows = page(card(Table(("a",), ((1,), (2,), (3,)), emphasis=(1,)))).elements
    assert [a.get("class") for tag, a in rows if tag == "tr"] == [None, None, "strong", None]


def test_a_column_shows_its_share_of_missing_values() -> None:
    assert "age double 12.5%" in page(card(Profile((column(n_rows=8, n_missing=1),)))).text


def test_a_text_column_shows_its_most_frequent_values() -> None:
    texts = column(n_rows=4, histogram=None, top_values=(("red", 2), ("blue", 1)))
    assert "red 50.0% , blue 25.0%" in page(card(Profile((texts,)))).text


def test_a_comparison_shows_the_share_of_a_value_in_every_table() -> None:
    train = Profile((column(n_rows=4, top_values=(("red", 2),)),))
    test = Profile((column(n_rows=4, top_values=(("blue", 2),)),))
    shown = page(card(ProfileComparison(("train", "test"), (train, test)))).text
    assert "red 50.0% / –" in shown


# ---- no harm -------------------------------------------------------------------------------


@each_field
@each_attack
def test_no_text_becomes_a_script(show: Callable[[str], CardView], attack: str) -> None:
    assert page(show(attack)).tags & {"script", "img", "iframe", "object"} == set()


@each_field
@each_attack
def test_no_text_becomes_a_handler(show: Callable[[str], CardView], attack: str) -> None:
    assert [name for name, _ in page(show(attack)).attributes if name.startswith("on")] == []


@each_field
@each_attack
def test_no_text_becomes_a_link(show: Callable[[str], CardView], attack: str) -> None:
    links = [value for name, value in page(show(attack)).attributes if name in {"href", "src"}]
    assert all(link.startswith("#") for link in links)


@each_field
@each_attack
def test_a_text_leaves_the_elements_as_they_are(
    show: Callable[[str], CardView], attack: str
) -> None:
    hostile, harmless = page(show(attack)), page(show("harmless"))
    assert [tag for tag, _ in hostile.elements] == [tag for tag, _ in harmless.elements]


def test_nothing_is_computed_from_a_text() -> None:
    shown = page(card(Text("{{7*7}}"))).text
    assert "{{7*7}}" in shown
    assert "49" not in shown


@each_field
def test_a_page_refers_to_nothing_in_the_network(show: Callable[[str], CardView]) -> None:
    html = render_card(show("harmless"))
    assert [word for word in ("http:", "https:", "url(", "@import", "//") if word in html] == []


def test_the_page_forbids_all_that_it_does_not_need() -> None:
    metas = [attributes for tag, attributes in page(card()).elements if tag == "meta"]
    (policy,) = (a["content"] for a in metas if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.split("; ")[0] == "default-src 'none'"
    assert "script-src" not in policy


@each_field
@pytest.mark.parametrize(
    "unseen",
    ["\x00", "\x1b", "\x7f", "\x85", "\u200b", "\u200f", "\u202e", "\u2066", "\ufeff", "\ud800"],
    ids=ascii,
)
def test_unseen_characters_do_not_reach_the_page(
    show: Callable[[str], CardView], unseen: str
) -> None:
    assert unseen not in render_card(show(f"a{unseen}b"))


# ---- any text -------------------------------------------------------------------------------


@each_field
@settings(max_examples=40)
@given(text=st.text(max_size=14))
def test_any_text_is_shown_cleaned(show: Callable[[str], CardView], text: str) -> None:
    assert plain(clean(text)) in page(show(text)).text


@given(text=st.text(st.characters(), max_size=50))
def test_any_page_can_be_written_as_utf_8(text: str) -> None:
    html = render_card(card(Text(text), Facts(((text, text),)), title=text, error=text))
    assert html.encode("utf-8").decode("utf-8") == html


# ---- any number ------------------------------------------------------------------------------


@pytest.mark.parametrize("block", EMPTY.values(), ids=EMPTY.keys())
def test_a_block_with_nothing_in_it_is_a_page_too(block: Block) -> None:
    assert "Findings" in page(card(block)).text


def test_a_section_with_no_blocks_keeps_its_title() -> None:
    assert "Findings" in page(card()).text


@pytest.mark.parametrize(
    ("value", "shown"), [(NAN, "–"), (INF, "∞"), (-INF, "-∞"), (None, "–")], ids=str
)
def test_no_number_has_a_sign_of_its_own(value: float | None, shown: str) -> None:
    blocks = Facts((("fact", value),)), Table(("cell",), ((value,),))
    text = page(card(*blocks, header=(("head", value),))).text
    assert [f"{name} {shown}" in text for name in ("head", "fact", "cell")] == [True] * 3


@pytest.mark.parametrize("value", [NAN, INF, -INF, 1.7e308, 5e-324], ids=str)
@pytest.mark.parametrize(
    "block_of",
    [
        lambda v: Profile((column(mean=v, std=v, quantiles=(v,) * 5),)),
        lambda v: Profile((column(histogram=Histogram((v, v), (1,))),)),
        lambda v: both(mean=v, histogram=Histogram((-v, v), (1,))),
        lambda v: Curve("c", "x", "y", (Series("s", (0.0, v), (v, 1.0)),)),
        lambda v: Bars("c", "gain", ("a", "b"), (v, -v)),
        lambda v: Heatmap("h", "r", "c", ("a",), ("b", "c"), ((v, -v),)),
    ],
    ids=["profile", "histogram", "comparison", "curve", "bars", "heatmap"],
)
def test_no_attribute_holds_a_number_that_is_none(
    block_of: Callable[[float], Block], value: float
) -> None:
    attributes = page(card(block_of(value))).attributes
    assert [a for a in attributes if a[1] in {"nan", "inf", "-inf"} or "nan%" in a[1]] == []


# ---- size ------------------------------------------------------------------------------------


@each_field
def test_a_text_of_a_megabyte_is_shortened(show: Callable[[str], CardView]) -> None:
    html = render_card(show("x" * 1_000_000))
    assert len(html) < 100_000
    assert "…" in html


def test_the_same_view_gives_the_same_bytes() -> None:
    blocks = Profile((column(),)), both(), Table(("a",), ((1.5,),)), Facts((("a", True),))
    assert render_card(card(*blocks)) == render_card(card(*blocks))


def test_130_profiles_stay_under_two_megabytes() -> None:
    histogram = Histogram(tuple(map(float, range(31))), tuple(range(1, 31)))
    numeric = column(histogram=histogram, mean=1.5, quantiles=(0.1, 0.2, 0.3, 0.4, 0.5))
    text = column(histogram=None, top_values=tuple((f"value {i}" * 9, 9) for i in range(10)))
    many = Profile((numeric, text) * 65)
    html = render_card(card(many, ProfileComparison(("train", "validation", "test"), (many,) * 3)))
    assert len(html.encode()) < 2_000_000
