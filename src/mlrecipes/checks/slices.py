"""Slices of a table: the groups of rows for which a model is judged on its own.

A column's name gives one group a value, a condition the rows that meet it. A comparison with
a null is neither true nor false, as in SQL, so its row is in no slice that depends on it.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlrecipes.config.slice_text import read_slice
from mlrecipes.errors import DataError, did_you_mean, shorten

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["NULLS", "OTHERS", "Slice", "SliceGroup", "parse_slice"]

MAX_VALUES = 20
MAX_VALUE_LENGTH = 100
OTHERS = "(other)"
"""The value of the group of all values that are too rare to be judged on their own."""
NULLS = "(null)"
"""The value of the group of rows without a value."""
MEETS = "true"


@dataclass(frozen=True, slots=True, eq=False)
class SliceGroup:
    """Some rows of a table.

    Attributes:
        slice: The slice's text.
        value: The column's value as text, ``(other)`` or ``(null)``; ``true`` for a condition.
        mask: Which rows belong to it, bool, shape (n_rows of the table,).
        n_rows: How many they are; 0 is possible for a condition.
    """

    slice: str
    value: str
    mask: np.ndarray
    n_rows: int

    @property
    def label(self) -> str:
        """The group's name for people, such as ``CODE_GENDER = F``."""
        return self.slice if self.value == MEETS else f"{self.slice} = {self.value}"


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice as written in the configuration.

    Attributes:
        text: As written.
        columns: The columns that it needs.
        condition: None for a column's name.
    """

    text: str
    columns: tuple[str, ...]
    condition: ast.expr | None = field(default=None, compare=False, repr=False)

    def groups(self, frame: pd.DataFrame, min_rows: int) -> tuple[SliceGroup, ...]:
        """Divide a table.

        Args:
            frame: Has the slice's columns, in any types.
            min_rows: Values with fewer rows are put together as ``(other)``, as are all but
                the 20 most frequent ones. That group, the one of the nulls and that of a
                condition may have fewer rows all the same.

        Returns:
            The groups in the order of their values, ``(other)`` and ``(null)`` last. Those of
            a column hold each row once.

        Raises:
            DataError: A column is missing, its type does not fit the condition, or it holds
                too many numbers to make each of them a group.
        """
        for name in self.columns:
            if name not in frame.columns:
                raise DataError(
                    f"The slice '{shorten(self.text)}' names '{shorten(name)}', which is no "
                    "column of the data.",
                    hint=did_you_mean(name, map(str, frame.columns)),
                )
        if self.condition is None:
            return _groups_by_value(self.text, frame[self.columns[0]], min_rows)
        mask = _Condition(self.text, frame).truth(self.condition).yes
        return (SliceGroup(self.text, MEETS, mask, int(mask.sum())),)


def parse_slice(text: str) -> Slice:
    """Read a slice: a column's name, or a condition on columns.

    A condition is made of comparisons, ``in [..]``, and, or, not, + - * /, numbers, text in
    quotes and columns; a column whose name has blanks or signs stands in backticks.

    Raises:
        ValueError: It cannot be understood; the message continues the name of its key.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"sex": ["F", "M", "F", None], "age": [30, 40, None, 50]})
    >>> [(group.value, group.n_rows) for group in parse_slice("sex").groups(frame, 1)]
    [('F', 2), ('M', 1), ('(null)', 1)]
    >>> parse_slice("age >= 40 and sex != 'x'").groups(frame, 1)[0].mask.tolist()
    [False, True, False, False]
    """
    read = read_slice(text)
    return Slice(read.text, read.columns, read.condition)


# ---- a column's values -------------------------------------------------------------------


def _groups_by_value(text: str, column: pd.Series, min_rows: int) -> tuple[SliceGroup, ...]:
    import numpy as np
    import pandas as pd

    codes, values = pd.factorize(column, sort=False)
    counts = np.bincount(codes[codes >= 0], minlength=len(values))
    if len(values) > MAX_VALUES and _is_measured(column.dtype):
        low, high = column.min(), column.max()
        raise DataError(
            f"The slice '{shorten(text)}' is a column of {len(values):,} different numbers or "
            f"dates, from {shorten(low)} to {shorten(high)}: too many to be a group each.",
            hint=f'Write a condition, such as "{shorten(text)} > {shorten(column.median())}".',
        )
    labels = [_as_text(value) for value in values]
    frequent = sorted(range(len(values)), key=lambda code: (-counts[code], labels[code]))
    kept = [code for code in frequent[:MAX_VALUES] if counts[code] >= max(1, min_rows)]
    masks = {labels[code]: codes == code for code in _in_order(kept, values, labels)}
    masks[OTHERS] = (codes >= 0) & ~np.isin(codes, kept)
    masks[NULLS] = codes < 0
    sizes = {value: int(mask.sum()) for value, mask in masks.items()}
    return tuple(SliceGroup(text, v, mask, sizes[v]) for v, mask in masks.items() if sizes[v])


def _is_measured(dtype: Any) -> bool:
    """Whether values of a type are measured and not named, so that each is rare."""
    from pandas.api import types

    return bool(
        (types.is_numeric_dtype(dtype) and not types.is_bool_dtype(dtype))
        or types.is_datetime64_any_dtype(dtype)
    )


def _in_order(codes: list[int], values: Any, labels: list[str]) -> list[int]:
    try:
        return sorted(codes, key=lambda code: values[code])
    except TypeError:  # values of several types
        return sorted(codes, key=lambda code: labels[code])


def _as_text(value: Any) -> str:
    """A value as a group's name: codes that a null has turned into floats stay codes."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return shorten(value, limit=MAX_VALUE_LENGTH)


# ---- a condition's rows ------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Truth:
    """For each row whether a condition holds; rows that are in neither are unknown."""

    yes: np.ndarray
    no: np.ndarray


COMPARE: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
COMPUTE: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Condition:
    """A condition that was checked when it was read, on a table's rows."""

    text: str
    frame: pd.DataFrame

    def truth(self, node: ast.expr) -> _Truth:
        """Decide each row."""
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                found = [self.truth(value) for value in values]
                return _Truth(_all(t.yes for t in found), ~_all(~t.no for t in found))
            case ast.BoolOp(values=values):
                found = [self.truth(value) for value in values]
                return _Truth(~_all(~t.yes for t in found), _all(t.no for t in found))
            case ast.UnaryOp(operand=operand):
                inner = self.truth(operand)
                return _Truth(inner.no, inner.yes)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                sides = [left, *comparators]
                found = [self._compared(sides[i], op, sides[i + 1]) for i, op in enumerate(ops)]
                return _Truth(_all(t.yes for t in found), ~_all(~t.no for t in found))
        raise TypeError(node)  # pragma: no cover - refused when it was read

    def _compared(self, left: ast.expr, sign: ast.cmpop, right: ast.expr) -> _Truth:
        if isinstance(sign, ast.In | ast.NotIn) and isinstance(right, ast.List | ast.Tuple):
            each = [self._compared(left, ast.Eq(), element) for element in right.elts]
            found = _Truth(~_all(~t.yes for t in each), _all(t.no for t in each))
            return found if isinstance(sign, ast.In) else _Truth(found.no, found.yes)
        import numpy as np

        ours, theirs = self._same_kind(self._value(left), self._value(right))
        known = ~(ours.isna() | theirs.isna()).to_numpy(dtype=bool)
        holds = np.zeros(len(known), dtype=bool)
        holds[known] = COMPARE[type(sign)](ours.to_numpy()[known], theirs.to_numpy()[known])
        return _Truth(holds, known & ~holds)

    def _value(self, node: ast.expr) -> pd.Series:
        """A column of numbers (float), texts (object) or moments; index 0..n-1."""
        import numpy as np

        match node:
            case ast.Name(id=name):
                return _as_kind(self.frame[name].reset_index(drop=True))
            case ast.Constant(value=value):
                return self._constant(value)
            case ast.UnaryOp(op=sign, operand=operand):
                inner = self._number(operand)
                return -inner if isinstance(sign, ast.USub) else inner
            case ast.BinOp(left=left, op=sign, right=right):
                with np.errstate(all="ignore"):
                    result = COMPUTE[type(sign)](self._number(left), self._number(right))
                return result.where(np.isfinite(result))
        raise TypeError(node)  # pragma: no cover - refused when it was read

    def _constant(self, value: Any) -> pd.Series:
        import pandas as pd

        kind = object if isinstance(value, str) else float
        return pd.Series(value, index=range(len(self.frame)), dtype=kind)

    def _number(self, node: ast.expr) -> pd.Series:
        value = self._value(node)
        if value.dtype.kind != "f":
            raise self._unfit(f"computes with {ast.unparse(node)}, which is no number")
        return value

    def _same_kind(self, left: pd.Series, right: pd.Series) -> tuple[pd.Series, pd.Series]:
        """Both sides comparable; a text beside a moment is a date."""
        kinds = left.dtype.kind + right.dtype.kind
        if kinds == "MO":
            return left, self._moments(right)
        if kinds == "OM":
            return self._moments(left), right
        if kinds[0] != kinds[1]:
            words = {"f": "numbers", "O": "text", "M": "dates"}
            raise self._unfit(f"compares {words[kinds[0]]} with {words[kinds[1]]}")
        return left, right

    def _moments(self, texts: pd.Series) -> pd.Series:
        import pandas as pd

        try:
            return pd.to_datetime(texts, utc=True, format="ISO8601").dt.tz_localize(None)
        except ValueError as exc:
            raise self._unfit(f"compares a date with '{shorten(texts.iloc[0])}'") from exc

    def _unfit(self, what: str) -> DataError:
        types = ", ".join(
            f"{shorten(name)} ({self.frame[name].dtype})" for name in read_slice(self.text).columns
        )
        return DataError(
            f"The slice '{shorten(self.text, limit=MAX_VALUE_LENGTH)}' {what}. "
            f"Its columns: {shorten(types, limit=300)}.",
            hint="Compare numbers with numbers, and text with text in quotes.",
        )


def _all(masks: Any) -> np.ndarray:
    import numpy as np

    together: np.ndarray = np.logical_and.reduce(list(masks))
    return together


def _as_kind(column: pd.Series) -> pd.Series:
    """Numbers and booleans as floats, moments without a zone, all else as text."""
    import numpy as np
    import pandas as pd
    from pandas.api import types

    if types.is_datetime64_any_dtype(column.dtype):
        return pd.to_datetime(column, utc=True).dt.tz_localize(None)
    if types.is_bool_dtype(column.dtype) or types.is_numeric_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype=float, na_value=np.nan))
    if types.infer_dtype(column, skipna=True) in {"decimal", "boolean", "mixed-integer-float"}:
        return pd.to_numeric(column, errors="coerce").astype(float)
    return column.astype(object).map(str, na_action="ignore")
