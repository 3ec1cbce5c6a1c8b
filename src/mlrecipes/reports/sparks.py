"""Distributions small enough for a row of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlrecipes.records import Histogram
from mlrecipes.reports.axes import LARGEST, Scale, scale_of
from mlrecipes.reports.svg import N_STYLES, frame, line_style
from mlrecipes.reports.wording import number

__all__ = ["composition_svg", "histogram_svg", "overlay_svg"]

GAP = 0.6
STRIPE = 8


def histogram_svg(
    histogram: Histogram | None, title: str, width: int = 110, height: int = 24
) -> str:
    """Draw one distribution as bars."""
    highest = max(histogram.counts, default=0) if histogram is not None else 0
    if histogram is None or not highest:
        return ""
    step = width / len(histogram.counts)
    rects = "".join(
        f'<rect class="bar c0" x="{i * step:.1f}" y="{height * (1 - count / highest):.1f}" '
        f'width="{max(step - GAP, GAP):.1f}" height="{height * count / highest:.1f}"/>'
        for i, count in enumerate(histogram.counts)
        if count
    )
    return frame((width, height), f"Distribution of {title}", _span([histogram]), rects, "spark")


def overlay_svg(
    histograms: Sequence[Histogram | None], title: str, width: int = 150, height: int = 34
) -> str:
    """Draw several distributions as outlines of equal area over one another."""
    known = [(i, h) for i, h in enumerate(histograms) if h is not None and _can_be_drawn(h)]
    x_scale = scale_of((edge for _, h in known for edge in h.edges), 1, width - 1)
    if x_scale is None:
        return ""
    densities = {i: _densities(h) for i, h in known}
    highest = max(max(values) for values in densities.values())
    body = "".join(
        f'<polyline class="{line_style(i)}" points="'
        + _outline(h.edges, densities[i], x_scale, Scale(0, highest or 1.0, height - 1, 2))
        + '"/>'
        for i, h in known
    )
    description = _span([h for _, h in known])
    return frame((width, height), f"Distributions of {title}", description, body, "spark")


def composition_svg(
    parts: Sequence[tuple[Sequence[int], int]], title: str, width: int = 110
) -> str:
    """Draw how much of each table its most frequent values make up, one stripe a table.

    Args:
        parts: Counts of the values, the same in every table, and the rows of the table.
        title: What is composed.
        width: Pixels that stand for all rows.
    """
    if not any(n_rows and any(counts) for counts, n_rows in parts):
        return ""
    stripe = 14 if len(parts) == 1 else STRIPE
    body = "".join(
        _stripe(counts, n_rows, i, (width, stripe)) for i, (counts, n_rows) in enumerate(parts)
    )
    height = len(parts) * (stripe + 2) - 2
    return frame((width, height), f"Most frequent values of {title}", "", body, "spark")


def _stripe(counts: Sequence[int], n_rows: int, position: int, size: tuple[int, int]) -> str:
    width, height = size
    y = position * (height + 2)
    pieces = [f'<rect class="rest" x="0" y="{y}" width="{width}" height="{height}"/>']
    x = 0.0
    for i, count in enumerate(counts):
        length = min(width * count / n_rows, width - x) if n_rows else 0.0
        if length > 0:
            pieces.append(
                f'<rect class="bar c{position % N_STYLES}" x="{x:.1f}" y="{y}" '
                f'width="{max(length - GAP, 0.1):.1f}" height="{height}" '
                f'fill-opacity="{max(0.9 - 0.17 * i, 0.2):.2f}"/>'
            )
        x += max(length, 0.0)
    return "".join(pieces)


def _span(histograms: Sequence[Histogram]) -> str:
    edges = [edge for h in histograms for edge in h.edges if math.isfinite(edge)]
    return f"from {number(min(edges))} to {number(max(edges))}" if edges else ""


def _can_be_drawn(histogram: Histogram) -> bool:
    is_whole = len(histogram.edges) == len(histogram.counts) + 1
    return is_whole and sum(histogram.counts) > 0 and all(map(math.isfinite, histogram.edges))


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
