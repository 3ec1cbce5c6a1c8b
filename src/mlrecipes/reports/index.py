"""The overview of a recipe: its steps in order, how each ended, and where its card is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from mlrecipes.reports.html import render_page
from mlrecipes.reports.wording import clean

__all__ = ["StepRow", "render_index"]

KNOWN = {
    "succeeded": "succeeded",
    "cached": "succeeded",
    "alert": "alert",
    "rejected": "rejected",
    "failed": "failed",
}
"""Words of a status that have a colour of their own; all others stay grey."""
MINUTE = 60
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step of the overview.

    Attributes:
        name: As in ``recipe.yaml``.
        status: How it ended, in a word or two: ``succeeded``, ``cached``, ``not run``.
        summary: One line for people; empty if the step has not run.
        duration_s: Seconds the step took; None if it has not run.
        card_href: Path of its card relative to the overview; None if it has none.
    """

    name: str
    status: str
    summary: str
    duration_s: float | None = None
    card_href: str | None = None

    @property
    def colour(self) -> str:
        """The class of the stylesheet that colours the status."""
        return KNOWN.get(self.status, "other")

    @property
    def link(self) -> str | None:
        """The card's path as a relative address: whatever it holds, it leads to no other site."""
        return None if self.card_href is None else f"./{quote(clean(self.card_href, 1_000))}"

    @property
    def duration(self) -> str:
        """The time the step took, in words.

        >>> StepRow("train", "succeeded", "", 184.2).duration
        '3 min 4 s'
        """
        seconds = self.duration_s
        if seconds is None or not 0 <= seconds < float("inf"):
            return ""
        if seconds < MINUTE:
            return f"{seconds:.1f} s"
        if seconds < HOUR:
            return f"{int(seconds // MINUTE)} min {int(seconds % MINUTE)} s"
        return f"{int(seconds // HOUR)} h {int(seconds % HOUR // MINUTE)} min"


def render_index(rows: Sequence[StepRow], *, recipe: str, profile: str) -> str:
    """Render the overview of a recipe under a profile; its links lead to the cards beside it."""
    return render_page("index.html", rows=rows, recipe=recipe, profile=profile)
