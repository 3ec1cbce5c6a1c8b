"""A profile counts all rows; only shapes come from a sample of a large table."""

import pandas as pd

from mlrecipes.checks.profile import MAX_ROWS, profile_frame


def test_counts_of_a_large_table_come_from_all_its_rows() -> None:
    n_rows = MAX_ROWS + 50_000
    frame = pd.DataFrame({"id": range(n_rows), "word": ["same"] * n_rows})
    identifier, word = profile_frame(frame).columns
    assert identifier.n_distinct == n_rows
    assert word.top_values == (("same", n_rows),)


def test_missing_values_are_counted_and_no_value_of_their_own() -> None:
    (column,) = profile_frame(pd.DataFrame({"x": ["a", None, "a"]})).columns
    assert (column.n_missing, column.n_distinct, column.top_values) == (1, 1, (("a", 2),))


def test_a_column_of_lists_is_profiled_by_how_they_look() -> None:
    (column,) = profile_frame(pd.DataFrame({"x": [[1], [1], [2]]})).columns
    assert column.top_values[0] == ("[1]", 2)
