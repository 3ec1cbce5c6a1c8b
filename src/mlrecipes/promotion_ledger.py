"""Moving the champion: write the intent, win or lose, set the aliases, close the row.

::

    settle -> (decide) -> append intent -> won? -> champion, previous -> tags -> close -> re-read

A promoter that dies on the way leaves a row with ``intent``; whoever settles next finishes it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mlrecipes.errors import GateRejected, RecipeError, StoreError, shorten
from mlrecipes.promotion_ports import PromotionRegistry
from mlrecipes.promotion_records import (
    TAG_PREFIX,
    Entry,
    Move,
    State,
    champions,
    newest_winner,
    version_tags,
    winners,
)

__all__ = ["Ledger", "Names", "Standing"]

MIN_LINE = 2


@dataclass(frozen=True, slots=True)
class Names:
    """A registered model and the aliases that promotion sets."""

    model: str
    champion: str
    previous: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Who is champion, by which row.

    Attributes:
        champion: Its version, as the alias says; None before the first.
        last: Number of the last row that counted; 0 before the first.
        entries: All rows.
        notes: What was found and repaired, for people.
    """

    champion: str | None
    last: int = 0
    entries: tuple[Entry, ...] = ()
    notes: tuple[str, ...] = ()


class Ledger:
    """The promotions of one registered model.

    Args:
        registry: Where model, aliases and rows are.
        names: Of the model and the aliases.
        who: The user, for the rows.
        now: The time, in UTC.
    """

    def __init__(
        self,
        registry: PromotionRegistry,
        names: Names,
        *,
        who: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._registry = registry
        self.names = names
        self._who = who
        self._now = now

    def look(self) -> Standing:
        """Say who is champion. Nothing is changed."""
        entries = tuple(self._registry.entries(self.names.model))
        newest = newest_winner(entries)
        champion = self._registry.aliases(self.names.model).get(self.names.champion)
        return Standing(champion, newest.number if newest else 0, entries)

    def settle(self) -> Standing:
        """Finish what a promoter that died has begun, and say who is champion.

        Where the ledger is closed and the alias says something else, a person has set the
        alias: that counts, and is noted.

        Raises:
            StoreError: The registry refuses.
            TryAgain: It does not answer.
        """
        standing = self.look()
        newest = newest_winner(standing.entries)
        if newest is None or (newest.state is not State.INTENT and _agree(standing, newest)):
            return standing
        if newest.state is State.INTENT:
            self._finish(newest, repaired=self._who)
            note = (
                f"Promotion {newest.number} ({_said(newest)}) of {newest.who} at {newest.at_utc} "
                "was not finished; it is now."
            )
            return dataclasses.replace(self.look(), notes=(note,))
        now = f"points at version {standing.champion}" if standing.champion else "is gone"
        note = (
            f"Alias '{self.names.champion}' was set by hand: promotion {newest.number} made it "
            f"version {newest.to_version}, and it {now}. That counts."
        )
        return dataclasses.replace(standing, notes=(note,))

    def note(self, entry: Entry, standing: Standing) -> Entry:
        """Write down a decision that moves nothing, and tag the version with it."""
        row = self._complete(entry, standing, State.CLOSED)
        about = self._registry.version(self.names.model, row.to_version)
        number = self._registry.append(self.names.model, row, about)
        self._registry.tag(self.names.model, row.to_version, version_tags(row))
        return dataclasses.replace(row, number=number)

    def move(self, entry: Entry, standing: Standing) -> Entry:
        """Make a version the champion, if nobody moved it since ``standing`` was read.

        Raises:
            GateRejected: Somebody did; nothing was changed.
            StoreError: There is no such version, or the registry refuses.
            TryAgain: The registry does not answer.
        """
        model, registry = self.names.model, self._registry
        row = self._complete(entry, standing, State.INTENT)
        about = registry.version(model, row.to_version)
        seen = registry.aliases(model).get(self.names.champion)
        if seen != standing.champion:
            raise self._moved(standing.champion, seen, newest_winner(registry.entries(model)))
        number = registry.append(model, row, about)
        row = dataclasses.replace(row, number=number)
        entries = registry.entries(model)
        if number not in {one.number for one in winners(entries)}:
            registry.amend(model, number, {"state": State.LOST})
            winner = newest_winner(one for one in entries if one.number < number)
            to_version = winner.to_version if winner else None
            raise self._moved(standing.champion, to_version, winner)
        self._finish(row)
        self._align(row)
        return dataclasses.replace(row, state=State.CLOSED)

    # -- private ---------------------------------------------------------------------------

    def _complete(self, entry: Entry, standing: Standing, state: State) -> Entry:
        return dataclasses.replace(
            entry,
            from_version=standing.champion or "",
            expects=standing.last,
            who=self._who,
            at_utc=self._now().isoformat(timespec="seconds"),
            state=state,
        )

    def _finish(self, row: Entry, repaired: str = "") -> None:
        """Set the aliases, tag the versions, close the row: any part of it may be done already."""
        self._point(row)
        model, registry = self.names.model, self._registry
        registry.tag(model, row.to_version, version_tags(row))
        if row.move is Move.ROLLBACK:
            self._tag_left(row)
        values = {"state": State.CLOSED} | ({"repaired": repaired} if repaired else {})
        registry.amend(model, row.number, values)

    def _tag_left(self, row: Entry) -> None:
        """Tell on the version that was left why it was."""
        said = f"{row.at_utc} {row.who}: {row.reason}"
        tags = {f"{TAG_PREFIX}rolled_back": said}
        try:
            self._registry.tag(self.names.model, row.from_version, tags)
        except StoreError:
            return  # deleted meanwhile: there is nothing to tag

    def _point(self, row: Entry) -> None:
        model, registry = self.names.model, self._registry
        registry.point(model, self.names.champion, row.to_version)
        rows = [one for one in registry.entries(model) if one.number <= row.number]
        line = champions(rows)
        previous = line[-MIN_LINE] if len(line) >= MIN_LINE else None
        try:
            registry.point(model, self.names.previous, previous)
        except StoreError:
            # The version before it was deleted: then there is none to go back to.
            registry.point(model, self.names.previous, None)

    def _align(self, row: Entry) -> None:
        """Let the newest row have the last word: this promoter may have been slower than it."""
        newest = newest_winner(self._registry.entries(self.names.model))
        if newest is not None and newest.number != row.number:
            self._point(newest)

    def _moved(self, before: str | None, now: str | None, by: Entry | None) -> RecipeError:
        whose = f" ({by.move} by {by.who} at {by.at_utc})" if by and by.to_version == now else ""
        return GateRejected(
            f"The {self.names.champion} of {shorten(self.names.model)} moved "
            f"{_named(before)} -> {_named(now)} while this was decided{whose}. "
            "Nothing was changed.",
            hint="Evaluate again: mlrecipes promote",
        )


def _agree(standing: Standing, newest: Entry) -> bool:
    return standing.champion == newest.to_version


def _named(version: str | None) -> str:
    return f"v{version}" if version else "none"


def _said(entry: Entry) -> str:
    return f"{entry.move}: {_named(entry.from_version)} -> {_named(entry.to_version)}"
