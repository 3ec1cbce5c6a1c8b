"""The suites of the recipes: Great Expectations loads them, and sound data pass them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrecipes.checks.suites import load_suites
from mlrecipes.quality_records import Suite
from mlrecipes.stores.quality_duckdb import DuckDbChecker
from mlrecipes.stores.quality_gx import load_suite
from steps.home_credit.profile import load_types
from steps.home_credit.synthetic import write_tables

ROOT = Path(__file__).parents[2]
HOME_CREDIT = load_suites(ROOT, "expectations")
SBA = load_suites(ROOT / "recipes" / "loss_given_default", "expectations")
SBA_DEFAULT = load_suites(ROOT / "recipes" / "sba_default", "expectations")
REAL = ROOT.parent / "shared" / "data" / "home_credit"
RAW = sorted(name for name in HOME_CREDIT if name.startswith("raw."))


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("raw")
    write_tables(folder, 400, 42)
    return {name: folder / f"{name}.parquet" for name in load_types()}


def test_every_table_of_the_recipes_has_a_suite() -> None:
    features = {path.stem for path in (ROOT / "features").glob("*/*.sql")}
    wanted = {f"raw.{name}" for name in load_types()} | {f"features.{name}" for name in features}
    assert set(HOME_CREDIT) == wanted | {"training", "scoring", "predictions"}
    assert set(SBA) == set(SBA_DEFAULT) == {"training", "scoring", "predictions"}


@pytest.mark.parametrize(
    "suites", [HOME_CREDIT, SBA, SBA_DEFAULT], ids=["home credit", "sba", "default"]
)
def test_great_expectations_loads_each_suite(suites: dict[str, Suite]) -> None:
    for name, suite in suites.items():
        # One of a kind is enough: two expectations with the same arguments load alike.
        kinds = {(one.type, *sorted(one.kwargs)): one for one in suite.expectations}
        assert len(load_suite(name, list(kinds.values())).expectations) == len(kinds)


def test_every_expectation_has_words_for_people() -> None:
    for suite in [*HOME_CREDIT.values(), *SBA.values(), *SBA_DEFAULT.values()]:
        assert all(one.description for one in suite.expectations)


@pytest.mark.parametrize("name", RAW)
def test_generated_tables_meet_what_is_critical(
    name: str, tables: dict[str, Path], tmp_path: Path
) -> None:
    table = name.removeprefix("raw.")
    checked = DuckDbChecker(tmp_path).check(tables[table], HOME_CREDIT[name], tables)
    assert [finding for finding in checked.findings if finding.is_critical] == []


@pytest.mark.parametrize("name", ["raw.application_test", "raw.bureau"])
@pytest.mark.skipif(not REAL.is_dir(), reason="the real rows are not here")
def test_real_tables_meet_what_is_critical(name: str, tmp_path: Path) -> None:
    tables = {one: REAL / f"{one}.csv.gz" for one in load_types()}
    table = name.removeprefix("raw.")
    checked = DuckDbChecker(tmp_path).check(tables[table], HOME_CREDIT[name], tables)
    assert [finding for finding in checked.findings if finding.is_critical] == []


def broken(frame: pd.DataFrame, fault: str) -> pd.DataFrame:
    changes: dict[str, Any] = {
        "renamed column": lambda: frame.rename(columns={"DAYS_CREDIT": "DAYS_CREDITS"}),
        "number as text": lambda: frame.assign(DAYS_CREDIT=frame["DAYS_CREDIT"].astype(str)),
        "missing key": lambda: frame.assign(
            SK_ID_BUREAU=frame["SK_ID_BUREAU"].astype("Int64").mask(frame.index == 3)
        ),
        "key twice": lambda: pd.concat([frame, frame.head(1)]),
        "column without values": lambda: frame.assign(CREDIT_ACTIVE=None),
        "no rows": lambda: frame.head(0),
    }
    return changes[fault]()


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        ("renamed column", "Did you mean 'DAYS_CREDITS'?"),
        ("number as text", "VARCHAR"),
        ("missing key", "1"),
        ("key twice", "2"),
        ("column without values", "there are no values."),
        ("no rows", "there are no rows."),
    ],
)
def test_a_fault_of_the_bureau_is_critical(
    fault: str, seen: str, tables: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "bureau.parquet"
    broken(pd.read_parquet(tables["bureau"]), fault).to_parquet(path, index=False)
    checked = DuckDbChecker(tmp_path).check(path, HOME_CREDIT["raw.bureau"], tables)
    critical = [finding for finding in checked.findings if finding.is_critical]
    said = [f"{one.problem} {one.observed} {one.n_unexpected}" for one in critical]
    assert any(seen in text for text in said), said


def test_an_odd_target_is_critical(tmp_path: Path) -> None:
    for target in ([0.0, None], [0.0, 2.0], [0.0, float("inf")]):
        rows = pd.DataFrame({"SK_ID_CURR": [1, 2], "TARGET": target})
        rows.to_parquet(tmp_path / "t.parquet")
        checked = DuckDbChecker(tmp_path).check(tmp_path / "t.parquet", HOME_CREDIT["training"])
        about = [f for f in checked.findings if f.expectation.columns == ("TARGET",)]
        assert any(finding.is_critical for finding in about), target
