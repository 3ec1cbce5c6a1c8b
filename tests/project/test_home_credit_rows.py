"""How many rows the synthetic history tables have: in all, per applicant and per contract.

The numbers are those of the published tables (all rows) and of complete histories of 5,000 train
and 5,000 test applicants (rows per applicant and contract, with that sample's own uncertainty).
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from steps.home_credit.applicants import Part
from steps.home_credit.synthetic import ID_RANGES, generate

Tables = dict[str, pd.DataFrame]
TRAIN_ROWS = 307_511
TRUE_ROWS = {
    "bureau": 1_716_428,
    "bureau_balance": 27_299_925,
    "previous_application": 1_670_214,
    "POS_CASH_balance": 10_001_358,
    "credit_card_balance": 3_840_312,
    "installments_payments": 13_605_401,
}


@pytest.mark.parametrize("table", list(TRUE_ROWS))
def test_a_table_has_its_true_share_of_rows_at_20_000_applicants(
    tables: Tables, table: str
) -> None:
    wanted = TRUE_ROWS[table] * 20_000 / TRAIN_ROWS
    assert len(tables[table]) == pytest.approx(wanted, rel=0.015)


@pytest.mark.parametrize(("applicants", "tolerance"), [(500, 0.12), (3_000, 0.05)])
def test_the_rows_are_in_proportion_at_other_sizes(applicants: int, tolerance: float) -> None:
    n_rows: Counter[str] = Counter()
    for chunk in generate(applicants, seed=3):
        n_rows.update({name: len(table) for name, table in chunk.items()})
    share = applicants / TRAIN_ROWS
    off = {name: n_rows[name] / (n * share) - 1 for name, n in TRUE_ROWS.items()}
    assert {name: by for name, by in off.items() if abs(by) > tolerance} == {}


def _rows_per_applicant(tables: Tables, table: str, part: Part) -> pd.Series:
    n_rows = tables[table]["SK_ID_CURR"].value_counts()
    return tables[f"application_{part}"]["SK_ID_CURR"].map(n_rows).fillna(0)


@pytest.mark.parametrize(
    ("part", "table", "mean", "tolerance"),
    [
        ("train", "bureau", 4.7, 0.15),
        ("test", "bureau", 5.2, 0.15),
        ("train", "previous_application", 4.6, 0.15),
        ("test", "previous_application", 5.2, 0.15),
        ("train", "POS_CASH_balance", 27.6, 0.8),
        ("test", "POS_CASH_balance", 29.9, 1.5),
        ("train", "credit_card_balance", 10.2, 0.7),
        ("test", "credit_card_balance", 12.5, 1.0),
    ],
)
def test_rows_per_applicant_are_as_measured(
    tables: Tables, part: Part, table: str, mean: float, tolerance: float
) -> None:
    assert _rows_per_applicant(tables, table, part).mean() == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize(
    ("part", "table", "share"),
    [
        ("train", "bureau", 0.142),
        ("test", "bureau", 0.133),
        ("train", "previous_application", 0.043),
        ("test", "previous_application", 0.019),
        ("train", "POS_CASH_balance", 0.048),
        ("test", "POS_CASH_balance", 0.020),
        ("train", "credit_card_balance", 0.722),
        ("test", "credit_card_balance", 0.652),
        ("train", "installments_payments", 0.0516),
    ],
)
def test_as_many_applicants_as_measured_have_no_row(
    tables: Tables, part: Part, table: str, share: float
) -> None:
    has_none = _rows_per_applicant(tables, table, part) == 0
    assert has_none.mean() == pytest.approx(share, abs=0.012)


@pytest.mark.parametrize(
    ("table", "quarter", "half", "most"),
    [("POS_CASH_balance", 7, 10, 24), ("credit_card_balance", 10, 21, 96)],
)
def test_contracts_are_as_long_as_measured(
    tables: Tables, table: str, quarter: int, half: int, most: int
) -> None:
    """A quarter, half and 95 % of the contracts in train have at most so many months."""
    train = tables["application_train"]["SK_ID_CURR"]
    months = tables[table][tables[table]["SK_ID_CURR"].isin(train)]
    seen = months["SK_ID_PREV"].value_counts().quantile([0.25, 0.5, 0.95])
    assert list(seen) == pytest.approx([quarter, half, most], abs=2)


def test_a_client_has_one_card_at_most(tables: Tables) -> None:
    cards = tables["credit_card_balance"].drop_duplicates("SK_ID_PREV")
    assert not cards["SK_ID_CURR"].duplicated().any()


@pytest.mark.parametrize(
    ("part", "share", "months"), [("train", 0.36, 28.4), ("test", 0.999, 37.5)]
)
def test_monthly_bureau_data_cover_as_many_credits_as_long_as_measured(
    tables: Tables, part: Part, share: float, months: float
) -> None:
    ids = tables[f"application_{part}"]["SK_ID_CURR"]
    credits = tables["bureau"].loc[tables["bureau"]["SK_ID_CURR"].isin(ids), "SK_ID_BUREAU"]
    n_months = credits.map(tables["bureau_balance"]["SK_ID_BUREAU"].value_counts())
    assert n_months.notna().mean() == pytest.approx(share, abs=0.015)
    assert n_months.mean() == pytest.approx(months, abs=1.2)


def test_reports_on_credits_stop_early_in_train_only(tables: Tables) -> None:
    newest = tables["bureau_balance"].groupby("SK_ID_BUREAU")["MONTHS_BALANCE"].max()
    credits = tables["bureau"].assign(newest=lambda t: t["SK_ID_BUREAU"].map(newest))
    in_train = credits["SK_ID_CURR"].isin(tables["application_train"]["SK_ID_CURR"])
    assert (credits["newest"] < -1)[in_train & credits["newest"].notna()].mean() > 0.25
    assert (credits["newest"] < -1)[~in_train].sum() == 0


def test_at_full_size_there_are_keys_enough(tables: Tables) -> None:
    names = ["previous_application", "POS_CASH_balance", "credit_card_balance"]
    previous = pd.concat([tables[name]["SK_ID_PREV"] for name in names]).nunique()
    bureau = pd.concat(
        [tables[name]["SK_ID_BUREAU"] for name in ("bureau", "bureau_balance")]
    ).nunique()
    for name, n_keys in (("SK_ID_PREV", previous), ("SK_ID_BUREAU", bureau)):
        first, last = ID_RANGES[name]
        assert n_keys * TRAIN_ROWS / 20_000 < 0.97 * (last - first)


def test_the_number_of_rows_is_no_luck() -> None:
    """Two seeds at 3,000 applicants: the same requests and credits, though of others."""
    counts = []
    for seed in (1, 2):
        chunks = list(generate(3_000, seed))
        counts.append([sum(len(c[name]) for c in chunks) for name in ("bureau", "bureau_balance")])
    first, second = np.array(counts)
    assert first[0] == second[0]
    assert first[1] == pytest.approx(second[1], rel=0.04)
