"""A plan says which steps run and why, from nothing but records."""

from collections.abc import Mapping

import pytest

from mlrecipes.dag.fingerprint import content_key, digest_of_files, source_parts
from mlrecipes.dag.graph import Graph, build_graph
from mlrecipes.dag.plan import Known, Wanted, plan
from mlrecipes.errors import GraphError
from mlrecipes.records import (
    JSON,
    Action,
    ArtifactKind,
    ArtifactSpec,
    FileDigest,
    Manifest,
    Source,
    StepSpec,
)


def chain(*names: str, restorable: bool = True) -> Graph:
    """Steps of which each reads what the one before it writes: ``x_<name>``."""
    specs = []
    for position, name in enumerate(names):
        reads = (f"x_{names[position - 1]}",) if position else ()
        writes = (ArtifactSpec(f"x_{name}", ArtifactKind.JSON),)
        specs.append(StepSpec(name, reads, writes, version=1, restorable=restorable))
    return build_graph(specs)


def done(
    graph: Graph, parts: Mapping[str, Mapping[str, JSON]], sources: tuple[Source, ...] = ()
) -> dict[str, Manifest]:
    """What the workspace holds after a run of the whole chain with these parts."""
    results: dict[str, Manifest] = {}
    for spec in graph.steps:
        inputs: dict[str, JSON] = {}
        for name in spec.reads:
            inputs[f"input.{name}"] = digest_of_files(results[graph.writers[name]].artifacts[name])
        seen = () if spec.reads else sources
        whole = {**parts[spec.name], **inputs, **source_parts(seen)}
        key = content_key(whole)
        artifacts = {w.name: (FileDigest(f"{w.name}.json", 1, key),) for w in spec.writes}
        results[spec.name] = Manifest(
            spec.name, key, whole, artifacts, seen, finished_at="2026-01-02", duration_s=3.0
        )
    return results


PARTS: dict[str, dict[str, JSON]] = {"a": {"a.n": 1}, "b": {"b.n": 1}, "c": {"c.n": 1}}


def states(graph: Graph, wanted: Wanted, known: Known) -> list[tuple[str, str, str]]:
    return [(d.step, str(d.action), d.because) for d in plan(graph, wanted, known)]


def test_everything_runs_in_an_empty_workspace() -> None:
    graph = chain("a", "b")
    found = states(graph, Wanted(PARTS, "b"), Known({}))
    assert found == [("a", "run", "never ran"), ("b", "run", "never ran")]


def test_nothing_runs_when_nothing_changed() -> None:
    graph = chain("a", "b", "c")
    found = plan(graph, Wanted(PARTS, "c"), Known(done(graph, PARTS)))
    assert {decision.action for decision in found} == {Action.CACHED}


def test_a_changed_setting_runs_its_step_and_the_ones_behind_depend() -> None:
    graph = chain("a", "b", "c")
    changed = PARTS | {"b": {"b.n": 2}}
    assert states(graph, Wanted(changed, "c"), Known(done(graph, PARTS))) == [
        ("a", "cached", "nothing changed"),
        ("b", "run", "b.n 1 → 2"),
        ("c", "depends", "b runs"),
    ]


def test_a_step_with_its_own_change_runs_even_behind_one_that_runs() -> None:
    graph = chain("a", "b")
    changed: dict[str, dict[str, JSON]] = {"a": {"a.n": 2}, "b": {"b.n": 2}}
    found = states(graph, Wanted(changed, "b"), Known(done(graph, PARTS)))
    assert found[1] == ("b", "run", "b.n 1 → 2")


def test_a_step_behind_one_that_depends_says_so() -> None:
    graph = chain("a", "b", "c")
    found = states(graph, Wanted(PARTS | {"a": {"a.n": 2}}, "c"), Known(done(graph, PARTS)))
    assert found[2] == ("c", "depends", "b may change")


def test_from_runs_the_step_and_all_behind_it() -> None:
    graph = chain("a", "b", "c")
    found = states(graph, Wanted(PARTS, "c", from_step="b"), Known(done(graph, PARTS)))
    assert found[1:] == [("b", "run", "asked for"), ("c", "run", "asked for from b on")]


def test_a_doubt_about_a_result_makes_its_step_run() -> None:
    graph = chain("a", "b")
    known = Known(done(graph, PARTS), doubts={"a": "input loans.csv changed"})
    assert states(graph, Wanted(PARTS, "b"), known)[0] == ("a", "run", "input loans.csv changed")


def test_files_outside_count_as_last_seen() -> None:
    graph = chain("a", "b")
    held = done(graph, PARTS, (Source("loans.csv", 10, "abc"),))
    assert {d.action for d in plan(graph, Wanted(PARTS, "b"), Known(held))} == {Action.CACHED}


def test_an_older_result_with_the_wanted_key_is_used_again() -> None:
    graph = chain("a", "b")
    older = done(graph, PARTS)
    now = done(graph, PARTS | {"a": {"a.n": 2}})
    known = Known(now, find=lambda step, key: older[step] if older[step].key == key else None)
    found = states(graph, Wanted(PARTS, "b"), known)
    assert found[0] == ("a", "cached", "a.n 2 → 1: the same as made on 2026-01-02")


def test_a_step_whose_effect_lies_elsewhere_is_never_taken_from_an_older_result() -> None:
    graph = chain("a", restorable=False)
    older = done(graph, PARTS)
    known = Known(done(graph, {"a": {"a.n": 2}}), find=lambda step, _key: older[step])
    assert states(graph, Wanted(PARTS, "a"), known) == [("a", "run", "a.n 2 → 1")]


def test_many_reasons_are_counted() -> None:
    graph = chain("a")
    before: dict[str, dict[str, JSON]] = {"a": {f"k{i}": 1 for i in range(5)}}
    after: dict[str, dict[str, JSON]] = {"a": {f"k{i}": 2 for i in range(5)}}
    found = states(graph, Wanted(after, "a"), Known(done(graph, before)))
    assert found[0][2] == "k0 1 → 2; k1 1 → 2; k2 1 → 2; and 2 more"


def test_a_plan_tells_how_long_a_step_took_the_last_time() -> None:
    graph = chain("a")
    found = plan(graph, Wanted({"a": {"a.n": 2}}, "a"), Known(done(graph, PARTS)))
    assert found[0].last_duration_s == 3.0


def test_an_unknown_target_is_an_error() -> None:
    with pytest.raises(GraphError, match="'z' is not a step"):
        plan(chain("a"), Wanted(PARTS, "z"), Known({}))
