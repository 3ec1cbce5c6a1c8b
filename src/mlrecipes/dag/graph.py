"""The order of the steps, derived from the names of what they read and write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from mlrecipes.errors import GraphError, did_you_mean
from mlrecipes.records import StepSpec

__all__ = ["Graph", "build_graph"]


@dataclass(frozen=True, slots=True)
class Graph:
    """Steps in an order in which each comes after all that it reads from.

    Attributes:
        steps: The steps, sorted topologically; the order is the same in every process.
        writers: The step that writes each artifact.
    """

    steps: tuple[StepSpec, ...]
    writers: dict[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all steps in order."""
        return tuple(step.name for step in self.steps)

    def step(self, name: str) -> StepSpec:
        """Find a step by its name.

        Raises:
            GraphError: There is no such step.
        """
        for step in self.steps:
            if step.name == name:
                return step
        raise GraphError(f"'{name}' is not a step of this recipe. {did_you_mean(name, self.names)}")

    def sources(self, name: str) -> tuple[str, ...]:
        """Steps whose outputs the step reads, without repetition, in order."""
        direct = {self.writers[artifact] for artifact in self.step(name).reads}
        return tuple(step for step in self.names if step in direct)

    def up_to(self, name: str) -> tuple[str, ...]:
        """The step and everything that it needs, in order."""
        wanted = {name}
        for step in reversed(self.names):
            if step in wanted:
                wanted.update(self.sources(step))
        self.step(name)
        return tuple(step for step in self.names if step in wanted)

    def downstream(self, name: str) -> tuple[str, ...]:
        """The step and everything that needs it, in order."""
        self.step(name)
        reached = {name}
        for step in self.names:
            if reached.intersection(self.sources(step)):
                reached.add(step)
        return tuple(step for step in self.names if step in reached)


def build_graph(specs: Iterable[StepSpec]) -> Graph:
    """Derive the edges from what the steps read and write.

    ::

        ingest ── ingested_data ──> split ── training_data ──> transform ──> train

    Raises:
        GraphError: Two steps write one artifact, nobody writes one that is read, or the
            steps form a cycle.
    """
    declared = sorted(specs, key=lambda spec: spec.name)
    writers = _writers(declared)
    sorter = TopologicalSorter({spec.name: _needs(spec, writers) for spec in declared})
    try:
        sorter.prepare()
    except CycleError as error:
        cycle = " -> ".join(error.args[1])
        raise GraphError(f"The steps need each other in a circle: {cycle}.") from error
    by_name = {spec.name: spec for spec in declared}
    branches = _branches({spec.name: _needs(spec, writers) for spec in declared})
    ordered: list[StepSpec] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        ordered.extend(by_name[name] for name in ready)
        sorter.done(*ready)
    ordered.sort(key=lambda spec: branches[spec.name])
    return Graph(tuple(ordered), writers)


def _branches(needs: dict[str, set[str]]) -> dict[str, tuple[int, str]]:
    """Where each step's branch stands among all: steps without any tie lie in different ones.

    The longest branch comes first, so that scoring follows after training.
    """
    first = {name: name for name in needs}
    for name, sources in needs.items():
        for source in sources:
            kept, merged = sorted((first[name], first[source]))
            first = {step: kept if one == merged else one for step, one in first.items()}
    sizes = list(first.values())
    return {name: (-sizes.count(one), one) for name, one in first.items()}


def _writers(specs: list[StepSpec]) -> dict[str, str]:
    writers: dict[str, str] = {}
    for spec in specs:
        for artifact in spec.writes:
            if artifact.name in writers:
                first = writers[artifact.name]
                raise GraphError(f"Both {first} and {spec.name} write '{artifact.name}'.")
            writers[artifact.name] = spec.name
    return writers


def _needs(spec: StepSpec, writers: dict[str, str]) -> set[str]:
    for artifact in spec.reads:
        if artifact not in writers:
            raise GraphError(
                f"{spec.name} reads '{artifact}', which no step writes. "
                f"{did_you_mean(artifact, writers)}"
            )
    return {writers[artifact] for artifact in spec.reads}
