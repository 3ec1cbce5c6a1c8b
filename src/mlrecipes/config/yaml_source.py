"""YAML as plain values, with the line on which each key stands.

As PyYAML's safe loader reads it (MLflow Recipes used that one), but a key that stands twice,
a tag that makes Python objects and a document that unfolds without bound are problems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from mlrecipes.errors import Problem, shorten

__all__ = ["Document", "parse_yaml"]

MAX_DEPTH = 40
MAX_NODES = 50_000


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        data: Mappings, lists and scalars; None for an empty file.
        lines: Line of each key path, such as ``steps.train`` or ``custom_metrics[0].name``.
        quoted: Key paths whose value is a scalar in quotes or a block.
        problems: What is wrong with the file; ``data`` is then incomplete.
    """

    data: Any
    lines: dict[str, int] = field(default_factory=dict)
    quoted: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def parse_yaml(text: str, file: str) -> Document:
    """Parse a YAML text.

    Args:
        text: The document.
        file: Its name in messages.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(None)
        reader = _Reader(loader, file)
        data = reader.value(node, "", 0)
        return Document(data, reader.lines, frozenset(reader.quoted), tuple(reader.problems))
    except _TooLargeError as error:
        return Document(None, problems=(Problem(file, None, "", str(error)),))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"is no valid YAML: {error.problem or error.context}."
        line = None if mark is None else mark.line + 1
        return Document(None, problems=(Problem(file, line, "", what),))
    except (yaml.YAMLError, ValueError) as error:
        return Document(None, problems=(Problem(file, None, "", f"is no valid YAML: {error}"),))
    finally:
        loader.dispose()


class _TooLargeError(Exception):
    """The document unfolds to more than any recipe needs."""


class _Reader:
    """Walks the nodes of one document."""

    def __init__(self, loader: yaml.SafeLoader, file: str) -> None:
        self.lines: dict[str, int] = {}
        self.quoted: set[str] = set()
        self.problems: list[Problem] = []
        self._loader = loader
        self._file = file
        self._n_nodes = 0

    def value(self, node: yaml.Node, path: str, depth: int) -> Any:
        self._n_nodes += 1
        if self._n_nodes > MAX_NODES or depth > MAX_DEPTH:
            raise _TooLargeError(
                f"unfolds to more than {MAX_NODES:,} values or {MAX_DEPTH} levels "
                "(aliases count each time they are used)."
            )
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [
                self.value(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)
            ]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        first_line: dict[Any, int] = {}
        for key_node, value_node in self._pairs(node):
            key = self._key(key_node)
            line = key_node.start_mark.line + 1
            inner = f"{path}.{key}" if path else str(key)
            if key in first_line:
                what = f"stands twice, first on line {first_line[key]}."
                self.problems.append(Problem(self._file, line, inner, what, "Keep one of them."))
                continue
            first_line[key] = line
            self.lines[inner] = line
            result[key] = self.value(value_node, inner, depth + 1)
        return result

    def _pairs(self, node: yaml.MappingNode) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """The pairs; what is merged in by ``<<`` comes last and yields to the node's own."""
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        own = set()
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                sources = (
                    value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                )
                merged += [p for s in sources if isinstance(s, yaml.MappingNode) for p in s.value]
            else:
                own.add(key_node.value if isinstance(key_node, yaml.ScalarNode) else None)
                yield key_node, value_node
        for key_node, value_node in merged:
            if isinstance(key_node, yaml.ScalarNode) and key_node.value not in own:
                own.add(key_node.value)
                yield key_node, value_node

    def _key(self, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            line = node.start_mark.line + 1
            self.problems.append(Problem(self._file, line, "", "has a key that is no single word."))
            return f"<key on line {line}>"
        return self._loader.construct_object(node)

    def _scalar(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.ScalarNode) and node.style in {"'", '"', "|", ">"}:
            self.quoted.add(path)
        try:
            return self._loader.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError, OverflowError) as error:
            reason = getattr(error, "problem", None) or error
            line = node.start_mark.line + 1
            what = f"cannot be read as a value: {shorten(reason, limit=80)}."
            self.problems.append(Problem(self._file, line, path, what))
            return None
