"""Aggregates of many columns by one key; a column is given under the name of its feature.

The key is categorical, so that it is looked up once and not for every column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

KEY = "SK_ID_CURR"
Columns = Mapping[str, pd.Series]


def read(
    folder: Path, table: str, columns: Sequence[str], texts: Sequence[str] = ()
) -> pd.DataFrame:
    """Some columns of a raw table; texts become categories."""
    path = folder / f"{table}.parquet"
    return pd.read_parquet(path, columns=[*columns, *texts], read_dictionary=list(texts))


def counts(key: pd.Series, flags: Columns) -> pd.DataFrame:
    """How many rows hold."""
    return _by(key, flags, "sum")


def sums(key: pd.Series, columns: Columns) -> pd.DataFrame:
    """Sums of the values that are known; nothing where none is."""
    return _by(key, columns, "sum", min_count=1)


def means(key: pd.Series, columns: Columns) -> pd.DataFrame:
    """Means of the values that are known, or shares of flags."""
    return _by(key, columns, "mean")


def largest(key: pd.Series, columns: Columns) -> pd.DataFrame:
    """The largest value that is known."""
    return _by(key, columns, "max")


def smallest(key: pd.Series, columns: Columns) -> pd.DataFrame:
    """The smallest value that is known."""
    return _by(key, columns, "min")


def latest(key: pd.Series, month: pd.Series, columns: Columns) -> pd.DataFrame:
    """The value of the latest month in which it is known."""
    found = {}
    rows = None
    for name, column in columns.items():
        if column.hasnans:
            known = column.notna()
            at = month[known].groupby(key[known], observed=True).idxmax()
        else:
            rows = month.groupby(key, observed=True).idxmax() if rows is None else rows
            at = rows
        found[name] = pd.Series(column.loc[at].to_numpy(), index=np.asarray(at.index))
    return pd.DataFrame(found, index=np.asarray(key.cat.categories))


def ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    """One number by another; nothing where the second is zero."""
    return above / below.where(below != 0)


def six_decimals(values: pd.Series) -> pd.Series:
    """Ratios as they are averaged: rounded, so that their order does not matter."""
    return np.floor(1_000_000 * values + 0.5) / 1_000_000


def thousandths(amounts: pd.Series) -> pd.Series:
    """Amounts as whole numbers, whose sums can be compared."""
    return np.floor(1000 * amounts + 0.5)


def rounded_ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    """One amount by another, to six decimals, of whole numbers lest a half be rounded at random."""
    return six_decimals(ratio(thousandths(above), thousandths(below)))


def part(flags: pd.Series, where: pd.Series) -> pd.Series:
    """Flags among some rows, for the share of them."""
    return flags.astype("float64").where(where)


def joined(key: pd.Series, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Features of one key side by side."""
    table = pd.concat(parts, axis=1)
    table.index.name = key.name
    return table.reset_index()


def _by(key: pd.Series, columns: Columns, how: str, **options: int) -> pd.DataFrame:
    found = {
        name: getattr(column.groupby(key, observed=False), how)(**options)
        for name, column in columns.items()
    }
    return pd.DataFrame(found).set_axis(np.asarray(key.cat.categories))
