"""Values and names from data, as people read them."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.reports.wording import clean, clean_ends, clean_lines, compact, number, share, shown

TEXT = st.text(st.characters())


@given(TEXT, st.integers(1, 300))
def test_a_clean_text_is_no_longer_than_allowed(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit


@given(TEXT)
def test_a_clean_text_holds_nothing_unseen(text: str) -> None:
    categories = {unicodedata.category(char) for char in clean(text)}
    assert categories & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} == set()


@given(TEXT)
def test_a_clean_text_is_one_line(text: str) -> None:
    assert len(clean(text).splitlines()) <= 1


@given(TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.text("abc éß漢<>&\"'{}", max_size=200))
def test_a_harmless_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("gap", ["\n", "\r", "\t", "\u2028", "\u2029"], ids=ascii)
def test_a_break_becomes_a_blank(gap: str) -> None:
    assert clean(f"a{gap}b") == "a b"


@pytest.mark.parametrize(
    "unseen",
    ["\x00", "\x1b", "\x7f", "\x9b", "\u200b", "\u200d", "\u202e", "\u2069", "\ufeff", "\ue000"],
    ids=ascii,
)
def test_an_unseen_character_is_removed(unseen: str) -> None:
    assert clean(f"a{unseen}b") == "ab"


def test_a_lone_surrogate_is_removed() -> None:
    assert clean("a\ud800b") == "ab"


def test_a_cut_text_ends_with_a_sign() -> None:
    assert clean("abcdef", 4) == "abc…"


def test_a_text_as_long_as_allowed_is_not_cut() -> None:
    assert clean("abcd", 4) == "abcd"


def test_unseen_characters_do_not_push_a_text_out() -> None:
    assert clean("\u200b" * 10_000 + "seen") == "seen"


def test_a_value_that_is_no_text_is_written_as_one() -> None:
    assert clean(1.5) == "1.5"


def test_lines_are_kept() -> None:
    assert clean_lines("a\n\n  b\x1b") == "a\n\n  b"


@given(TEXT, st.integers(10, 50))
def test_clean_ends_are_no_longer_than_allowed(text: str, limit: int) -> None:
    assert len(clean_ends(text, limit)) <= limit


@given(st.text(st.characters(), max_size=50))
def test_clean_ends_of_a_short_text_are_all_of_it(text: str) -> None:
    assert clean_ends(text, 60) == clean_lines(text, 60)


def test_clean_ends_hold_the_first_line_and_the_last() -> None:
    lines = clean_ends("first\n" + "between\n" * 9_000 + "last").split("\n")
    assert (lines[0], lines[-1], lines.count("…")) == ("first", "last", 1)


@pytest.mark.parametrize("text", ["x" * 99_999, "x" * 99_999 + "\n"], ids=["line", "ended line"])
def test_clean_ends_of_one_long_line_show_its_start(text: str) -> None:
    assert clean_ends(text).startswith("xxx")


@given(TEXT, st.integers(1, 50))
def test_clean_lines_are_no_longer_than_allowed(text: str, limit: int) -> None:
    assert len(clean_lines(text, limit)) <= limit


@pytest.mark.parametrize("text", ["ab\n" * 10_000, "\x1b" * 50_000 + "seen"], ids=["long", "esc"])
def test_cut_lines_end_with_a_sign(text: str) -> None:
    assert clean_lines(text).endswith("…")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (-1234567, "-1,234,567"),
        (12.0, "12"),
        ("<b>", "<b>"),
        ("", ""),
    ],
    ids=repr,
)
def test_a_cell_is_shown(value: str | float | None, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (-0.0, "0"),
        (999.94, "999.9"),
        (1234.5678, "1,235"),
        (1e14, "100,000,000,000,000"),
        (1e300, "1e+300"),
        (-1.7e308, "-1.7e+308"),
        (5e-324, "4.941e-324"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "-∞"),
    ],
    ids=repr,
)
def test_a_number_is_shown(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats())
def test_a_number_is_short(value: float) -> None:
    assert 1 <= len(number(value)) <= 20


@given(st.floats(-1e308, 1e308))
def test_a_number_is_close_to_what_it_says(value: float) -> None:
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=6e-4, abs=1e-320)


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (1, 8, "12.5%"),
        (0, 3, "0.0%"),
        (3, 3, "100.0%"),
        (1, 0, "–"),
        (math.nan, 1, "–"),
        (1, math.nan, "–"),
        (math.inf, 1, "–"),
        (1, 90_000, "<0.1%"),
        (89_999, 90_000, ">99.9%"),
        (-1, 90_000, "-0.0%"),
    ],
)
def test_a_share_is_shown(part: float, whole: float, text: str) -> None:
    assert share(part, whole) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (9_999_999.0, "9,999,999"),
        (12_345_678.0, "12.35M"),
        (-3.82e9, "-3.82bn"),
        (4e12, "4tn"),
        (1e16, "1e+16"),
        (math.nan, "–"),
        (math.inf, "∞"),
    ],
    ids=repr,
)
def test_a_large_number_is_compact(value: float, text: str) -> None:
    assert compact(value) == text


@given(st.floats())
def test_a_compact_number_is_short(value: float) -> None:
    assert 1 <= len(compact(value)) <= 12
