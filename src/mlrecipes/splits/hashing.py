"""A hash of rows that depends on their values and on nothing else.

The same row has the same hash on every machine, under every version of pandas, at every
place in a table and beside any other rows. What pandas does to a column when a value is
missing does not matter either: 3 hashes alike as int8, Int64, 3.0 and Decimal(3), and a text
alike as ``str``, ``object`` and ``category``. The definition, value by value:

* a number that is whole and fits 64 bits: its two's complement; any other number: the bits
  of its float64, marked; True and False are 1 and 0;
* a text: SipHash-2-4 of its UTF-8 bytes (by ``pandas.util.hash_array``, with a fixed key);
* a date with time or a duration: whole microseconds since 1970 in UTC, marked;
* missing, of whatever kind: one fixed number;
* anything else, such as a list or a date: the text of its ``repr``, marked.

The values of a row are chained and mixed with the finaliser of SplitMix64 (Steele, Lea and
Flood 2014, "Fast splittable pseudorandom number generators"), starting from the seed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["fraction_of", "hash_column", "hash_rows"]

TEXT_KEY = "mlrecipes.splits"  # 16 bytes, as SipHash wants
NULL = np.uint64(0x9E3779B97F4A7C15)
FLOAT_MARK = np.uint64(0xD1B54A32D192ED03)
TIME_MARK = np.uint64(0xABC98388FB8FAC03)
OTHER_MARK = np.uint64(0x8CB92BA72F3D8DD7)
ALL_BITS = 2**64 - 1
LIMIT = 2**63


def hash_rows(frame: pd.DataFrame, seed: int, salt: str = "") -> NDArray[np.uint64]:
    """Hash each row of a table, its index left out.

    Args:
        frame: The columns that count, in the order that counts.
        seed: Another seed gives another hash.
        salt: Another salt as well.

    Returns:
        Shape (n_rows,).
    """
    start = np.array([seed & ALL_BITS], dtype=np.uint64) ^ _hash_texts(np.array([salt], object))
    hashed = np.repeat(_mix(start), len(frame))
    for position in range(frame.shape[1]):
        hashed = _mix(hashed ^ _mix(hash_column(frame.iloc[:, position]) + NULL))
    return hashed


def fraction_of(hashed: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Turn hashes into numbers that are even in [0, 1), shape (n_rows,)."""
    return np.asarray((hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53)


def hash_column(column: pd.Series) -> NDArray[np.uint64]:
    """Hash each value of a column, shape (n_rows,)."""
    is_null = np.asarray(column.isna())
    hashed = np.full(len(column), NULL, dtype=np.uint64)
    hashed[~is_null] = _hash_known(column[~is_null])
    return hashed


def _hash_known(known: pd.Series) -> NDArray[np.uint64]:
    dtype = known.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = _hash_known(pd.Series(dtype.categories))
        return np.asarray(categories[np.asarray(known.cat.codes)])
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_integer_dtype(dtype):
        return _hash_whole(known)
    if pd.api.types.is_float_dtype(dtype):
        return _hash_floats(known.to_numpy(dtype=np.float64))
    if isinstance(dtype, np.dtype | pd.DatetimeTZDtype) and dtype.kind in "mM":
        return _hash_times(known)
    values = np.asarray(known.astype(object))
    if isinstance(dtype, pd.StringDtype) or pd.api.types.infer_dtype(values) == "string":
        return _hash_texts(values)
    return _hash_objects(values)


def _hash_whole(known: pd.Series) -> NDArray[np.uint64]:
    if pd.api.types.is_unsigned_integer_dtype(known.dtype):
        unsigned = known.to_numpy(dtype=np.uint64)
        too_large = unsigned >= np.uint64(LIMIT)
        return np.where(too_large, _hash_floats(unsigned.astype(np.float64)), unsigned)
    return np.asarray(known.to_numpy(dtype=np.int64).view(np.uint64))


def _hash_floats(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    is_whole = (values == np.floor(values)) & (values >= -LIMIT) & (values < LIMIT)
    hashed = _mix(values.view(np.uint64) ^ FLOAT_MARK)
    hashed[is_whole] = values[is_whole].astype(np.int64).view(np.uint64)
    return hashed


def _hash_times(known: pd.Series) -> NDArray[np.uint64]:
    microseconds = pd.Index(known).as_unit("us").asi8
    return _mix(microseconds.view(np.uint64) ^ TIME_MARK)


def _hash_texts(values: NDArray[np.object_]) -> NDArray[np.uint64]:
    return np.asarray(pd.util.hash_array(values, hash_key=TEXT_KEY, categorize=True))


def _hash_objects(values: NDArray[np.object_]) -> NDArray[np.uint64]:
    """Hash values of mixed types, each as it would be in a column of its own type."""
    hashed = np.empty(len(values), dtype=np.uint64)
    kinds = np.array([_kind(value) for value in values])
    for kind in np.unique(kinds):
        chosen = kinds == kind
        hashed[chosen] = HASH_OF_KIND[kind](values[chosen])
    return hashed


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool | np.bool_ | Real | Decimal):
        return "number"
    if isinstance(value, datetime):
        return "time"
    return "duration" if isinstance(value, timedelta) else "other"


def _hash_numbers(values: NDArray[np.object_]) -> NDArray[np.uint64]:
    hashed = _hash_floats(values.astype(np.float64))
    for i, value in enumerate(values):
        if isinstance(value, Integral | np.bool_) and -LIMIT <= int(value) < LIMIT:
            hashed[i] = int(value) & ALL_BITS
    return hashed


def _hash_timestamps(values: NDArray[np.object_]) -> NDArray[np.uint64]:
    return _hash_times(pd.Series(pd.to_datetime(list(values), utc=True)))


def _hash_durations(values: NDArray[np.object_]) -> NDArray[np.uint64]:
    return _hash_times(pd.Series(pd.to_timedelta(list(values))))


def _hash_others(values: NDArray[np.object_]) -> NDArray[np.uint64]:
    plain = [value.tolist() if isinstance(value, np.ndarray) else value for value in values]
    texts = np.array([*map(repr, plain), ""], dtype=object)[:-1]
    return _mix(_hash_texts(texts) ^ OTHER_MARK)


HASH_OF_KIND = {
    "text": _hash_texts,
    "number": _hash_numbers,
    "time": _hash_timestamps,
    "duration": _hash_durations,
    "other": _hash_others,
}


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64: each bit of the result depends on each bit given."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(bits ^ (bits >> np.uint64(31)), dtype=np.uint64)
