"""The settings of evaluate: what a model must reach, and on which rows."""

from __future__ import annotations

from mlrecipes.config.base import Model, Number, Section

__all__ = ["Criterion", "Evaluate"]


class Criterion(Model):
    """A threshold that the model must reach on the test part."""

    metric: str
    threshold: Number


class Evaluate(Section):
    """The gate."""

    validation_criteria: tuple[Criterion, ...] = ()
