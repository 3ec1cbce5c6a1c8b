"""Numbers as SVG: what is drawn, and that every drawn number is one."""

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.records import Bars, Curve, Heatmap, Histogram, Series
from mlrecipes.reports.axes import Scale, finite, scale_of, ticks
from mlrecipes.reports.charts import bars_svg, curve_svg, heatmap_svg
from mlrecipes.reports.sparks import histogram_svg, overlay_svg
from mlrecipes.reports.svg import text_width

ANY = st.floats(allow_nan=True, allow_infinity=True)
REAL = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=8)


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own output


def parts(svg: str, tag: str) -> list[dict[str, str]]:
    return [element.attrib for element in parsed(svg).iter(tag)]


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in parsed(svg).iter("text")]


def numbers(svg: str) -> list[str]:
    """Attributes that place something."""
    sides = ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height")
    names = (*sides, "points", "fill-opacity", "viewBox")
    return [e.attrib[n] for e in parsed(svg).iter() for n in names if n in e.attrib]


def lost(svg: str) -> list[str]:
    return [value for value in numbers(svg) if re.search("nan|inf", value)]


def outline(histogram: Histogram) -> str:
    return parts(overlay_svg([histogram], "x"), "polyline")[0]["points"]


# ---- every number is one ---------------------------------------------------------------------


@given(st.lists(st.tuples(ANY, ANY), max_size=8), st.booleans())
def test_a_curve_never_holds_a_number_that_is_none(
    points: list[tuple[float, float]], points_only: bool
) -> None:
    xs, ys = tuple(x for x, _ in points), tuple(y for _, y in points)
    assert lost(curve_svg(Curve("c", "x", "y", (Series("s", xs, ys, points_only),)))) == []


@given(st.lists(ANY, max_size=8))
def test_bars_never_hold_a_number_that_is_none(values: list[float]) -> None:
    assert lost(bars_svg(Bars("c", "gain", ("a",) * len(values), tuple(values)))) == []


@given(st.lists(ANY, min_size=1, max_size=8))
def test_a_heatmap_never_holds_a_number_that_is_none(cells: list[float]) -> None:
    heatmap = Heatmap("h", "r", "c", ("a",), ("b",) * len(cells), (tuple(cells),))
    assert lost(heatmap_svg(heatmap)) == []


@given(COUNTS, st.data())
def test_distributions_never_hold_a_number_that_is_none(
    counts: list[int], data: st.DataObject
) -> None:
    edges = data.draw(st.lists(ANY, min_size=len(counts) + 1, max_size=len(counts) + 1))
    drawn = overlay_svg([Histogram(tuple(sorted(edges)), tuple(counts))], "x")
    assert re.search("nan|inf", drawn) is None


# ---- axes -------------------------------------------------------------------------------------


@given(st.lists(REAL, min_size=1))
def test_a_scale_holds_all_its_values(values: list[float]) -> None:
    scale = scale_of(values, 0, 100)
    assert scale is not None
    assert all(0 <= scale.place(value) <= 100 for value in values)


@given(st.lists(ANY))
def test_only_finite_values_are_drawn(values: list[float]) -> None:
    assert len(finite(values)) == sum(map(math.isfinite, values))


def test_there_is_no_scale_for_nothing() -> None:
    assert scale_of([math.nan, math.inf], 0, 100) is None


def test_a_scale_for_one_value_has_it_in_the_middle() -> None:
    scale = scale_of([7.0, 7.0], 0, 100)
    assert scale is not None
    assert scale.place(7.0) == 50.0


def test_a_scale_can_run_downwards() -> None:
    assert Scale(0, 10, 200, 100).place(2.5) == 175.0


def test_a_value_outside_is_placed_at_the_nearest_end() -> None:
    assert [Scale(0, 10, 0, 100).place(v) for v in (-math.inf, 11.0)] == [0.0, 100.0]


@given(st.lists(REAL, min_size=1))
def test_ticks_lie_inside_the_scale(values: list[float]) -> None:
    scale = scale_of(values, 0, 100)
    assert scale is not None
    slack = 1e-6 * (scale.high - scale.low)
    assert all(scale.low - slack <= tick <= scale.high + slack for tick in ticks(scale))


@given(st.lists(REAL, min_size=1))
def test_there_are_two_to_seven_ticks_in_rising_order(values: list[float]) -> None:
    scale = scale_of(values, 0, 100)
    assert scale is not None
    marks = ticks(scale)
    assert 2 <= len(marks) <= 7
    assert marks == sorted(set(marks))


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_the_gap_between_ticks_is_one_two_or_five(low: float, span: float) -> None:
    marks = ticks(Scale(low, low + span, 0, 100))
    assert {f"{b - a:.3e}"[:5] for a, b in pairwise(marks)} <= {"1.000", "2.000", "5.000"}


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_multiples_of_their_gap(low: float, span: float) -> None:
    marks = ticks(Scale(low, low + span, 0, 100))
    gap = float(f"{marks[1] - marks[0]:.3e}")
    assert all(abs(mark / gap - round(mark / gap)) < 1e-3 for mark in marks)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 50, [0, 10, 20, 30, 40, 50]),
        (-1, 1, [-1, -0.5, 0, 0.5, 1]),
        (1e-13, 2e-13, [1e-13, 1.2e-13, 1.4e-13, 1.6e-13, 1.8e-13, 2e-13]),
    ],
)
def test_ticks_of(low: float, high: float, expected: list[float]) -> None:
    assert ticks(Scale(low, high, 0, 100)) == pytest.approx(expected, rel=1e-9, abs=0)


# ---- curves ------------------------------------------------------------------------------------


def test_a_line_goes_through_its_points() -> None:
    curve = Curve("c", "x", "y", (Series("s", (0.0, 1.0), (0.0, 1.0)),))
    assert parts(curve_svg(curve), "polyline")[0]["points"] == "58,256 448,12"


def test_a_cloud_has_one_dot_a_point() -> None:
    cloud = Series("s", (0.0, 1.0, math.nan), (0.0, 1.0, 1.0), points_only=True)
    assert len(parts(curve_svg(Curve("c", "x", "y", (cloud,))), "circle")) == 2


def test_several_series_are_named_in_a_legend() -> None:
    series = tuple(Series(name, (0.0, 1.0), (0.0, 1.0)) for name in ("train", "test"))
    assert texts(curve_svg(Curve("c", "x", "y", series)))[-2:] == ["train", "test"]


def test_a_cloud_is_a_dot_in_the_legend() -> None:
    cloud = Series("rows", (0.0, 1.0), (0.0, 1.0), points_only=True)
    line = Series("ideal", (0.0, 1.0), (0.0, 1.0))
    assert len(parts(curve_svg(Curve("c", "x", "y", (cloud, line))), "circle")) == 3


def test_a_long_legend_goes_on_in_the_next_row() -> None:
    series = tuple(Series(f"a rather long name {i}", (0.0, 1.0), (0.0, 1.0)) for i in range(6))
    svg = curve_svg(Curve("c", "x", "y", series))
    rows = [e.attrib["y"] for e in parsed(svg).iter("text") if "rather" in (e.text or "")]
    assert len(set(rows)) == 3
    assert max(map(float, rows)) < float(parsed(svg).attrib["height"])


def test_a_short_line_shows_its_points() -> None:
    short = Series("s", (0.0, 1.0, 2.0), (0.0, 1.0, 0.0))
    assert len(parts(curve_svg(Curve("c", "x", "y", (short,))), "circle")) == 3


def test_no_two_of_36_lines_look_the_same() -> None:
    series = tuple(Series(str(i), (0.0, 1.0), (0.0, 1.0)) for i in range(36))
    drawn = parts(curve_svg(Curve("c", "x", "y", series)), "polyline")
    assert len({line["class"] for line in drawn}) == 36


def test_neighbouring_lines_differ_without_colour() -> None:
    series = tuple(Series(str(i), (0.0, 1.0), (0.0, 1.0)) for i in range(6))
    drawn = parts(curve_svg(Curve("c", "x", "y", series)), "polyline")
    assert len({line["class"].split()[-1] for line in drawn}) == 6


def test_clouds_differ_without_colour() -> None:
    clouds = tuple(Series(str(i), (0.0,), (0.0,), points_only=True) for i in range(6))
    svg = curve_svg(Curve("c", "x", "y", clouds))
    drawn = [p["points"].split() for p in parts(svg, "polygon")[:5]]
    outlines = {tuple((float(x), float(y)) for x, y in (q.split(",") for q in p)) for p in drawn}
    assert len(parts(svg, "circle")) == 2, "one in the plane, one in the legend"
    assert len(outlines) == 5


@pytest.mark.parametrize("hole", [math.nan, math.inf], ids=str)
def test_a_value_that_is_no_number_leaves_a_hole_in_the_line(hole: float) -> None:
    line = Series("s", (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 1.0, hole, 3.0, 4.0))
    drawn = parts(curve_svg(Curve("c", "x", "y", (line,))), "polyline")
    assert [len(piece["points"].split()) for piece in drawn] == [2, 2]


def test_a_point_between_two_holes_is_marked() -> None:
    ys = (*[1.0] * 30, math.nan, 5.0, math.nan, *[1.0] * 30)
    line = Series("s", tuple(map(float, range(len(ys)))), ys)
    assert len(parts(curve_svg(Curve("c", "x", "y", (line,))), "circle")) == 1


@pytest.mark.parametrize(
    "svg",
    [
        curve_svg(Curve("named", "x", "y", (Series("s", (0.0, 1.0), (0.0, 1.0)),))),
        curve_svg(Curve("named", "x", "y", ())),
        bars_svg(Bars("named", "gain", ("a",), (1.0,))),
        heatmap_svg(Heatmap("named", "r", "c", ("a",), ("b",), ((1.0,),))),
        histogram_svg(Histogram((0.0, 1.0), (1,)), "named"),
        overlay_svg([Histogram((0.0, 1.0), (1,))], "named"),
    ],
    ids=["curve", "no data", "bars", "heatmap", "histogram", "overlay"],
)
def test_a_drawing_is_an_image_with_a_name_and_a_description(svg: str) -> None:
    root = parsed(svg)
    assert root.attrib["role"] == "img"
    assert "named" in (root.findtext("title") or "")
    assert root.findtext("desc")


def test_one_series_needs_no_legend() -> None:
    curve = Curve("c", "x", "y", (Series("alone", (0.0, 1.0), (0.0, 1.0)),))
    assert "alone" not in texts(curve_svg(curve))


def test_the_axes_are_labelled() -> None:
    curve = Curve("c", "recall", "precision", (Series("s", (0.0, 1.0), (0.0, 1.0)),))
    assert texts(curve_svg(curve))[-2:] == ["recall", "precision"]


@pytest.mark.parametrize("xs", [(), (math.nan,), (math.inf,)], ids=str)
def test_a_curve_with_nothing_to_draw_says_so(xs: tuple[float, ...]) -> None:
    assert texts(curve_svg(Curve("c", "x", "y", (Series("s", xs, xs),)))) == ["no data"]


# ---- bars --------------------------------------------------------------------------------------


def test_the_length_of_a_bar_is_its_value() -> None:
    bars = parts(bars_svg(Bars("c", "gain", ("a", "b"), (4.0, 1.0))), "rect")
    assert float(bars[0]["width"]) == pytest.approx(4 * float(bars[1]["width"]), rel=0.01)


def test_a_negative_bar_ends_where_a_positive_one_starts() -> None:
    negative, positive = parts(bars_svg(Bars("c", "gain", ("a", "b"), (-1.0, 1.0))), "rect")
    assert float(negative["x"]) + float(negative["width"]) == float(positive["x"])


def test_a_bar_that_cannot_be_drawn_says_so() -> None:
    svg = bars_svg(Bars("c", "gain", ("a", "b"), (math.nan, 1.0)))
    assert texts(svg) == ["a", "no data", "b", "1", "gain"]


@pytest.mark.parametrize("name", ["A" * 60, "w" * 60, "%" * 60, "中" * 60], ids=ascii)
def test_a_long_name_is_cut_and_whole_under_the_pointer(name: str) -> None:
    svg = bars_svg(Bars("c", "gain", (name,), (1.0,)))
    (cut, *_) = texts(svg)
    assert cut.endswith("…")
    assert name in [title.text for title in parsed(svg).iter("title")]


@pytest.mark.parametrize("letter", ["A", "M", "w", "i", "7", "中"], ids=ascii)
@pytest.mark.parametrize("length", [1, 12, 60])
def test_a_name_ends_before_its_bar_and_starts_within_the_drawing(letter: str, length: int) -> None:
    svg = bars_svg(Bars("c", "gain", (letter * length,), (1.0,)))
    name = next(parsed(svg).iter("text"))
    assert float(name.attrib["x"]) - text_width(name.text or "") >= 0
    assert float(parts(svg, "rect")[0]["x"]) > float(name.attrib["x"])


def test_no_bars_say_so() -> None:
    assert texts(bars_svg(Bars("c", "gain", (), ()))) == ["no data"]


# ---- matrices ----------------------------------------------------------------------------------


def cells(*rows: Sequence[float]) -> Heatmap:
    names = tuple("abcdef"[: len(rows)])
    return Heatmap("h", "actual", "predicted", names, names, tuple(map(tuple, rows)))


def test_each_cell_shows_its_value_and_its_share_of_the_row() -> None:
    shown = texts(heatmap_svg(cells([3, 1], [0, 2])))
    row = shown.index("3")
    assert shown[row : row + 4] == ["3", "75.0%", "1", "25.0%"]


def test_a_row_of_zeros_has_shares_of_zero() -> None:
    assert texts(heatmap_svg(cells([0, 0], [1, 1]))).count("0.0%") == 2


def test_a_cell_that_is_no_number_takes_no_share() -> None:
    assert texts(heatmap_svg(cells([math.nan, 4], [1, 1]))).count("100.0%") == 1


@given(st.lists(st.lists(ANY, min_size=2, max_size=2), min_size=2, max_size=2))
def test_a_share_lies_between_nothing_and_all(rows: list[list[float]]) -> None:
    shares = [text for text in texts(heatmap_svg(cells(*rows))) if text.endswith("%")]
    assert [text for text in shares if not 0 <= float(text.strip("<>%")) <= 100] == []


def test_a_darker_cell_holds_more() -> None:
    shades = [float(a["fill-opacity"]) for a in parts(heatmap_svg(cells([3, 1], [0, 2])), "rect")]
    assert shades[0] > shades[1] > shades[2]


def test_the_cells_of_a_wide_matrix_still_have_a_width() -> None:
    wide = Heatmap("h", "r", "c", ("a",), ("b",) * 200, ((1.0,) * 200,))
    assert all(float(cell["width"]) > 0 for cell in parts(heatmap_svg(wide), "rect"))


def test_the_name_of_a_column_fits_over_its_cells() -> None:
    wide = Heatmap("h", "r", "c", ("a",), ("CLASS OF LOANS",) * 12, ((1.0,) * 12,))
    cell = parts(heatmap_svg(wide), "rect")[0]
    cut = [text for text in texts(heatmap_svg(wide)) if text.startswith("CL")]
    assert max(map(text_width, cut)) <= float(cell["width"])


def test_an_empty_matrix_says_so() -> None:
    assert texts(heatmap_svg(Heatmap("h", "r", "c", (), (), ()))) == ["no data"]


# ---- distributions -----------------------------------------------------------------------------


def test_the_height_of_a_bin_is_its_share_of_the_highest() -> None:
    bins = parts(histogram_svg(Histogram((0.0, 1.0, 2.0), (4, 1)), "x"), "rect")
    assert [a["height"] for a in bins] == ["24.0", "6.0"]


def test_an_empty_bin_is_not_drawn() -> None:
    assert len(parts(histogram_svg(Histogram((0.0, 1.0, 2.0), (4, 0)), "x"), "rect")) == 1


@pytest.mark.parametrize("histogram", [None, Histogram((0.0, 1.0), (0,)), Histogram((0.0,), ())])
def test_a_distribution_of_nothing_is_not_drawn(histogram: Histogram | None) -> None:
    assert histogram_svg(histogram, "x") == overlay_svg([histogram], "x") == ""


@pytest.mark.parametrize("edges", [(), (0.0,), (0.0, 1.0), (0.0, 1.0, 2.0, 3.0)], ids=str)
def test_edges_that_do_not_fit_the_counts_are_not_drawn(edges: tuple[float, ...]) -> None:
    assert overlay_svg([Histogram(edges, (1, 1))], "x") == ""


@given(COUNTS.filter(any))
def test_equal_data_have_equal_outlines(counts: list[int]) -> None:
    histogram = Histogram(tuple(map(float, range(len(counts) + 1))), tuple(counts))
    first, second = parts(overlay_svg([histogram, histogram], "x"), "polyline")
    assert first["points"] == second["points"]


def test_outlines_compare_shares_and_not_counts() -> None:
    few, many = Histogram((0.0, 1.0, 2.0), (1, 3)), Histogram((0.0, 1.0, 2.0), (100, 300))
    first, second = parts(overlay_svg([few, many], "x"), "polyline")
    assert first["points"] == second["points"]


def test_two_halves_of_a_bin_look_like_the_bin() -> None:
    whole, halves = Histogram((0.0, 2.0), (2,)), Histogram((0.0, 1.0, 2.0), (1, 1))
    assert outline(whole).split()[1] == outline(halves).split()[1]
    assert outline(whole).split()[-2:] == outline(halves).split()[-2:]


def test_a_missing_part_keeps_the_colours_of_the_others() -> None:
    known = Histogram((0.0, 1.0), (1,))
    (line,) = parts(overlay_svg([None, known], "x"), "polyline")
    assert line["class"].split()[:2] == ["line", "c1"]
