"""The settings of evaluate: what a model must reach, and on which rows."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from mlrecipes.config.base import Model, Names, Number, Section, Whole
from mlrecipes.config.slice_text import read_slice

__all__ = ["Criterion", "Evaluate"]


def _as_slice(text: str) -> str:
    return read_slice(text).text


def _as_slices(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(_as_slice, texts)))


def _off_is_a_word(value: Any) -> Any:
    """YAML reads ``off`` as false."""
    return "off" if value is False else value


class Criterion(Model):
    """A threshold that the model must reach on the test part.

    Attributes:
        slice: Extension: the threshold holds for each group of this slice that has at least
            ``min_slice_rows`` rows, and there must be such a group.
    """

    metric: str
    threshold: Number
    slice: Annotated[str, AfterValidator(_as_slice)] | None = None


class Evaluate(Section):
    """The gate.

    Attributes:
        slices: Extension: groups of rows to judge the model on, each a column's name or a
            condition such as ``AMT_CREDIT > 1e6``.
        min_slice_rows: Extension: rows that a group needs to be judged on its own.
        cut_off: Extension: the score from which on the policy decides otherwise.
        selects: Extension: who gets what is asked for, such as a loan: rows with a score
            ``below`` the cut-off or ``above`` it (the cut-off itself is above).
        confidence: Extension: how often intervals hold the true value.
        n_resamples: Extension: draws of rows behind an interval; 0 for no intervals.
        leakage: Extension: what follows from features that know the answer: ``warn`` shows
            them, ``stop`` rejects the model too, ``off`` does not look.
    """

    validation_criteria: tuple[Criterion, ...] = ()
    slices: Annotated[Names, AfterValidator(_as_slices)] = ()
    min_slice_rows: Annotated[Whole, Field(gt=0)] = 200
    cut_off: Number = 0.5
    selects: Literal["below", "above"] = "above"
    confidence: Annotated[Number, Field(gt=0, lt=1)] = 0.95
    n_resamples: Annotated[Whole, Field(ge=0)] = 1000
    leakage: Annotated[Literal["warn", "stop", "off"], BeforeValidator(_off_is_a_word)] = "warn"

    @property
    def all_slices(self) -> tuple[str, ...]:
        """The slices that are shown, and those that only a criterion names."""
        named = (criterion.slice for criterion in self.validation_criteria)
        return tuple(dict.fromkeys([*self.slices, *filter(None, named)]))
