"""The user's functions of steps/split.py: what they get and what they may give."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes.errors import UserCodeError
from mlrecipes.splits import SplitParts, apply_post_filter, apply_post_split, split_frame
from mlrecipes.tasks import task_for
from tests.strategies import split_by

LABELS = ["TRAINING", "TRAINING", "VALIDATION", "TEST"]


def table(index: Any = None) -> pd.DataFrame:
    return pd.DataFrame({"x": [10, 20, 30, 40], "y": [1.0, 2.0, 3.0, 4.0]}, index=index)


def divide(frame: pd.DataFrame, function: Any) -> SplitParts:
    return split_frame(
        frame,
        split_by("custom"),
        target_col="y",
        task=task_for("regression/v1"),
        seed=1,
        custom=function,
    )


def xs(parts: SplitParts) -> list[list[int]]:
    return [part["x"].tolist() for part in parts.named().values()]


def parts_of(training: pd.DataFrame) -> SplitParts:
    return SplitParts(training, table(), table())


# ---- split_method ------------------------------------------------------------------------


def test_each_row_goes_where_the_function_says() -> None:
    def own_split(frame: pd.DataFrame) -> pd.Series:
        return pd.Series(LABELS, index=frame.index)

    parts = divide(table(), own_split)
    assert xs(parts) == [[10, 20], [30], [40]]
    assert parts.how == "steps/split.py:own_split"
    assert parts.test.index.tolist() == [0]


def test_labels_belong_to_rows_by_position_where_the_index_repeats() -> None:
    """Files read one after the other keep their index; Recipes put all rows into training."""
    parts = divide(table([0, 1, 0, 1]), lambda frame: pd.Series(LABELS, index=frame.index))
    assert xs(parts) == [[10, 20], [30], [40]]


def test_labels_with_an_index_of_their_own_belong_to_rows_by_position() -> None:
    """Recipes found no label for the rows after one whose target was null."""
    frame = pd.concat([pd.DataFrame({"x": [0], "y": [None]}), table([1, 2, 3, 4])])
    parts = divide(frame, lambda frame: pd.Series(LABELS))
    assert xs(parts) == [[10, 20], [30], [40]]
    assert parts.n_dropped == {"y is null": 1}


def test_labels_in_another_order_belong_to_rows_by_index() -> None:
    def newest_last(frame: pd.DataFrame) -> pd.Series:
        return pd.Series(LABELS, index=frame.sort_values("x", ascending=False).index)

    assert xs(divide(table([5, 6, 7, 8]), newest_last)) == [[30, 40], [20], [10]]


def test_a_column_that_the_function_adds_does_not_become_a_feature() -> None:
    def adds_a_column(frame: pd.DataFrame) -> pd.Series:
        frame["split"] = LABELS
        return frame["split"]

    frame = table()
    assert list(divide(frame, adds_a_column).training.columns) == ["x", "y"]
    assert list(frame.columns) == ["x", "y"]


def test_labels_may_be_a_category() -> None:
    parts = divide(table(), lambda _: pd.Series(LABELS, dtype="category"))
    assert xs(parts) == [[10, 20], [30], [40]]


def test_anything_but_a_series_is_an_error() -> None:
    def own_split(frame: pd.DataFrame) -> list[str]:
        return LABELS

    with pytest.raises(
        UserCodeError, match=r"^steps/split.py:own_split gave list; a pandas Series"
    ):
        divide(table(), own_split)


def test_other_labels_are_an_error_with_counts_and_a_few_of_them() -> None:
    frame = pd.DataFrame({"y": range(10)})
    with pytest.raises(UserCodeError, match=r"for 9 of 10 rows: '0', '1', .*'4' and 4 more"):
        divide(frame, lambda _: pd.Series([*map(str, range(9)), "TEST"]))


def test_a_null_label_is_an_error() -> None:
    with pytest.raises(UserCodeError, match="for 1 of 4 rows: 'None'"):
        divide(table(), lambda _: pd.Series([*LABELS[:3], None], dtype=object))


def test_another_number_of_labels_is_an_error() -> None:
    with pytest.raises(UserCodeError, match="gave 3 values for 4 rows; one a row is expected"):
        divide(table(), lambda _: pd.Series(LABELS[:3]))


def test_a_function_that_fails_keeps_its_cause() -> None:
    def own_split(frame: pd.DataFrame) -> pd.Series:
        return frame["date"]

    expected = "steps/split.py:own_split failed: KeyError: 'date'"
    with pytest.raises(UserCodeError, match=expected) as error:
        divide(table(), own_split)
    assert isinstance(error.value.__cause__, KeyError)


# ---- post_split_method -------------------------------------------------------------------


def test_the_hook_replaces_the_parts() -> None:
    def first_rows(*parts: pd.DataFrame) -> Any:
        return tuple(part.head(1) for part in parts)

    parts = apply_post_split(SplitParts(table(), table(), table(), {"y is null": 2}), first_rows)
    assert xs(parts) == [[10], [10], [10]]
    assert parts.n_dropped == {"y is null": 2}


def test_columns_in_another_order_are_brought_to_that_of_training() -> None:
    parts = apply_post_split(parts_of(table()), lambda a, b, c: [a, b[["y", "x"]], c])
    assert list(parts.validation.columns) == ["x", "y"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [(None, "NoneType"), ((1, 2, 3), "tuple of 'int'"), ((table(), table()), "tuple of 'DataF")],
)
def test_anything_but_three_tables_is_an_error(given: Any, shown: str) -> None:
    with pytest.raises(UserCodeError, match=rf"gave {shown}.*three DataFrames"):
        apply_post_split(parts_of(table()), lambda a, b, c: given)


def test_parts_with_different_columns_are_an_error() -> None:
    with pytest.raises(UserCodeError, match=r"different columns: 'z' .*\(3 columns\) and valid"):
        apply_post_split(parts_of(table()), lambda a, b, c: (a.assign(z=1), b, c))


def test_a_hook_that_fails_keeps_its_cause() -> None:
    with pytest.raises(UserCodeError, match="failed: ZeroDivisionError") as error:
        apply_post_split(parts_of(table()), lambda a, b, c: 1 / 0)
    assert isinstance(error.value.__cause__, ZeroDivisionError)


# ---- post_split_filter_method ------------------------------------------------------------


def test_the_filter_keeps_training_rows_where_it_says_true() -> None:
    def cheap(frame: pd.DataFrame) -> pd.Series:
        return frame["x"] < 25

    parts = apply_post_filter(parts_of(table()), cheap)
    assert xs(parts) == [[10, 20], [10, 20, 30, 40], [10, 20, 30, 40]]
    assert parts.n_dropped == {"training row left out by steps/split.py:cheap": 2}


def test_a_filter_that_keeps_all_rows_drops_nothing() -> None:
    assert apply_post_filter(parts_of(table()), lambda frame: frame["x"] > 0).n_dropped == {}


@pytest.mark.parametrize(
    "answer",
    [
        [True, False, True, False],
        np.array([True, False, True, False]),
        pd.Series([True, False, True, False], dtype="boolean"),
        pd.Series([True, False, True, False], index=[9, 9, 9, 9]),
    ],
)
def test_the_answer_may_be_a_list_an_array_or_a_series(answer: Any) -> None:
    assert xs(apply_post_filter(parts_of(table()), lambda _: answer))[0] == [10, 30]


def test_a_filter_that_gives_a_table_is_an_error() -> None:
    with pytest.raises(UserCodeError, match=r"gave DataFrame; True \(keep\) or False"):
        apply_post_filter(parts_of(table()), lambda frame: frame)


def test_a_null_answer_is_an_error() -> None:
    answer = pd.Series([True, None, False, 1], dtype=object)
    with pytest.raises(UserCodeError, match="for 2 of 4 rows: 'None', '1'"):
        apply_post_filter(parts_of(table()), lambda _: answer)


def test_a_filter_of_another_length_is_an_error() -> None:
    with pytest.raises(UserCodeError, match="gave 2 values for 4 rows"):
        apply_post_filter(parts_of(table()), lambda _: [True, False])
