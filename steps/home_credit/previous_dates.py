"""The six dates of an earlier application: decision, drawing, dues, end; and its insurance."""

from __future__ import annotations

from typing import Any

import numpy as np

from steps.home_credit.columns import Column
from steps.home_credit.marginals import (
    BoolArray,
    FloatArray,
    IntArray,
    blank,
    from_quantiles,
    from_quantiles_by,
)
from steps.home_credit.previous_requests import APPROVED, CARD, CONSUMER, Requests

NO_DATE = 365_243.0
DAYS_PER_PAYMENT = 30
OLDEST_DAY, LATEST_DAY = -2922, -2
FIRST_DUE_NEVER = 0.001
#: The longer ago a card was given out, the likelier it was used.
CARD_NEVER_USED, CARD_USED_PER_DAY = 0.47, 1.4e-4
CARD_FIRST_DUE_NEVER, CARD_ENDED, CARD_LAST_DUE = 0.05, 0.19, 0.40
#: Approved applications but the first without any date, per contract type (cash, consumer, card).
WITHOUT_DATES = np.array([0.124, 0.040, 0.043, 1.0])
WITHOUT_IF_NEW, WITHOUT_IF_OLD = 1.3, -1.0


def make_dates(
    requests: Requests,
    decided: FloatArray,
    payments: FloatArray,
    facts: dict[str, Any],
    rng: np.random.Generator,
) -> dict[str, Column]:
    """DAYS_DECISION and the five dates that only approved applications have."""
    decided = np.rint(decided).clip(OLDEST_DAY, LATEST_DAY)
    status, contract = requests.status, requests.contract
    rate = WITHOUT_DATES[contract] * (WITHOUT_IF_NEW + decided / OLDEST_DAY * WITHOUT_IF_OLD)
    without = (rng.random(len(status)) < rate) & ~requests.is_first
    unknown = (status != APPROVED) | without
    is_card = contract == CARD
    loan = _loan_dates(np.minimum(contract, CONSUMER), decided, np.nan_to_num(payments), facts, rng)
    card = _card_dates(decided, facts, rng)
    dates = {name: blank(np.where(is_card, card[name], loan[name]), unknown) for name in loan}
    insured = rng.random(len(status)) < np.append(facts["insured"], 0)[contract]
    flag = blank(insured.astype(np.float64), unknown)
    return {"DAYS_DECISION": decided, **dates, "NFLAG_INSURED_ON_APPROVAL": flag}


def _loan_dates(
    kind: IntArray,
    decided: FloatArray,
    payments: FloatArray,
    facts: dict[str, Any],
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    n = len(decided)
    first = np.rint(decided + from_quantiles(rng.random(n), facts["first_due_after"]))
    planned = first + DAYS_PER_PAYMENT * (payments - 1).clip(0)
    # A cash loan is paid off early after so many months, a consumer loan after a part of its term.
    paid_off_after = from_quantiles_by(rng.random(n), kind, facts["paid_off_after"])
    n_dues = np.ceil(np.where(kind == CONSUMER, paid_off_after * payments, paid_off_after))
    last = np.minimum(planned, first + DAYS_PER_PAYMENT * (n_dues - 1).clip(0))
    ended = last + np.rint(from_quantiles(rng.random(n), facts["termination_after"])).clip(1)
    never = (first > LATEST_DAY) | (rng.random(n) < FIRST_DUE_NEVER)
    return {
        "DAYS_FIRST_DRAWING": np.full(n, NO_DATE),
        "DAYS_FIRST_DUE": _or_none(first, never),
        "DAYS_LAST_DUE_1ST_VERSION": planned,
        "DAYS_LAST_DUE": _or_none(last, last > LATEST_DAY),
        "DAYS_TERMINATION": _or_none(ended, ended > LATEST_DAY),
    }


def _card_dates(
    decided: FloatArray, facts: dict[str, Any], rng: np.random.Generator
) -> dict[str, FloatArray]:
    n = len(decided)
    drawn = np.rint(decided + from_quantiles(rng.random(n), facts["card_drawing_after"]))
    never = (CARD_NEVER_USED + CARD_USED_PER_DAY * decided).clip(0.05)
    no_drawing = (drawn > LATEST_DAY) | (rng.random(n) < never)
    due = drawn + rng.integers(15, 60, n).astype(np.float64)
    no_due = no_drawing | (due > LATEST_DAY) | (rng.random(n) < CARD_FIRST_DUE_NEVER)
    last = np.rint(due * rng.random(n))
    ended = np.rint(decided * rng.random(n))
    no_last = no_due | (last > LATEST_DAY) | (rng.random(n) > CARD_LAST_DUE)
    return {
        "DAYS_FIRST_DRAWING": _or_none(drawn, no_drawing),
        "DAYS_FIRST_DUE": _or_none(due, no_due),
        "DAYS_LAST_DUE_1ST_VERSION": np.full(n, NO_DATE),
        "DAYS_LAST_DUE": _or_none(last, no_last),
        "DAYS_TERMINATION": _or_none(ended, (ended > LATEST_DAY) | (rng.random(n) > CARD_ENDED)),
    }


def _or_none(days: FloatArray, never: BoolArray) -> FloatArray:
    return np.where(never, NO_DATE, days)
