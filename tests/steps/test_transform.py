"""transform: whatever the user's transformer gives becomes named columns and the target."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
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
