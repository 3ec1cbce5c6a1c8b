"""Sentences that several commands print."""

from __future__ import annotations

from mlrecipes.records import Action, Decision
from mlrecipes.talk import seconds

__all__ = ["count_of", "steps_are"]


def count_of(decisions: list[Decision]) -> str:
    """How much a plan would run, in a sentence."""
    n_cached = sum(decision.action is Action.CACHED for decision in decisions)
    n_to_run = len(decisions) - n_cached
    if n_to_run == 0:
        return f"Nothing to do: {steps_are(n_cached)} up to date."
    known = [d.last_duration_s for d in decisions if d.action is not Action.CACHED]
    took = sum(duration for duration in known if duration is not None)
    estimate = f" (about {seconds(took)} last time)" if took else ""
    return f"{n_to_run} to run{estimate}, {n_cached} kept. Run it: mlrecipes run"


def steps_are(n_steps: int) -> str:
    """The subject of a sentence about steps."""
    return "1 step is" if n_steps == 1 else f"all {n_steps} steps are"
