"""Scales and ticks of a chart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["LARGEST", "Scale", "finite", "scale_of", "ticks"]

N_TICKS = 5
LARGEST = 1e300
SMALLEST_SPAN = 1e-300
SMALLEST_SHARE = 1e-12


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


def ticks(scale: Scale) -> list[float]:
    """Round values within a scale.

    >>> ticks(Scale(0, 1, 0, 100))
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    rough = (scale.high - scale.low) / N_TICKS
    exponent = math.floor(math.log10(rough))
    power = 10.0**exponent
    step = next((m * power for m in (1, 2, 5, 10) if rough <= m * power * 1.0001), 10 * power)
    first = math.ceil(scale.low / step - 1e-9)
    last = math.floor(scale.high / step + 1e-9)
    return [round(i * step, max(-exponent, 0)) for i in range(first, last + 1)]
