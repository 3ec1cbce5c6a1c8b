"""Which type a column of a CSV file has, decided by all its rows without holding them.

Arrow reads a column as the first of these kinds that all its values can be read as, and as
text if there is none::

    nothing < whole number < boolean < date < time of day < timestamp < number < text

A block of rows alone says little: 0 and 1 are whole numbers, but booleans if a later block
says ``true``, and text if it says ``yes``. So each kind is struck off that a value cannot be
read as, and what is left at the end decides. Two kinds are read as text, though: times of
day, which would become objects, and identifiers beyond 64 bits, which would be rounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["decide_types", "is_too_large"]

DIGITS_OR_TIME = r"^(-?\d+|\d+:[\d:]+([.]\d+)?)$"
BEYOND_64_BITS = 2**63
TIME_OF_DAY = r"^[ \t]*([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?[ \t]*$"
BLANKS = " \t"
BOOLEANS = ("1", "0", "true", "false", "True", "False", "TRUE", "FALSE")
N_FIRST = 100
"""So many values rule most kinds out; Arrow would word an error for each wrong one of all."""


def decide_types(tables: Iterable[Any]) -> dict[str, Any]:
    """Find the type of each column.

    Args:
        tables: All rows as text, a ``pyarrow.Table`` after the other; an empty field is null.

    Returns:
        Arrow's types by column: ``null`` where there is no value at all.
    """
    columns: dict[str, _Column] = {}
    for table in tables:
        for name in table.column_names:
            columns.setdefault(name, _Column()).look_at(table[name].combine_chunks())
    return {name: column.decided() for name, column in columns.items()}


def is_too_large(value: float | None) -> bool:
    """Whether a number may be an identifier beyond 64 bits, whose last digits are lost.

    >>> is_too_large(2.0**63)
    True
    """
    return value is not None and abs(value) >= BEYOND_64_BITS


class _Column:
    """What the texts of a column can still be read as."""

    def __init__(self) -> None:
        self._kinds = _kinds()
        self._has_value = False
        self._is_digits_or_time = True
        self._has_large = False

    def look_at(self, texts: Any) -> None:
        """Strike off each kind that one of the texts cannot be read as."""
        import pyarrow.compute as pc

        if texts.null_count == len(texts):
            return
        self._has_value = True
        few = texts.slice(0, N_FIRST)
        fitting = [kind for kind in self._kinds if _read_as(few, kind) is not None]
        read = {kind: _read_as(texts, kind) for kind in fitting}
        self._kinds = [kind for kind, values in read.items() if values is not None]
        if not self._kinds:
            return
        if self._is_digits_or_time:
            matches = pc.match_substring_regex(texts, DIGITS_OR_TIME)
            self._is_digits_or_time = bool(pc.all(matches).as_py())
        numbers = read.get(_number())
        if numbers is not None and self._is_digits_or_time and not self._has_large:
            finite = pc.if_else(pc.is_finite(numbers), numbers, 0.0)
            self._has_large = any(map(is_too_large, pc.min_max(finite).as_py().values()))

    def decided(self) -> Any:
        """The type to read the column as."""
        import pyarrow as pa

        if not self._has_value:
            return pa.null()
        kind = next(iter(self._kinds), pa.string())
        is_changed = pa.types.is_time(kind) or (kind == _number() and self._has_large)
        return pa.string() if is_changed and self._is_digits_or_time else kind


def _number() -> Any:
    import pyarrow as pa

    return pa.float64()


def _kinds() -> list[Any]:
    """All kinds but nothing and text, in the order in which Arrow tries them."""
    import pyarrow as pa

    moments = [pa.timestamp(unit, zone) for zone in (None, "UTC") for unit in ("s", "ns")]
    return [pa.int64(), pa.bool_(), pa.date32(), pa.time32("s"), *moments, _number()]


def _read_as(texts: Any, kind: Any) -> Any | None:
    """The values as Arrow's CSV reader would read them; None if it would refuse one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_boolean(kind):
        known = pc.is_in(texts, value_set=pa.array([*BOOLEANS, None], texts.type))
        return known if pc.all(known).as_py() else None
    if pa.types.is_time(kind):  # Arrow's compute functions do not read them.
        known = pc.match_substring_regex(texts, TIME_OF_DAY)
        return known if pc.all(known).as_py() else None
    try:
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        pass
    try:
        return None if pa.types.is_timestamp(kind) else pc.cast(pc.utf8_trim(texts, BLANKS), kind)
    except pa.ArrowInvalid:
        return None
