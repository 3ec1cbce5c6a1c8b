"""Rows are held against what a model was fitted on; the nearest name is guessed."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes.checks.scoring_contract import Contract, Difference, compare, difference_table

INT, FLOAT, BOOL = np.dtype("int64"), np.dtype("float64"), np.dtype(bool)
TEXT, TIME = pd.StringDtype(), np.dtype("M8[us]")
CATEGORY = pd.CategoricalDtype(["a", "b"])


def kinds(columns: dict[str, Any], wanted: dict[str, Any], *known: str) -> list[tuple[str, str]]:
    return [(one.kind, one.column) for one in compare(columns, Contract(wanted, known))]


@pytest.mark.parametrize(
    ("seen", "fitted"),
    [
        (INT, FLOAT),
        (FLOAT, INT),
        (BOOL, INT),
        (CATEGORY, TEXT),
        (TEXT, CATEGORY),
        (TEXT, None),
        (np.dtype(object), INT),
        (pd.Int64Dtype(), FLOAT),
        (TIME, pd.DatetimeTZDtype("us", "UTC")),
    ],
)
def test_types_of_one_family_fit(seen: Any, fitted: Any) -> None:
    assert kinds({"x": seen}, {"x": fitted}) == []


@pytest.mark.parametrize(
    ("seen", "fitted"), [(TEXT, INT), (INT, TEXT), (TIME, FLOAT), (INT, CATEGORY), (TEXT, TIME)]
)
def test_types_of_two_families_do_not(seen: Any, fitted: Any) -> None:
    assert kinds({"x": seen}, {"x": fitted}) == [("retyped", "x")]


def test_a_column_is_missing_renamed_or_extra() -> None:
    columns = {"income_eur": FLOAT, "AGE": INT, "id": INT, "zzz": TEXT}
    wanted = {"income": FLOAT, "age": INT, "town": TEXT}
    assert compare(columns, Contract(wanted, ["id"])) == (
        Difference("renamed?", "income", "float64", "income_eur"),
        Difference("renamed?", "age", "int64", "AGE"),
        Difference("missing", "town", str(TEXT)),
        Difference("extra", "zzz", "", str(TEXT)),
    )


def test_no_column_is_taken_for_two() -> None:
    assert kinds({"debt_3": FLOAT}, {"debt_1": FLOAT, "debt_2": FLOAT}) == [
        ("renamed?", "debt_1"),
        ("missing", "debt_2"),
    ]


def test_a_long_table_says_how_much_it_leaves_out() -> None:
    found = compare({}, Contract({f"x{i}": INT for i in range(30)}))
    table = difference_table(found, n_shown=5)
    assert (len(table.rows), table.caption) == (5, "and 25 more")
