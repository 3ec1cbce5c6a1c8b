"""Scales and ticks of a chart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mlrecipes.reports.wording import UNITS, number

__all__ = ["LARGEST", "Scale", "finite", "rounded_out", "scale_of", "tick_texts", "ticks"]

N_TICKS = 5
LARGEST = 1e300
SMALLEST_SPAN = 1e-300
SMALLEST_SHARE = 1e-12
LONG = 1e5
"""From here on, a tick is written with a unit."""
MAX_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps values to pixels; a value outside is placed at the nearest end.

    >>> Scale(0, 10, 100, 200).place(5)
    150.0
    """

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """The pixel of a value."""
        inside = min(max(value, self.low), self.high)
        position = (inside - self.low) / (self.high - self.low)
        return round(self.start + position * (self.end - self.start), 1)


def finite(values: Iterable[float]) -> list[float]:
    """The values that can be drawn; the differences of the largest would not be finite."""
    return [min(max(float(v), -LARGEST), LARGEST) for v in values if math.isfinite(v)]


def scale_of(values: Iterable[float], start: float, end: float) -> Scale | None:
    """A scale that holds all values; None if there is nothing to draw."""
    drawn = finite(values)
    if not drawn:
        return None
    low, high = min(drawn), max(drawn)
    size = max(abs(low), abs(high))
    if high - low < max(size * SMALLEST_SHARE, SMALLEST_SPAN):
        margin = size * 0.5 if size > SMALLEST_SPAN * 10 else 1.0
        low, high = low - margin, high + margin
    return Scale(low, high, start, end)


def rounded_out(scale: Scale, at_most: float = math.inf) -> Scale:
    """The scale with round ends, unless it grows by more than ``at_most`` of its span.

    >>> rounded_out(Scale(0.08, 0.61, 0, 100))
    Scale(low=0.0, high=0.8, start=0, end=100)
    """
    step, exponent = _step(scale)
    low = round(math.floor(scale.low / step + 1e-9) * step, max(-exponent, 0))
    high = round(math.ceil(scale.high / step - 1e-9) * step, max(-exponent, 0))
    is_drawable = -LARGEST <= low < high <= LARGEST
    is_near = is_drawable and (high - low) / (scale.high - scale.low) <= 1 + at_most
    return replace(scale, low=low, high=high) if is_near else scale


def ticks(scale: Scale) -> list[float]:
    """Round values within a scale.

    >>> ticks(Scale(0, 1, 0, 100))
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    step, exponent = _step(scale)
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    return [round(i * step, max(-exponent, 0)) for i in range(first, last + 1)]


def tick_texts(scale: Scale) -> list[tuple[float, str]]:
    """Ticks as they are written: all with the same decimals and the same unit.

    >>> tick_texts(Scale(0, 4e5, 0, 100))[1:3]
    [(100000.0, '100k'), (200000.0, '200k')]
    """
    _, exponent = _step(scale)
    marks = ticks(scale)
    largest = max(map(abs, marks), default=0.0)
    in_units = [(size, name) for size, name in UNITS if largest >= max(size, LONG)]
    unit, suffix = in_units[0] if in_units else (1.0, "")
    n_decimals = max(0, round(math.log10(unit)) - exponent)
    if n_decimals > MAX_DECIMALS or largest >= UNITS[0][0] * 1_000:
        return [(mark, number(mark)) for mark in marks]
    return [(mark, f"{mark / unit:,.{n_decimals}f}{suffix if mark else ''}") for mark in marks]


def _step(scale: Scale) -> tuple[float, int]:
    """The gap between ticks and its power of ten."""
    rough = (scale.high - scale.low) / N_TICKS
    exponent = math.floor(math.log10(rough))
    power = 10.0**exponent
    fits = [m * power for m in (1, 2, 5) if rough <= m * power * 1.0001]
    return (fits[0], exponent) if fits else (10 * power, exponent + 1)
