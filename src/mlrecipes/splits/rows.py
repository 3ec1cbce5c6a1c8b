"""Dividing rows that each say themselves where they go, so that nobody needs to see all at once.

``hash``, ``group`` and ``time`` are such. :func:`assign` looks at some rows of a table and gives
what :func:`mlrecipes.splits.split_frame` would give for the whole; a test compares both. It may be
sent to another machine, so a rule is made of plain values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from mlrecipes.splits._divide import rows_with_target
from mlrecipes.splits.methods import METHODS, Request

if TYPE_CHECKING:
    import pandas as pd

    from mlrecipes.config.step_schema import Split

__all__ = ["DROPPED", "RowRule", "assign", "check_rule", "rule_of"]

DROPPED = -1


@dataclass(frozen=True)
class RowRule:
    """Where a row goes; the fields are named as in ``steps.split``."""

    using: str
    target_col: str
    seed: int
    split_ratios: tuple[float, float, float]
    key_cols: tuple[str, ...]
    group_cols: tuple[str, ...]
    time_col: str | None
    train_from: date | None
    validation_from: date | None
    test_from: date | None
    test_until: date | None
    stratify_cols: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The key of ``steps.split`` that names the columns."""
        return {"hash": "key_cols", "group": "group_cols"}.get(self.using, "time_col")

    @property
    def names(self) -> list[str]:
        """The columns that it names."""
        named = getattr(self, self.key)
        return [named] if isinstance(named, str) else list(named or ())

    @property
    def columns(self) -> list[str]:
        """The columns that it looks at."""
        return list(dict.fromkeys([*self.names, self.target_col]))


def rule_of(split: Split, target_col: str, seed: int) -> RowRule:
    """The rule of a section ``steps.split`` whose method looks at each row alone."""
    return RowRule(
        split.using,
        target_col,
        seed,
        split.split_ratios,
        split.key_cols,
        split.group_cols,
        split.time_col,
        split.train_from,
        split.validation_from,
        split.test_from,
        split.test_until,
    )


def check_rule(like: pd.DataFrame, rule: RowRule) -> None:
    """Check that a table has the columns that a rule looks at.

    Raises:
        DataError: It lacks one.
    """
    rows_with_target(like, rule.target_col)
    _request(like, rule).columns(rule.key, rule.names)


def assign(frame: pd.DataFrame, rule: RowRule) -> tuple[np.ndarray, dict[str, int], str]:
    """Find the part of each row.

    Args:
        frame: Some rows, with the columns that the rule looks at.
        rule: Where they go.

    Returns:
        0, 1, 2 for training, validation and test and -1 for rows that go nowhere, shape
        (n_rows,); how many rows go nowhere, by each reason there may be; and how rows are
        divided, in words.

    Raises:
        DataError: A column has the wrong kind of values.
    """
    is_known = np.asarray(frame[rule.target_col].notna())
    division = METHODS[rule.using](_request(frame[is_known], rule))
    part = np.full(len(frame), DROPPED, dtype=np.int8)
    places = np.flatnonzero(is_known)
    for code, positions in enumerate(division.positions):
        part[places[positions]] = code
    n_dropped = {f"{rule.target_col} is null": int((~is_known).sum()), **division.n_dropped}
    return part, n_dropped, division.how


def _request(frame: pd.DataFrame, rule: RowRule) -> Request:
    return Request(frame, rule, rule.target_col, None, rule.seed)
