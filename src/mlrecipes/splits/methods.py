"""The ways to divide rows, each a function from a table to the part of each row.

=================  ==========================================================================
``split_ratios``   as MLflow Recipes: hash of all columns and the index, class by class
``hash``           by the hash of key columns: a key keeps its part for ever
``group``          the same by group: a group is never divided
``random``         exact sizes: rows in the order of a hash of their values
``stratified``     the same within each stratum
``time``           earlier rows for training, later ones for validation and test
=================  ==========================================================================

None of them depends on the order of the rows, and all but ``split_ratios`` leave the index
out. ``hash``, ``group`` and ``time`` keep the part of every row when rows are added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrecipes.errors import DataError, did_you_mean, few
from mlrecipes.splits.hashing import fraction_of, hash_rows
from mlrecipes.splits.recipes_hash import split_by_recipes_hash
from mlrecipes.splits.time_windows import split_by_time

if TYPE_CHECKING:
    import pandas as pd

    from mlrecipes.config.step_schema import Split
    from mlrecipes.splits.parts import TaskKind
    from mlrecipes.splits.rows import RowRule

__all__ = ["METHODS", "Division", "Request"]


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Which rows go where.

    Attributes:
        positions: Positions of the rows of training, validation and test, in their order.
        how: How they were found, in words.
        n_dropped: Rows that go nowhere, by each reason there may be.
    """

    positions: Sequence[np.ndarray]
    how: str
    n_dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """What a method has to go by; ``frame`` has no null in ``target_col``."""

    frame: pd.DataFrame
    settings: Split | RowRule
    target_col: str
    task: TaskKind | None
    seed: int

    def columns(self, key: str, names: Sequence[str]) -> pd.DataFrame:
        """The columns that a key of the configuration names.

        Raises:
            DataError: None is named, or one of them does not exist.
        """
        known = [str(column) for column in self.frame.columns]
        if not names:
            raise DataError(
                f"steps.split.{key} is empty; using: {self.settings.using} needs it.",
                hint=f"Set it to one or more of the columns {few(known)}.",
            )
        for name in names:
            if name not in known:
                raise DataError(
                    f"steps.split.{key} names '{name}', which is not among the {len(known):,} "
                    f"columns of the data ({few(known)}).",
                    hint=did_you_mean(name, known),
                )
        return self.frame[list(names)]


# ---- methods -----------------------------------------------------------------------------


def _as_recipes(request: Request) -> Division:
    ratios = request.settings.split_ratios
    class_col = request.target_col if request.task and request.task.has_classes else None
    positions = split_by_recipes_hash(request.frame, ratios, class_col)
    return Division(positions, f"ratios {_shown(ratios)} by the hash of MLflow Recipes")


def _by_keys(request: Request) -> Division:
    return _by_hash(request, "key_cols", request.settings.key_cols)


def _by_groups(request: Request) -> Division:
    return _by_hash(request, "group_cols", request.settings.group_cols)


def _by_hash(request: Request, key: str, names: Sequence[str]) -> Division:
    hashed = hash_rows(request.columns(key, names), request.seed, salt="hash")
    ratios = request.settings.split_ratios
    part = np.searchsorted(_ends(ratios), fraction_of(hashed), side="right")
    return Division(_positions(part), f"ratios {_shown(ratios)} by the hash of {few(names)}")


def _at_random(request: Request) -> Division:
    ratios = request.settings.split_ratios
    part = _by_rank(_content_hash(request), np.zeros(len(request.frame), int), ratios)
    return Division(_positions(part), f"ratios {_shown(ratios)} at random")


def _by_strata(request: Request) -> Division:
    ratios, names = request.settings.split_ratios, list(request.settings.stratify_cols)
    if not names and request.task and request.task.has_classes:
        names = [request.target_col]
    strata = hash_rows(request.columns("stratify_cols", names), request.seed, salt="strata")
    _, stratum = np.unique(strata, return_inverse=True)
    part = _by_rank(_content_hash(request), stratum, ratios)
    return Division(_positions(part), f"ratios {_shown(ratios)} within each {few(names)}")


def _by_time(request: Request) -> Division:
    settings = request.settings
    named = [settings.time_col] if settings.time_col else []
    moments = request.columns("time_col", named).iloc[:, 0]
    part, n_dropped = split_by_time(moments, settings)
    how = (
        f"validation from {settings.validation_from} and test from {settings.test_from} "
        f"on '{settings.time_col}'"
    )
    return Division(_positions(part), how, n_dropped)


METHODS: Mapping[str, Callable[[Request], Division]] = {
    "split_ratios": _as_recipes,
    "hash": _by_keys,
    "group": _by_groups,
    "random": _at_random,
    "stratified": _by_strata,
    "time": _by_time,
}


# ---- parts of rows -------------------------------------------------------------------------


def _content_hash(request: Request) -> np.ndarray:
    """Hash all columns, in the order of their names, so that their place does not count."""
    frame = request.frame
    order = sorted(range(frame.shape[1]), key=lambda position: str(frame.columns[position]))
    return hash_rows(frame.iloc[:, order], request.seed, salt="content")


def _by_rank(hashed: np.ndarray, stratum: np.ndarray, ratios: Sequence[float]) -> np.ndarray:
    """Deal the rows of each stratum out by the rank of their hash, shape (n_rows,).

    Rows with equal values have equal hashes and thus neighbouring ranks: at most two parts
    share them.
    """
    order = np.lexsort((hashed, stratum))
    sizes = deal_out(np.bincount(stratum).tolist(), ratios) if len(stratum) else []
    part = np.empty(len(hashed), dtype=int)
    part[order] = np.concatenate([np.empty(0, int), *(np.repeat(range(3), n) for n in sizes)])
    return part


def deal_out(n_rows: Sequence[int], ratios: Sequence[float]) -> list[list[int]]:
    """Divide each number of rows by ratios into whole numbers that add up.

    Each is its exact share rounded down or up: by the largest remainder (Hamilton's method),
    together with what the part is owed from the numbers before. Without that, of many strata
    of 5 rows each would give its odd row to the same part.

    >>> deal_out([10], [0.75, 0.125, 0.125])
    [[8, 1, 1]]
    >>> deal_out([5, 5], [0.8, 0.1, 0.1])
    [[4, 1, 0], [4, 0, 1]]
    """
    dealt: list[list[int]] = []
    owed = [0.0] * len(ratios)
    for n in n_rows:
        shares = [round(n * ratio / sum(ratios), 9) for ratio in ratios]
        sizes = [int(share) for share in shares]
        claims = [owed[i] + share - sizes[i] for i, share in enumerate(shares)]
        odd = [i for i, share in enumerate(shares) if share > sizes[i]]
        for i in sorted(odd, key=lambda i: -round(claims[i], 6))[: n - sum(sizes)]:
            sizes[i] += 1
            claims[i] -= 1
        owed = claims
        dealt.append(sizes)
    return dealt


def _ends(ratios: Sequence[float]) -> list[float]:
    whole = sum(ratios)
    return [ratios[0] / whole, (ratios[0] + ratios[1]) / whole]


def _positions(part: np.ndarray) -> list[np.ndarray]:
    return [np.flatnonzero(part == code) for code in range(3)]


def _shown(ratios: Sequence[Any]) -> str:
    return "/".join(f"{ratio:g}" for ratio in ratios)
