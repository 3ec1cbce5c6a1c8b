"""The three parts of a table, and the few things that splitting asks of its surroundings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PART_NAMES", "SplitParts", "TaskKind"]

PART_NAMES = ("training", "validation", "test")


@dataclass(frozen=True, slots=True, eq=False)
class SplitParts:
    """A table divided in three: one row a row of the table, columns as in the table.

    Attributes:
        n_dropped: Rows that are in no part, by reason; only reasons that occurred.
        how: How the rows were divided, in words, such as ``ratios 0.8/0.1/0.1``.
    """

    training: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    n_dropped: Mapping[str, int] = field(default_factory=dict)
    how: str = ""

    def named(self) -> dict[str, pd.DataFrame]:
        """The parts by name, in their order."""
        return {"training": self.training, "validation": self.validation, "test": self.test}


class TaskKind(Protocol):
    """All that splitting needs to know of a :class:`mlrecipes.tasks.Task`."""

    @property
    def has_classes(self) -> bool:
        """Whether the target holds classes."""
        ...
