"""The hash of rows: fixed for ever, and blind to how pandas holds a value."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from mlrecipes.splits.hashing import fraction_of, hash_column, hash_rows

TIMES = pd.to_datetime(["2024-03-01 12:00", "2024-03-02 00:00"])

SAME: dict[str, list[Callable[[], pd.Series]]] = {
    "whole numbers": [
        lambda: pd.Series([-3, 7], dtype="int8"),
        lambda: pd.Series([-3, 7], dtype="int64"),
        lambda: pd.Series([-3, 7], dtype="Int64"),
        lambda: pd.Series([-3, 7], dtype="int32[pyarrow]"),
        lambda: pd.Series([-3.0, 7.0], dtype="float64"),
        lambda: pd.Series([-3.0, 7.0], dtype="Float32"),
        lambda: pd.Series([-3, 7], dtype=object),
        lambda: pd.Series([Decimal(-3), np.float32(7)], dtype=object),
        lambda: pd.Series([-3, 7]).astype("category"),
    ],
    "zero": [lambda: pd.Series([0, 0]), lambda: pd.Series([-0.0, 0.0])],
    "fractions": [
        lambda: pd.Series([0.5, 1e300]),
        lambda: pd.Series([0.5, 1e300], dtype="Float64"),
        lambda: pd.Series([Decimal("0.5"), 1e300], dtype=object),
    ],
    "large whole numbers": [
        lambda: pd.Series([2**53 + 1, 2**63 - 1], dtype="int64"),
        lambda: pd.Series([2**53 + 1, 2**63 - 1], dtype="uint64"),
        lambda: pd.Series([2**53 + 1, 2**63 - 1], dtype="Int64"),
        lambda: pd.Series([2**53 + 1, 2**63 - 1], dtype=object),
    ],
    "numbers beyond 64 bits with sign": [
        lambda: pd.Series([2**63, 2**64 - 2048], dtype="uint64"),
        lambda: pd.Series([2.0**63, 2.0**64 - 2048]),
        lambda: pd.Series([2**63, 2**64 - 2048], dtype=object),
    ],
    "booleans": [
        lambda: pd.Series([True, False]),
        lambda: pd.Series([True, False], dtype="boolean"),
        lambda: pd.Series([True, np.False_], dtype=object),
        lambda: pd.Series([1, 0]),
    ],
    "texts": [
        lambda: pd.Series(["a", "é"], dtype="str"),
        lambda: pd.Series(["a", "é"], dtype="string"),
        lambda: pd.Series(["a", "é"], dtype="string[pyarrow]"),
        lambda: pd.Series(["a", "é"], dtype=object),
        lambda: pd.Series(["a", "é"]).astype("category"),
    ],
    "times": [
        lambda: pd.Series(TIMES).dt.as_unit("s"),
        lambda: pd.Series(TIMES).dt.as_unit("ns"),
        lambda: pd.Series(TIMES).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
        lambda: pd.Series(list(TIMES), dtype=object),
        lambda: pd.Series(list(TIMES.to_pydatetime()), dtype=object),
        lambda: pd.Series(TIMES).astype("category"),
        lambda: pd.Series(TIMES).dt.as_unit("us").astype("timestamp[us][pyarrow]"),
    ],
    "durations": [
        lambda: pd.Series(TIMES - TIMES[0]).dt.as_unit("s"),
        lambda: pd.Series(TIMES - TIMES[0]).dt.as_unit("ns"),
        lambda: pd.Series(list(TIMES - TIMES[0]), dtype=object),
    ],
    "nulls": [
        lambda: pd.Series([None, None], dtype=object),
        lambda: pd.Series([np.nan, np.nan]),
        lambda: pd.Series([pd.NaT, pd.NaT]),
        lambda: pd.Series([pd.NA, pd.NA], dtype="Int64"),
        lambda: pd.Series([None, None], dtype="str"),
        lambda: pd.Series([None, None], dtype="category"),
    ],
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_values_hash_alike_whatever_type_holds_them(name: str) -> None:
    first, *others = [hash_column(column()).tolist() for column in SAME[name]]
    assert all(other == first for other in others)


def test_different_values_hash_differently() -> None:
    values = [0, 1, -1, 0.5, "0", "1", "", "a", None, TIMES[0], dt.date(2024, 3, 1), (1,), [1], 2]
    values += [TIMES[1] - TIMES[0], b"a", {"a": 1}, float("inf"), Decimal("0.1")]
    assert len(set(hash_column(pd.Series(values, dtype=object)).tolist())) == len(values)


def test_mixed_values_hash_as_in_columns_of_their_own() -> None:
    mixed = hash_column(pd.Series([3, "a", 0.5, TIMES[0], None], dtype=object)).tolist()
    alone = [pd.Series([3]), pd.Series(["a"]), pd.Series([0.5]), pd.Series([TIMES[0]])]
    assert mixed[:4] == [hash_column(column)[0] for column in alone]


def test_an_array_of_more_than_1000_numbers_hashes_by_all_of_them() -> None:
    """The repr of a long array leaves the middle out."""
    one, other = np.arange(3000), np.arange(3000)
    other[1500] = 0
    hashed = hash_column(pd.Series([one, other, list(range(3000))], dtype=object))
    assert hashed[0] != hashed[1]
    assert hashed[0] == hashed[2]


def test_the_hash_never_changes() -> None:
    """A new version of this package must not move rows between training and test."""
    frame = pd.DataFrame(
        {
            "n": [1, -7],
            "x": [0.25, float("nan")],
            "s": ["a", "é"],
            "t": TIMES,
            "o": [[1, "b"], None],
        }
    )
    assert hash_rows(frame, seed=42, salt="hash").tolist() == GOLDEN


GOLDEN = [14509753557955523608, 17099541382980769212]


def test_the_order_of_columns_and_the_salt_and_the_seed_count() -> None:
    frame = pd.DataFrame({"a": [1], "b": [2]})
    hashes = {
        int(hash_rows(frame, 1)[0]),
        int(hash_rows(frame[["b", "a"]], 1)[0]),
        int(hash_rows(frame, 2)[0]),
        int(hash_rows(frame, -1)[0]),
        int(hash_rows(frame, 1, salt="group")[0]),
    }
    assert len(hashes) == 5


def test_values_do_not_run_into_their_neighbours() -> None:
    frame = pd.DataFrame({"a": ["ab", "a"], "b": ["c", "bc"]})
    assert len(set(hash_rows(frame, 1).tolist())) == 2


def test_fractions_of_neighbouring_keys_are_even() -> None:
    """Chi-square over 20 bins stays below its 99.9% quantile, 43.8."""
    fractions = fraction_of(hash_rows(pd.DataFrame({"key": range(20_000)}), seed=7))
    counts, _ = np.histogram(fractions, bins=20, range=(0, 1))
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8


def test_a_table_without_rows_has_no_hashes() -> None:
    assert hash_rows(pd.DataFrame({"a": [], "b": []}), 1).tolist() == []
