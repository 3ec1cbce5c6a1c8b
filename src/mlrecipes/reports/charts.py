"""Numbers as inline SVG: no script, no network, the same bytes for the same numbers.

Colours come from the card's stylesheet through classes, so that a chart follows dark and
light; lines also differ by their dashes, clouds by the shape of their points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from mlrecipes.records import Bars, Curve, Heatmap, Series
from mlrecipes.reports.axes import Scale, rounded_out, scale_of, tick_texts
from mlrecipes.reports.svg import (
    cut_label,
    dot,
    frame,
    label,
    line_style,
    no_data,
    text_width,
    turned,
)
from mlrecipes.reports.wording import clean, number, share

__all__ = ["bars_svg", "curve_svg", "heatmap_svg", "is_wide"]

WIDTH, HEIGHT = 460, 300
FULL_WIDTH = 1_120
"""Width of a drawing that shares its row with no other."""
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 44
ROW = 22
N_MARKED = 24
"""A line of at most so many points shows each of them."""
NAME_ROOM = 190.0
"""Pixels for the names beside bars and rows."""
N_ENDS = 2
"""A straight line needs no marks: its ends are no findings."""
N_SIDE_BY_SIDE = 6
"""A matrix of more columns takes a row of the page for itself."""
N_LARGE = 3
"""A matrix of at most so many rows has large cells."""


# ---- lines and points ---------------------------------------------------------------------


def curve_svg(curve: Curve) -> str:
    """Draw lines and points in one plane."""
    x_scale = scale_of((x for s in curve.series for x in s.x), LEFT, WIDTH - RIGHT)
    y_scale = scale_of((y for s in curve.series for y in s.y), HEIGHT - BOTTOM, TOP)
    if x_scale is None or y_scale is None:
        return no_data(curve.caption, WIDTH)
    x_scale, y_scale = rounded_out(x_scale, at_most=0.1), rounded_out(y_scale)
    body = [_grid(x_scale, y_scale, curve.x_label, curve.y_label)]
    body += [_series(s, i, x_scale, y_scale) for i, s in reversed([*enumerate(curve.series)])]
    legend, height = _legend(curve.series) if len(curve.series) > 1 else ("", HEIGHT)
    description = f"{clean(curve.y_label, 40)} against {clean(curve.x_label, 40)}: " + ", ".join(
        clean(s.name, 24) for s in curve.series
    )
    return frame((WIDTH + RIGHT, height), curve.caption, description, "".join(body) + legend)


def _grid(x_scale: Scale, y_scale: Scale, x_label: str, y_label: str) -> str:
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for value, text in tick_texts(y_scale):
        y = y_scale.place(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:g}" y2="{y:g}"/>')
        parts.append(label(LEFT - 8, y + 4, text, "end", "tick"))
    for value, text in tick_texts(x_scale):
        x = x_scale.place(value)
        parts.append(f'<line class="axis" x1="{x:g}" x2="{x:g}" y1="{bottom}" y2="{bottom + 4}"/>')
        parts.append(label(x, bottom + 17, text, "middle", "tick"))
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(label((LEFT + right) / 2, HEIGHT - 8, clean(x_label, 60), "middle", "label"))
    parts.append(turned(13, (TOP + bottom) / 2, y_label))
    return "".join(parts)


def _series(series: Series, position: int, x_scale: Scale, y_scale: Scale) -> str:
    pieces = _pieces(series, x_scale, y_scale)
    points = [point for piece in pieces for point in piece]
    if series.points_only:
        return "".join(dot(position, x, y, 2.2) for x, y in points)
    style = line_style(position)
    lines = (
        f'<polyline class="{style}" points="' + " ".join(f"{x:g},{y:g}" for x, y in piece) + '"/>'
        for piece in pieces
    )
    is_marked = len(points) <= N_MARKED and len(points) != N_ENDS
    marked = points if is_marked else [piece[0] for piece in pieces if len(piece) == 1]
    mark = style.replace("line", "mark")
    marks = (f'<circle class="{mark}" cx="{x:g}" cy="{y:g}" r="2.6"/>' for x, y in marked)
    return "".join([*lines, *marks])


def _pieces(series: Series, x_scale: Scale, y_scale: Scale) -> list[list[tuple[float, float]]]:
    """Points that follow one another: a value that is no number leaves a hole in the line."""
    pieces: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(series.x, series.y, strict=False):
        if math.isfinite(x) and math.isfinite(y):
            pieces[-1].append((x_scale.place(x), y_scale.place(y)))
        elif pieces[-1]:
            pieces.append([])
    return [piece for piece in pieces if piece]


def _legend(series: Sequence[Series]) -> tuple[str, int]:
    """The names of the lines in rows under the axis, and the height of all."""
    parts, x, y = [], float(LEFT), HEIGHT + 12
    for i, line in enumerate(series):
        name = clean(line.name, 48)
        width = 34 + text_width(name) + 18
        if x > LEFT and x + width > WIDTH:
            x, y = float(LEFT), y + 18
        if line.points_only:
            parts.append(dot(i, x + 13, y, 3.5))
        else:
            ends = f"{x:g},{y} {x + 26:g},{y}"
            parts.append(f'<polyline class="{line_style(i)}" points="{ends}"/>')
        parts.append(label(x + 34, y + 4, name, style="tick"))
        x += width
    return "".join(parts), y + 12


# ---- bars -----------------------------------------------------------------------------------


def bars_svg(bars: Bars) -> str:
    """Draw one horizontal bar a label."""
    names = [clean(name) for name in bars.labels]
    left, right = _name_width(names) + 14, WIDTH - 70
    scale = scale_of([0.0, *bars.values], left, right)
    if scale is None or not names:
        return no_data(bars.caption, WIDTH)
    parts = []
    for i, (name, value) in enumerate(zip(names, bars.values, strict=False)):
        y = ROW * i + 4
        parts.append(cut_label(left - 8, y + 12, name, NAME_ROOM, "end"))
        if math.isfinite(value):
            start, end = sorted((scale.place(0), scale.place(value)))
            parts.append(
                f'<rect class="bar c0" x="{start:g}" y="{y}" width="{max(end - start, 0.5):g}" '
                f'height="{ROW - 6}" rx="1.5"><title>{escape(name)}: {number(value)}</title></rect>'
            )
            parts.append(label(end + 6, y + 12, number(value), style="tick"))
        else:
            parts.append(label(left, y + 12, "no data", style="faint"))
    bottom, zero = ROW * len(names) + 2, scale.place(0)
    parts.append(f'<line class="axis" x1="{zero:g}" x2="{zero:g}" y1="0" y2="{bottom}"/>')
    parts.append(label(left, bottom + 18, clean(bars.value_label, 60), style="label"))
    description = f"{clean(bars.value_label, 60)} of {len(names)} labels"
    return frame((WIDTH, bottom + 24), bars.caption, description, "".join(parts))


def _name_width(names: Sequence[str]) -> int:
    """Pixels that the names beside bars or rows take up."""
    return math.ceil(min(max(map(text_width, names), default=0.0), NAME_ROOM))


# ---- matrices -------------------------------------------------------------------------------


def heatmap_svg(heatmap: Heatmap) -> str:
    """Draw a matrix; each cell shows its value and its share of the row."""
    n_rows, n_columns = len(heatmap.rows), len(heatmap.columns)
    if not n_rows or not n_columns:
        return no_data(heatmap.caption, WIDTH)
    names = [clean(name) for name in heatmap.rows]
    left, top = _name_width(names) + 40, 44
    width_of_all = FULL_WIDTH if is_wide(heatmap) else WIDTH
    cell = (
        max(58.0, min(170.0, (width_of_all - left) / n_columns)),
        50.0 if n_rows > N_LARGE else 78.0,
    )
    width, height = left + cell[0] * n_columns, top + cell[1] * n_rows
    parts = [label(left + cell[0] * n_columns / 2, 14, heatmap.column_label, "middle", "label")]
    parts.append(turned(13, top + cell[1] * n_rows / 2, heatmap.row_label))
    for j, name in enumerate(heatmap.columns):
        parts.append(cut_label(left + cell[0] * (j + 0.5), 34, name, cell[0] - 4, "middle"))
    for i, (name, cells) in enumerate(zip(names, heatmap.cells, strict=False)):
        y = top + cell[1] * i
        parts.append(cut_label(left - 10, y + cell[1] / 2 + 2, name, NAME_ROOM, "end"))
        parts += _row_of_cells(cells, left, y, cell)
    description = f"{n_rows} rows and {n_columns} columns, shares of each row"
    return frame((width + 2, height + 2), heatmap.caption, description, "".join(parts), "matrix")


def is_wide(heatmap: Heatmap) -> bool:
    """Whether a matrix has too many columns to stand beside another drawing."""
    return len(heatmap.columns) > N_SIDE_BY_SIDE


def _row_of_cells(
    cells: Sequence[float], left: float, y: float, size: tuple[float, float]
) -> list[str]:
    whole = sum(value for value in cells if math.isfinite(value))
    width, height = size[0] - 3, size[1] - 3
    middle = y + height / 2
    parts = []
    for j, value in enumerate(cells):
        x = left + size[0] * j
        strength = min(max(value / whole, 0.0), 1.0) if whole > 0 and math.isfinite(value) else 0.0
        parts.append(
            f'<rect class="cell" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            f'rx="3" fill-opacity="{0.08 + 0.54 * strength:.2f}"/>'
        )
        parts.append(label(x + width / 2, middle - 2, number(value), "middle", "value"))
        parts.append(label(x + width / 2, middle + 14, share(strength, 1.0), "middle", "part"))
    return parts
