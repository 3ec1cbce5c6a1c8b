"""Instalments and their payments: on loans by schedule, on cards month by month."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from steps.home_credit.columns import Column
from steps.home_credit.loans import Contracts
from steps.home_credit.marginals import (
    BoolArray,
    FloatArray,
    IntArray,
    blank,
    from_quantiles,
    number_within,
    tilt,
)
from steps.home_credit.profile import load_history

DAYS_PER_PAYMENT = 30
#: Shares of instalments; LATE is above the measured 0.084 because cards are late less often, and
#: SPLIT above 0.048 because each payment on a card has a number of its own.
SPLIT, LATE, ON_DAY_LOAN, ON_DAY_CARD = 0.0736, 0.105, 0.09, 0.58
UNDERPAID, OVERPAID, UNPAID = 0.002, 0.0132, 2.14e-4
LATE_WEIGHT, LATE_POWER = 0.5, 2.5
RESCHEDULED = 0.13
#: Share of the months since a card was first used with a second payment.
TWICE_A_MONTH = 0.385


def make_payments(
    loans: Contracts, cards: Contracts, card_months: Mapping[str, Column], rng: np.random.Generator
) -> dict[str, Column]:
    """All columns of installments_payments: first the loans, then the cards of the chunk."""
    dues = _loan_dues(loans, rng)
    on_cards = _card_dues(cards, card_months, rng)
    due = {name: np.concatenate([dues[name], on_cards[name]]) for name in dues}
    return _pay(due, rng)


def _loan_dues(loans: Contracts, rng: np.random.Generator) -> dict[str, FloatArray]:
    last = np.minimum(loans.last_due, -1)
    by_calendar = np.floor((last - loans.first_due) / DAYS_PER_PAYMENT) + 1
    n_left = loans.n_payments - loans.n_paid_before
    n_dues = np.clip(by_calendar, 1, n_left.clip(1)).astype(np.int64)
    loan = np.repeat(np.arange(len(n_dues)), n_dues)
    number = number_within(n_dues)
    changes_at = np.where(rng.random(len(n_dues)) < RESCHEDULED, rng.random(len(n_dues)), 1.0)
    version = 1 + (number >= np.ceil(changes_at * n_dues)[loan])
    paid_off = (number == n_dues[loan] - 1) & (n_dues < n_left)[loan] & loans.is_over[loan]
    left = (n_left - n_dues)[loan]
    amount = loans.annuity[loan] * np.where(paid_off, 1 + 0.8 * left, 1.0)
    lateness = tilt(loans.behaviour, LATE_WEIGHT, rng)
    return {
        "SK_ID_PREV": loans.key[loan],
        "SK_ID_CURR": loans.client[loan],
        "version": np.where(paid_off, 2, version),
        "number": loans.n_paid_before[loan] + number + 1,
        "day": loans.first_due[loan] + DAYS_PER_PAYMENT * number,
        "amount": np.maximum((amount / 0.045).round() * 0.045, 0.045),
        "late": lateness[loan],
    }


def _card_dues(
    cards: Contracts, months: Mapping[str, Column], rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Payments on a card: from the month of its first use on, one or two a month."""
    facts = load_history()["installments_payments"]
    key = np.asarray(months["SK_ID_PREV"])
    card = _group_of(key)
    used = np.flatnonzero(np.asarray(months["AMT_BALANCE"]) > 0)
    first_use = np.full(len(cards.key), len(key))
    np.minimum.at(first_use, card[used], used)
    since = np.flatnonzero(np.arange(len(key)) >= first_use[card])
    rows = np.repeat(since, 1 + (rng.random(len(since)) < TWICE_A_MONTH))
    n_dues = np.bincount(card[rows])
    lateness = tilt(cards.behaviour, LATE_WEIGHT, rng)[card[rows]]
    amount = from_quantiles(rng.random(len(rows)), facts["card_amount"])
    return {
        "SK_ID_PREV": key[rows],
        "SK_ID_CURR": np.asarray(months["SK_ID_CURR"])[rows],
        "version": np.zeros(len(rows)),
        "number": number_within(n_dues[n_dues > 0]) + 1,
        "day": np.asarray(months["MONTHS_BALANCE"])[rows] * 30.4 + rng.integers(0, 5, len(rows)),
        "amount": np.maximum((amount / 0.045).round() * 0.045, 0.045),
        "late": lateness * 0.6,
    }


def _group_of(key: IntArray) -> IntArray:
    return np.cumsum(np.concatenate([[0], np.diff(key) != 0]))[: len(key)]


def _pay(due: Mapping[str, FloatArray], rng: np.random.Generator) -> dict[str, Column]:
    n_dues = len(due["day"])
    is_on_loan = due["version"] > 0
    is_split = is_on_loan & (rng.random(n_dues) < SPLIT * 2 * due["late"])
    row = np.repeat(np.arange(n_dues), 1 + is_split)
    part = number_within(1 + is_split.astype(np.int64))
    amount = due["amount"][row]
    first_share = np.where(is_split[row], rng.beta(1, 3, n_dues)[row], 1.0)
    share = np.where(part == 0, first_share, 1 - first_share)
    draw = rng.random(len(row))
    share = np.where(draw < UNDERPAID, share * 0.9, share)
    share = np.where(draw > 1 - OVERPAID, share + 0.5, share)
    day = np.rint(due["day"][row]).clip(-2922, -1)
    paid_on = day + _delay(due["late"][row], due["version"][row] == 0, rng)
    unpaid = rng.random(len(row)) < UNPAID
    return {
        "SK_ID_PREV": due["SK_ID_PREV"][row],
        "SK_ID_CURR": due["SK_ID_CURR"][row],
        "NUM_INSTALMENT_VERSION": due["version"][row].astype(float),
        "NUM_INSTALMENT_NUMBER": due["number"][row],
        "DAYS_INSTALMENT": day,
        "DAYS_ENTRY_PAYMENT": blank(np.minimum(paid_on, -1), unpaid),
        "AMT_INSTALMENT": amount,
        "AMT_PAYMENT": blank((amount * share / 0.045).round() * 0.045, unpaid),
    }


def _delay(late: FloatArray, is_card: BoolArray, rng: np.random.Generator) -> FloatArray:
    facts = load_history()["installments_payments"]
    n = len(late)
    draw = rng.random(n)
    late_rate = LATE * (LATE_POWER + 1) * late**LATE_POWER
    on_day = np.where(is_card, ON_DAY_CARD, ON_DAY_LOAN)
    early = -np.rint(from_quantiles(rng.random(n), facts["early_days"]))
    after = np.rint(from_quantiles(rng.random(n), facts["late_days"])).clip(1)
    return np.where(draw < late_rate, after, np.where(draw > 1 - on_day, 0.0, early))
