"""Numbers as inline SVG: no script, no network, the same bytes for the same numbers.

Colours come from the card's stylesheet through classes, so that a chart follows dark and
light; lines also differ by their dashes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from mlrecipes.records import Bars, Curve, Heatmap, Histogram, Series
from mlrecipes.reports.axes import LARGEST, Scale, scale_of, ticks
from mlrecipes.reports.wording import clean, number, share

__all__ = ["bars_svg", "curve_svg", "heatmap_svg", "histogram_svg", "overlay_svg"]

WIDTH, HEIGHT = 460, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 12, 44
N_COLOURS = 4
ROW = 22


def _svg(width: float, height: float, title: str, body: str, style: str = "chart") -> str:
    label = escape(clean(title))
    return (
        f'<svg class="{style}" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="{label}"><title>{label}</title>{body}</svg>'
    )


def _no_data(title: str, width: float = WIDTH) -> str:
    text = f'<text class="faint" x="{width / 2:g}" y="24" text-anchor="middle">no data</text>'
    return _svg(width, 40, title, text)


def _text(x: float, y: float, text: object, anchor: str = "start", style: str = "") -> str:
    kind = f' class="{style}"' if style else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{kind}>{escape(clean(text))}</text>'


# ---- lines and points ---------------------------------------------------------------------


def curve_svg(curve: Curve) -> str:
    """Draw lines and points in one plane."""
    x_scale = scale_of((x for s in curve.series for x in s.x), LEFT, WIDTH - RIGHT)
    y_scale = scale_of((y for s in curve.series for y in s.y), HEIGHT - BOTTOM, TOP)
    if x_scale is None or y_scale is None:
        return _no_data(curve.caption)
    body = [_grid(x_scale, y_scale, curve.x_label, curve.y_label)]
    body += [_series(s, i, x_scale, y_scale) for i, s in enumerate(curve.series)]
    height = HEIGHT
    if len(curve.series) > 1:
        body += [_legend(s, i) for i, s in enumerate(curve.series)]
        height += 18 * len(curve.series) + 4
    return _svg(WIDTH, height, curve.caption, "".join(body))


def _grid(x_scale: Scale, y_scale: Scale, x_label: str, y_label: str) -> str:
    parts = []
    for value in ticks(y_scale):
        y = y_scale.place(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:g}" y2="{y:g}"/>')
        parts.append(_text(LEFT - 6, y + 4, number(value), "end", "tick"))
    for value in ticks(x_scale):
        x = x_scale.place(value)
        parts.append(
            f'<line class="grid" x1="{x:g}" x2="{x:g}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        )
        parts.append(_text(x, HEIGHT - BOTTOM + 16, number(value), "middle", "tick"))
    parts.append(_text((LEFT + WIDTH) / 2, HEIGHT - 8, x_label, "middle", "label"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text class="label" transform="translate(12 {middle:g}) rotate(-90)" '
        f'text-anchor="middle">{escape(clean(y_label))}</text>'
    )
    return "".join(parts)


def _series(series: Series, position: int, x_scale: Scale, y_scale: Scale) -> str:
    points = [
        (x_scale.place(x), y_scale.place(y))
        for x, y in zip(series.x, series.y, strict=False)
        if math.isfinite(x) and math.isfinite(y)
    ]
    colour = position % N_COLOURS
    if series.points_only:
        return "".join(
            f'<circle class="dot c{colour}" cx="{x:g}" cy="{y:g}" r="2.2"/>' for x, y in points
        )
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    return f'<polyline class="line c{colour}" points="{path}"/>'


def _legend(series: Series, position: int) -> str:
    y, colour = HEIGHT + 10 + 18 * position, position % N_COLOURS
    if series.points_only:
        mark = f'<circle class="dot c{colour}" cx="{LEFT + 12}" cy="{y}" r="3"/>'
    else:
        mark = f'<polyline class="line c{colour}" points="{LEFT},{y} {LEFT + 26},{y}"/>'
    return mark + _text(LEFT + 34, y + 4, series.name, style="tick")


# ---- bars -----------------------------------------------------------------------------------


def bars_svg(bars: Bars) -> str:
    """Draw one horizontal bar a label."""
    label_width, value_width = 150, 70
    scale = scale_of([0.0, *bars.values], label_width, WIDTH - value_width)
    if scale is None or not bars.labels:
        return _no_data(bars.caption)
    parts = []
    for i, (label, value) in enumerate(zip(bars.labels, bars.values, strict=False)):
        y = ROW * i + 4
        parts.append(_text(label_width - 8, y + 13, clean(label, 24), "end", "tick"))
        if math.isfinite(value):
            start, end = sorted((scale.place(0), scale.place(value)))
            parts.append(
                f'<rect class="bar c0" x="{start:g}" y="{y}" width="{max(end - start, 0.5):g}" '
                f'height="{ROW - 6}"><title>{escape(clean(label))}: {number(value)}</title></rect>'
            )
            parts.append(_text(end + 6, y + 13, number(value), style="tick"))
        else:
            parts.append(_text(label_width, y + 13, "no data", style="faint"))
    height = ROW * len(bars.labels) + 24
    parts.append(_text(label_width, height - 6, bars.value_label, style="label"))
    return _svg(WIDTH, height, bars.caption, "".join(parts))


# ---- matrices -------------------------------------------------------------------------------


def heatmap_svg(heatmap: Heatmap) -> str:
    """Draw a matrix; each cell shows its value and its share of the row."""
    n_rows, n_columns = len(heatmap.rows), len(heatmap.columns)
    if not n_rows or not n_columns:
        return _no_data(heatmap.caption)
    cell_width, cell_height, left, top = min(110.0, 340 / n_columns), 46.0, 110, 40
    parts = [_text(left, 14, heatmap.column_label, style="label")]
    parts += [
        _text(left + cell_width * (j + 0.5), 32, clean(name, 14), "middle", "tick")
        for j, name in enumerate(heatmap.columns)
    ]
    for i, name in enumerate(heatmap.rows):
        y = top + cell_height * i
        parts.append(_text(left - 8, y + 27, clean(name, 14), "end", "tick"))
        parts += _row_of_cells(heatmap.cells[i], left, y, (cell_width, cell_height))
    height = top + cell_height * n_rows + 22
    parts.append(_text(left, height - 6, f"rows: {heatmap.row_label}", style="label"))
    return _svg(left + cell_width * n_columns + 8, height, heatmap.caption, "".join(parts))


def _row_of_cells(
    cells: Sequence[float], left: float, y: float, size: tuple[float, float]
) -> list[str]:
    whole = sum(value for value in cells if math.isfinite(value))
    gap = min(3.0, size[0] / 4)
    parts = []
    for j, value in enumerate(cells):
        x = left + size[0] * j
        strength = min(max(value / whole, 0.0), 1.0) if whole > 0 and math.isfinite(value) else 0.0
        parts.append(
            f'<rect class="cell c0" x="{x:g}" y="{y:g}" width="{size[0] - gap:g}" '
            f'height="{size[1] - gap:g}" fill-opacity="{0.08 + 0.5 * strength:.2f}"/>'
        )
        middle = x + (size[0] - gap) / 2
        parts.append(_text(middle, y + 20, number(value), "middle"))
        parts.append(_text(middle, y + 35, share(strength, 1.0), "middle", "tick"))
    return parts


# ---- distributions --------------------------------------------------------------------------


def histogram_svg(
    histogram: Histogram | None, title: str, width: int = 110, height: int = 24
) -> str:
    """Draw a distribution small enough for a row of a table."""
    highest = max(histogram.counts, default=0) if histogram is not None else 0
    if histogram is None or not highest:
        return ""
    step = width / len(histogram.counts)
    rects = "".join(
        f'<rect class="bar c0" x="{i * step:.1f}" y="{height * (1 - count / highest):.1f}" '
        f'width="{max(step - 0.6, 0.6):.1f}" height="{height * count / highest:.1f}"/>'
        for i, count in enumerate(histogram.counts)
        if count
    )
    return _svg(width, height, f"Distribution of {title}", rects, "spark")


def overlay_svg(
    histograms: Sequence[Histogram | None], title: str, width: int = 150, height: int = 34
) -> str:
    """Draw several distributions as outlines of equal area over one another."""
    known = [(i, h) for i, h in enumerate(histograms) if h is not None and _can_be_drawn(h)]
    x_scale = scale_of((edge for _, h in known for edge in h.edges), 0, width)
    if x_scale is None:
        return ""
    densities = {i: _densities(h) for i, h in known}
    highest = max(max(values) for values in densities.values())
    body = "".join(
        f'<polyline class="line c{i % N_COLOURS}" points="'
        + _outline(h.edges, densities[i], x_scale, Scale(0, highest or 1.0, height - 1, 2))
        + '"/>'
        for i, h in known
    )
    return _svg(width, height, f"Distributions of {title}", body, "spark")


def _can_be_drawn(histogram: Histogram) -> bool:
    return sum(histogram.counts) > 0 and all(map(math.isfinite, histogram.edges))


def _densities(histogram: Histogram) -> list[float]:
    n_all = sum(histogram.counts)
    widths = [b - a for a, b in zip(histogram.edges, histogram.edges[1:], strict=False)]
    return [
        min(count / n_all / width, LARGEST) if width > 0 else 0.0
        for count, width in zip(histogram.counts, widths, strict=False)
    ]


def _outline(edges: Sequence[float], values: Sequence[float], x: Scale, y: Scale) -> str:
    points = [(edges[0], 0.0)]
    for i, value in enumerate(values):
        points += [(edges[i], value), (edges[i + 1], value)]
    points.append((edges[-1], 0.0))
    return " ".join(f"{x.place(a):g},{y.place(b):g}" for a, b in points)
