"""Values and names from data, made fit for a page or a terminal."""

from __future__ import annotations

import math
import unicodedata
from itertools import islice

from mlrecipes.records import Scalar

__all__ = ["UNITS", "clean", "clean_ends", "clean_lines", "compact", "number", "share", "shown"]

MAX_LENGTH = 200
MANY = 1_000
MAX_LINE = 2_000
COUNTABLE = 1e15
"""Floats count exactly up to here."""
UNITS = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))
LARGE = 1e7
"""From here on, a compact number has a unit."""
BREAKS = {"\n", "\r", "\t", "\u2028", "\u2029"}
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def clean(value: object, limit: int = MAX_LENGTH) -> str:
    r"""Text without control, format and direction characters, at most ``limit`` long.

    >>> clean("a\u202eb\x1b[31m")
    'ab[31m'
    """
    seen = (
        " " if char in BREAKS else char
        for char in str(value)
        if char in BREAKS or unicodedata.category(char) not in UNSEEN
    )
    kept = "".join(islice(seen, limit + 1))
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"


def clean_lines(text: str, limit: int = 20_000) -> str:
    """As :func:`clean`, line by line."""
    lines = text[: limit * 2].split("\n")
    kept = "\n".join(clean(line, MAX_LINE) for line in lines)
    return kept if len(kept) <= limit and len(text) <= limit * 2 else f"{kept[: limit - 1]}…"


def clean_ends(text: str, limit: int = 20_000) -> str:
    r"""As :func:`clean_lines`, but of a long text both ends stay: the last line says the most.

    >>> clean_ends("first\n" + "x\n" * 90 + "last", limit=20)
    'first\nx\n…\nx\nlast'
    """
    if len(text) <= limit:
        return clean_lines(text, limit)
    half = max((limit - 3) // 2, 1)
    start, end = text[:half].rpartition("\n"), text[-half:].partition("\n")
    return f"{clean_lines(start[0] or start[2])}\n…\n{clean_lines(end[2] or end[0])}"[:limit]


def shown(value: Scalar) -> str:
    """A cell of a table.

    >>> shown(None), shown(1234567), shown(0.123456), shown(True)
    ('–', '1,234,567', '0.1235', 'yes')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return number(value) if isinstance(value, float) else clean(value)


def number(value: float) -> str:
    """A number with four significant digits.

    >>> number(0.00001234), number(123456.7), number(float("nan"))
    ('1.234e-05', '123,457', '–')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else ("∞" if value > 0 else "-∞")
    if abs(value) >= COUNTABLE:
        return f"{value:.4g}"
    if value == int(value):
        return f"{int(value):,}"
    if abs(value) >= MANY:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def compact(value: float) -> str:
    """A number that is short even if it is large, for where many stand side by side.

    >>> compact(3820510962.0), compact(1234567.0), compact(0.123456)
    ('3.821bn', '1,234,567', '0.1235')
    """
    if not math.isfinite(value) or not LARGE <= abs(value) < UNITS[0][0] * MANY:
        return number(value)
    unit, name = next((size, name) for size, name in UNITS if abs(value) >= size)
    return f"{value / unit:.4g}{name}"


def share(part: float, whole: float) -> str:
    """A share in percent; what is little is not called nothing, and almost all is not called all.

    >>> share(1, 8), share(0, 0), share(1, 90_000), share(89_999, 90_000)
    ('12.5%', '–', '<0.1%', '>99.9%')
    """
    if not whole or not math.isfinite(part / whole):
        return "–"
    text = f"{part / whole:.1%}"
    if text == "0.0%" and part > 0:
        return "<0.1%"
    return ">99.9%" if text == "100.0%" and part < whole else text
