"""The ledger of promotions as plain data: its rows, and which of them count.

The ledger is an ordered log. A row that moves the champion names the row that it has seen as
the last that counted (``expects``), and counts itself only if that is still so at its place in
the order. Of several promoters that decided on the same state exactly one wins, whoever reads
the log says which, and nobody needs a lock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mlrecipes.errors import shorten

__all__ = [
    "LEDGER_SUFFIX",
    "LEDGER_TAG",
    "MAX_TEXT",
    "TAG_PREFIX",
    "Entry",
    "Move",
    "State",
    "champions",
    "ledger_name",
    "newest_winner",
    "rolled_back",
    "version_tags",
    "winners",
]

LEDGER_SUFFIX = "_promotions"
LEDGER_TAG = "mlrecipes.ledger"
"""Marks the registered model that is a ledger, with the name of the model it is about."""
TAG_PREFIX = "mlrecipes.promotion."
MAX_TEXT = 500
"""How long a reason or a name in the ledger may be; registries bound the values of tags."""


class Move(StrEnum):
    """What a row of the ledger is."""

    FIRST = "first"
    """The first champion."""
    PROMOTE = "promote"
    OVERRIDE = "override"
    """A person promoted against the verdict, or without one."""
    ROLLBACK = "rollback"
    DECISION = "decision"
    """A verdict that moves nothing: keep, inconclusive, blocked."""


class State(StrEnum):
    """How far a row has come."""

    INTENT = "intent"
    """Written, and the aliases may not be set yet."""
    CLOSED = "closed"
    LOST = "lost"
    """Another row was faster; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the ledger.

    Attributes:
        move: What it is.
        to_version: The model's version that it is about, and that becomes champion if it moves.
        from_version: The champion that was seen; empty if there was none.
        expects: Number of the last row that counted when the decision was begun; 0 for none.
        verdict: Outcome of the comparison, such as ``promote``; empty for a rollback.
        reason: Of the verdict, or the words of the person.
        metric: The metric that decided.
        difference: Of it, challenger less champion, positive where better; with interval.
        challenger_value: The metric of the version that it is about.
        champion_value: The metric of the champion that was seen.
        data_digest: Of the rows that both were scored on.
        n_rows: How many.
        who: The user.
        at_utc: When, ISO 8601.
        state: How far it has come.
        number: Its place in the ledger, from 1; 0 before it is written.
        repaired: Who closed it, if its own promoter did not.
    """

    move: Move
    to_version: str
    from_version: str = ""
    expects: int = 0
    verdict: str = ""
    reason: str = ""
    metric: str = ""
    difference: float | None = None
    lower: float | None = None
    upper: float | None = None
    challenger_value: float | None = None
    champion_value: float | None = None
    data_digest: str = ""
    n_rows: int = 0
    who: str = ""
    at_utc: str = ""
    state: State = State.INTENT
    number: int = 0
    repaired: str = ""

    @property
    def moves(self) -> bool:
        """Whether it makes a version the champion."""
        return self.move is not Move.DECISION

    @property
    def shown_difference(self) -> str:
        """The difference with its interval, for people.

        >>> Entry(Move.PROMOTE, "2", difference=0.01, lower=0.002, upper=0.018).shown_difference
        '+0.0100 [0.0020, 0.0180]'
        """
        if self.difference is None or self.lower is None or self.upper is None:
            return ""
        return f"{self.difference:+.4f} [{self.lower:.4f}, {self.upper:.4f}]"

    def to_tags(self) -> dict[str, str]:
        """The row as texts, without its number and what is empty.

        >>> Entry(Move.FIRST, "1", who="ann").to_tags()["who"]
        'ann'
        """
        values = {name.name: getattr(self, name.name) for name in dataclasses.fields(self)}
        del values["number"]
        return {
            name: repr(value) if isinstance(value, float) else shorten(value, limit=MAX_TEXT)
            for name, value in values.items()
            if value not in {None, ""}
        }

    @classmethod
    def from_tags(cls, number: int, tags: Mapping[str, str]) -> Entry | None:
        """The row that :meth:`to_tags` wrote; None if these tags are no row.

        >>> row = Entry(Move.PROMOTE, "2", "1", expects=1, difference=0.5)
        >>> Entry.from_tags(3, row.to_tags()) == dataclasses.replace(row, number=3)
        True
        >>> Entry.from_tags(1, {"owner": "ann"}) is None
        True
        """
        known = {name.name for name in dataclasses.fields(cls)} - {"number"}
        values: dict[str, object] = {name: tags[name] for name in known & set(tags)}
        try:
            for name, kind in _KINDS.items():
                if name in values:
                    values[name] = kind(values[name])
            return cls(**values, number=number)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return None


_KINDS: Mapping[str, type] = {
    "move": Move,
    "state": State,
    "expects": int,
    "n_rows": int,
    "difference": float,
    "lower": float,
    "upper": float,
    "challenger_value": float,
    "champion_value": float,
}


def winners(entries: Iterable[Entry]) -> list[Entry]:
    """The rows that moved the champion, in their order.

    >>> rows = [
    ...     Entry(Move.FIRST, "1", expects=0, number=1),
    ...     Entry(Move.PROMOTE, "2", expects=1, number=2),
    ...     Entry(Move.PROMOTE, "3", expects=1, number=3),
    ... ]
    >>> [row.to_version for row in winners(rows)]
    ['1', '2']
    """
    won: list[Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.number):
        if entry.moves and entry.expects == (won[-1].number if won else 0):
            won.append(entry)
    return won


def newest_winner(entries: Iterable[Entry]) -> Entry | None:
    """The row that says who is champion; None before the first."""
    won = winners(entries)
    return won[-1] if won else None


def champions(entries: Iterable[Entry]) -> tuple[str, ...]:
    """Who is champion now (last), and to whom one rollback after the other would lead.

    A rollback takes away what came after its target, so that a second one goes further back
    and not forth again.

    >>> rows = [
    ...     Entry(Move.FIRST, "1", number=1),
    ...     Entry(Move.PROMOTE, "2", "1", expects=1, number=2),
    ...     Entry(Move.PROMOTE, "3", "2", expects=2, number=3),
    ... ]
    >>> champions(rows)
    ('1', '2', '3')
    >>> champions([*rows, Entry(Move.ROLLBACK, "2", "3", expects=3, number=4)])
    ('1', '2')
    """
    line: list[str] = []
    for entry in winners(entries):
        if entry.from_version and entry.from_version not in line[-1:]:
            line.append(entry.from_version)  # somebody had set the alias by hand
        if entry.move is Move.ROLLBACK and entry.to_version in line:
            # The last of its name: a version may have been champion twice.
            del line[len(line) - line[::-1].index(entry.to_version) :]
        elif entry.to_version not in line[-1:]:
            line.append(entry.to_version)
    return tuple(line)


def rolled_back(entries: Iterable[Entry], version: str) -> Entry | None:
    """The rollback that took this version out of use, unless it was promoted again since."""
    about = [one for one in winners(entries) if version in {one.to_version, one.from_version}]
    left = [one for one in about if one.move is Move.ROLLBACK and one.from_version == version]
    came = [one for one in about if one.to_version == version]
    is_out = left and (not came or came[-1].number < left[-1].number)
    return left[-1] if is_out else None


def version_tags(entry: Entry) -> dict[str, str]:
    """What a version of the model says of the decision about it, a year later.

    >>> version_tags(Entry(Move.FIRST, "1", verdict="first", who="ann"))
    {'mlrecipes.promotion.move': 'first', 'mlrecipes.promotion.verdict': 'first', \
'mlrecipes.promotion.who': 'ann'}
    """
    own = {"to_version", "expects", "state", "repaired"}
    kept = {key: text for key, text in entry.to_tags().items() if key not in own}
    return {f"{TAG_PREFIX}{key}": text for key, text in kept.items() if text != "0"}


def ledger_name(model_name: str) -> str:
    """The registered model whose versions are the ledger's rows.

    >>> ledger_name("home_credit_default"), ledger_name("main.credit.default")
    ('home_credit_default_promotions', 'main.credit.default_promotions')
    """
    return f"{model_name}{LEDGER_SUFFIX}"
