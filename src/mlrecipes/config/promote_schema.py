"""The settings of promote: when a challenger replaces the champion."""

from __future__ import annotations

from mlrecipes.config.base import Section

__all__ = ["Promote"]


class Promote(Section):
    """Extension: how champion and challenger are compared, and which aliases they bear.

    Attributes:
        champion: The alias of the model that is in use.
    """

    champion: str = "champion"
