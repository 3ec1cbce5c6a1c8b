"""Which steps will run, and why: a pure function of what is wanted and what lies there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mlrecipes.dag.fingerprint import (
    changes,
    content_key,
    digest_of_files,
    source_parts,
)
from mlrecipes.dag.graph import Graph
from mlrecipes.records import JSON, Action, Decision, Manifest, StepSpec

__all__ = ["Known", "Wanted", "decide", "plan", "wanted_parts"]

MAX_REASONS = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asks for.

    Attributes:
        parts: By step, all parts known before anything runs: settings, code, versions.
        target: The last step wanted; it and all that it needs are planned.
        from_step: Run this step and all after it even if nothing changed.
    """

    parts: Mapping[str, Mapping[str, JSON]]
    target: str
    from_step: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What lies in the workspace.

    Attributes:
        current: By step, the manifest that the profile points at, if any.
        doubts: By step, why that manifest must not be trusted, such as a changed input file.
        find: Finds the manifest of a step by its content key among all results ever made.
    """

    current: Mapping[str, Manifest]
    doubts: Mapping[str, str] = field(default_factory=dict)
    find: Callable[[str, str], Manifest | None] = lambda _step, _key: None


def plan(graph: Graph, wanted: Wanted, known: Known) -> list[Decision]:
    """Decide for each step up to the target whether it runs, and say why.

    ::

        ingest    cached
        split     run       steps.split.split_ratios [0.8, 0.1, 0.1] → [0.7, 0.15, 0.15]
        transform depends   split runs
        train     depends   transform may change

    A step is cached if and only if a result with the wanted content key exists. After a
    step that runs, the next ones *depend*: they run unless its output turns out the same.

    Raises:
        GraphError: The target or ``from_step`` is not a step.
    """
    forced = set(graph.downstream(wanted.from_step)) if wanted.from_step else set()
    decisions: dict[str, Decision] = {}
    results: dict[str, Manifest] = {}
    for name in graph.up_to(wanted.target):
        unsettled = [step for step in graph.sources(name) if step not in results]
        if name in forced:
            decision = _forced(name, wanted, known)
        elif unsettled:
            decision = _after(name, decisions[unsettled[0]], wanted, known)
        else:
            decision, found = decide(graph.step(name), wanted, known, _inputs(graph, name, results))
            if found is not None:
                results[name] = found
        decisions[name] = decision
    return list(decisions.values())


def decide(
    spec: StepSpec, wanted: Wanted, known: Known, inputs: Mapping[str, JSON]
) -> tuple[Decision, Manifest | None]:
    """Decide for one step whose inputs are settled.

    Returns:
        The decision and, if the step is cached, the result to use.
    """
    current = known.current.get(spec.name)
    doubt = known.doubts.get(spec.name)
    if doubt is not None:
        return _decision(spec.name, Action.RUN, doubt, known), None
    if spec.always_runs:
        return _decision(spec.name, Action.RUN, "runs whenever it is asked for", known), None
    parts = wanted_parts(wanted.parts[spec.name], inputs, current)
    key = content_key(parts)
    if current is not None and current.key == key:
        return _decision(spec.name, Action.CACHED, "nothing changed", known), current
    because = _reasons(current.parts, parts) if current is not None else "never ran"
    if spec.restorable and (earlier := known.find(spec.name, key)) is not None:
        because = f"{because}: the same as made on {earlier.finished_at}"
        return _decision(spec.name, Action.CACHED, because, known), earlier
    return _decision(spec.name, Action.RUN, because, known), None


def wanted_parts(
    own: Mapping[str, JSON], inputs: Mapping[str, JSON], current: Manifest | None
) -> dict[str, JSON]:
    """All parts of a step: its own, its inputs', and the outside files as last seen."""
    seen = source_parts(current.sources) if current is not None else {}
    return {**own, **inputs, **seen}


def _inputs(graph: Graph, name: str, results: Mapping[str, Manifest]) -> dict[str, JSON]:
    return {
        f"input.{artifact}": digest_of_files(results[graph.writers[artifact]].artifacts[artifact])
        for artifact in graph.step(name).reads
    }


def _forced(name: str, wanted: Wanted, known: Known) -> Decision:
    because = "asked for" if name == wanted.from_step else f"asked for from {wanted.from_step} on"
    return _decision(name, Action.RUN, because, known)


def _after(name: str, earlier: Decision, wanted: Wanted, known: Known) -> Decision:
    """A step behind one that is not settled: its own changes make it run in any case."""
    current = known.current.get(name)
    if current is None:
        return _decision(name, Action.RUN, "never ran", known)
    kept = {part: value for part, value in current.parts.items() if not _is_input(part)}
    own = dict(wanted.parts[name])
    if own != kept:
        return _decision(name, Action.RUN, _reasons(kept, own), known)
    verb = "runs" if earlier.action is Action.RUN else "may change"
    return _decision(name, Action.DEPENDS, f"{earlier.step} {verb}", known)


def _is_input(part: str) -> bool:
    return part.startswith(("input.", "source."))


def _reasons(before: Mapping[str, JSON], after: Mapping[str, JSON]) -> str:
    sentences = changes(before, after)
    n_rest = len(sentences) - MAX_REASONS
    shown = "; ".join(sentences[:MAX_REASONS])
    return f"{shown}; and {n_rest} more" if n_rest > 0 else shown


def _decision(name: str, action: Action, because: str, known: Known) -> Decision:
    current = known.current.get(name)
    return Decision(name, action, because, current.duration_s if current else None)
