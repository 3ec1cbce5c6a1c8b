"""The rules between columns of the synthetic Home Credit tables, each as often as measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from steps.home_credit.profile import load_types

Tables = dict[str, pd.DataFrame]


def _blank_together(*names: str) -> Callable[[pd.DataFrame], pd.Series]:
    return lambda t: t[list(names)].isna().all(axis=1) | t[list(names)].notna().all(axis=1)


def _if(condition: Any, then: Any) -> Any:
    return then[condition]


HOUSING = [n.removesuffix("_AVG") for n in load_types()["application_train"] if n.endswith("_AVG")]
ENQUIRIES = [n for n in load_types()["application_train"] if n.startswith("AMT_REQ_")]
CIRCLE = [n for n in load_types()["application_train"] if n.endswith("SOCIAL_CIRCLE")]
DOCUMENTS = [n for n in load_types()["application_train"] if n.startswith("FLAG_DOCUMENT")]
DRAWINGS = [
    f"{kind}_DRAWINGS_{how}_CURRENT" for kind in ("AMT", "CNT") for how in ("ATM", "OTHER", "POS")
]
PARTNERS = ["Married", "Civil marriage"]

CERTAIN: dict[str, tuple[str, Callable[[pd.DataFrame], Any]]] = {
    "own_car_n_means_no_age": (
        "application_train",
        lambda t: _if(t.FLAG_OWN_CAR == "N", t.OWN_CAR_AGE.isna()),
    ),
    "own_car_y_means_age": (
        "application_train",
        lambda t: _if(t.FLAG_OWN_CAR == "Y", t.OWN_CAR_AGE.notna()),
    ),
    "sentinel_iff_organization_xna": (
        "application_train",
        lambda t: (t.DAYS_EMPLOYED == 365243) == (t.ORGANIZATION_TYPE == "XNA"),
    ),
    "sentinel_means_no_occupation": (
        "application_train",
        lambda t: _if(t.DAYS_EMPLOYED == 365243, t.OCCUPATION_TYPE.isna()),
    ),
    "sentinel_means_no_employer_phone": (
        "application_train",
        lambda t: _if(t.DAYS_EMPLOYED == 365243, t.FLAG_EMP_PHONE == 0),
    ),
    "sentinel_means_pensioner_or_unemployed": (
        "application_train",
        lambda t: _if(
            t.DAYS_EMPLOYED == 365243, t.NAME_INCOME_TYPE.isin(["Pensioner", "Unemployed"])
        ),
    ),
    "enquiries_missing_together": ("application_train", _blank_together(*ENQUIRIES)),
    "circle_missing_together": ("application_train", _blank_together(*CIRCLE)),
    "def_30_at_most_obs_30": (
        "application_train",
        lambda t: _if(
            t[CIRCLE[0]].notna(), t.DEF_30_CNT_SOCIAL_CIRCLE <= t.OBS_30_CNT_SOCIAL_CIRCLE
        ),
    ),
    "obs_60_at_most_obs_30": (
        "application_train",
        lambda t: _if(
            t[CIRCLE[0]].notna(), t.OBS_60_CNT_SOCIAL_CIRCLE <= t.OBS_30_CNT_SOCIAL_CIRCLE
        ),
    ),
    **{
        f"{name.lower()}_versions_missing_together": (
            "application_train",
            _blank_together(f"{name}_AVG", f"{name}_MODE", f"{name}_MEDI"),
        )
        for name in HOUSING
    },
    "family_counts_children_and_adults": (
        "application_train",
        lambda t: _if(
            t.CNT_FAM_MEMBERS.notna(),
            t.CNT_CHILDREN + 1 + t.NAME_FAMILY_STATUS.isin(PARTNERS) == t.CNT_FAM_MEMBERS,
        ),
    ),
    "credit_is_a_multiple_of_a_half": ("application_train", lambda t: t.AMT_CREDIT % 0.5 == 0),
    "not_approved_means_no_first_due": (
        "previous_application",
        lambda t: _if(t.NAME_CONTRACT_STATUS != "Approved", t.DAYS_FIRST_DUE.isna()),
    ),
    "refused_means_a_reject_reason": (
        "previous_application",
        lambda t: _if(t.NAME_CONTRACT_STATUS == "Refused", t.CODE_REJECT_REASON != "XAP"),
    ),
    "approved_means_no_reject_reason": (
        "previous_application",
        lambda t: _if(t.NAME_CONTRACT_STATUS == "Approved", t.CODE_REJECT_REASON == "XAP"),
    ),
    "consumer_loans_are_pos_or_cars": (
        "previous_application",
        lambda t: _if(
            t.NAME_CONTRACT_TYPE == "Consumer loans", t.NAME_PORTFOLIO.isin(["POS", "Cars", "XNA"])
        ),
    ),
    "count_and_annuity_missing_together": (
        "previous_application",
        _blank_together("CNT_PAYMENT", "AMT_ANNUITY"),
    ),
    "days_credit_is_not_in_the_future": ("bureau", lambda t: t.DAYS_CREDIT <= 0),
    "dpd_def_at_most_dpd": ("POS_CASH_balance", lambda t: t.SK_DPD_DEF <= t.SK_DPD),
    "drawings_missing_together": ("credit_card_balance", _blank_together(*DRAWINGS)),
}


@pytest.mark.parametrize("rule", list(CERTAIN))
def test_a_rule_without_exception_holds_in_every_row(tables: Tables, rule: str) -> None:
    name, holds = CERTAIN[rule]
    kept = holds(tables[name])
    assert len(kept) > 0
    assert kept.all()


USUAL: dict[str, tuple[str, float, float, Callable[[pd.DataFrame], Any]]] = {
    "credit_covers_the_goods": (
        "application_train",
        0.9992,
        0.001,
        lambda t: _if(t.AMT_GOODS_PRICE.notna(), t.AMT_CREDIT >= t.AMT_GOODS_PRICE),
    ),
    "income_is_a_multiple_of_4500": (
        "application_train",
        0.9745,
        0.006,
        lambda t: t.AMT_INCOME_TOTAL % 4500 == 0,
    ),
    "ratings_at_most_one_apart": (
        "application_train",
        0.9977,
        0.0015,
        lambda t: (t.REGION_RATING_CLIENT_W_CITY - t.REGION_RATING_CLIENT).abs() <= 1,
    ),
    "at_most_one_document": (
        "application_train",
        0.9747,
        0.006,
        lambda t: t[DOCUMENTS].sum(axis=1) <= 1,
    ),
    "approved_has_a_first_due": (
        "previous_application",
        0.959,
        0.01,
        lambda t: _if(t.NAME_CONTRACT_STATUS == "Approved", t.DAYS_FIRST_DUE.notna()),
    ),
    "active_has_no_closing_day": (
        "bureau",
        0.9967,
        0.002,
        lambda t: _if(t.CREDIT_ACTIVE == "Active", t.DAYS_ENDDATE_FACT.isna()),
    ),
    "closed_has_a_closing_day": (
        "bureau",
        0.99976,
        0.0005,
        lambda t: _if(t.CREDIT_ACTIVE == "Closed", t.DAYS_ENDDATE_FACT.notna()),
    ),
    "paid_by_the_due_day": (
        "installments_payments",
        0.9153,
        0.012,
        lambda t: _if(t.AMT_PAYMENT.notna(), t.DAYS_ENTRY_PAYMENT <= t.DAYS_INSTALMENT),
    ),
    "paid_in_full": (
        "installments_payments",
        0.9016,
        0.015,
        lambda t: _if(t.AMT_PAYMENT.notna(), t.AMT_PAYMENT >= t.AMT_INSTALMENT - 1e-6),
    ),
    "future_at_most_count": (
        "POS_CASH_balance",
        0.9993,
        0.0005,
        lambda t: _if(t.CNT_INSTALMENT.notna(), t.CNT_INSTALMENT_FUTURE <= t.CNT_INSTALMENT),
    ),
    "balance_within_limit": (
        "credit_card_balance",
        0.9964,
        0.003,
        lambda t: _if(
            t.AMT_CREDIT_LIMIT_ACTUAL > 0, t.AMT_BALANCE <= 1.1 * t.AMT_CREDIT_LIMIT_ACTUAL
        ),
    ),
}


@pytest.mark.parametrize("rule", list(USUAL))
def test_a_rule_with_exceptions_holds_about_as_often_as_measured(tables: Tables, rule: str) -> None:
    name, share, tolerance, holds = USUAL[rule]
    assert holds(tables[name]).mean() == pytest.approx(share, abs=tolerance)
    assert not holds(tables[name]).all()


def test_split_payments_repeat_an_instalment(tables: Tables) -> None:
    grain = ["SK_ID_PREV", "NUM_INSTALMENT_VERSION", "NUM_INSTALMENT_NUMBER"]
    repeated = tables["installments_payments"].duplicated(grain).mean()
    assert repeated == pytest.approx(653_483 / 13_605_401, abs=0.012)
