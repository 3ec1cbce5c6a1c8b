"""The split of MLflow Recipes: the same rows as its last version on pandas 2."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlrecipes.splits import split_frame
from mlrecipes.splits.recipes_hash import recipes_hash_buckets, split_by_recipes_hash
from mlrecipes.tasks import task_for
from tests.strategies import split_by

EXAMPLES = Path(__file__).parents[2].parent / "shared" / "data" / "recipes_examples"
needs_examples = pytest.mark.skipif(
    not EXAMPLES.is_dir(), reason="the data of mlflow/recipes-examples is not on this machine"
)
DAYS = pd.date_range("2024-02-27", periods=3)
EIGHTY = (0.8, 0.1, 0.1)

COLUMNS: dict[str, tuple[Callable[[], pd.Series], list[int]]] = {
    "int8": (lambda: pd.Series([-3, 0, 7], dtype="int8"), [310, 462, 661]),
    "int32": (lambda: pd.Series([-3, 0, 7], dtype="int32"), [310, 462, 661]),
    "int64": (lambda: pd.Series([-3, 0, 7], dtype="int64"), [310, 462, 661]),
    "uint8": (lambda: pd.Series([3, 0, 255], dtype="uint8"), [611, 462, 963]),
    "uint64": (lambda: pd.Series([3, 0, 2**64 - 1], dtype="uint64"), [611, 462, 672]),
    "Int32": (lambda: pd.Series([-3, 0, 7], dtype="Int32"), [310, 462, 661]),
    "Int64 with a null": (lambda: pd.Series([-3, None, 7], dtype="Int64"), [391, 335, 674]),
    "float32": (lambda: pd.Series([0.1, -0.0, np.nan], dtype="float32"), [674, 568, 928]),
    "float64": (lambda: pd.Series([0.1, -0.0, np.inf], dtype="float64"), [630, 568, 969]),
    "Float64 with a null": (lambda: pd.Series([0.1, None, 7], dtype="Float64"), [630, 335, 674]),
    "complex": (lambda: pd.Series([1 + 2j, 0j, 1j]), [456, 462, 279]),
    "bool": (lambda: pd.Series([True, False, True]), [780, 462, 382]),
    "boolean": (lambda: pd.Series([True, False, True], dtype="boolean"), [780, 462, 382]),
    "boolean with a null": (
        lambda: pd.Series([True, None, True], dtype="boolean"),
        [475, 147, 433],
    ),
    "string": (lambda: pd.Series(["a", None, "é"], dtype="string"), [867, 147, 812]),
    "str": (lambda: pd.Series(["a", None, "é"]), [867, 147, 812]),
    "objects of text": (lambda: pd.Series(["a", None, "é"], dtype=object), [867, 147, 812]),
    "objects of int": (lambda: pd.Series([-3, 0, 7], dtype=object), [310, 462, 661]),
    "objects of mixed types": (lambda: pd.Series([-3, "a", None], dtype=object), [587, 862, 68]),
    "datetime64[us]": (lambda: pd.Series(DAYS).astype("datetime64[us]"), [349, 368, 264]),
    "datetime64[ns]": (lambda: pd.Series(DAYS).astype("datetime64[ns]"), [349, 368, 264]),
    "datetime64[ms, Europe/Berlin]": (
        lambda: (
            pd.Series(DAYS).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin").dt.as_unit("ms")
        ),
        [349, 368, 264],
    ),
    "objects of Timestamp": (lambda: pd.Series(list(DAYS), dtype=object), [349, 368, 264]),
    "timedelta64[s]": (lambda: pd.Series(DAYS - DAYS[0]).dt.as_unit("s"), [179, 354, 813]),
    "dates": (lambda: pd.Series([dt.date(2024, 2, day) for day in (27, 28, 29)]), [322, 235, 631]),
    "decimals": (lambda: pd.Series([Decimal("0.10"), None, Decimal(-3)]), [696, 147, 97]),
    "category of text": (lambda: pd.Series(["a", None, "é"]).astype("category"), [867, 147, 812]),
    "category of times": (
        lambda: pd.Series(DAYS).dt.as_unit("us").astype("category"),
        [349, 368, 264],
    ),
    "lists": (lambda: pd.Series([[1, 2], ["a", [2.5]], []]), [53, 67, 454]),
    "dicts": (lambda: pd.Series([{"a": 1}, {"b": [1, 2]}, None]), [739, 914, 68]),
    "arrays": (
        lambda: pd.Series([np.array([1.5, 2.0]), np.array([[1, 2]]), np.array([])]),
        [905, 328, 918],
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_row_falls_into_the_bucket_that_pandas_2_gave_it(name: str) -> None:
    """The numbers are thousandths, from the element-wise map and hash of pandas 2.2.3."""
    column, expected = COLUMNS[name]
    buckets = recipes_hash_buckets(pd.DataFrame({"c": column()}))
    assert buckets.tolist() == [number / 1000 for number in expected]


@needs_examples
def test_the_regression_example_has_the_sizes_of_mlflow_recipes() -> None:
    frame = pd.read_parquet(EXAMPLES / "nyc_taxi_sample.parquet")
    parts = split_frame(
        frame,
        split_by("split_ratios", EIGHTY),
        target_col="fare_amount",
        task=task_for("regression/v1"),
        seed=1,
    )
    assert [len(part) for part in parts.named().values()] == [8051, 959, 990]


@needs_examples
def test_the_classification_example_has_the_sizes_of_mlflow_recipes() -> None:
    """Its two files are read one after the other and keep their index, so labels repeat."""
    wines = [
        pd.read_csv(EXAMPLES / f"winequality-{colour}.csv", sep=";").assign(is_red=is_red)
        for colour, is_red in (("red", 1), ("white", 0))
    ]
    parts = split_frame(
        pd.concat(wines),
        split_by("split_ratios", EIGHTY),
        target_col="is_red",
        task=task_for("classification/v1", positive_class=1),
        seed=1,
    )
    assert [len(part) for part in parts.named().values()] == [5274, 605, 618]


def test_the_parts_keep_the_index_of_the_rows() -> None:
    frame = pd.DataFrame({"x": range(40), "y": range(40)}, index=range(100, 140))
    parts = split_frame(
        frame,
        split_by("split_ratios"),
        target_col="y",
        task=task_for("regression/v1"),
        seed=1,
    )
    found = pd.concat(list(parts.named().values())).sort_index()
    pd.testing.assert_frame_equal(found, frame)


def test_the_index_decides_where_a_row_goes() -> None:
    frame = pd.DataFrame({"x": [1.0] * 200})
    before = split_by_recipes_hash(frame, EIGHTY)
    after = split_by_recipes_hash(frame.set_axis(range(1000, 1200)), EIGHTY)
    assert before[0].tolist() != after[0].tolist()


def test_classes_are_listed_in_sorted_order() -> None:
    frame = pd.DataFrame({"x": range(60), "y": ["b", "a", "c"] * 20})
    training, _, _ = split_by_recipes_hash(frame, EIGHTY, "y")
    labels = frame["y"].iloc[training].tolist()
    assert labels == sorted(labels)


def test_classes_of_several_types_are_divided_too() -> None:
    frame = pd.DataFrame({"y": pd.Series([1, "a"] * 20, dtype=object)})
    assert sum(map(len, split_by_recipes_hash(frame, EIGHTY, "y"))) == 40


def test_ratios_are_taken_by_their_sum() -> None:
    frame = pd.DataFrame({"x": np.arange(200)})
    ten, one = (split_by_recipes_hash(frame, ratios) for ratios in ((8, 1, 1), EIGHTY))
    assert [part.tolist() for part in ten] == [part.tolist() for part in one]


def test_a_table_without_columns_or_rows_has_empty_parts() -> None:
    assert [len(part) for part in split_by_recipes_hash(pd.DataFrame({"x": []}), EIGHTY)] == [0] * 3


def test_columns_of_the_same_name_both_count() -> None:
    frame = pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"])
    other = pd.DataFrame([[1, 5], [3, 6]], columns=["x", "x"])
    assert recipes_hash_buckets(frame).tolist() != recipes_hash_buckets(other).tolist()


def test_a_table_hashed_column_by_column_hashes_as_pandas_hashes_it_whole() -> None:
    frame = pd.DataFrame(
        {"n": range(40), "x": np.linspace(0, 1, 40).round(1), "t": list("abcd") * 10},
        index=pd.MultiIndex.from_product([range(4), list("abcdefghij")]),
    )
    as_then = frame.assign(x=frame["x"].to_numpy().view(np.uint64))
    rows = np.array([3, 30, 4])
    whole = pd.util.hash_pandas_object(as_then).to_numpy() % 1000 / 1000
    assert recipes_hash_buckets(frame).tolist() == whole.tolist()
    assert recipes_hash_buckets(frame, rows).tolist() == whole[rows].tolist()
