"""Monthly balances of earlier consumer (POS) and cash loans."""

from __future__ import annotations

import numpy as np

from steps.home_credit.columns import Column, coded
from steps.home_credit.loans import DAYS_PER_MONTH, NEWEST_MONTH, Contracts
from steps.home_credit.marginals import (
    BoolArray,
    FloatArray,
    IntArray,
    blank,
    from_quantiles,
    number_within,
    pick,
    spread,
    tilt,
)
from steps.home_credit.profile import load_history

STATUSES = (
    "Active",
    "Completed",
    "Signed",
    "Demand",
    "Returned to the store",
    "Approved",
    "Amortized debt",
    "Canceled",
    "XNA",
)
RARE_SHARES = np.array([0.00085, 0.00064, 0.00048, 0.00027, 7e-6, 1e-6])
COMPLETED, SIGNED, FIRST_RARE = 1, 2, 3
SHORTENED = 0.4
SIGNED_SHARE, UNKNOWN_COUNTS, FUTURE_ABOVE_COUNT = 0.09, 0.0026, 0.0007
DAYS_LATE_WEIGHT, LATE_LOANS, LATE_MONTHS, LATE_DEF = 0.4, 0.10, 0.36, 0.41
DAYS_IN_MONTH = 30


def make_pos_balance(loans: Contracts, rng: np.random.Generator) -> dict[str, Column]:
    """All columns of POS_CASH_balance, oldest month first within a loan."""
    first = loans.first_month
    n_months = np.maximum(_last_month(loans, rng) - first, 0) + 1
    loan = np.repeat(np.arange(len(first)), n_months)
    number = number_within(n_months)
    is_last = (number == n_months[loan] - 1) & loans.is_over[loan]
    columns: dict[str, Column] = {
        "SK_ID_PREV": loans.key[loan],
        "SK_ID_CURR": loans.client[loan],
        "MONTHS_BALANCE": first[loan] + number,
        "NAME_CONTRACT_STATUS": _status(is_last, number, rng),
    }
    columns |= _counts(loans, loan, number, is_last, rng)
    return columns | _days_late(loans, loan, number, rng)


def _last_month(loans: Contracts, rng: np.random.Generator) -> IntArray:
    """The month of the end; of a loan that goes on, one of the last before the application."""
    shares = load_history()["POS_CASH_balance"]["last_month_shares"]
    newest = NEWEST_MONTH - pick(spread(len(loans.key), rng), shares)
    ended = np.floor(loans.ended / DAYS_PER_MONTH + 0.5).astype(np.int64)
    return np.where(loans.is_over, ended.clip(max=NEWEST_MONTH), newest)


def _status(is_last: BoolArray, number: IntArray, rng: np.random.Generator) -> Column:
    draw = rng.random(len(number))
    codes = np.where((number == 0) & (draw < SIGNED_SHARE), SIGNED, 0)
    edges = 1 - np.cumsum(RARE_SHARES[::-1])[::-1]
    rare = np.searchsorted(edges, draw, side="right")
    codes = np.where(rare > 0, FIRST_RARE - 1 + rare, codes)
    return coded(np.where(is_last, COMPLETED, codes), STATUSES)


def _counts(
    loans: Contracts, loan: IntArray, number: IntArray, is_last: BoolArray, rng: np.random.Generator
) -> dict[str, Column]:
    n = len(loan)
    total = loans.n_payments[loan].clip(1)
    done = loans.n_paid_before[loan] + number
    left = np.where(is_last, 0, (total - done).clip(0))
    total = np.where(is_last & (rng.random(n) < SHORTENED), np.minimum(total, done + 1), total)
    draw = rng.random(n)
    left = np.where(draw < FUTURE_ABOVE_COUNT, total + 1, left)
    unknown = draw > 1 - UNKNOWN_COUNTS
    return {
        "CNT_INSTALMENT": blank(total.astype(float), unknown),
        "CNT_INSTALMENT_FUTURE": blank(left.astype(float), unknown),
    }


def _days_late(
    loans: Contracts, loan: IntArray, number: IntArray, rng: np.random.Generator
) -> dict[str, Column]:
    facts = load_history()["POS_CASH_balance"]
    badness = tilt(loans.behaviour, DAYS_LATE_WEIGHT, rng)
    is_late = (badness > 1 - LATE_LOANS)[loan] & (rng.random(len(loan)) < LATE_MONTHS)
    is_late &= number > 0
    days = np.zeros(len(loan))
    days[is_late] = _some_days(facts["dpd"], int(is_late.sum()), rng)
    with_tolerance = np.zeros(len(loan))
    counts = is_late & (rng.random(len(loan)) < LATE_DEF)
    with_tolerance[counts] = _some_days(facts["dpd_def"], int(counts.sum()), rng)
    return {"SK_DPD": days, "SK_DPD_DEF": np.minimum(with_tolerance, days)}


def _some_days(quantiles: list[float], n: int, rng: np.random.Generator) -> FloatArray:
    return np.rint(from_quantiles(rng.random(n), quantiles)).clip(1)
