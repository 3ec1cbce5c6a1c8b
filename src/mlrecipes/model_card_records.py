"""A model card as plain data: parts with a title, words of people, and facts of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from mlrecipes.records import Bars, Facts, Table

__all__ = ["CardBlock", "CardPart", "ModelCardFiles", "ModelCardView", "RenderModelCard", "Words"]


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph, or several of them as a list; ``label`` stands above them."""

    texts: tuple[str, ...]
    label: str = ""


CardBlock: TypeAlias = Words | Facts | Table | Bars


@dataclass(frozen=True, slots=True)
class CardPart:
    """A part of the card with a title."""

    title: str
    blocks: tuple[CardBlock, ...]


@dataclass(frozen=True, slots=True)
class ModelCardView:
    """All that a model card shows.

    Attributes:
        verdict: ``VALIDATED``, ``REJECTED`` or ``UNKNOWN``.
        warnings: What a reader must know before all else; shown first.
        summary: What the registry says of the version, a sentence an item.
    """

    name: str
    version: str
    recipe: str
    profile: str
    verdict: str
    warnings: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    parts: tuple[CardPart, ...] = ()

    @property
    def title(self) -> str:
        """The heading of the card."""
        return f"Model card: {self.name}, version {self.version}"

    @property
    def is_validated(self) -> bool:
        """Whether the model passed all thresholds of its recipe."""
        return self.verdict == "VALIDATED"


@dataclass(frozen=True, slots=True)
class ModelCardFiles:
    """A card drawn: for reading as text, for a browser, and in short for the registry."""

    markdown: str
    html: str
    description: str


RenderModelCard: TypeAlias = Callable[[ModelCardView], ModelCardFiles]
