"""Hypothesis strategies that several packages' tests draw from."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
from hypothesis import strategies as st

from mlrecipes.config.step_schema import Split

TEXTS = st.sampled_from(["a", "b", "c", "é", "", "<b>", "1"])
MOMENTS = st.datetimes(
    min_value=pd.Timestamp("2020-01-01").to_pydatetime(),
    max_value=pd.Timestamp("2020-12-31").to_pydatetime(),
)


KEYS: dict[str, dict[str, Any]] = {
    "split_ratios": {},
    "random": {},
    "hash": {"key_cols": ["key"]},
    "group": {"group_cols": ["group"]},
    "stratified": {"stratify_cols": ["stratum"]},
    "time": {
        "time_col": "moment",
        "train_from": "2020-02-01",
        "validation_from": "2020-07-01",
        "test_from": "2020-09-01",
        "test_until": "2020-12-01",
    },
    "custom": {"split_method": "own_split"},
}


def split_by(using: str, ratios: Sequence[float] = (0.75, 0.125, 0.125), **keys: Any) -> Split:
    """Settings of ``steps.split`` that fit the tables below."""
    values = {"using": using, "split_ratios": list(ratios), **KEYS[using], **keys}
    return Split.model_validate(values)


def split_ratios() -> st.SearchStrategy[tuple[float, ...]]:
    """Three positive numbers, of any sum."""
    return st.tuples(*[st.sampled_from([0.1, 0.125, 0.3, 0.5, 0.8, 1.0, 5.0])] * 3)


def tables(min_size: int = 0, max_size: int = 40) -> st.SearchStrategy[pd.DataFrame]:
    """Tables with a unique key, a group, a stratum, a moment and a target, nulls among them."""
    row = st.tuples(
        st.one_of(st.none(), st.integers(0, 6)),
        TEXTS,
        st.one_of(st.just(pd.NaT), MOMENTS),
        st.one_of(st.just(math.nan), st.floats(-10, 10, width=32)),
        st.sampled_from([0, 1, 2, None]),
    )
    return st.lists(row, min_size=min_size, max_size=max_size).map(_as_table)


def _as_table(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    group, stratum, moment, amount, target = zip(*rows, strict=True) if rows else ((),) * 5
    return pd.DataFrame(
        {
            "key": pd.Series(range(len(rows)), dtype="int64"),
            "group": pd.Series(group, dtype="Int64"),
            "stratum": pd.Series(stratum, dtype="str"),
            "moment": pd.to_datetime(pd.Series(moment, dtype="datetime64[us]")),
            "amount": pd.Series(amount, dtype="float64"),
            "target": pd.Series(target, dtype="Int64"),
        }
    )
