"""The order of the steps follows from the names of what they read and write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.dag.graph import build_graph
from mlrecipes.errors import GraphError
from mlrecipes.records import ArtifactKind, ArtifactSpec, StepSpec


def spec(name: str, reads: str = "", writes: str = "") -> StepSpec:
    artifacts = tuple(ArtifactSpec(word, ArtifactKind.JSON) for word in writes.split())
    return StepSpec(name, tuple(reads.split()), artifacts, version=1)


def test_a_step_comes_after_the_writer_of_what_it_reads() -> None:
    graph = build_graph([spec("b", "x", "y"), spec("c", "y"), spec("a", "", "x")])
    assert graph.names == ("a", "b", "c")


def test_up_to_leaves_out_what_a_step_does_not_need() -> None:
    graph = build_graph([spec("a", "", "x"), spec("b", "x", "y"), spec("other", "x")])
    assert graph.up_to("b") == ("a", "b")


def test_downstream_is_the_step_and_all_that_need_it() -> None:
    #  a ─> b ─> d
    #  └──> c
    graph = build_graph(
        [spec("a", "", "x"), spec("b", "x", "y"), spec("c", "x", "z"), spec("d", "y")]
    )
    assert graph.downstream("b") == ("b", "d")
    assert set(graph.downstream("a")) == {"a", "b", "c", "d"}


def test_an_artifact_that_nobody_writes_is_an_error() -> None:
    with pytest.raises(GraphError, match=r"b reads 'trainig_data', .* mean 'training_data'"):
        build_graph([spec("a", "", "training_data"), spec("b", "trainig_data")])


def test_two_writers_of_one_artifact_are_an_error() -> None:
    with pytest.raises(GraphError, match="Both a and b write 'x'"):
        build_graph([spec("a", "", "x"), spec("b", "", "x")])


def test_a_circle_is_an_error_that_shows_the_circle() -> None:
    with pytest.raises(GraphError, match=r"in a circle: .*->"):
        build_graph([spec("a", "y", "x"), spec("b", "x", "y")])


def test_an_unknown_step_is_an_error_with_a_suggestion() -> None:
    graph = build_graph([spec("train", "", "x")])
    with pytest.raises(
        GraphError, match=r"'tran' is not a step of this recipe. Did you mean 'train'"
    ):
        graph.up_to("tran")


@st.composite
def layered_specs(draw: st.DrawFn) -> list[StepSpec]:
    """Steps that each read from some of the earlier ones, in random order."""
    n_steps = draw(st.integers(1, 8))
    specs = []
    for position in range(n_steps):
        earlier = [f"x{i}" for i in range(position)]
        reads = draw(st.lists(st.sampled_from(earlier), unique=True)) if earlier else []
        specs.append(
            spec(f"s{draw(st.integers(0, 9))}_{position}", " ".join(reads), f"x{position}")
        )
    return draw(st.permutations(specs))


@given(layered_specs())
def test_the_order_is_topological_and_the_same_for_any_order_of_declaration(
    specs: list[StepSpec],
) -> None:
    graph = build_graph(specs)
    place = {name: position for position, name in enumerate(graph.names)}
    for step in specs:
        assert all(place[graph.writers[name]] < place[step.name] for name in step.reads)
    assert graph.names == build_graph(sorted(specs, key=lambda s: s.name)).names
