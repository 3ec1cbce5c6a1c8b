"""The settings of data quality: where the suites are and what is shown of bad rows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlrecipes.config.base import Section, Whole

__all__ = ["MinRows", "Quality"]

AtLeastOne = Annotated[Whole, Field(gt=0)]


class MinRows(Section):
    """How many rows a table must have at least.

    Attributes:
        training: The table that ingest hands on; only a warning without ``training.json``.
        scoring: The rows to score.
    """

    training: AtLeastOne = 30
    scoring: AtLeastOne = 1


class Quality(Section):
    """Extension: the expectations that tables must meet at the doors of the recipe.

    Attributes:
        folder: Where the suites lie, below the recipe's root.
        min_rows: How many rows tables must have at least.
        examples: ``masked`` shows the shape of offending values, ``shown`` the values.
        data_docs: Whether Great Expectations' Data Docs are rendered too. They load scripts
            from the network and show values of the data without escaping.
        max_quarantined_rows: So many offending rows of a table are set aside at most.
    """

    folder: str = "expectations"
    min_rows: MinRows = MinRows()
    examples: Literal["masked", "shown"] = "masked"
    data_docs: bool = False
    max_quarantined_rows: AtLeastOne = 100_000

    @property
    def shows_values(self) -> bool:
        """Whether offending values are shown as they are."""
        return self.examples == "shown"
