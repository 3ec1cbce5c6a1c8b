"""The pandas version gives what the SQL gives, so that comparing their costs means something."""

from pathlib import Path

import pandas as pd
import pytest

from benchmarks.equality import differences
from benchmarks.plain_pandas import TABLES
from benchmarks.sides import ROOT, SETS, run_engine, run_pandas
from mlrecipes.features.definition import load_definitions
from steps.home_credit.synthetic import write_tables


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home_credit")
    write_tables(folder, applicants=1000, seed=7)
    return folder


def test_each_feature_table_has_a_pandas_version() -> None:
    assert {definition.name for definition in load_definitions(ROOT, SETS)} == set(TABLES)


@pytest.mark.parametrize("table", list(TABLES))
def test_both_sides_give_the_same_columns_and_values(table: str, raw: Path, tmp_path: Path) -> None:
    run_engine(table, raw, tmp_path / "engine.parquet")
    run_pandas(table, raw, tmp_path / "pandas.parquet")
    assert differences(tmp_path / "engine.parquet", tmp_path / "pandas.parquet") == []


@pytest.mark.parametrize(
    ("theirs", "word"),
    [
        ({"SK_ID_CURR": [1, 2], "A": [1.0, None]}, None),
        ({"SK_ID_CURR": [2, 1], "A": [None, 1.0]}, None),
        ({"SK_ID_CURR": [1, 2], "A": [1.0 + 1e-8, None]}, "A differs in 1 of 2 rows"),
        ({"SK_ID_CURR": [1, 2], "A": [1.0, 0.0]}, "A differs in 1 of 2 rows"),
        ({"SK_ID_CURR": [1, 3], "A": [1.0, None]}, "not of the same keys"),
        ({"SK_ID_CURR": [1], "A": [1.0]}, "not of the same keys"),
        ({"SK_ID_CURR": [1, 2], "B": [1.0, None]}, "columns of one side only: A, B"),
    ],
)
def test_differences_are_seen(tmp_path: Path, theirs: dict, word: str | None) -> None:
    pd.DataFrame({"SK_ID_CURR": [1, 2], "A": [1.0, None]}).to_parquet(tmp_path / "ours")
    pd.DataFrame(theirs).to_parquet(tmp_path / "theirs")
    found = differences(tmp_path / "ours", tmp_path / "theirs")
    assert found == [] if word is None else word in found[0]
