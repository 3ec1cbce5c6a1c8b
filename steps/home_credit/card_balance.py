"""Monthly balances of earlier credit cards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.home_credit.columns import Column, coded
from steps.home_credit.loans import NEWEST_MONTH, Contracts
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
    to_multiple,
)
from steps.home_credit.profile import load_history

STATUSES = ("Active", "Completed", "Signed", "Sent proposal", "Refused", "Demand", "Approved")
STATUS_SHARES = (0.9612, 0.0353, 0.0033, 0.00014, 9e-6, 2e-5, 1e-6)
KINDS = ("ATM", "OTHER", "POS")
LIMIT_STEP, LIMIT_ZERO, ABOVE_LIMIT = 45_000.0, 0.19, 0.0035
NEVER_USED, IN_USE_TILT, USED_WEIGHT = 0.05, 1.4, 0.35
UNKNOWN_IF_IDLE, UNKNOWN_REGULARITY, UNKNOWN_PAYMENT = 0.89, 0.079, 0.012
CASH_DRAWN, OTHER_DRAWN, PARTLY_CASH = 0.84, 0.02, 0.4
PAYS_LEAST, STRAY_PAYMENT = 0.4, 0.75
DRAWS_IF_USED, MIN_PAYMENT, PRINCIPAL = 0.36, 0.05, 0.96
LATE_CARDS, LATE_MONTHS, LATE_DEF, LATE_WEIGHT = 0.22, 0.27, 0.5, 0.3


@dataclass(frozen=True)
class _Usage:
    """One entry per card and month."""

    card: IntArray
    number: IntArray
    limit: FloatArray
    balance: FloatArray
    drawn: FloatArray
    is_known: BoolArray


def make_card_balance(cards: Contracts, rng: np.random.Generator) -> dict[str, Column]:
    """All columns of credit_card_balance, oldest month first within a card."""
    facts = load_history()["credit_card_balance"]
    gap = pick(spread(len(cards.key), rng), facts["last_month_shares"])
    last_month = np.maximum(NEWEST_MONTH - gap, cards.first_month)
    n_months = last_month - cards.first_month + 1
    use = _draw_usage(cards, n_months, facts, rng)
    status = np.searchsorted(np.cumsum(STATUS_SHARES)[:-1], rng.random(len(use.card)))
    columns: dict[str, Column] = {
        "SK_ID_PREV": cards.key[use.card],
        "SK_ID_CURR": cards.client[use.card],
        "MONTHS_BALANCE": cards.first_month[use.card] + use.number,
        "AMT_BALANCE": use.balance,
        "AMT_CREDIT_LIMIT_ACTUAL": use.limit,
        "NAME_CONTRACT_STATUS": coded(status, STATUSES),
    }
    columns |= _drawings(use, rng)
    columns |= _payments(use, rng)
    return columns | _days_late(cards, use, facts, rng)


def _draw_usage(
    cards: Contracts, n_months: IntArray, facts: dict[str, Any], rng: np.random.Generator
) -> _Usage:
    card = np.repeat(np.arange(len(n_months)), n_months)
    number = number_within(n_months)
    n = len(card)
    habit = tilt(cards.behaviour, USED_WEIGHT, rng)
    in_use_share = (habit * IN_USE_TILT - NEVER_USED).clip(0, 1) * ~cards.never_drawn
    in_use = rng.random(n) < in_use_share[card]
    limit = np.maximum(to_multiple(cards.credit, LIMIT_STEP), LIMIT_STEP)[card]
    limit = np.where(~in_use & (rng.random(n) < LIMIT_ZERO / 0.58), 0.0, limit)
    place = (0.7 * habit[card] + 0.3 * rng.random(n)).clip(0, 1)
    used = from_quantiles(place, facts["utilisation"])
    used = np.where(rng.random(n) < ABOVE_LIMIT / 0.43, np.maximum(used, 1.15), used.clip(0, 1.1))
    balance = np.where(in_use, (limit * used).round(3), 0.0)
    drawn_share = from_quantiles(rng.random(n), facts["drawing_share"])
    draws = in_use & (rng.random(n) < DRAWS_IF_USED) & (limit > 0)
    drawn = np.where(draws, to_multiple(limit * drawn_share, 4.5), 0.0)
    starts_late = cards.never_drawn & (rng.random(len(n_months)) < UNKNOWN_IF_IDLE)
    return _Usage(card, number, limit, balance, drawn, ~starts_late[card])


def _drawings(use: _Usage, rng: np.random.Generator) -> dict[str, Column]:
    n = len(use.card)
    has_cash = rng.random(n) < CASH_DRAWN
    other = rng.random(n) < OTHER_DRAWN
    cash_part = np.where(has_cash, np.where(rng.random(n) < PARTLY_CASH, rng.random(n), 1.0), 0.0)
    cash = to_multiple(use.drawn * cash_part * ~other, 4.5)
    rest = (use.drawn - cash).round(3)
    parts = {"ATM": cash, "OTHER": np.where(other, rest, 0.0), "POS": np.where(other, 0.0, rest)}
    counts = {
        kind: np.where(amount > 0, 1 + rng.geometric(0.45 if kind == "ATM" else 0.25, n) - 1, 0)
        for kind, amount in parts.items()
    }
    total = sum(counts.values(), np.zeros(n, dtype=np.int64))
    columns: dict[str, Column] = {"AMT_DRAWINGS_CURRENT": use.drawn, "CNT_DRAWINGS_CURRENT": total}
    for kind in KINDS:
        columns[f"AMT_DRAWINGS_{kind}_CURRENT"] = blank(parts[kind], ~use.is_known)
        columns[f"CNT_DRAWINGS_{kind}_CURRENT"] = blank(counts[kind].astype(float), ~use.is_known)
    return columns


def _payments(use: _Usage, rng: np.random.Generator) -> dict[str, Column]:
    n = len(use.card)
    has_balance = use.balance > 0
    least = np.where(
        has_balance, to_multiple(np.minimum(use.limit * MIN_PAYMENT, use.balance), 0.045), 0
    )
    times = np.where(rng.random(n) < PAYS_LEAST, 1.0, rng.gamma(1.2, 1.6, n)).clip(0, 40)
    paid = np.where(has_balance, to_multiple(least * times, 0.045), 0.0)
    stray = np.where(rng.random(n) < STRAY_PAYMENT, rng.lognormal(5.3, 1.6, n).round(2), 0.0)
    current = np.where(has_balance, paid, stray)
    unknown = ~use.is_known | (rng.random(n) < UNKNOWN_PAYMENT)
    no_regularity = rng.random(n) < UNKNOWN_REGULARITY
    owed = np.where(rng.random(n) < 0.027 / 0.57, -stray, 0.0)
    receivable = np.where(has_balance, use.balance, owed)
    return {
        "AMT_INST_MIN_REGULARITY": blank(least, no_regularity),
        "CNT_INSTALMENT_MATURE_CUM": blank(_matured(use), no_regularity),
        "AMT_PAYMENT_CURRENT": blank(current, unknown),
        "AMT_PAYMENT_TOTAL_CURRENT": paid,
        "AMT_RECEIVABLE_PRINCIPAL": (use.balance * PRINCIPAL).round(3),
        "AMT_RECIVABLE": receivable,
        "AMT_TOTAL_RECEIVABLE": receivable,
    }


def _matured(use: _Usage) -> FloatArray:
    """Months with a balance so far on the same card."""
    so_far = np.cumsum(use.balance > 0)
    is_first = use.number == 0
    before = so_far[is_first] - (use.balance > 0)[is_first]
    return np.asarray(so_far - before[use.card], dtype=np.float64)


def _days_late(
    cards: Contracts, use: _Usage, facts: dict[str, Any], rng: np.random.Generator
) -> dict[str, Column]:
    n = len(use.card)
    badness = tilt(cards.behaviour, LATE_WEIGHT, rng)
    is_late = (badness > 1 - LATE_CARDS)[use.card] & (use.balance > 0)
    is_late &= rng.random(n) < LATE_MONTHS
    days = np.where(is_late, np.rint(from_quantiles(rng.random(n), facts["dpd"])).clip(1), 0.0)
    tolerated = is_late & (rng.random(n) < LATE_DEF)
    return {"SK_DPD": days, "SK_DPD_DEF": np.where(tolerated, np.minimum(days, 1), 0.0)}
