"""YAML is read as PyYAML reads it safely, minus surprises that cost people a day."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.config.load import LoadedConfig
from mlrecipes.config.yaml_source import parse_yaml
from tests.config.small import RECIPE, problems


def test_a_yaml_bomb_is_refused(load: Callable[..., LoadedConfig]) -> None:
    lines = ["a0: &a0 [x, x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)
    ]
    (found,) = problems(lambda: load("\n".join(lines)))
    assert "unfolds to more than" in found


def test_a_python_tag_is_refused(load: Callable[..., LoadedConfig], tmp_path: Path) -> None:
    tag = f"seed: !!python/object/apply:pathlib.Path.touch ['{tmp_path}/made']\n"
    assert problems(lambda: load(RECIPE + tag))
    assert not (tmp_path / "made").exists()


def test_every_key_has_its_place() -> None:
    document = parse_yaml("a:\n  b:\n    - c: 1\n    - d\n", "f.yaml")
    assert document.data == {"a": {"b": [{"c": 1}, "d"]}}
    assert document.places["a.b[0].c"] == ("f.yaml", 3)
    assert document.places["a.b[1]"] == ("f.yaml", 4)


def test_an_empty_file_holds_nothing() -> None:
    assert parse_yaml("# nothing\n", "f.yaml").data is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x {b: 1}\nc: {<<: *x, d: 2}", {"b": 1, "d": 2}),
        ("a: 1\nc: {<<: {b: 1}, b: 2}", {"b": 2}),
        ("a: 1\nc: {b: 2, <<: {b: 1}}", {"b": 2}),
        ("a: 1\nc: {<<: [{b: 1}, {b: 2, d: 3}]}", {"b": 1, "d": 3}),
        ("a: 1\nc: {<<: {<<: {b: 1, e: 5}, b: 2}}", {"b": 2, "e": 5}),
    ],
)
def test_merged_keys_are_those_of_pyyaml(text: str, expected: object) -> None:
    document = parse_yaml(text, "f.yaml")
    assert document.problems == ()
    assert document.data == yaml.safe_load(text)
    assert document.data["c"] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: {<<: 1}", "f.yaml:1: a merges (<<) what is no mapping."),
        ("a: 1\n? [b]\n: 2", "f.yaml:2: has a key that is no single word."),
        ("a: !!python/name:os.system x", "f.yaml:1: a has the tag !!python/name:os.system,"),
        ("a: !!python/object:os.x {b: 1}", "f.yaml:1: a has the tag !!python/object:os.x,"),
        ("a: !!python/tuple [1]", "f.yaml:1: a has the tag !!python/tuple, which is not read."),
        ("a: !!set {b}", "f.yaml:1: a has the tag !!set, which is not read."),
        ("!!int x: 1", "f.yaml:1: is 'x', which cannot be read as a value"),
        ("!own x: 1", "f.yaml:1: has the tag !own, which is not read."),
        ("a: 2001-13-99", "f.yaml:1: a is '2001-13-99', which cannot be read as a value: month"),
        (f"a: {'9' * 5000}", "f.yaml:1: a is '99999"),
        ("a: [1", "f.yaml:1: is no valid YAML: expected ',' or ']'"),
        ("a: *b", "f.yaml:1: is no valid YAML: found undefined alias"),
        ("a: 1\n---\nb: 2", "f.yaml:2: is no valid YAML: but found another document."),
        ("a: 1\nb: \x01", "f.yaml:2: has a character that YAML does not allow: U+0001."),
        ("a: " + "[" * 50 + "]" * 50, "f.yaml: unfolds to more than 50,000 values or 40 levels"),
        ("a: " + "[" * 5000, "f.yaml: unfolds to more than 50,000 values or 40 levels"),
        ("a: &a [*a]", "f.yaml: unfolds to more than 50,000 values or 40 levels"),
        ("a: &a {<<: *a}", "f.yaml: unfolds to more than 50,000 values or 40 levels"),
        ("a: &a {b: {<<: *a}}", "f.yaml: unfolds to more than 50,000 values or 40 levels"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str, expected: str) -> None:
    (problem, *_) = parse_yaml(text, "f.yaml").problems
    assert str(problem).startswith(expected)


def test_a_key_that_stands_twice_is_found_at_any_level() -> None:
    (problem,) = parse_yaml("a:\n  - b: 1\n    c: 2\n    b: 3\n", "f.yaml").problems
    assert str(problem) == "f.yaml:4: a[0].b stands twice, first on line 2. Keep one of them."


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=10,
    )
)
def test_what_was_dumped_is_read_again(value: object) -> None:
    assert parse_yaml(yaml.safe_dump(value), "f.yaml").data == value
