"""The ledger: of promoters that decided on the same state one wins, and what died is finished."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.errors import GateRejected, StoreError
from mlrecipes.promotion_ledger import Ledger, Names
from mlrecipes.promotion_ports import VersionFacts
from mlrecipes.promotion_records import (
    MAX_TEXT,
    Entry,
    Move,
    State,
    champions,
    rolled_back,
    winners,
)
from mlrecipes.testing import MemoryPromotions, MemoryRegistry

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
NAMES = Names("loans", "champion", "previous_champion")
FIRST = Entry(Move.FIRST, "1", verdict="first")


class Stopped(Exception):
    """The promoter died here."""


@pytest.fixture
def world() -> MemoryPromotions:
    """Four versions and no champion."""
    registry = MemoryRegistry()
    for run in "abcd":
        registry.register("loans", run, "train/model", {})
    return MemoryPromotions(registry)


def ledger(world: MemoryPromotions, who: str = "ann") -> Ledger:
    return Ledger(world, NAMES, who=who, now=lambda: NOON)


def promote(world: MemoryPromotions, version: str, who: str = "ann") -> Entry:
    one = ledger(world, who)
    return one.move(Entry(Move.PROMOTE, version, verdict="promote"), one.settle())


def states(world: MemoryPromotions) -> list[State]:
    return [entry.state for entry in world.entries("loans")]


def test_a_promotion_sets_both_aliases_and_tags_the_version(world: MemoryPromotions) -> None:
    promote(world, "1")
    row = promote(world, "2", "bob")
    assert world.aliases("loans") == {"champion": "2", "previous_champion": "1"}
    assert (row.number, row.from_version, row.state) == (2, "1", State.CLOSED)
    tags = world.version("loans", "2").tags
    assert tags["mlrecipes.promotion.who"] == "bob"
    assert tags["mlrecipes.promotion.at_utc"] == "2026-01-02T12:00:00+00:00"
    assert tags["mlrecipes.promotion.from_version"] == "1"


def test_who_decided_on_what_is_no_longer_so_loses_and_changes_nothing(
    world: MemoryPromotions,
) -> None:
    promote(world, "1")
    slow = ledger(world, "slow")
    seen = slow.settle()
    promote(world, "2", "bob")
    with pytest.raises(GateRejected, match=r"moved v1 -> v2 while .* Nothing was changed") as error:
        slow.move(Entry(Move.PROMOTE, "3"), seen)
    assert error.value.hint == "Evaluate again: mlrecipes promote"
    assert world.aliases("loans") == {"champion": "2", "previous_champion": "1"}


def test_of_two_that_write_their_intent_at_once_the_first_in_the_order_wins(
    world: MemoryPromotions,
) -> None:
    promote(world, "1")

    class Late(MemoryPromotions):
        """Somebody else's row comes in between the last look and the own row."""

        def append(self, name: str, entry: Entry, about: VersionFacts) -> int:
            super().append(name, replace(entry, to_version="2", who="bob"), about)
            return super().append(name, entry, about)

    late = Late(world.registry)
    late.rows = world.rows
    with pytest.raises(GateRejected, match=r"moved v1 -> v2 .*\(promote by bob at 2026"):
        promote(late, "3")
    assert states(world) == [State.CLOSED, State.INTENT, State.LOST]
    assert world.aliases("loans")["champion"] == "1"
    ledger(world).settle()
    assert world.aliases("loans")["champion"] == "2"


@pytest.mark.parametrize("method", ["point", "tag", "amend"])
def test_a_promoter_that_dies_is_finished_by_the_next_call(
    world: MemoryPromotions, method: str
) -> None:
    promote(world, "1")

    class Dying(MemoryPromotions):
        def __getattribute__(self, name: str) -> object:
            if name == method:
                raise Stopped
            return super().__getattribute__(name)

    dying = Dying(world.registry)
    dying.rows = world.rows
    with pytest.raises(Stopped):
        promote(dying, "2", "bob")
    assert states(world)[-1] is State.INTENT
    found = ledger(world, "eve").settle()
    assert found.champion == "2"
    assert "Promotion 2 (promote: v1 -> v2) of bob" in found.notes[0]
    assert world.aliases("loans") == {"champion": "2", "previous_champion": "1"}
    assert world.entries("loans")[-1].repaired == "eve"
    assert world.version("loans", "2").tags["mlrecipes.promotion.who"] == "bob"
    assert ledger(world).settle().notes == ()


def test_a_slow_promoter_does_not_undo_a_later_one(world: MemoryPromotions) -> None:
    """It stops before it sets the alias; the next one repairs it and promotes again."""
    promote(world, "1")

    class Slow(MemoryPromotions):
        is_slow = True

        def point(self, name: str, alias: str, version: str | None) -> None:
            if self.is_slow:
                self.is_slow = False
                promote(world, "3", "bob")
            super().point(name, alias, version)

    slow = Slow(world.registry)
    slow.rows = world.rows
    promote(slow, "2")
    assert world.aliases("loans") == {"champion": "3", "previous_champion": "2"}
    assert ledger(world).settle().notes == ()


def test_an_alias_set_by_hand_counts_and_is_noted(world: MemoryPromotions) -> None:
    promote(world, "1")
    world.point("loans", "champion", "4")
    found = ledger(world).settle()
    assert found.champion == "4"
    assert "was set by hand: promotion 1 made it version 1" in found.notes[0]
    row = ledger(world).move(Entry(Move.PROMOTE, "2"), found)
    assert row.from_version == "4"
    assert world.aliases("loans") == {"champion": "2", "previous_champion": "4"}


def test_an_alias_set_by_hand_while_deciding_stops_the_promotion(world: MemoryPromotions) -> None:
    promote(world, "1")
    seen = ledger(world).settle()
    world.point("loans", "champion", "4")
    with pytest.raises(GateRejected, match="moved v1 -> v4"):
        ledger(world).move(Entry(Move.PROMOTE, "2"), seen)
    assert len(world.entries("loans")) == 1


def test_a_decision_that_moves_nothing_does_not_stop_one_that_does(
    world: MemoryPromotions,
) -> None:
    promote(world, "1")
    seen = ledger(world).settle()
    ledger(world).note(Entry(Move.DECISION, "3", verdict="keep", reason="worse"), seen)
    assert ledger(world).move(Entry(Move.PROMOTE, "2"), seen).state is State.CLOSED
    assert world.version("loans", "3").tags["mlrecipes.promotion.verdict"] == "keep"
    assert world.aliases("loans")["champion"] == "2"


def test_rollbacks_go_back_one_after_the_other(world: MemoryPromotions) -> None:
    for version in "123":
        promote(world, version)
    for expected, previous in (("2", "1"), ("1", None)):
        back = ledger(world)
        seen = back.settle()
        target = champions(seen.entries)[-2]
        back.move(Entry(Move.ROLLBACK, target, reason="it denies everybody"), seen)
        assert world.aliases("loans").get("champion") == expected
        assert world.aliases("loans").get("previous_champion") == previous
    said = world.version("loans", "3").tags["mlrecipes.promotion.rolled_back"]
    assert said == "2026-01-02T12:00:00+00:00 ann: it denies everybody"
    rows = world.entries("loans")
    assert rolled_back(rows, "3") is not None
    assert rolled_back(rows, "1") is None
    promote(world, "3")
    assert rolled_back(world.entries("loans"), "3") is None


def test_a_previous_champion_that_was_deleted_is_no_alias(world: MemoryPromotions) -> None:
    promote(world, "1")
    world.registry.delete_version("loans", "1")
    promote(world, "2")
    assert world.aliases("loans") == {"champion": "2"}


def test_a_version_that_is_not_there_is_refused_before_a_row_is_written(
    world: MemoryPromotions,
) -> None:
    with pytest.raises(StoreError, match="no version 9"):
        promote(world, "9")
    assert world.entries("loans") == ()


def test_texts_in_the_ledger_are_bounded_and_printable() -> None:
    tags = Entry(Move.OVERRIDE, "1", reason="a\n\x1b[31m" * 1_000, who="x" * 9_000).to_tags()
    assert {len(tags["reason"]), len(tags["who"])} == {MAX_TEXT}
    assert tags["reason"].isprintable()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 8)), max_size=12))
def test_whatever_is_written_each_row_is_expected_by_at_most_one_that_counts(
    rows: list[tuple[int, int]],
) -> None:
    moves = [Move.PROMOTE, Move.ROLLBACK, Move.DECISION, Move.OVERRIDE]
    entries = [
        Entry(moves[move], str(number), expects=expects, number=number)
        for number, (move, expects) in enumerate(rows, 1)
    ]
    won = winners(entries)
    assert [one.expects for one in won] == [0, *(one.number for one in won)][: len(won)]
    assert winners(reversed(entries)) == won
    assert winners(entries[: len(entries) // 2]) == [
        one for one in won if one.number <= len(entries) // 2
    ]
    line = champions(entries)
    assert not won or line[-1] == won[-1].to_version
    assert all(one != other for one, other in pairwise(line))
