"""Where the rows of the benchmarks of monitoring come from: columns as credit data have them.

120 columns: normal, skewed, zero-inflated and whole numbers, some with gaps, and categories. An
event that few rows have moves the first ten. Rows of a window are drawn as those of the
training were, but for a planted change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["OUTCOME", "SCORE", "TOP", "Change", "World", "importance"]

N_COLUMNS = 120
SCORE, OUTCOME = "probability", "outcome"
TOP = ("number_000", "gaps_007", "kind_008", "amount_005", "count_006")
"""The most important columns, the first one first: one of each kind."""
EVENT_RATE = 0.08
EFFECT = 0.3
N_TELLING = 10
SAME_PERSON = 0.8
"""How much of a column's variance lies between persons, where one has several rows."""


@dataclass(frozen=True)
class Change:
    """What is planted into a window; nothing by default.

    Attributes:
        shift: Of ``number_000``, in standard deviations.
        missing: Of ``number_000``, which had none, so many become missing.
        more_missing: Of ``gaps_007``, which had 10%, so many of all rows become missing too.
        unseen: Of ``kind_008``, so many have a category that the training did not have.
        event_rate: Of the rows; within events and others nothing changes (label shift).
    """

    shift: float = 0.0
    missing: float = 0.0
    more_missing: float = 0.0
    unseen: float = 0.0
    event_rate: float = EVENT_RATE


@dataclass(frozen=True)
class World:
    """Where rows come from.

    Attributes:
        correlation: Of the normal numbers that columns are made of.
        tails: Degrees of freedom of Student's t, from which they come then; 0 for normal ones.
        rows_per_person: So many rows have most of their values from one person.
        n_reference: Rows of the training.
    """

    correlation: float = 0.0
    tails: int = 0
    rows_per_person: int = 1
    n_reference: int = 7_000

    def rows(
        self, n_rows: int, random: np.random.Generator, change: Change | None = None
    ) -> pd.DataFrame:
        """So many rows with their score and what became of them."""
        planted = change or Change()
        event = random.random(n_rows) < planted.event_rate
        z = self._numbers(n_rows, random)
        z[:, :N_TELLING] += EFFECT * event[:, None]
        logit = EFFECT * (z[:, :N_TELLING] - EFFECT / 2).sum(axis=1)
        logit += math.log(EVENT_RATE / (1 - EVENT_RATE))
        z[:, 0] += planted.shift
        columns: dict[str, object] = {}
        for i in range(N_COLUMNS):
            columns |= _column(i, z[:, i], random)
        frame = pd.DataFrame(
            columns | {SCORE: 1 / (1 + np.exp(-logit)), OUTCOME: event.astype(int)}
        )
        frame.loc[random.random(n_rows) < planted.missing, "number_000"] = np.nan
        # Of the rows that still have a value, so that the share of all rows is what is asked for.
        share = planted.more_missing / (1 - _gaps(7))
        frame.loc[random.random(n_rows) < share, "gaps_007"] = np.nan
        frame.loc[random.random(n_rows) < planted.unseen, "kind_008"] = "new"
        return frame

    def _numbers(self, n_rows: int, random: np.random.Generator) -> np.ndarray:
        common = random.normal(size=(n_rows, 1))
        own = random.normal(size=(n_rows, N_COLUMNS))
        z: np.ndarray = math.sqrt(self.correlation) * common
        z = z + math.sqrt(1 - self.correlation) * own
        if self.rows_per_person > 1:
            persons = random.normal(size=(-(-n_rows // self.rows_per_person), N_COLUMNS))
            theirs = persons.repeat(self.rows_per_person, axis=0)[:n_rows]
            z = math.sqrt(SAME_PERSON) * theirs + math.sqrt(1 - SAME_PERSON) * z
        if self.tails:
            z = z / np.sqrt(random.chisquare(self.tails, z.shape) / self.tails)
        return z


def importance(columns: list[str]) -> dict[str, float]:
    """Shares that fall by 4% from one column to the next; those of :data:`TOP` come first."""
    ordered = [*TOP, *(name for name in columns if name not in TOP)]
    weights = {name: 0.96**i for i, name in enumerate(ordered)}
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()}


def _column(i: int, z: np.ndarray, random: np.random.Generator) -> dict[str, object]:
    """Numbers, skewed and zero-inflated ones, whole ones, categories, and gaps in some."""
    kind = i % 10
    if kind < 5:
        return {f"number_{i:03}": z}
    if kind == 5:
        return {f"amount_{i:03}": np.where(z < 0.3, 0.0, np.exp(np.minimum(z, 50)))}
    if kind == 6:
        return {f"count_{i:03}": np.floor(np.exp(np.minimum(z, 50)))}
    if kind == 7:
        return {f"gaps_{i:03}": np.where(random.random(len(z)) < _gaps(i), np.nan, z)}
    edges = [-1.5, -0.5, 0.5, 1.0, 2.2] if kind == 8 else [1.9]
    names = np.array(list("abcdef"))
    return {f"kind_{i:03}": pd.Series(names[np.searchsorted(edges, z)])}


def _gaps(i: int) -> float:
    return 0.1 if i < N_TELLING else 0.3
