"""What goes wrong is told in full, in few words, and with an exit code of its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.errors import (
    ConfigError,
    DataError,
    GateRejected,
    GraphError,
    Problem,
    RecipeError,
    StoreError,
    TryAgain,
    UserCodeError,
    did_you_mean,
    few,
    shorten,
)
from mlrecipes.stores.objects import CorruptArtifactError

ONE = Problem("recipe.yaml", 5, "steps.splt", "is not a key of steps.", "Did you mean 'split'?")
TWO = Problem("profiles/local.yaml", None, "MAX", "is not set.")


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (RecipeError("It failed."), 1),
        (ConfigError([ONE]), 2),
        (GraphError("There is a cycle."), 2),
        (UserCodeError("It failed."), 1),
        (DataError("It failed."), 1),
        (StoreError("It failed."), 1),
        (CorruptArtifactError("split", "It was changed."), 1),
        (GateRejected("It was rejected."), 3),
        (TryAgain("It is busy."), 75),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_kind_of_error_has_its_exit_code(error: RecipeError, exit_code: int) -> None:
    assert error.exit_code == exit_code


@pytest.mark.parametrize(
    "kind", [RecipeError, GraphError, UserCodeError, DataError, StoreError, GateRejected, TryAgain]
)
def test_the_text_is_the_message_and_the_hint_on_a_line_of_its_own(kind: type[RecipeError]) -> None:
    error = kind("a.csv does not exist.", hint="Did you mean 'b.csv'?")
    assert str(error) == "a.csv does not exist.\n  Did you mean 'b.csv'?"


def test_without_a_hint_the_text_is_the_message() -> None:
    assert str(DataError("The target is empty.")) == "The target is empty."


def test_one_problem_of_the_configuration_is_one_line() -> None:
    expected = "recipe.yaml:5: steps.splt is not a key of steps. Did you mean 'split'?"
    assert str(ConfigError([ONE])) == expected


def test_many_problems_of_the_configuration_are_counted_and_listed() -> None:
    assert str(ConfigError([ONE, TWO], hint="Look: mlrecipes check")) == (
        "2 problems in the configuration:\n"
        "recipe.yaml:5: steps.splt is not a key of steps. Did you mean 'split'?\n"
        "profiles/local.yaml: MAX is not set.\n"
        "  Look: mlrecipes check"
    )


def test_problems_may_come_from_a_generator() -> None:
    assert ConfigError(problem for problem in (ONE, TWO)).problems == (ONE, TWO)


def test_a_damaged_result_knows_its_step() -> None:
    error = CorruptArtifactError("split", "training_data was changed.")
    assert error.step == "split"
    assert str(error) == "training_data was changed."


@given(st.text(), st.integers(1, 50))
def test_a_shortened_value_is_short_and_printable(text: str, limit: int) -> None:
    shown = shorten(text, limit=limit)
    assert len(shown) == min(len(text), limit)
    assert shown.isprintable()


@given(st.text(st.characters(exclude_categories=["C", "Z"]), max_size=40))
def test_a_short_printable_value_is_shown_as_it_is(text: str) -> None:
    assert shorten(text) == text


@given(st.lists(st.one_of(st.text(), st.integers(), st.none(), st.binary())), st.integers(1, 9))
def test_few_shows_at_most_as_many_values_as_asked_for(values: list[object], limit: int) -> None:
    shown = few(values, limit=limit)
    assert len(shown) <= limit * 44 + len(" and 999 more")
    assert (len(values) > limit) == shown.endswith(f" and {len(values) - limit} more")


def test_few_of_nothing_is_nothing() -> None:
    assert few([]) == ""


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=50))
def test_a_suggestion_is_bounded(word: str, known: list[str]) -> None:
    assert len(did_you_mean(word, known)) <= len("Known: .") + 12 * 44 + len(" and 38 more")


@given(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40),
    st.lists(st.text(max_size=5)),
)
def test_a_known_word_is_suggested_for_itself(word: str, others: list[str]) -> None:
    assert did_you_mean(word, [*others, word]) == f"Did you mean '{word}'?"


def test_the_nearest_word_is_suggested() -> None:
    assert did_you_mean("trian", ["training", "train", "test"]) == "Did you mean 'train'?"


def test_where_nothing_is_known_nothing_is_suggested() -> None:
    assert did_you_mean("train", []) == ""
