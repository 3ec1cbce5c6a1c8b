"""The synthetic Home Credit tables: schema, keys, marginals, determinism."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from steps.home_credit.profile import load_types
from steps.home_credit.synthetic import generate, write_tables

SHARED = Path(__file__).parents[2].parent / "shared"
SCHEMA = SHARED / "research" / "home_credit_schema.json"
REAL = SHARED / "data" / "home_credit"
needs_shared = pytest.mark.skipif(
    not SCHEMA.is_file(), reason="the measured schema lies outside the repository, not here"
)
Tables = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("name", list(load_types()))
def test_a_table_has_the_columns_order_and_types_of_the_profile(tables: Tables, name: str) -> None:
    seen = {column: str(kind) for column, kind in tables[name].dtypes.items()}
    assert list(seen.items()) == list(load_types()[name].items())


@needs_shared
@pytest.mark.parametrize("name", list(load_types()))
def test_a_table_has_the_columns_and_types_pandas_reads_from_the_real_csv(
    tables: Tables, name: str
) -> None:
    with gzip.open(REAL / f"{name}.csv.gz", "rt") as stream:
        real = pd.read_csv(stream, low_memory=False)
    assert tables[name].dtypes.astype(str).to_dict() == real.dtypes.astype(str).to_dict()


def test_the_test_part_has_the_real_proportion_and_no_target(tables: Tables) -> None:
    assert len(tables["application_train"]) == 20_000
    assert len(tables["application_test"]) == 3_170
    assert "TARGET" not in tables["application_test"]


def test_the_number_of_applicants_has_limits(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="applicants is 99, expected a whole number from 100 to"):
        write_tables(tmp_path / "tables", applicants=99, seed=1)
    assert not list(tmp_path.glob("tables/*.parquet"))


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("application_train", ["SK_ID_CURR"]),
        ("application_test", ["SK_ID_CURR"]),
        ("bureau", ["SK_ID_BUREAU"]),
        ("bureau_balance", ["SK_ID_BUREAU", "MONTHS_BALANCE"]),
        ("previous_application", ["SK_ID_PREV"]),
        ("POS_CASH_balance", ["SK_ID_PREV", "MONTHS_BALANCE"]),
        ("credit_card_balance", ["SK_ID_PREV", "MONTHS_BALANCE"]),
    ],
)
def test_a_primary_key_is_unique(tables: Tables, name: str, key: list[str]) -> None:
    assert not tables[name].duplicated(key).any()


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("SK_ID_CURR", 100_001, 456_255), ("SK_ID_PREV", 1_000_001, 2_845_382)],
)
def test_ids_come_from_the_real_range(tables: Tables, name: str, first: int, last: int) -> None:
    ids = tables["previous_application"][name]
    assert ids.between(first, last).all()
    assert ids.max() - ids.min() > 0.9 * (last - first)


def test_train_and_test_share_no_applicant(tables: Tables) -> None:
    train, test = tables["application_train"], tables["application_test"]
    assert not set(train["SK_ID_CURR"]) & set(test["SK_ID_CURR"])


@pytest.mark.parametrize(
    "name", ["bureau", "previous_application", "POS_CASH_balance", "installments_payments"]
)
def test_every_history_row_belongs_to_an_applicant(tables: Tables, name: str) -> None:
    applicants = pd.concat([tables["application_train"], tables["application_test"]])["SK_ID_CURR"]
    assert tables[name]["SK_ID_CURR"].isin(applicants).all()


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("POS_CASH_balance", 0.039),
        ("credit_card_balance", 0.113),
        ("installments_payments", 0.04),
    ],
)
def test_balances_belong_to_an_earlier_application_of_the_same_client_or_to_one_long_ago(
    tables: Tables, name: str, share: float
) -> None:
    """As in the real tables, contracts opened over eight years ago are in the balances only."""
    owner = tables["previous_application"].set_index("SK_ID_PREV")["SK_ID_CURR"]
    contracts = tables[name].drop_duplicates("SK_ID_PREV")
    known = contracts["SK_ID_PREV"].map(owner).dropna()
    assert (known == contracts.loc[known.index, "SK_ID_CURR"]).all()
    assert 1 - len(known) / len(contracts) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("name", ["POS_CASH_balance", "credit_card_balance"])
def test_contracts_that_are_in_the_balances_only_begin_with_the_oldest_month(
    tables: Tables, name: str
) -> None:
    known = tables[name]["SK_ID_PREV"].isin(tables["previous_application"]["SK_ID_PREV"])
    first_months = tables[name][~known].groupby("SK_ID_PREV")["MONTHS_BALANCE"].min()
    assert (first_months == -96).all()


def test_one_in_nineteen_bureau_balance_keys_is_an_orphan(tables: Tables) -> None:
    keys = pd.Series(tables["bureau_balance"]["SK_ID_BUREAU"].unique())
    assert (~keys.isin(tables["bureau"]["SK_ID_BUREAU"])).mean() == pytest.approx(0.0527, abs=0.006)


@needs_shared
@pytest.mark.parametrize("name", list(load_types()))
def test_missing_rates_are_the_measured_ones(
    tables: Tables, schema: dict[str, Any], name: str
) -> None:
    off = {}
    for column in schema["tables"][name]["columns"]:
        wanted = column.get("missing_rate_full")
        wanted = column["missing_rate_sample"] if wanted is None else wanted
        seen = tables[name][column["name"]].isna().mean()
        if abs(seen - wanted) > 0.035:
            off[column["name"]] = (round(seen, 3), wanted)
    assert off == {}


@needs_shared
@pytest.mark.parametrize(
    "name", ["application_train", "bureau", "previous_application", "POS_CASH_balance"]
)
def test_value_shares_are_the_measured_ones(
    tables: Tables, schema: dict[str, Any], name: str
) -> None:
    off = {}
    for column in schema["tables"][name]["columns"]:
        if column["kind"] != "categorical":
            continue
        seen = tables[name][column["name"]].value_counts(normalize=True)
        for value, share in column["value_share_sample"].items():
            if abs(seen.get(value, 0.0) - share) > 0.03:
                off[column["name"], value] = (round(float(seen.get(value, 0.0)), 3), share)
    assert off == {}


@pytest.mark.parametrize(
    ("column", "share"),
    [("DAYS_FIRST_DUE", 0.0447), ("DAYS_LAST_DUE", 0.212), ("DAYS_FIRST_DRAWING", 0.938)],
)
def test_no_date_is_written_as_365243_about_as_often_as_measured(
    tables: Tables, column: str, share: float
) -> None:
    dates = tables["previous_application"][column].dropna()
    assert (dates == 365243).mean() == pytest.approx(share, abs=0.035)


def test_the_not_employed_share_is_the_measured_one(tables: Tables) -> None:
    employed = tables["application_train"]["DAYS_EMPLOYED"]
    assert (employed == 365243).mean() == pytest.approx(0.18, abs=0.01)


@pytest.mark.parametrize(("part", "share"), [("train", 0.304), ("test", 0.867)])
def test_monthly_bureau_data_cover_few_train_and_most_test_applicants(
    tables: Tables, part: str, share: float
) -> None:
    bureau = tables["bureau"]
    has_months = bureau["SK_ID_BUREAU"].isin(tables["bureau_balance"]["SK_ID_BUREAU"])
    covered = bureau.loc[has_months, "SK_ID_CURR"].unique()
    ids = tables[f"application_{part}"]["SK_ID_CURR"]
    assert ids.isin(covered).mean() == pytest.approx(share, abs=0.02)


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_tables(tmp_path / name, applicants=300, seed=7)
    for path in (tmp_path / "first").iterdir():
        assert path.read_bytes() == (tmp_path / "second" / path.name).read_bytes()


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    for seed in (7, 8):
        write_tables(tmp_path / str(seed), applicants=300, seed=seed)
    for path in (tmp_path / "7").iterdir():
        assert path.read_bytes() != (tmp_path / "8" / path.name).read_bytes()


def test_tables_in_memory_are_the_written_ones(tmp_path: Path) -> None:
    write_tables(tmp_path, applicants=300, seed=7)
    chunks = list(generate(300, seed=7))
    written = pq.read_table(tmp_path / "application_train.parquet")
    assert chunks[0]["application_train"].equals(written)


def test_missing_values_are_null_and_never_nan(tmp_path: Path) -> None:
    write_tables(tmp_path, applicants=300, seed=7)
    scores = pq.read_table(tmp_path / "application_train.parquet")["EXT_SOURCE_1"]
    assert scores.null_count > 0
    assert not np.isnan(scores.drop_null().to_numpy()).any()
