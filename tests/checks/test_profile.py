"""A profile says of each column what numpy and pandas would say, from all rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.checks.profile import profile_column, profile_frame

NUMBERS = st.lists(
    st.one_of(
        st.none(),
        st.integers(-3, 3).map(float),
        st.floats(-1e9, 1e9),
        st.sampled_from([np.inf, -np.inf]),
    ),
    max_size=60,
)


def test_counts_of_a_large_table_come_from_all_its_rows() -> None:
    n_rows = 250_000
    frame = pd.DataFrame({"id": range(n_rows), "word": ["same"] * n_rows})
    identifier, word = profile_frame(frame).columns
    assert identifier.n_distinct == n_rows
    assert identifier.histogram is not None
    assert identifier.histogram.counts == (n_rows // 20,) * 20
    assert word.top_values == (("same", n_rows),)


def test_missing_values_are_counted_and_no_value_of_their_own() -> None:
    (column,) = profile_frame(pd.DataFrame({"x": ["a", None, "a"]})).columns
    assert (column.n_missing, column.n_distinct, column.top_values) == (1, 1, (("a", 2),))


def test_a_column_of_lists_is_profiled_by_how_they_look() -> None:
    (column,) = profile_frame(pd.DataFrame({"x": [[1], [1], [2]]})).columns
    assert column.top_values[0] == ("[1]", 2)
    assert column.n_distinct == 2


def test_a_category_that_no_row_has_is_not_counted() -> None:
    values = pd.Categorical(["a", "a"], categories=["a", "b"])
    assert profile_column("x", pd.Series(values)).n_distinct == 1


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float32", "Float64", "int64[pyarrow]"])
def test_numbers_of_each_type_are_counted_and_measured(dtype: str) -> None:
    column = profile_column("x", pd.Series([3, 1, 1, 2], dtype=dtype))
    assert (column.n_missing, column.n_distinct) == (0, 3)
    assert (column.mean, column.quantiles) == (1.75, (1.0, 1.0, 1.5, 2.25, 3.0))


def test_large_whole_numbers_are_told_apart() -> None:
    ids = pd.Series([2**53, 2**53 + 1, None], dtype="Int64")
    column = profile_column("id", ids)
    assert (column.n_missing, column.n_distinct) == (1, 2)


@given(NUMBERS)
def test_facts_of_numbers_are_those_of_numpy(values: list[float | None]) -> None:
    column = pd.Series(values, dtype=float)
    found = profile_column("x", column)
    assert (found.n_missing, found.n_distinct) == (column.isna().sum(), column.nunique())
    finite = column[np.isfinite(column)].to_numpy()
    if finite.size == 0:
        assert found.quantiles == ()
        return
    assert found.quantiles == tuple(np.quantile(finite, [0, 0.25, 0.5, 0.75, 1]))
    assert found.mean == pytest.approx(finite.mean(), abs=1e-6)
    if found.histogram is not None:
        n_bins = min(20, np.unique(finite).size)
        counts, edges = np.histogram(finite, bins=n_bins)
        assert found.histogram.counts == tuple(counts)
        assert found.histogram.edges == tuple(edges)
