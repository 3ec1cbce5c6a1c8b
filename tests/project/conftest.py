"""The synthetic Home Credit tables, made once for all tests that only look at them."""

from pathlib import Path

import pandas as pd
import pytest

from steps.home_credit.profile import load_types
from steps.home_credit.synthetic import write_tables


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home_credit")
    write_tables(folder, applicants=20_000, seed=42)
    return folder


@pytest.fixture(scope="session")
def tables(folder: Path) -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(folder / f"{name}.parquet") for name in load_types()}
