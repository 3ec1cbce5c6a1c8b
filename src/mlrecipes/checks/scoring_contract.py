"""Do rows have the columns that a model was fitted on? Compared before any work is done."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.errors import shorten
from mlrecipes.records import Table

__all__ = ["Contract", "Difference", "compare", "difference_table"]

RENAMED = 0.6
"""Names that are as alike as that may be one name in two spellings."""
N_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Contract:
    """What rows must have, and what they may have.

    Attributes:
        wanted: Columns that the model needs, and their types; None for any type.
        known: Columns that the recipe knows and no model sees, such as identifiers.
    """

    wanted: Mapping[str, Any]
    known: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A column that is not as the model was fitted on.

    Attributes:
        kind: ``missing``, ``renamed?``, ``retyped`` or ``extra``.
        expected: The type in training; empty for an extra column.
        seen: The type in the rows, or the column that may be meant.
    """

    kind: str
    column: str
    expected: str = ""
    seen: str = ""


def compare(columns: Mapping[str, Any], contract: Contract) -> tuple[Difference, ...]:
    """Find all differences, the worst first.

    Numbers of any width are the same, and so are flags and numbers: whole numbers become
    floating point as soon as a value is missing. An ``object`` column may hold anything.

    Args:
        columns: Name and pandas type of each column of the rows.
        contract: What is asked of them.
    """
    extra = [name for name in columns if name not in contract.wanted and name not in contract.known]
    missing = [name for name in contract.wanted if name not in columns]
    renamed = dict(_pairs(missing, extra))
    found = [
        Difference("renamed?", name, _shown(contract.wanted[name]), renamed[name])
        if name in renamed
        else Difference("missing", name, _shown(contract.wanted[name]))
        for name in missing
    ]
    for name, dtype in contract.wanted.items():
        if name in columns and not _fits(columns[name], dtype):
            found.append(Difference("retyped", name, _shown(dtype), _shown(columns[name])))
    others = [name for name in extra if name not in renamed.values()]
    found.extend(Difference("extra", name, "", _shown(columns[name])) for name in others)
    return tuple(found)


def difference_table(differences: Collection[Difference], n_shown: int = N_SHOWN) -> Table:
    """The differences as a table of a card or an error."""
    rows = tuple(
        (one.kind, shorten(one.column), one.expected, one.seen)
        for one in list(differences)[:n_shown]
    )
    n_rest = len(differences) - len(rows)
    caption = f"and {n_rest} more" if n_rest > 0 else ""
    return Table(("difference", "column", "in training", "in the rows"), rows, caption)


def _pairs(missing: list[str], extra: list[str]) -> Iterator[tuple[str, str]]:
    """Each missing column with the extra one that is most like it; none is meant twice."""
    left = list(extra)
    for name in missing:
        by_case = [other for other in left if other.lower() == name.lower()]
        near = by_case or difflib.get_close_matches(name, left, n=1, cutoff=RENAMED)
        if near:
            left.remove(near[0])
            yield name, near[0]


def _fits(seen: Any, wanted: Any) -> bool:
    families = _family(seen), _family(wanted)
    return None in families or families[0] == families[1]


def _family(dtype: Any) -> str | None:
    """Types of one family can be told to a model as each other; None is any of them."""
    import pandas as pd

    if dtype is None or pd.api.types.is_object_dtype(dtype):
        return None
    if isinstance(dtype, pd.CategoricalDtype):
        return _family(dtype.categories.dtype)
    if pd.api.types.is_numeric_dtype(dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "time"
    return "text" if isinstance(dtype, pd.StringDtype) else str(dtype)


def _shown(dtype: Any) -> str:
    return "any" if dtype is None else shorten(dtype)
