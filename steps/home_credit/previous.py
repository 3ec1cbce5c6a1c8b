"""Earlier applications at Home Credit: product and outcome first, then what follows from them."""

from __future__ import annotations

from typing import Any

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.columns import Coded, Column, coded
from steps.home_credit.marginals import (
    FloatArray,
    blank,
    from_quantiles,
    from_quantiles_by,
    pick,
    pick_by,
    spread_by,
    take,
    tilt,
    to_multiple,
)
from steps.home_credit.previous_dates import make_dates
from steps.home_credit.previous_requests import CARD, CONSUMER, Requests, draw_requests
from steps.home_credit.profile import load_history

AMOUNT_STEP, CARD_STEP = 4.5, 45_000.0
NOT_LAST, NOT_LAST_IN_DAY, CARS, CARD_ANNUITY = 0.0042, 0.0033, 0.00045, 0.05
ZERO_GOODS, SIZE_WEIGHT = 0.017, 0.85
DOWN_PAYMENT_ROUNDING = 4.5


def make_previous(people: Applicants, rng: np.random.Generator) -> dict[str, Column]:
    """All columns of previous_application but SK_ID_PREV, ordered by applicant."""
    facts = load_history()["previous_application"]
    requests = draw_requests(people, facts, rng)
    columns: dict[str, Column] = {
        "SK_ID_CURR": people.ids[requests.owner],
        "NAME_CONTRACT_TYPE": coded(requests.contract, facts["contract_types"]),
        "NAME_CONTRACT_STATUS": coded(requests.status, facts["statuses"]),
        "PRODUCT_COMBINATION": coded(requests.product, facts["products"]),
    }
    columns |= _texts(requests, facts, rng)
    columns |= _sale(requests, facts, rng)
    size = rng.standard_normal(len(requests.owner))
    columns |= _money(requests, columns["NAME_YIELD_GROUP"], size, facts, rng)
    days = facts["days_decision"][people.part]
    decided = from_quantiles_by(spread_by(requests.kind, rng), requests.kind, days)
    payments = np.asarray(columns["CNT_PAYMENT"])
    columns |= make_dates(requests, decided, payments, facts, rng)
    return columns


def _texts(
    requests: Requests, facts: dict[str, Any], rng: np.random.Generator
) -> dict[str, Column]:
    n = len(requests.owner)
    columns: dict[str, Column] = {}
    for given, place in (("by_product", requests.product), ("by_kind", requests.kind)):
        for name, table in facts[given].items():
            columns[name] = coded(pick_by(rng.random(n), place, table["shares"]), table["values"])
    for name in ("NAME_PRODUCT_TYPE", "NAME_YIELD_GROUP"):
        column = columns[name]
        if isinstance(column, Coded):
            columns[name] = column.but(requests.no_terms, "XNA")
    weekdays = facts["weekdays"]
    columns["WEEKDAY_APPR_PROCESS_START"] = coded(
        pick(rng.random(n), list(weekdays.values())), list(weekdays)
    )
    columns["NAME_PORTFOLIO"] = _portfolio(requests, rng)
    return columns


def _portfolio(requests: Requests, rng: np.random.Generator) -> Coded:
    names = ("Cash", "POS", "Cards", "XNA", "Cars")
    codes = np.where(requests.no_terms, names.index("XNA"), requests.contract)
    is_car = (codes == CONSUMER) & (rng.random(len(codes)) < CARS)
    return Coded(np.where(is_car, names.index("Cars"), codes), names)


def _sale(requests: Requests, facts: dict[str, Any], rng: np.random.Generator) -> dict[str, Column]:
    n = len(requests.owner)
    place = np.minimum(requests.contract, CARD)
    is_last = rng.random(n) >= NOT_LAST
    return {
        "HOUR_APPR_PROCESS_START": np.rint(from_quantiles(rng.random(n), facts["hours"])),
        "FLAG_LAST_APPL_PER_CONTRACT": coded(is_last.astype(np.int64), ("N", "Y")),
        "NFLAG_LAST_APPL_IN_DAY": (rng.random(n) >= NOT_LAST_IN_DAY).astype(np.int64),
        "SELLERPLACE_AREA": np.rint(from_quantiles_by(rng.random(n), place, facts["sellerplace"])),
    }


def _money(
    requests: Requests,
    yield_group: Column,
    size: FloatArray,
    facts: dict[str, Any],
    rng: np.random.Generator,
) -> dict[str, Column]:
    n = len(requests.owner)
    is_card = requests.contract == CARD
    credit = from_quantiles_by(tilt(size, SIZE_WEIGHT, rng), requests.kind, facts["credit"])
    credit = np.where(is_card, to_multiple(credit, CARD_STEP), to_multiple(credit, AMOUNT_STEP))
    zero_share = np.divide(facts["credit_zero"], np.maximum(facts["annuity_missing"], 1e-4))
    is_zero = requests.no_terms & (rng.random(n) < zero_share[requests.kind])
    credit = np.where(is_zero, 0.0, np.maximum(credit, CARD_STEP * is_card))
    share = from_quantiles_by(
        rng.random(n), np.minimum(requests.contract, CARD), facts["application_share"]
    )
    asked = to_multiple(credit * np.where(is_card, 1.0, share), AMOUNT_STEP)
    asked = np.where(is_card & (rng.random(n) < facts["application_zero_card"]), 0.0, asked)
    columns = _terms(requests, yield_group, credit, size, facts, rng)
    columns |= _down_payment(requests, asked, facts, rng)
    columns |= _rates(requests, facts, rng)
    columns |= {"AMT_CREDIT": credit, "AMT_APPLICATION": asked}
    return columns | {"AMT_GOODS_PRICE": blank(asked, (asked == 0) & (rng.random(n) >= ZERO_GOODS))}


def _terms(
    requests: Requests,
    yield_group: Column,
    credit: FloatArray,
    size: FloatArray,
    facts: dict[str, Any],
    rng: np.random.Generator,
) -> dict[str, Column]:
    if not isinstance(yield_group, Coded):
        raise TypeError("NAME_YIELD_GROUP is a string column.")
    n = len(requests.owner)
    is_card = requests.contract == CARD
    payments = take(
        facts["payments"],
        pick_by(tilt(size, SIZE_WEIGHT, rng), requests.product, facts["payment_shares"]),
    )
    payments = np.where(is_card, 0.0, np.maximum(payments, 3.0))
    factor = from_quantiles_by(rng.random(n), yield_group.codes, facts["cost_factor"])
    annuity = np.where(is_card, credit * CARD_ANNUITY, credit * factor / payments.clip(1))
    return {
        "CNT_PAYMENT": blank(payments, requests.no_terms),
        "AMT_ANNUITY": blank((annuity / 0.045).round() * 0.045, requests.no_terms),
    }


def _down_payment(
    requests: Requests, asked: FloatArray, facts: dict[str, Any], rng: np.random.Generator
) -> dict[str, Column]:
    n = len(requests.owner)
    rate = from_quantiles(rng.random(n), facts["down_rate"])
    rate = np.where(requests.contract == CONSUMER, rate, 0.0)
    amount = to_multiple(asked * rate, DOWN_PAYMENT_ROUNDING)
    unknown = rng.random(n) < take(facts["down_missing"], requests.kind)
    return {
        "AMT_DOWN_PAYMENT": blank(amount, unknown),
        "RATE_DOWN_PAYMENT": blank(np.where(amount > 0, rate, 0.0), unknown),
    }


def _rates(
    requests: Requests, facts: dict[str, Any], rng: np.random.Generator
) -> dict[str, Column]:
    n = len(requests.owner)
    is_known = (requests.contract == CONSUMER) & (rng.random(n) < facts["rate_share_consumer"])
    place = rng.random(n)
    return {
        f"RATE_INTEREST_{name.upper()}": blank(
            from_quantiles(place, facts[f"rate_{name}"]), ~is_known
        )
        for name in ("primary", "privileged")
    }
