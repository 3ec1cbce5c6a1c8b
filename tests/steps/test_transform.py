"""transform: whatever the user's transformer gives becomes named columns and the target."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from mlrecipes.errors import DataError, UserCodeError
from mlrecipes.steps import Context
from mlrecipes.steps.transform import METHOD, Inputs, run

TRAINING = pd.DataFrame(
    {"a": [1.0, 2.0, 3.0], "b": [0.0, 1.0, 0.0], "y": [1, 2, 3]}, index=[5, 6, 9]
)
INPUTS = Inputs(TRAINING, TRAINING.head(2))


def transformed(context: Callable[..., Context], transformer: Any) -> pd.DataFrame:
    result = run(INPUTS, context({METHOD: lambda: transformer}))
    frame: pd.DataFrame = result.outputs["transformed_training_data"]
    return frame


def test_without_a_function_nothing_changes(context: Callable[..., Context]) -> None:
    result = run(INPUTS, context())
    pd.testing.assert_frame_equal(result.outputs["transformed_training_data"], TRAINING)
    assert result.outputs["transformer"] is None


def test_none_means_no_change(context: Callable[..., Context]) -> None:
    pd.testing.assert_frame_equal(transformed(context, None), TRAINING)


def test_an_array_gets_the_transformers_names(context: Callable[..., Context]) -> None:
    assert list(transformed(context, StandardScaler()).columns) == ["a", "b", "y"]


def test_a_sparse_matrix_becomes_columns(context: Callable[..., Context]) -> None:
    frame = transformed(context, OneHotEncoder(sparse_output=True))
    assert list(frame.columns) == ["a_1.0", "a_2.0", "a_3.0", "b_0.0", "b_1.0", "y"]
    assert frame["y"].tolist() == [1, 2, 3]


def test_a_frame_keeps_its_index_and_columns(context: Callable[..., Context]) -> None:
    frame = transformed(
        context, FunctionTransformer(lambda frame: frame.rename(columns={"a": "z"}))
    )
    assert list(frame.index) == [5, 6, 9]
    assert list(frame.columns) == ["z", "b", "y"]


def test_an_array_without_names_is_numbered_with_a_warning(
    context: Callable[..., Context],
) -> None:
    wide = FunctionTransformer(lambda frame: np.tile(frame.to_numpy(), 6))
    with pytest.warns(UserWarning, match="names no features"):
        frame = transformed(context, wide)
    assert list(frame.columns[:2]) == ["f_00", "f_01"]


def test_identifiers_are_not_shown_to_the_transformer(context: Callable[..., Context]) -> None:
    seen: list[str] = []

    def note(frame: pd.DataFrame) -> pd.DataFrame:
        seen.extend(frame.columns)
        return frame

    run(INPUTS, context({METHOD: lambda: FunctionTransformer(note)}, id_cols=["a"]))
    assert set(seen) == {"b"}


def test_a_column_named_like_the_target_is_refused(context: Callable[..., Context]) -> None:
    renamed = FunctionTransformer(lambda frame: frame.rename(columns={"a": "y"}))
    with pytest.raises(DataError, match="a column named like the target, 'y'"):
        transformed(context, renamed)


def test_an_object_that_cannot_transform_is_refused(context: Callable[..., Context]) -> None:
    with pytest.raises(UserCodeError, match="gave csr_matrix, which has no method 'fit'"):
        transformed(context, sparse.csr_matrix((1, 1)))


def test_a_transformer_is_fitted_on_the_training_part_alone(
    context: Callable[..., Context],
) -> None:
    validation = TRAINING.assign(a=10.0)
    result = run(Inputs(TRAINING, validation), context({METHOD: StandardScaler}))
    assert result.outputs["transformer"].mean_.tolist() == pytest.approx([2.0, 1 / 3])


class TooFewNames(TransformerMixin, BaseEstimator):
    def fit(self, features: Any, target: Any = None) -> "TooFewNames":
        return self

    def transform(self, features: Any) -> Any:
        return np.tile(features.to_numpy(), 2)

    def get_feature_names_out(self, names: Any) -> Any:
        return names


def test_a_transformer_with_too_few_names_is_taken_for_one_without(
    context: Callable[..., Context],
) -> None:
    with pytest.warns(UserWarning, match="2 names for 4 features"):
        frame = transformed(context, TooFewNames())
    assert list(frame.columns) == ["f_0", "f_1", "f_2", "f_3", "y"]


def test_a_frame_that_is_numbered_anew_keeps_the_targets_of_its_rows(
    context: Callable[..., Context],
) -> None:
    renumbered = FunctionTransformer(lambda frame: frame.reset_index(drop=True))
    assert transformed(context, renumbered)["y"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("as_array", [False, True])
def test_a_transformer_that_leaves_rows_out_is_refused(
    context: Callable[..., Context], as_array: bool
) -> None:
    def leave_out(frame: pd.DataFrame) -> Any:
        return frame.iloc[1:].to_numpy() if as_array else frame.iloc[1:]

    with pytest.raises(UserCodeError, match=r"made an array of shape \(2, 2\) of 3 rows"):
        transformed(context, FunctionTransformer(leave_out))


def test_a_transformer_that_gives_no_table_is_refused(context: Callable[..., Context]) -> None:
    with pytest.raises(UserCodeError, match="made list of 3 rows; a table of 3 rows is expected"):
        transformed(context, FunctionTransformer(lambda frame: frame["a"].tolist()))


def test_a_transformer_that_changes_its_input_in_place_leaves_the_parts_alone(
    context: Callable[..., Context],
) -> None:
    def double(frame: pd.DataFrame) -> pd.DataFrame:
        frame["a"] *= 2
        return frame

    assert transformed(context, FunctionTransformer(double))["a"].tolist() == [2.0, 4.0, 6.0]
    assert TRAINING["a"].tolist() == [1.0, 2.0, 3.0]


def test_the_card_shows_the_table_before_and_after(context: Callable[..., Context]) -> None:
    result = run(INPUTS, context({METHOD: StandardScaler}))
    assert result.summary == "2 columns in, 2 features out"
    assert [section.title for section in result.sections] == [
        "Data Profile (Train Transformed)",
        "Transformer",
        "Input Schema",
        "Output Schema",
        "Data Preview",
    ]
