"""Each way to split, its errors, and what the parts look like."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from mlrecipes.config.step_schema import Split
from mlrecipes.errors import DataError
from mlrecipes.splits import SplitParts, check_parts, split_frame
from mlrecipes.splits.methods import deal_out
from mlrecipes.tasks import task_for
from tests.strategies import split_by

HALVES = split_by("hash", (2, 1, 1))


def divide(frame: pd.DataFrame, split: Split, recipe: str = "regression/v1") -> SplitParts:
    return split_frame(frame, split, target_col="y", task=task_for(recipe), seed=42)


def numbers(n_rows: int = 40) -> pd.DataFrame:
    return pd.DataFrame({"key": range(n_rows), "y": [float(i) for i in range(n_rows)]})


# ---- all ways ----------------------------------------------------------------------------


def test_rows_without_a_target_are_dropped_and_counted() -> None:
    frame = pd.DataFrame({"key": range(6), "y": [1.0, None, 3.0, None, 5.0, 6.0]})
    parts = divide(frame, HALVES)
    assert parts.n_dropped == {"y is null": 2}
    assert sum(len(part) for part in parts.named().values()) == 4


def test_parts_are_numbered_anew_in_the_old_order() -> None:
    frame = numbers().set_axis(range(100, 140))
    for part in divide(frame, HALVES).named().values():
        assert part.index.tolist() == list(range(len(part)))
        assert part["key"].is_monotonic_increasing


def test_a_missing_target_column_is_an_error() -> None:
    with pytest.raises(DataError, match=r"target_col 'y' is not among the 1 columns.*\n.*Known"):
        divide(pd.DataFrame({"key": [1]}), HALVES)


def test_custom_without_a_function_is_an_error() -> None:
    with pytest.raises(DataError, match="split_method names no function"):
        divide(numbers(), split_by("custom"))


def test_a_column_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(DataError, match=r"key_cols names 'kye'.*2 columns.*\n.*mean 'key'"):
        divide(numbers(), split_by("hash", key_cols=["kye"]))


# ---- single ways -------------------------------------------------------------------------


def test_rows_with_the_same_key_stay_together() -> None:
    frame = pd.DataFrame({"key": [i % 20 for i in range(200)], "y": [1.0] * 200})
    found = [set(part["key"]) for part in divide(frame, HALVES).named().values()]
    assert sum(map(len, found)) == 20


def test_null_keys_are_one_key_of_their_own() -> None:
    frame = pd.DataFrame({"key": [None] * 20 + list(range(20)), "y": [1.0] * 40})
    holding = [part["key"].isna().sum() for part in divide(frame, HALVES).named().values()]
    assert sorted(holding) == [0, 0, 20]


def test_hash_parts_come_near_the_ratios() -> None:
    sizes = [len(part) for part in divide(numbers(4000), HALVES).named().values()]
    assert sizes == pytest.approx([2000, 1000, 1000], rel=0.1)


def test_stratified_takes_the_classes_where_no_columns_are_named() -> None:
    frame = pd.DataFrame({"key": range(80), "y": ["rare"] * 8 + ["frequent"] * 72})
    parts = divide(frame, split_by("stratified", (2, 1, 1), stratify_cols=[]), "classification/v1")
    assert [Counter(part["y"])["rare"] for part in parts.named().values()] == [4, 2, 2]


def test_stratified_needs_columns_where_there_are_no_classes() -> None:
    with pytest.raises(DataError, match=r"steps.split.stratify_cols is empty; using: stratified"):
        divide(numbers(), split_by("stratified", stratify_cols=[]))


def test_many_small_strata_do_not_starve_a_part() -> None:
    frame = pd.DataFrame({"key": range(500), "y": 1.0, "stratum": [i // 5 for i in range(500)]})
    parts = divide(frame, split_by("stratified", (0.8, 0.1, 0.1)))
    assert [len(part) for part in parts.named().values()] == [400, 50, 50]


def test_rows_dealt_out_add_up() -> None:
    assert deal_out([7, 1, 0, 1], [1, 1, 1]) == [[3, 2, 2], [0, 1, 0], [0, 0, 0], [0, 0, 1]]


def test_random_does_not_look_at_the_place_of_columns() -> None:
    one = divide(numbers(), split_by("random"))
    other = divide(numbers()[["y", "key"]], split_by("random"))
    assert one.test["key"].tolist() == other.test["key"].tolist()


def test_the_parts_say_how_they_were_made() -> None:
    assert divide(numbers(), HALVES).how == "ratios 2/1/1 by the hash of 'key'"


# ---- checks ------------------------------------------------------------------------------


def test_parts_of_fewer_than_4_rows_are_an_error() -> None:
    parts = divide(numbers(8), split_by("random", (0.98, 0.01, 0.01)))
    expected = (
        "split: 2 of 3 parts have fewer than 4 rows (validation 0, test 0) from 8 rows, "
        "divided with ratios 0.98/0.01/0.01 at random.\n"
        "  Add rows or change steps.split in recipe.yaml."
    )
    with pytest.raises(DataError, match="2 of 3 parts") as error:
        check_parts(parts, "y")
    assert str(error.value) == expected


def test_the_error_of_small_parts_counts_dropped_rows() -> None:
    frame = pd.DataFrame({"key": range(40), "y": [None] * 38 + [1.0, 2.0]})
    with pytest.raises(DataError, match=r"from 2 rows \(38 more were dropped\)"):
        check_parts(divide(frame, HALVES), "y")


def test_a_part_that_lost_the_target_is_an_error() -> None:
    parts = divide(numbers(), HALVES)
    with pytest.raises(DataError, match="the test part has no column 'y'"):
        check_parts(replace(parts, test=parts.test[["key"]]), "y")


def test_a_target_that_became_null_is_an_error() -> None:
    parts = divide(numbers(), HALVES)
    n_rows = len(parts.test)
    with pytest.raises(DataError, match=rf"'y' is null in {n_rows} of {n_rows} rows of the test"):
        check_parts(replace(parts, test=parts.test.assign(y=None)), "y")


def test_parts_of_4_rows_pass() -> None:
    check_parts(divide(numbers(12), split_by("random", (1, 1, 1))), "y")


def test_importing_tasks_and_splits_loads_no_heavy_library() -> None:
    """A plan imports them and must be made at once."""
    code = """
import sys
import mlrecipes.splits, mlrecipes.tasks.custom_metrics, mlrecipes.tasks.rebalance
from mlrecipes.tasks import task_for
task_for("regression/v1"), task_for("classification/v1"), task_for("classification/v1", 1)
print([name for name in ("numpy", "pandas", "pyarrow", "sklearn") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
