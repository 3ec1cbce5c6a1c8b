"""A suggested suite holds for the table that it was made from."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlrecipes.checks.suites import parse_suite
from mlrecipes.errors import DataError, RecipeError
from mlrecipes.quality_records import Severity
from mlrecipes.recipe import Recipe
from mlrecipes.stores.quality_duckdb import DuckDbChecker
from mlrecipes.stores.quality_suggest import suggest, suite_text

ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(),
    st.none() | st.sampled_from(["a", "b'", 'c"', ""]),
    st.none() | st.booleans(),
    st.none() | st.dates(),
)
TYPES = (pa.int64(), pa.float64(), pa.string(), pa.bool_(), pa.date32())


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, min_size=1, max_size=60))
def test_every_table_passes_its_own_suite(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any]
) -> None:
    folder = tmp_path_factory.mktemp("table")
    columns = zip(zip(*rows, strict=True), TYPES, strict=True)
    arrays = [pa.array(values, kind) for values, kind in columns]
    pq.write_table(pa.table(dict(zip("nfsbd", arrays, strict=True))), folder / "t.parquet")
    text = suite_text("raw.t", suggest(folder / "t.parquet", folder / "tmp"))
    suite = parse_suite(text.encode(), "raw.t", "raw.t.json")
    checked = DuckDbChecker(folder / "tmp").check(folder / "t.parquet", suite)
    assert [finding for finding in checked.findings if not finding.is_met] == []


def test_columns_and_types_are_critical_and_guesses_warn(tmp_path: Path) -> None:
    pd.DataFrame({"k": range(50), "s": list("ab") * 25}).to_parquet(tmp_path / "t.parquet")
    found = suggest(tmp_path / "t.parquet", tmp_path)
    critical = {one.type for one in found if one.severity is Severity.CRITICAL}
    assert critical == {
        "expect_table_columns_to_match_set",
        "expect_column_values_to_be_in_type_list",
    }
    assert ("expect_column_values_to_be_unique", "k") in {
        (one.type, one.kwargs.get("column")) for one in found
    }
    (values,) = [one.kwargs["value_set"] for one in found if "value_set" in one.kwargs]
    assert values == ["a", "b"]


def test_nothing_is_learned_from_no_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="has no rows"):
        suggest(tmp_path / "t.csv", tmp_path)


def test_a_suite_that_is_there_is_not_replaced_unasked(regression: Path) -> None:
    recipe = Recipe("local", regression)
    path = recipe.suggest_expectations(regression / "houses.csv")
    assert path == regression / "expectations" / "raw.houses.json"
    path.write_text("mine")
    with pytest.raises(RecipeError, match="is there already; nothing was written"):
        recipe.suggest_expectations(regression / "houses.csv")
    recipe.suggest_expectations(regression / "houses.csv", force=True)
    assert json.loads(path.read_text())["name"] == "raw.houses"
