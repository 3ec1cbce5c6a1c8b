"""The settings of data quality: where the suites are and what is shown of bad rows."""

from __future__ import annotations

from mlrecipes.config.base import Section

__all__ = ["Quality"]


class Quality(Section):
    """Extension: the expectations that tables must meet at the doors of the recipe.

    Attributes:
        folder: Where the suites lie, below the recipe's root.
    """

    folder: str = "expectations"
