"""Contracts opened more than eight years before the application.

previous_application has forgotten them, but their balances and payments since then are still
there: a balance whose SK_ID_PREV is in no other table is no mistake, it is as in the real data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.loans import DAYS_PER_MONTH, NO_DATE, OLDEST_MONTH, Contracts
from steps.home_credit.marginals import FloatArray, IntArray, from_quantiles, spread
from steps.home_credit.profile import load_history

TakeKeys = Callable[[int], IntArray]

#: Applicants with such a loan or card; the more requests since, the likelier a loan.
LOAN_OWNERS, LOANS_PER_OWNER = {"train": 0.0846, "test": 0.1234}, {"train": 1.128, "test": 1.19}
CARD_OWNERS = {"train": 0.0304, "test": 0.0462}
WEIGHT_ALONE, WEIGHT_PER_REQUEST, MOST_REQUESTS = 0.45, 0.18, 9
UNUSED_CARDS = 0.13
MOST_PAID_BEFORE, DAYS_PER_PAYMENT, DAYS_TO_END = 24, 30, 5
BEFORE_ALL = float(np.floor(OLDEST_MONTH * DAYS_PER_MONTH))


def draw_older_loans(
    people: Applicants, loans: Contracts, take_keys: TakeKeys, rng: np.random.Generator
) -> Contracts:
    """Loans whose last instalments fell into the last eight years; terms as of newer loans."""
    requests = people.count("previous_application").clip(max=MOST_REQUESTS)
    weights = WEIGHT_ALONE + WEIGHT_PER_REQUEST * requests.astype(np.float64)
    owners = _draw_owners(LOAN_OWNERS[people.part], weights, rng)
    owners = np.repeat(owners, rng.geometric(1 / LOANS_PER_OWNER[people.part], len(owners)))
    older = _like(loans, people, owners, take_keys, rng)
    months = load_history()["POS_CASH_balance"]["older_months"][people.part]
    n_left = np.rint(from_quantiles(spread(len(older.key), rng), months)).astype(np.int64)
    last_due = (OLDEST_MONTH + n_left - 1) * DAYS_PER_MONTH - DAYS_TO_END
    paid_before = rng.integers(1, MOST_PAID_BEFORE, len(n_left))
    return replace(
        older,
        n_payments=paid_before + n_left,
        n_paid_before=paid_before,
        first_due=np.rint(last_due - DAYS_PER_PAYMENT * (n_left - 1)),
        last_due=np.rint(last_due),
        ended=np.rint(last_due + DAYS_TO_END),
    )


def draw_older_cards(
    people: Applicants, cards: Contracts, take_keys: TakeKeys, rng: np.random.Generator
) -> Contracts:
    """Cards that have been open ever since; their owners have no newer card."""
    weights = (~np.isin(people.ids, cards.client)).astype(np.float64)
    owners = _draw_owners(CARD_OWNERS[people.part], weights, rng)
    older = _like(cards, people, owners, take_keys, rng)
    return replace(older, never_drawn=rng.random(len(older.key)) < UNUSED_CARDS)


def _draw_owners(share: float, weights: FloatArray, rng: np.random.Generator) -> IntArray:
    n_owners = min(round(share * len(weights)), int(np.count_nonzero(weights)))
    chances = weights / max(weights.sum(), 1)
    return np.sort(rng.choice(len(weights), n_owners, replace=False, p=chances))


def _like(
    contracts: Contracts,
    people: Applicants,
    owners: IntArray,
    take_keys: TakeKeys,
    rng: np.random.Generator,
) -> Contracts:
    """Contracts of the owners with terms of others, decided before the oldest month."""
    if not len(contracts.key):
        owners = owners[:0]
    like = contracts.at(rng.integers(0, max(len(contracts.key), 1), len(owners)))
    return replace(
        like,
        key=take_keys(len(owners)),
        client=people.ids[owners],
        behaviour=people.behaviour[owners],
        decided=np.full(len(owners), BEFORE_ALL),
        ended=np.full(len(owners), NO_DATE),
    )
