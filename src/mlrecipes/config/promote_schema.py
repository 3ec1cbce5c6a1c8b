"""The settings of promote: when a challenger replaces the champion."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field

from mlrecipes.config.base import Number, Section, Whole

__all__ = ["Promote", "alias_problem"]

MAX_ALIAS_LENGTH = 255


class Promote(Section):
    """Extension: how champion and challenger are compared, and which aliases they bear.

    Attributes:
        champion: The alias of the model that is in use.
        previous: The alias of the champion before it.
        reference: A table that both are scored on; the run's own test part if not given.
        confidence: Of the interval of the difference.
        min_gain: How much better the challenger must be, in the primary metric; the whole
            interval must lie above it.
        max_slice_loss: No slice may surely lose more than this, in the primary metric.
        n_resamples: How often the rows are drawn anew for the interval.
        required: Whether a model that is not promoted ends the run with exit code 3.
    """

    champion: str = "champion"
    previous: str = "previous_champion"
    reference: str | None = None
    confidence: Annotated[Number, Field(ge=0.5, lt=1)] = 0.95
    min_gain: Annotated[Number, Field(ge=0)] = 0.0
    max_slice_loss: Annotated[Number, Field(ge=0)] = 0.02
    n_resamples: Annotated[Whole, Field(ge=100, le=100_000)] = 1_000
    required: bool = False


def alias_problem(alias: str) -> str | None:
    """Why MLflow would refuse an alias; None if it takes it.

    >>> alias_problem("Production") is None
    True
    >>> alias_problem("v1"), alias_problem("in use")
    ('is read as a version', "may hold letters, digits, '_' and '-' only")
    """
    if not re.fullmatch(r"[\w\-]+", alias):
        return "may hold letters, digits, '_' and '-' only"
    if re.fullmatch(r"[vV]\d+|\d+", alias):
        return "is read as a version"
    if alias.lower() == "latest":
        return "is a reserved word"
    return f"is longer than {MAX_ALIAS_LENGTH}" if len(alias) > MAX_ALIAS_LENGTH else None
