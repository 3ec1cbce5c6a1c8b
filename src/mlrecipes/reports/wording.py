"""Values and names from data, made fit for a page or a terminal."""

from __future__ import annotations

import math
import unicodedata
from itertools import islice

from mlrecipes.records import Scalar

__all__ = ["clean", "clean_lines", "number", "share", "shown"]

MAX_LENGTH = 200
MANY = 1_000
COUNTABLE = 1e15
"""Floats count exactly up to here."""
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
    kept = "\n".join(clean(line, 400) for line in lines)
    return kept if len(kept) <= limit and len(text) <= limit * 2 else f"{kept[: limit - 1]}…"


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


def share(part: float, whole: float) -> str:
    """A share in percent.

    >>> share(1, 8), share(0, 0)
    ('12.5%', '–')
    """
    return f"{part / whole:.1%}" if whole and math.isfinite(part / whole) else "–"
