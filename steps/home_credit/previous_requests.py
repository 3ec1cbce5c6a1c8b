"""What an earlier application asked for and what became of it: outcome, product, contract type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.marginals import (
    BoolArray,
    FloatArray,
    IntArray,
    evenly,
    number_within,
    pick,
    pick_by,
    spread_by,
    take,
    tilt,
)

APPROVED, UNUSED, CANCELED, REFUSED = range(4)
CASH, CONSUMER, CARD, NO_TYPE = range(4)
OUTCOME_WEIGHT = 0.27


@dataclass(frozen=True)
class Requests:
    """What the other columns of an earlier application follow from, ordered by applicant."""

    owner: IntArray
    is_first: BoolArray
    status: IntArray
    product: IntArray
    contract: IntArray
    no_terms: BoolArray

    @property
    def kind(self) -> IntArray:
        """Contract type and outcome as one of the profile's 16 kinds."""
        return self.contract * 4 + self.status


def draw_requests(people: Applicants, facts: dict[str, Any], rng: np.random.Generator) -> Requests:
    """As many requests as each applicant made, with outcome and product."""
    counts = people.count("previous_application")
    owner = np.repeat(np.arange(len(people.ids)), counts)
    is_first = number_within(counts) == 0
    outcome = tilt(people.behaviour[owner], OUTCOME_WEIGHT, rng)
    status = _status(outcome, is_first, facts["status_shares"][people.part])
    contract_of = np.asarray(facts["contract_of_product"])
    product = pick_by(spread_by(status, rng), status, facts["product_shares"][people.part])
    approved = np.flatnonzero(status == APPROVED)
    product[approved] = _one_card_each(
        product[approved],
        contract_of[product[approved]] == CARD,
        owner[approved],
        is_first[approved],
        rng,
    )
    contract = contract_of[product]
    no_terms = rng.random(len(owner)) < take(facts["annuity_missing"], contract * 4 + status)
    no_terms &= status != APPROVED
    return Requests(owner, is_first, status, product, contract, no_terms)


def _status(outcome: FloatArray, is_first: BoolArray, shares: list[float]) -> IntArray:
    """Nearly every client had one loan approved; the others make up the measured shares."""
    approved, *others = shares
    first = is_first.mean() if len(is_first) else 0.0
    left = max(approved - first, 0.0) / (1 - first)
    rest = [share * (1 - left) / (1 - approved) for share in others]
    status = np.full(len(outcome), APPROVED, dtype=np.int64)
    status[~is_first] = pick(evenly(outcome[~is_first]), [left, *rest])
    return status


def _one_card_each(
    product: IntArray,
    is_card: BoolArray,
    owner: IntArray,
    is_first: BoolArray,
    rng: np.random.Generator,
) -> IntArray:
    """The same approved products, so dealt that nobody has two cards or only a card.

    A card that the client cannot have changes places with a loan of a client without a card.
    """
    later = rng.permutation(np.flatnonzero(~is_first))
    kept = _first_of_each(later[is_card[later]], owner)
    moved = np.setdiff1d(np.flatnonzero(is_card), kept)
    free = later[~np.isin(owner[later], owner[kept])]
    takers = _first_of_each(free, owner)[: len(moved)]
    moved = moved[: len(takers)]
    dealt = product.copy()
    dealt[takers], dealt[moved] = product[moved], product[takers]
    return dealt


def _first_of_each(rows: IntArray, owner: IntArray) -> IntArray:
    """The rows, in their order, without those whose owner has come before."""
    _, places = np.unique(owner[rows], return_index=True)
    return rows[np.sort(places)]
