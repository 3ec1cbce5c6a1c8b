"""Credits at other lenders, one row per credit, as reported to the credit bureau."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.columns import Column, coded
from steps.home_credit.marginals import (
    BoolArray,
    FloatArray,
    IntArray,
    blank,
    from_quantiles,
    from_quantiles_by,
    pick,
    pick_by,
    take,
    tilt,
)
from steps.home_credit.profile import load_history

CLOSED, SOLD, ACTIVE, BAD_DEBT = range(4)
CARD = 1
#: First group of the profile's seven (state, kind of credit) groups, per state.
FIRST_GROUP = np.array([0, 3, 4, 3])
OPEN_WITH_DATE, CLOSED_WITHOUT_DATE, SOLD_WITHOUT_DATE = 0.0030, 0.00012, 0.81
OVERDUE_NOW, NEGATIVE_DEBT, CLOSED_DEBT = 0.0028, 0.006, 0.012
DAYS_TO_REPORT = 4
NO_SUM = 1e-5
STATE_WEIGHT, RECENT_WEIGHT, DEBT_WEIGHT, OVERDUE_WEIGHT = 0.27, 0.12, 0.3, 0.45


@dataclass(frozen=True)
class Credits:
    """What the other columns of a credit follow from."""

    owner: IntArray
    behaviour: FloatArray
    state: IntArray
    kind: IntArray
    group: IntArray
    opened: FloatArray

    def rates(self, facts: dict[str, Any], name: str) -> FloatArray:
        """A measured share for the group of each credit."""
        return take(facts[name], self.group)


def make_bureau(people: Applicants, rng: np.random.Generator) -> dict[str, Column]:
    """All columns of the bureau table but SK_ID_BUREAU, ordered by applicant."""
    facts = load_history()["bureau"]
    credits = _draw_credits(people, facts, rng)
    columns: dict[str, Column] = {
        "SK_ID_CURR": people.ids[credits.owner],
        "CREDIT_ACTIVE": coded(credits.state, facts["states"]),
        "CREDIT_TYPE": coded(credits.kind, facts["types"]),
        "CREDIT_CURRENCY": _currency(credits, facts, rng),
        "CNT_CREDIT_PROLONG": pick(rng.random(len(credits.owner)), facts["prolong_shares"]),
    }
    columns |= _dates(credits, facts, rng)
    columns |= _overdue(credits, facts, rng)
    columns |= _amounts(credits, facts, rng)
    columns["AMT_ANNUITY"] = _annuity(people, credits, facts, rng)
    return columns


def _draw_credits(people: Applicants, facts: dict[str, Any], rng: np.random.Generator) -> Credits:
    owner = np.repeat(np.arange(len(people.ids)), people.count("bureau"))
    behaviour = people.behaviour[owner]
    state = pick(tilt(behaviour, STATE_WEIGHT, rng), facts["state_shares"])
    kind = pick_by(rng.random(len(owner)), state, facts["type_shares"])
    is_grouped = np.isin(state, (CLOSED, ACTIVE))
    group = FIRST_GROUP[state] + np.where(is_grouped, np.minimum(kind, 2), 0)
    recent = tilt(behaviour, RECENT_WEIGHT, rng)
    opened = np.rint(from_quantiles_by(recent, group, facts["days_credit"])).clip(-2922, 0)
    return Credits(owner, behaviour, state, kind, group, opened)


def _currency(credits: Credits, facts: dict[str, Any], rng: np.random.Generator) -> Column:
    codes = pick(rng.random(len(credits.owner)), facts["currency_shares"])
    return coded(codes, facts["currencies"])


def _dates(credits: Credits, facts: dict[str, Any], rng: np.random.Generator) -> dict[str, Column]:
    n = len(credits.owner)
    planned = from_quantiles_by(rng.random(n), credits.group, facts["duration"])
    enddate = np.rint(credits.opened + planned)
    closed_on = _closing_day(credits, enddate, facts, rng)
    updated = np.rint(from_quantiles(rng.random(n), facts["update_open"]))
    after = closed_on + from_quantiles(rng.random(n), facts["update_after_fact"])
    after = np.where(after > -1, np.minimum(closed_on + DAYS_TO_REPORT, -1), after)
    updated = np.where(credits.state == CLOSED, np.rint(after), updated)
    return {
        "DAYS_CREDIT": credits.opened,
        "DAYS_CREDIT_ENDDATE": blank(
            enddate, rng.random(n) < credits.rates(facts, "enddate_missing")
        ),
        "DAYS_ENDDATE_FACT": blank(closed_on, _has_no_closing_day(credits, rng)),
        "DAYS_CREDIT_UPDATE": np.maximum(updated, credits.opened),
    }


def _closing_day(
    credits: Credits, enddate: FloatArray, facts: dict[str, Any], rng: np.random.Generator
) -> FloatArray:
    n = len(enddate)
    shifted = enddate + from_quantiles(rng.random(n), facts["fact_after_enddate"])
    any_day = credits.opened * rng.random(n)
    is_possible = (shifted <= 0) & (shifted >= credits.opened)
    return np.rint(np.where(is_possible, shifted, any_day))


def _has_no_closing_day(credits: Credits, rng: np.random.Generator) -> BoolArray:
    shares = np.array([CLOSED_WITHOUT_DATE, SOLD_WITHOUT_DATE, 1 - OPEN_WITH_DATE, 1.0])
    return np.asarray(rng.random(len(credits.state)) < shares[credits.state])


def _overdue(
    credits: Credits, facts: dict[str, Any], rng: np.random.Generator
) -> dict[str, Column]:
    n = len(credits.owner)
    badness = tilt(credits.behaviour, OVERDUE_WEIGHT, rng)
    was_late = badness > 1 - credits.rates(facts, "max_overdue_positive")
    most = np.where(was_late, from_quantiles(rng.random(n), facts["max_overdue"]).round(2), 0.0)
    is_late = (credits.state != CLOSED) & (badness > 1 - OVERDUE_NOW / 0.37)
    days = np.rint(from_quantiles(rng.random(n), facts["day_overdue"])).clip(1)
    amount = from_quantiles(rng.random(n), facts["sum_overdue"]).round(2)
    return {
        "AMT_CREDIT_MAX_OVERDUE": blank(
            most, rng.random(n) < credits.rates(facts, "max_overdue_missing")
        ),
        "CREDIT_DAY_OVERDUE": np.where(is_late, days, 0),
        "AMT_CREDIT_SUM_OVERDUE": np.where(is_late, amount, 0.0),
    }


def _amounts(
    credits: Credits, facts: dict[str, Any], rng: np.random.Generator
) -> dict[str, Column]:
    n = len(credits.owner)
    total = from_quantiles_by(rng.random(n), credits.group, facts["sum"]).round(2)
    debt_place = tilt(credits.behaviour, DEBT_WEIGHT, rng)
    zero_share = credits.rates(facts, "debt_zero")
    part = np.clip((debt_place - zero_share) / (1 - zero_share + 1e-9), 0, 1)
    debt = total * from_quantiles_by(part, credits.group, facts["debt_share"])
    debt = np.where(debt_place < zero_share, 0.0, debt.round(2))
    debt = np.where(rng.random(n) < NEGATIVE_DEBT, -np.abs(total * 0.02).round(2), debt)
    has_limit = rng.random(n) < credits.rates(facts, "limit_positive")
    limit = np.where(has_limit, from_quantiles(rng.random(n), facts["limit"]).round(2), 0.0)
    return {
        "AMT_CREDIT_SUM": blank(total, rng.random(n) < NO_SUM),
        "AMT_CREDIT_SUM_DEBT": blank(debt, rng.random(n) < credits.rates(facts, "debt_missing")),
        "AMT_CREDIT_SUM_LIMIT": blank(limit, rng.random(n) < credits.rates(facts, "limit_missing")),
    }


def _annuity(
    people: Applicants, credits: Credits, facts: dict[str, Any], rng: np.random.Generator
) -> FloatArray:
    n = len(credits.owner)
    amount = from_quantiles(rng.random(n), facts["annuity"]).round(2)
    amount = np.where(rng.random(n) < facts["annuity_zero"], 0.0, amount)
    return blank(amount, rng.random(n) < facts["annuity_missing"][people.part])
