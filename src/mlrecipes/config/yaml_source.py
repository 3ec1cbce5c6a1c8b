"""YAML as plain values, with the line on which each key stands.

As PyYAML's safe loader reads it (MLflow Recipes used that one), but a key that stands twice,
a tag that makes Python objects and a document that unfolds without bound are problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import yaml

from mlrecipes.errors import Problem, shorten

__all__ = ["Document", "parse_yaml"]

MAX_DEPTH = 40
MAX_NODES = 50_000
MAX_PROBLEMS = 50
STANDARD = "tag:yaml.org,2002:"
MERGE = f"{STANDARD}merge"
TEXT = f"{STANDARD}str"
TAGS: dict[type[yaml.Node], str] = {
    yaml.MappingNode: f"{STANDARD}map",
    yaml.SequenceNode: f"{STANDARD}seq",
}

Pair: TypeAlias = tuple[yaml.Node, yaml.Node]


class Fill(Protocol):
    """Puts values into a scalar of text."""

    def __call__(self, text: str, path: str, *, is_text: bool) -> Any: ...


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        data: Mappings, lists and scalars; None for an empty file.
        places: File and line of each key path, such as ``custom_metrics[0].name``.
        problems: What is wrong with the file; ``data`` is then incomplete.
    """

    data: Any
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def parse_yaml(
    text: str,
    file: str,
    *,
    places: Sequence[tuple[str, int]] = (),
    fill: Fill | None = None,
) -> Document:
    """Parse a YAML text.

    Args:
        text: The document.
        file: Its name in messages.
        places: Where each line of the text comes from; by default from this file.
        fill: Puts values into a scalar of text; ``is_text`` says that only text may come of
            it, because it is in quotes or a key.

    >>> document = parse_yaml("a: {b: 1}", "recipe.yaml")
    >>> document.data, document.places["a.b"]
    ({'a': {'b': 1}}, ('recipe.yaml', 1))
    """
    try:
        return _Reader(file, places, fill).document(text)
    except _RefusedError as refused:
        return Document(None, problems=(refused.problem,))


class _Loader(yaml.SafeLoader):
    """Stops at deep nesting at once: looking ahead, PyYAML takes seconds for it."""

    def fetch_flow_collection_start(self, TokenClass: Any) -> None:  # noqa: N803 - PyYAML's name
        if self.flow_level >= MAX_DEPTH:
            raise RecursionError
        super().fetch_flow_collection_start(TokenClass)


class _RefusedError(Exception):
    """The document cannot be read at all."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


class _Reader:
    """Walks the nodes of one document."""

    def __init__(
        self, file: str, places: Sequence[tuple[str, int]], fill: Fill | None = None
    ) -> None:
        self._file = file
        self._places = places
        self._fill = fill or _as_it_is
        self._found: dict[str, tuple[str, int]] = {}
        self._problems: list[Problem] = []
        self._n_nodes = 0

    def document(self, text: str) -> Document:
        """Read all.

        Raises:
            _RefusedError: It is no YAML, or too much of it.
        """
        try:
            self._loader = _Loader(text)
            node = self._loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            raise self._refused_at(error) from error
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            what = f"has a character that YAML does not allow: U+{error.character:04X}."
            raise _RefusedError(self._problem(line, "", what)) from error
        except RecursionError as error:
            raise self._too_large() from error
        data = None if node is None else self._value(node, "", 0)
        return Document(data, self._found, tuple(self._problems[:MAX_PROBLEMS]))

    def _value(self, node: yaml.Node, path: str, depth: int) -> Any:
        self._count(depth)
        self._found.setdefault(path, self._place(_line(node)))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if node.tag != TAGS[type(node)]:
            self._add(node, path, f"has the tag {_short_tag(node)}, which is not read.")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        return [self._value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        first: dict[Any, int] = {}
        own = [pair for pair in node.value if pair[0].tag != MERGE]
        for key_node, value_node in own:
            key = self._key(key_node)
            inner = f"{path}.{key}" if path else str(key)
            if key in first:
                what = f"stands twice, first on line {first[key]}."
                self._add(key_node, inner, what, "Keep one of them.")
                continue
            first[key] = self._place(_line(key_node))[1]
            self._found[inner] = self._place(_line(key_node))
            result[key] = self._value(value_node, inner, depth + 1)
        for key_node, value_node in self._merged(node, path, depth):
            key = self._key(key_node)
            if key not in result:
                inner = f"{path}.{key}" if path else str(key)
                result[key] = self._value(value_node, inner, depth + 1)
        return result

    def _merged(self, node: yaml.MappingNode, path: str, depth: int) -> Iterator[Pair]:
        """What ``<<`` brings in, the nearest first: an earlier one wins."""
        self._count(depth)
        for key_node, value_node in node.value:
            if key_node.tag != MERGE:
                continue
            is_list = isinstance(value_node, yaml.SequenceNode)
            for source in value_node.value if is_list else [value_node]:
                if not isinstance(source, yaml.MappingNode):
                    self._add(source, path, "merges (<<) what is no mapping.")
                    continue
                yield from (pair for pair in source.value if pair[0].tag != MERGE)
                yield from self._merged(source, path, depth + 1)

    def _key(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, "", is_key=True)
        self._add(node, "", "has a key that is no single word.")
        return f"<key on line {_line(node)}>"

    def _scalar(self, node: yaml.ScalarNode, path: str, *, is_key: bool = False) -> Any:
        if node.tag == TEXT:
            return self._fill(
                node.value, path, is_text=is_key or node.style in {"'", '"', "|", ">"}
            )
        try:
            return self._loader.construct_object(node, deep=True)
        except yaml.constructor.ConstructorError:
            self._add(node, path, f"has the tag {_short_tag(node)}, which is not read.")
        except (ValueError, OverflowError, LookupError) as error:
            what = f"is '{shorten(node.value)}', which cannot be read as a value"
            self._add(node, path, f"{what}: {shorten(error, limit=80)}.")
        return f"<key on line {_line(node)}>" if is_key else None

    # -- places and problems ----------------------------------------------------------------

    def _count(self, depth: int) -> None:
        self._n_nodes += 1
        if self._n_nodes > MAX_NODES or depth > MAX_DEPTH:
            raise self._too_large()

    def _too_large(self) -> _RefusedError:
        what = (
            f"unfolds to more than {MAX_NODES:,} values or {MAX_DEPTH} levels "
            "(aliases count each time they are used)."
        )
        return _RefusedError(Problem(self._file, None, "", what))

    def _refused_at(self, error: yaml.MarkedYAMLError) -> _RefusedError:
        mark = error.problem_mark or error.context_mark
        reason = shorten(
            self._fill(error.problem or error.context or "", "", is_text=True), limit=120
        )
        line = 1 if mark is None else mark.line + 1
        return _RefusedError(self._problem(line, "", f"is no valid YAML: {reason}."))

    def _place(self, line: int) -> tuple[str, int]:
        if not self._places:
            return self._file, line
        return self._places[min(line, len(self._places)) - 1]

    def _add(self, node: yaml.Node, path: str, what: str, hint: str = "") -> None:
        self._problems.append(self._problem(_line(node), path, what, hint))

    def _problem(self, line: int, path: str, what: str, hint: str = "") -> Problem:
        file, number = self._place(line)
        return Problem(file, number, path, what, hint)


def _as_it_is(text: str, path: str, *, is_text: bool) -> Any:
    return text


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _short_tag(node: yaml.Node) -> str:
    return shorten(str(node.tag).replace(STANDARD, "!!"), limit=60)
