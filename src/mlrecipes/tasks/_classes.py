"""The classes of a target: which there are, how often, and whether a recipe can use them.

Classes are compared as Python compares them: 1, 1.0 and True are one class, "1" is another.
Nulls are no class.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlrecipes.errors import DataError, shorten
from mlrecipes.records import Scalar, Table

if TYPE_CHECKING:
    from mlrecipes.tasks.base import Predictions

__all__ = [
    "balance_table",
    "check_many_classes",
    "check_two_classes",
    "complete",
    "count_classes",
    "encode",
    "in_order",
    "least_likely_rows",
]

BINARY = 2
MAX_SHOWN = 5
MAX_BALANCE_ROWS = 20
YAML_BOOLEANS = {"yes", "no", "on", "off", "true", "false", "y", "n"}


# ---- reading a target --------------------------------------------------------------------


def count_classes(target: Any, where: str = "the data") -> dict[Any, int]:
    """Count the rows of each class, in the order of the classes; nulls are left out.

    Raises:
        DataError: Values such as lists, which can be no class.
    """
    column = pd.Series(target)
    try:
        counts = column.value_counts(dropna=True)
        found = dict(zip(counts.index.tolist(), counts.tolist(), strict=True))
    except TypeError as exc:
        raise DataError(
            f"{where}: the target{_named(column)} holds values that can be no class, such as "
            f"{shorten(repr(column.dropna().iloc[0]))}."
        ) from exc
    return {label: found[label] for label in in_order(found) if found[label] > 0}


def in_order(labels: Iterable[Any]) -> tuple[Any, ...]:
    """Sort distinct classes; where they do not compare, by their type and text."""
    distinct = tuple(dict.fromkeys(labels))
    try:
        return tuple(sorted(distinct))
    except TypeError:
        return tuple(sorted(distinct, key=lambda label: (type(label).__name__, str(label))))


def complete(target: Any) -> np.ndarray:
    """Take a target as an array of Python values, shape (n_rows,).

    Raises:
        DataError: There is no row, or a value is null.
    """
    column = pd.Series(target)
    n_nulls = int(column.isna().sum())
    if len(column) == 0 or n_nulls:
        raise DataError(
            f"The target{_named(column)} cannot be scored: {n_nulls:,} of {len(column):,} rows "
            "are null."
            if len(column)
            else f"The target{_named(column)} cannot be scored: there is no row.",
            hint="Leave these rows out in steps/split.py or steps/ingest.py.",
        )
    return np.asarray(column.astype(object))


def encode(values: Any, classes: tuple[Any, ...]) -> np.ndarray:
    """Turn classes into their positions in ``classes``, shape (n_rows,); unknown ones into -1."""
    index = pd.Index(list(classes), dtype=object)
    return np.asarray(index.get_indexer(pd.Index(np.asarray(values, dtype=object), dtype=object)))


# ---- checks ------------------------------------------------------------------------------


def check_two_classes(target: Any, where: str, positive_class: Scalar) -> None:
    """Check that there are two classes and that one of them is the positive class.

    Raises:
        DataError: There are more or fewer, or the positive class is not among them.
    """
    counts = _at_least_two(target, where)
    named = _named(target)
    if len(counts) > BINARY:
        raise DataError(
            f"{where}: positive_class is {positive_class!r}, so the target{named} must have 2 "
            f"classes, but it has {len(counts):,}: {_shown(counts)}.",
            hint="Delete positive_class from recipe.yaml to predict all classes, or make two of "
            "them in steps/ingest.py.",
        )
    if positive_class not in counts:
        raise DataError(
            f"{where}: positive_class {positive_class!r} is not a class of the target{named}, "
            f"which has {_shown(counts)}.",
            hint=_positive_class_hint(positive_class, counts),
        )


def check_many_classes(target: Any, where: str) -> None:
    """Check that there are more than two classes.

    Raises:
        DataError: There is one class, or two of which none is called positive.
    """
    counts = _at_least_two(target, where)
    if len(counts) == BINARY:
        choices = " or ".join(f"positive_class: {_as_yaml(label)}" for label in counts)
        raise DataError(
            f"{where}: the target{_named(target)} has 2 classes, {_shown(counts)}, and "
            "positive_class does not say which of them is the positive one.",
            hint=f"Set {choices} in recipe.yaml. If other parts of the data hold more classes, "
            "this part has too few rows to hold them all.",
        )


def _at_least_two(target: Any, where: str) -> dict[Any, int]:
    counts = count_classes(target, where)
    if len(counts) >= BINARY:
        return counts
    n_rows, n_nulls = len(target), int(pd.Series(target).isna().sum())
    nulls = f", {n_nulls:,} of {n_rows:,} rows are null" if n_nulls else f" in {n_rows:,} rows"
    seen = f"1 class, {_shown(counts)}" if counts else "no class"
    raise DataError(
        f"{where}: the target{_named(target)} has {seen}{nulls}; "
        "a classification recipe needs at least 2 classes.",
        hint="Check target_col in recipe.yaml and what steps/ingest.py and steps/split.py "
        "leave out.",
    )


def _positive_class_hint(positive_class: Scalar, counts: Mapping[Any, int]) -> str:
    texts = {str(label).lower(): label for label in counts}
    same_text = texts.get(str(positive_class).lower())
    if same_text is not None:
        kind = "text" if isinstance(same_text, str) else type(same_text).__name__
        return f"The data holds {kind}: write positive_class: {_as_yaml(same_text)} in recipe.yaml."
    if isinstance(positive_class, bool) and YAML_BOOLEANS & texts.keys():
        return 'YAML reads yes and no without quotes as true and false: write "yes" or "no".'
    choices = " or ".join(f"positive_class: {_as_yaml(label)}" for label in counts)
    return f"Set {choices} in recipe.yaml."


def _as_yaml(label: Any) -> str:
    if isinstance(label, bool):
        return str(label).lower()
    return f'"{shorten(label)}"' if isinstance(label, str) else shorten(label)


def _named(target: Any) -> str:
    name = getattr(target, "name", None)
    return "" if name is None else f" '{shorten(name)}'"


def _shown(counts: Mapping[Any, int]) -> str:
    """The most frequent classes with their rows, text in quotes."""
    frequent = sorted(counts, key=lambda label: -counts[label])
    shown = [f"{shorten(repr(label))} ({counts[label]:,} rows)" for label in frequent[:MAX_SHOWN]]
    n_rest = len(counts) - MAX_SHOWN
    return ", ".join(shown) + (f" and {n_rest:,} more" if n_rest > 0 else "")


# ---- rows and tables -----------------------------------------------------------------------


def least_likely_rows(target: Any, predictions: Predictions, n: int) -> np.ndarray:
    """Find the rows whose true class got the least probability, worst first, shape (<= n,)."""
    actual = complete(target)
    error = (np.asarray(predictions.labels, dtype=object) != actual).astype(float)
    if predictions.scores is not None:
        column = encode(actual, predictions.classes)
        rows = np.arange(len(actual))
        error = np.where(column < 0, 1.0, 1.0 - predictions.scores[rows, column])
    return np.argsort(-error, kind="stable")[:n]


def balance_table(parts: Mapping[str, pd.DataFrame], target_col: str) -> Table:
    """Count each class in each part, the most frequent classes first."""
    counts = {name: count_classes(frame[target_col], name) for name, frame in parts.items()}
    totals: dict[Any, int] = {}
    for part in counts.values():
        for label, n_rows in part.items():
            totals[label] = totals.get(label, 0) + n_rows
    frequent = sorted(in_order(totals), key=lambda label: -totals[label])[:MAX_BALANCE_ROWS]
    columns = [column for name in parts for column in (f"{name} rows", f"{name} share")]
    rows = tuple(_balance_row(label, counts) for label in frequent)
    n_rest = len(totals) - len(frequent)
    caption = f"Classes of {target_col}" + (f"; {n_rest:,} more are not shown" if n_rest else "")
    return Table(("class", *columns), rows, caption)


def _balance_row(label: Any, counts: Mapping[str, Mapping[Any, int]]) -> tuple[Scalar, ...]:
    cells: list[Scalar] = [shorten(label)]
    for part in counts.values():
        n_rows = part.get(label, 0)
        cells += [n_rows, n_rows / max(1, sum(part.values()))]
    return tuple(cells)
