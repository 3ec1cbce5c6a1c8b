"""What must hold of every way to split, for any table."""

import math

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.splits import SplitParts, split_frame
from mlrecipes.splits.methods import METHODS
from mlrecipes.tasks import task_for
from tests.strategies import split_by, split_ratios, tables

SEEDS = st.integers(-3, 2**32)
ORDER_FREE = sorted(METHODS)
BY_SEED = ["group", "hash", "random", "stratified"]


def divide(
    frame: pd.DataFrame, using: str, ratios: tuple[float, ...] = (0.75, 0.125, 0.125), seed: int = 1
) -> SplitParts:
    task = task_for("classification/v1")
    return split_frame(frame, split_by(using, ratios), target_col="target", task=task, seed=seed)


def keys(parts: SplitParts) -> dict[str, list[int]]:
    return {name: sorted(part["key"]) for name, part in parts.named().items()}


def large(n_rows: int = 400) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "key": range(n_rows),
            "group": [i % 97 for i in range(n_rows)],
            "stratum": ["a" if i % 3 else "b" for i in range(n_rows)],
            "moment": pd.date_range("2020-03-01", periods=n_rows, freq="h"),
            "target": [i % 2 for i in range(n_rows)],
        }
    )


@pytest.mark.parametrize("using", sorted(METHODS))
@given(frame=tables(), ratios=split_ratios(), seed=SEEDS)
@settings(max_examples=25)
def test_the_parts_and_the_dropped_rows_are_all_rows(
    using: str, frame: pd.DataFrame, ratios: tuple[float, ...], seed: int
) -> None:
    before = frame.copy(deep=True)
    parts = divide(frame, using, ratios, seed)
    found = pd.concat(list(parts.named().values()))
    assert len(found) + sum(parts.n_dropped.values()) == len(frame)
    assert found["key"].is_unique
    kept = frame[frame["key"].isin(found["key"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.sort_values("key").reset_index(drop=True), kept)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("using", ORDER_FREE)
@given(frame=tables(), seed=SEEDS, shuffle=st.integers(0, 99))
@settings(max_examples=25)
def test_the_order_of_the_rows_does_not_matter(
    using: str, frame: pd.DataFrame, seed: int, shuffle: int
) -> None:
    shuffled = frame.sample(frac=1, random_state=shuffle)
    assert keys(divide(frame, using, seed=seed)) == keys(divide(shuffled, using, seed=seed))


@pytest.mark.parametrize("using", ["group", "hash", "split_ratios", "time"])
@given(frame=tables(), n_old=st.integers(0, 40))
@settings(max_examples=25)
def test_rows_keep_their_part_when_rows_are_appended(
    using: str, frame: pd.DataFrame, n_old: int
) -> None:
    if using == "split_ratios":
        # The first gap in a class made floats of whole numbers then, and floats hash otherwise.
        frame = frame.fillna(dict.fromkeys(frame.select_dtypes("Int64").columns, 0))
    old = frame.head(n_old)
    before, after = keys(divide(old, using)), keys(divide(frame, using))
    assert before == {name: [k for k in found if k < n_old] for name, found in after.items()}


def test_a_key_keeps_its_part_when_a_null_is_appended() -> None:
    """The null turns the column from int64 into float64, but 3 and 3.0 are one key."""
    frame = large()
    appended = pd.concat([frame, pd.DataFrame({"key": [None], "target": [1]})], ignore_index=True)
    assert str(appended["key"].dtype) != "int64"
    before, after = divide(frame, "hash"), divide(appended, "hash")
    for name, part in before.named().items():
        assert set(part["key"]) == set(after.named()[name]["key"].dropna())


@pytest.mark.parametrize("using", BY_SEED)
def test_another_seed_gives_other_parts(using: str) -> None:
    assert keys(divide(large(), using, seed=1)) != keys(divide(large(), using, seed=2))


@pytest.mark.parametrize("using", ["split_ratios", "time"])
def test_the_seed_does_not_matter(using: str) -> None:
    assert keys(divide(large(), using, seed=1)) == keys(divide(large(), using, seed=2))


@given(frame=tables(), ratios=split_ratios(), seed=SEEDS)
@settings(max_examples=50)
def test_a_group_never_spans_parts(
    frame: pd.DataFrame, ratios: tuple[float, ...], seed: int
) -> None:
    parts = divide(frame, "group", ratios, seed)
    groups = [set(part["group"].astype(object).fillna("none")) for part in parts.named().values()]
    assert not groups[0] & groups[1]
    assert not groups[0] & groups[2]
    assert not groups[1] & groups[2]


@given(frame=tables(), ratios=split_ratios(), seed=SEEDS)
@settings(max_examples=50)
def test_a_stratum_is_divided_exactly_up_to_one_row(
    frame: pd.DataFrame, ratios: tuple[float, ...], seed: int
) -> None:
    parts = divide(frame, "stratified", ratios, seed)
    sizes = frame.dropna(subset="target")["stratum"].value_counts()
    for ratio, part in zip(ratios, parts.named().values(), strict=True):
        for stratum, n_rows in sizes.items():
            share = round(n_rows * ratio / sum(ratios), 9)
            n_found = int((part["stratum"] == stratum).sum())
            assert math.floor(share) <= n_found <= math.ceil(share)


@given(frame=tables(), ratios=split_ratios(), seed=SEEDS)
@settings(max_examples=50)
def test_random_parts_have_exact_sizes_up_to_one_row(
    frame: pd.DataFrame, ratios: tuple[float, ...], seed: int
) -> None:
    parts = divide(frame, "random", ratios, seed)
    n_rows = int(frame["target"].notna().sum())
    for ratio, part in zip(ratios, parts.named().values(), strict=True):
        assert abs(len(part) - n_rows * ratio / sum(ratios)) < 1


@given(frame=tables())
@settings(max_examples=50)
def test_what_is_learned_from_lies_before_what_is_judged_on(frame: pd.DataFrame) -> None:
    parts = divide(frame, "time")
    limits = list(map(pd.Timestamp, ("2020-02-01", "2020-07-01", "2020-09-01", "2020-12-01")))
    for part, start, end in zip(parts.named().values(), limits[:-1], limits[1:], strict=True):
        assert part["moment"].between(start, end, inclusive="left").all()
