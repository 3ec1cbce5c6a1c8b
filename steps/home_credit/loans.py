"""The loans and cards among the earlier applications that were paid out, with their calendar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.columns import Coded, Column
from steps.home_credit.marginals import BoolArray, FloatArray, IntArray

DAYS_PER_MONTH = 30.4
OLDEST_MONTH, NEWEST_MONTH = -96, -1
NO_DATE = 365_243.0


@dataclass(frozen=True)
class Contracts:
    """Contracts that were paid out: one entry each, in the order of the applicants.

    `n_paid_before` counts the instalments due before the oldest day of the tables.
    """

    key: IntArray
    client: IntArray
    behaviour: FloatArray
    n_payments: IntArray
    n_paid_before: IntArray
    annuity: FloatArray
    credit: FloatArray
    decided: FloatArray
    first_due: FloatArray
    last_due: FloatArray
    ended: FloatArray
    never_drawn: BoolArray

    @property
    def first_month(self) -> IntArray:
        """Month of the decision: -1 is the month before the application."""
        month = np.floor(self.decided / DAYS_PER_MONTH + 0.5).astype(np.int64)
        return month.clip(OLDEST_MONTH, NEWEST_MONTH)

    @property
    def is_over(self) -> BoolArray:
        """Whether the contract has ended before the application."""
        return self.ended < 0

    def at(self, rows: IntArray) -> Contracts:
        """The contracts of the given rows, in that order."""
        return Contracts(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def joined(self, others: Contracts) -> Contracts:
        """Both together, in the order of the applicants."""
        both = {
            field.name: np.concatenate([getattr(self, field.name), getattr(others, field.name)])
            for field in fields(self)
        }
        return Contracts(**both).at(np.argsort(both["client"], kind="stable"))


def find_contracts(people: Applicants, previous: Mapping[str, Column], kind: str) -> Contracts:
    """Paid-out contracts of a kind: "loan" (cash and consumer) or "card"."""
    contract, status = previous["NAME_CONTRACT_TYPE"], previous["NAME_CONTRACT_STATUS"]
    if not (isinstance(contract, Coded) and isinstance(status, Coded)):
        raise TypeError("NAME_CONTRACT_TYPE and NAME_CONTRACT_STATUS are string columns.")
    is_card = contract.is_in("Revolving loans")
    number = {name: c for name, c in previous.items() if isinstance(c, np.ndarray)}
    is_paid_out = status.is_in("Approved") & ~np.isnan(number["DAYS_FIRST_DUE"].astype(float))
    if kind == "loan":
        is_paid_out &= ~is_card & (number["DAYS_FIRST_DUE"].astype(float) < 0)
    rows = np.flatnonzero(is_paid_out & (is_card == (kind == "card")))
    owner = np.searchsorted(people.ids, number["SK_ID_CURR"][rows].astype(np.int64))
    values = {name: column[rows].astype(float) for name, column in number.items()}
    return Contracts(
        key=number["SK_ID_PREV"][rows].astype(np.int64),
        client=number["SK_ID_CURR"][rows].astype(np.int64),
        behaviour=people.behaviour[owner],
        n_payments=values["CNT_PAYMENT"].astype(np.int64),
        n_paid_before=np.zeros(len(rows), dtype=np.int64),
        annuity=values["AMT_ANNUITY"],
        credit=values["AMT_CREDIT"],
        decided=values["DAYS_DECISION"],
        first_due=values["DAYS_FIRST_DUE"],
        last_due=values["DAYS_LAST_DUE"],
        ended=values["DAYS_TERMINATION"],
        never_drawn=values["DAYS_FIRST_DRAWING"] == NO_DATE,
    )
