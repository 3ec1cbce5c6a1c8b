"""The split by ratios of MLflow Recipes 2.22, to the last row.

A recipe that moves here keeps its training, validation and test rows. Recipes hashed each
row, the index included, after passing each cell through a function; on pandas 2 that passing
changed some types on the way, and pandas 3 does it otherwise or not at all. So the types are
brought to what they were then, and the hash is the same on both:

=================================  =====================================================
dates with time, durations         nanoseconds, as categories too
floats of any width                bits of float64
whole numbers, nullable or not     int64 or uint64; with a null float64
nullable booleans                  bool; with a null objects
objects                            lists, dicts and arrays as tuples; then what pandas
                                   makes of the values, such as int64 of Python ints
=================================  =====================================================

``tests/splits/test_recipes_hash.py`` holds hashes that pandas 2.2.3 gave.

Rows keep their part when rows are appended and the index of the old ones stays. For a split
that does not depend on the index, use ``using: hash``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.util import hash_pandas_object

__all__ = ["recipes_hash_buckets", "split_by_recipes_hash"]

N_BUCKETS = 1000
ALL_BITS = 2**64 - 1


def split_by_recipes_hash(
    frame: pd.DataFrame, ratios: Sequence[float], class_col: str | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Divide rows as MLflow Recipes does.

    Args:
        frame: Any table without nulls in ``class_col``.
        ratios: Of training, validation and test; their sum is taken as the whole.
        class_col: The target of a classification: each class is divided by itself, and a
            part lists its rows class by class in sorted order. None for a regression.

    Returns:
        Positions of the rows of training, validation and test.
    """
    all_rows = [np.arange(len(frame))]
    groups = all_rows if class_col is None else _rows_by_class(frame[class_col])
    parts: list[list[np.ndarray]] = [[], [], []]
    for group in groups:
        part = _part_of(recipes_hash_buckets(frame, group), ratios)
        for code in range(3):
            parts[code].append(group[part == code])
    training, validation, test = (np.concatenate([np.empty(0, int), *part]) for part in parts)
    return training, validation, test


def _rows_by_class(target: pd.Series) -> list[np.ndarray]:
    code, labels = pd.factorize(np.asarray(target.astype(object)))
    try:
        order = sorted(range(len(labels)), key=labels.__getitem__)
    except TypeError:  # classes of several types, which Recipes refused
        order = sorted(range(len(labels)), key=lambda i: (type(labels[i]).__name__, str(labels[i])))
    return [np.flatnonzero(code == i) for i in order]


def _part_of(buckets: np.ndarray, ratios: Sequence[float]) -> np.ndarray:
    whole = sum(ratios)
    ends = [ratios[0] / whole, (ratios[0] + ratios[1]) / whole]
    return np.searchsorted(ends, buckets, side="right")


def recipes_hash_buckets(frame: pd.DataFrame, rows: np.ndarray | None = None) -> np.ndarray:
    """Give each row, its index included, one of the numbers 0, 0.001, .. 0.999.

    Args:
        frame: The table; it is hashed column by column, so that it is not there twice.
        rows: Positions of the rows that count; their values alone decide what a column's
            type was then. All rows if left out.
    """
    rows = np.arange(len(frame)) if rows is None else rows
    columns = (frame.iloc[:, position].iloc[rows] for position in range(frame.shape[1]))
    hashes = (hash_pandas_object(_as_then(column), index=False) for column in columns)
    index = hash_pandas_object(frame.index[rows], index=False)
    hashed = _combined(itertools.chain(hashes, [index]), len(rows), frame.shape[1] + 1)
    return np.asarray((hashed % N_BUCKETS) / N_BUCKETS)


def _combined(hashes: Iterable[pd.Series], n_rows: int, n_hashes: int) -> np.ndarray:
    """Make one hash of several, as ``hash_pandas_object`` does for a whole frame."""
    combined = np.full(n_rows, 0x345678, dtype=np.uint64)
    factor = 1_000_003
    for position, hashed in enumerate(hashes):
        combined ^= hashed.to_numpy()
        combined *= np.uint64(factor)
        factor = (factor + 82_520 + 2 * (n_hashes - position)) & ALL_BITS
    return combined + np.uint64(97_531)


def _as_then(column: pd.Series) -> pd.Series:
    """Bring one column to the type that Recipes hashed; see the table in the module's text."""
    column = column.reset_index(drop=True)
    dtype, types = column.dtype, pd.api.types
    if types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype):
        return column.dt.as_unit("ns")
    if isinstance(dtype, pd.CategoricalDtype):
        return _with_categories_as_then(column)
    if types.is_object_dtype(dtype):
        mapped = column.map(_hashable)
        return mapped if types.is_object_dtype(mapped.dtype) else _as_then(mapped)
    return _number_as_then(column) if types.is_numeric_dtype(dtype) else column


def _number_as_then(column: pd.Series) -> pd.Series:
    dtype, types, has_null = column.dtype, pd.api.types, bool(column.isna().any())
    if types.is_bool_dtype(dtype):
        return column.astype(object if has_null else bool)
    if types.is_complex_dtype(dtype):
        return column
    if types.is_float_dtype(dtype) or has_null:
        return _float_bits(column)
    is_unsigned = types.is_unsigned_integer_dtype(dtype)
    return pd.Series(column.to_numpy(dtype=np.uint64 if is_unsigned else np.int64))


def _float_bits(column: pd.Series) -> pd.Series:
    """Take floats as the whole numbers that have their bits: pandas 3 hashes -0.0 as 0.0."""
    return pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan).view(np.uint64))


def _with_categories_as_then(column: pd.Series) -> pd.Series:
    categories = column.cat.categories
    if not isinstance(categories, pd.DatetimeIndex | pd.TimedeltaIndex):
        return column
    return column.cat.rename_categories(categories.as_unit("ns"))


def _hashable(cell: Any) -> Any:
    if isinstance(cell, list):
        return tuple(_hashable(item) for item in cell)
    if isinstance(cell, dict):
        return tuple((_hashable(key), _hashable(value)) for key, value in cell.items())
    if isinstance(cell, np.ndarray):
        return cell.shape, tuple(cell.flatten(order="C"))
    return cell
