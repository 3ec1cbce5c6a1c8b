"""Compositions in a row of a table."""

from xml.etree import ElementTree as ET

import pytest

from mlrecipes.reports.sparks import composition_svg


def pieces(svg: str) -> list[dict[str, str]]:
    drawn = ET.fromstring(svg).iter("rect")  # noqa: S314 - our own output
    return [rect.attrib for rect in drawn if rect.attrib["class"] != "rest"]


def test_a_value_is_as_long_as_its_share() -> None:
    first, second = pieces(composition_svg([((50, 25), 100)], "x", width=100))
    assert (first["x"], second["x"]) == ("0.0", "50.0")
    assert float(second["width"]) == pytest.approx(25, abs=1)


def test_every_table_has_a_stripe_and_a_colour() -> None:
    drawn = pieces(composition_svg([((1,), 2), ((1,), 2)], "x"))
    assert [piece["class"] for piece in drawn] == ["bar c0", "bar c1"]
    assert len({piece["y"] for piece in drawn}) == 2


def test_counts_beyond_the_rows_stay_inside() -> None:
    drawn = pieces(composition_svg([((9, 9), 10)], "x", width=100))
    assert max(float(p["x"]) + float(p["width"]) for p in drawn) <= 100


@pytest.mark.parametrize("parts", [[], [((), 0)], [((), 5)], [((0,), 5)], [((1,), 0)]], ids=str)
def test_a_composition_of_nothing_is_not_drawn(parts: list[tuple[tuple[int, ...], int]]) -> None:
    assert composition_svg(parts, "x") == ""
