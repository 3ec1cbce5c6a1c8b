"""Features of a few rows by hand: that they are what their names say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrecipes.features.definition import load_definitions
from mlrecipes.features.sql import parse_query
from mlrecipes.stores.duckdb_engine import DuckDbEngine
from steps.home_credit.profile import load_types

ROOT = Path(__file__).parents[2]
DEFINITIONS = {d.name: d for d in load_definitions(ROOT, ["external", "home_credit"])}
DTYPES = {"int64": "float64", "float64": "float64"}
Row = dict[str, Any]
Features = Callable[..., pd.Series]


@pytest.fixture
def features(tmp_path: Path) -> Features:
    """The features of applicant 1, given the rows of raw tables; what they leave out is missing."""

    def compute(table: str, **rows: list[Row]) -> pd.Series:
        query = parse_query(DEFINITIONS[table], ROOT)
        for name in query.tables:
            types = load_types()[name]
            given = pd.DataFrame([{"SK_ID_CURR": 1, "SK_ID_PREV": 1} | row for row in rows[name]])
            frame = given.reindex(columns=list(types))
            kinds = {column: DTYPES.get(kind, "string") for column, kind in types.items()}
            frame.astype(kinds).to_parquet(tmp_path / f"{name}.parquet")
        tables = {name: tmp_path / f"{name}.parquet" for name in query.tables}
        found = DuckDbEngine(tmp_path / "spill").query(query.texts["duckdb"], tables).read_all()
        return found.to_pandas().set_index("SK_ID_CURR").loc[1]

    return compute


def bureau_credit(kind: str = "Credit card", state: str = "Active", **amounts: float | None) -> Row:
    named = {f"AMT_CREDIT_SUM{'_' * bool(n)}{n.upper()}": a for n, a in amounts.items()}
    return {"CREDIT_TYPE": kind, "CREDIT_ACTIVE": state, "DAYS_CREDIT": -100} | named


def test_use_of_bureau_cards_counts_those_that_are_fully_drawn(features: Features) -> None:
    rows = [
        bureau_credit(debt=100, limit=300),
        bureau_credit(debt=600, limit=0),
        bureau_credit(debt=-50, limit=-20),
        bureau_credit(debt=None, limit=1000),
        bureau_credit(debt=1000, limit=None),
        bureau_credit(debt=0, limit=1000, state="Closed"),
        bureau_credit(debt=1000, limit=0, kind="Consumer credit"),
    ]
    found = features("bureau_credits", bureau=rows)
    assert found["BUREAU_CARD_UTILISATION"] == 0.7
    assert found["BUREAU_CARD_UNUSED_SUM"] == 300 + 0 - 20 + 1000


def test_debt_is_compared_with_credits_of_known_debt(features: Features) -> None:
    rows = [
        bureau_credit(**{"": 100, "debt": 50}),
        bureau_credit(**{"": 900, "debt": None}),
        bureau_credit(**{"": None, "debt": 70}),
    ]
    found = features("bureau_credits", bureau=rows)
    assert found["BUREAU_DEBT_TO_CREDIT"] == 0.5
    assert found["BUREAU_CARD_DEBT_TO_CREDIT"] == 0.5


def test_a_window_of_bureau_months_begins_with_month_0(features: Features) -> None:
    late = [{"SK_ID_BUREAU": 7, "MONTHS_BALANCE": -n, "STATUS": "1"} for n in range(30)]
    bureau = [{"SK_ID_BUREAU": 7} | bureau_credit()]
    found = features("bureau_months", bureau=bureau, bureau_balance=late)
    assert [found[f"BUREAU_MONTHS_LATE_LAST_{n}M"] for n in (3, 12, 24)] == [3, 12, 24]


def test_a_window_of_pos_months_begins_with_month_1_before(features: Features) -> None:
    rows = [{"MONTHS_BALANCE": -n, "SK_DPD": 1, "SK_DPD_DEF": 0} for n in range(1, 30)]
    found = features("pos_cash", POS_CASH_balance=rows)
    assert [found[f"POS_MONTHS_LAST_{n}M"] for n in (3, 12, 24)] == [3, 12, 24]
    assert [found[f"POS_MONTHS_LATE_LAST_{n}M"] for n in (3, 12, 24)] == [3, 12, 24]


def test_a_loan_seen_from_its_middle_says_nothing_of_early_ends(features: Features) -> None:
    def loan(number: int, paid: int, n_months: int) -> list[Row]:
        status = ["Active"] * (n_months - 1) + ["Completed"]
        return [
            {
                "SK_ID_PREV": number,
                "MONTHS_BALANCE": -9 + n,
                "CNT_INSTALMENT": 12,
                "CNT_INSTALMENT_FUTURE": 12 - paid - n,
                "NAME_CONTRACT_STATUS": status[n],
            }
            for n in range(n_months)
        ]

    found = features("pos_cash", POS_CASH_balance=loan(1, 0, 3) + loan(2, 9, 2))
    assert found["POS_LOANS_COMPLETED"] == 2
    assert found["POS_MONTHS_COMPLETED_EARLY_MEAN"] == 10
    assert found["POS_MONTHS_UNTIL_COMPLETED_MEAN"] == 2


def test_a_month_is_underpaid_or_paid_the_least_or_more(features: Features) -> None:
    rows = [
        {"MONTHS_BALANCE": -n, "AMT_INST_MIN_REGULARITY": 100, "AMT_PAYMENT_TOTAL_CURRENT": paid}
        for n, paid in enumerate([0, 99.999, 100, 110, 110.001], start=1)
    ]
    found = features("credit_cards", credit_card_balance=rows)
    assert found["CARD_MONTHS_UNDERPAID_SHARE"] == 2 / 5
    assert found["CARD_MONTHS_PAID_LEAST_SHARE"] == 2 / 5


def test_an_instalment_that_was_never_paid_is_late(features: Features) -> None:
    instalment = {"NUM_INSTALMENT_VERSION": 1, "DAYS_INSTALMENT": -40, "AMT_INSTALMENT": 10}
    rows = [
        instalment | {"NUM_INSTALMENT_NUMBER": 1, "DAYS_ENTRY_PAYMENT": -50, "AMT_PAYMENT": 10},
        instalment | {"NUM_INSTALMENT_NUMBER": 2},
    ]
    found = features("installments", installments_payments=rows)
    assert found["INST_LATE_SHARE"] == 0.5
    assert found["INST_DAYS_LATE_MAX"] == 40
    assert found["INST_UNDERPAID_SHARE"] == 0.5


def test_what_is_told_of_the_latest_application_is_of_one(features: Features) -> None:
    old = {
        "NAME_CONTRACT_STATUS": "Approved",
        "AMT_APPLICATION": 200,
        "AMT_CREDIT": 100,
        "AMT_ANNUITY": 5,
        "CNT_PAYMENT": 24,
    }
    new = {"NAME_CONTRACT_STATUS": "Approved", "AMT_APPLICATION": 0, "AMT_CREDIT": 0}
    rows = [
        old | {"SK_ID_PREV": 9, "DAYS_DECISION": -30},
        new | {"SK_ID_PREV": 4, "DAYS_DECISION": -20},
        old | {"SK_ID_PREV": 3, "DAYS_DECISION": -20},
    ]
    found = features("previous_applications", previous_application=rows)
    assert found["PREV_LAST_CREDIT"] == 0
    unknown = ["CREDIT_TO_ASKED", "APPROVED_ANNUITY", "APPROVED_TERM"]
    assert found[[f"PREV_LAST_{name}" for name in unknown]].isna().all()
