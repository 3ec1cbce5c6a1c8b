"""Month-by-month status of the bureau credits, with keys that the bureau table lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.columns import Column, coded
from steps.home_credit.marginals import (
    BoolArray,
    FloatArray,
    IntArray,
    number_within,
    take,
    tilt,
)
from steps.home_credit.profile import load_history

STATUSES = ("C", "X", "0", "1", "2", "3", "4", "5")
CLOSED, UNKNOWN, PAID, LATE = 0, 1, 2, 3
DEFAULTED = 7
DAYS_PER_MONTH = 30.4
OLDEST_MONTH = 96
#: Applicants with any monthly status among those with bureau credits: the real train/test skew.
COVERED_SHARE = {"train": 0.3042 / 0.8575, "test": 0.9992}
ORPHAN_SHARE = 0.0527
NEVER_CLOSED, DEFAULTED_CREDITS = 0.1, 0.003
MONTHS_PER_YEAR, MOST_YEARS, STOPPED_LONG = 12, 8, 0.82
DEFAULT_LASTS = 20
SILENT, LATE_SHARE, CLOSED_UNSAID = 0.5, 0.065, 0.85
LATE_WEIGHT = 0.4


@dataclass(frozen=True)
class _Months:
    """Credits to be written out: months since opening and since closing (-1: still open)."""

    keys: IntArray
    n_months: IntArray
    closed_for: IntArray
    skipped: IntArray
    behaviour: FloatArray


def count_orphans(people: Applicants, n_keys: int) -> int:
    """How many keys of the monthly table have no bureau credit, given the keys that have one."""
    return round(COVERED_SHARE[people.part] * n_keys * ORPHAN_SHARE / (1 - ORPHAN_SHARE))


def make_bureau_balance(
    people: Applicants,
    bureau: Mapping[str, Column],
    orphans: IntArray,
    rng: np.random.Generator,
) -> dict[str, Column]:
    """All columns of bureau_balance, newest month first within a credit."""
    months = _draw_months(people, bureau, orphans, rng)
    credit = np.repeat(np.arange(len(months.keys)), months.n_months)
    age = number_within(months.n_months) + months.skipped[credit]
    return {
        "SK_ID_BUREAU": months.keys[credit],
        "MONTHS_BALANCE": -age,
        "STATUS": coded(_status(months, credit, age, rng), STATUSES),
    }


def _draw_months(
    people: Applicants,
    bureau: Mapping[str, Column],
    orphans: IntArray,
    rng: np.random.Generator,
) -> _Months:
    owner = np.searchsorted(people.ids, np.asarray(bureau["SK_ID_CURR"]))
    opened = _months_ago(np.asarray(bureau["DAYS_CREDIT"], dtype=float))
    rows = np.flatnonzero(_is_covered(people, owner, opened, rng))
    # An orphan was opened before the oldest month, so the bureau table has forgotten it.
    copied = rng.choice(rows, len(orphans)) if len(rows) else rows
    opened = np.concatenate([opened[rows], np.full(len(copied), OLDEST_MONTH)])
    keys = np.concatenate([np.asarray(bureau["SK_ID_BUREAU"])[rows], orphans[: len(copied)]])
    rows = np.concatenate([rows, copied]).astype(np.int64)
    closing_day = np.asarray(bureau["DAYS_ENDDATE_FACT"], dtype=float)[rows]
    closed_for = np.where(np.isnan(closing_day), -1, _months_ago(np.nan_to_num(closing_day)))
    skipped = _skipped(people, opened, rng)
    return _Months(keys, opened + 1 - skipped, closed_for, skipped, people.behaviour[owner[rows]])


def _is_covered(
    people: Applicants, owner: IntArray, opened: IntArray, rng: np.random.Generator
) -> BoolArray:
    """Credits of the applicants with monthly data: the measured share of short and long histories.

    Every so many-th applicant in the order of the months: the number of rows is no luck.
    """
    months = np.bincount(owner, weights=opened + 1.0, minlength=len(people.ids))
    order = np.argsort(months, kind="stable")[np.count_nonzero(months == 0) :]
    so_far = np.floor(np.arange(len(order) + 1) * COVERED_SHARE[people.part] + rng.random())
    is_covered = np.zeros(len(people.ids), dtype=np.bool_)
    is_covered[order[np.diff(so_far) > 0]] = True
    return is_covered[owner]


def _skipped(people: Applicants, opened: IntArray, rng: np.random.Generator) -> IntArray:
    """Newest months without a report: in train any number of them, in test at most one."""
    shares = load_history()["bureau_balance"]["stopped_by_year"][people.part]
    years = np.minimum(opened // MONTHS_PER_YEAR, MOST_YEARS)
    has_stopped = rng.random(len(opened)) < take(shares, years)
    some = (
        np.ceil(opened * rng.random(len(opened)) ** STOPPED_LONG) if people.part == "train" else 1.0
    )
    return np.where(has_stopped, np.minimum(some, opened), 0).astype(np.int64)


def _months_ago(days: FloatArray) -> IntArray:
    return np.minimum(np.floor(-days / DAYS_PER_MONTH), OLDEST_MONTH).astype(np.int64)


def _status(months: _Months, credit: IntArray, age: IntArray, rng: np.random.Generator) -> IntArray:
    n_credits = len(months.keys)
    draw = rng.random(len(credit), dtype=np.float32)
    # Reporting of a credit stops or starts at some month: X on one side of it.
    unknown_until = np.where(rng.random(n_credits) < SILENT, rng.beta(1, 1.2, n_credits), 0.0)
    is_unknown = age >= ((1 - unknown_until) * (months.n_months + months.skipped))[credit]
    status = np.where(is_unknown, UNKNOWN, PAID)
    lateness = tilt(months.behaviour, LATE_WEIGHT, rng)
    late_rate = LATE_SHARE * lateness**3
    is_late = ~is_unknown & (draw < late_rate[credit])
    level = LATE + (draw < late_rate[credit] * 0.1) + (draw < late_rate[credit] * 0.04)
    status = np.where(is_late, level + (draw < late_rate[credit] * 0.015), status)
    defaulted = (lateness > 1 - DEFAULTED_CREDITS)[credit] & (age < DEFAULT_LASTS)
    status = np.where(defaulted, DEFAULTED, status)
    says_closed = (rng.random(n_credits) > NEVER_CLOSED)[credit]
    after_closing = np.where(says_closed, CLOSED, np.where(draw < CLOSED_UNSAID, UNKNOWN, PAID))
    return np.where(age < months.closed_for[credit], after_closing, status)
