"""Jinja in recipe.yaml and profiles, without letting a value become structure.

MLflow Recipes rendered the file as text and parsed the outcome, so a value with a line break
could add keys. Here every printed value is a token while YAML is parsed, and becomes itself
afterwards, with its type:

* a plain scalar that is one expression becomes the value: a number, date, list, mapping, null;
* a scalar in quotes, or with text around the expression, becomes text;
* blocks, loops and includes work on the text as usual.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.config.yaml_source import Document, parse_yaml
from mlrecipes.errors import Problem, shorten

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["names_used", "render_yaml"]

MARKUP = re.compile(r"\{\{|\{%|\{#")


def render_yaml(text: str, file: str, root: Path, variables: Mapping[str, Any]) -> Document:
    """Fill in a YAML template and parse it.

    Args:
        text: The file's content.
        file: Its name in messages.
        root: Includes and ``from_json`` stay below this folder.
        variables: Values for its names; a name that is not among them is a problem.
    """
    if not MARKUP.search(text):
        return parse_yaml(text, file)
    import jinja2

    tokens = _Tokens()
    environment = _environment(root, tokens)
    try:
        rendered = environment.from_string(_without_marked_comments(text)).render(dict(variables))
    except jinja2.TemplateSyntaxError as error:
        what = f"is no valid template: {error.message}"
        return Document(None, problems=(Problem(file, error.lineno, "", what),))
    except jinja2.UndefinedError as error:
        what = f"uses a name that the profile does not define: {error.message}."
        return Document(None, problems=(Problem(file, _line_of(text, str(error)), "", what),))
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, OSError) as error:
        what = f"cannot be filled in: {type(error).__name__}: {shorten(error, limit=120)}"
        return Document(None, problems=(Problem(file, None, "", what),))
    document = parse_yaml(rendered, file)
    data = tokens.resolve(document.data, "", document.quoted)
    problems = tuple(tokens.resolve_problem(problem) for problem in document.problems)
    return Document(data, tokens.resolve_keys(document.lines), document.quoted, problems)


def names_used(text: str, root: Path) -> frozenset[str]:
    """Names that a template takes from outside; empty if it is no valid template."""
    if not MARKUP.search(text):
        return frozenset()
    import jinja2
    from jinja2 import meta

    environment = _environment(root, _Tokens())
    try:
        return frozenset(
            meta.find_undeclared_variables(environment.parse(_without_marked_comments(text)))
        )
    except jinja2.TemplateError:
        return frozenset()


class _Tokens:
    """Stands in for printed values while the text is parsed."""

    def __init__(self) -> None:
        self._mark = f"v{secrets.token_hex(8)}"
        self._values: list[Any] = []
        self._pattern = re.compile(rf"{self._mark}x(\d+)x")

    def hide(self, value: Any) -> Any:
        """Jinja's hook for each value that a template prints."""
        from jinja2 import Undefined

        if isinstance(value, Undefined):
            return value
        self._values.append(value)
        return f"{self._mark}x{len(self._values) - 1}x"

    def resolve(self, data: Any, path: str, quoted: frozenset[str]) -> Any:
        """Put the values back, in keys, lists, mappings and scalars."""
        if isinstance(data, dict):
            return {
                self._text(key): self.resolve(value, f"{path}.{key}" if path else str(key), quoted)
                for key, value in data.items()
            }
        if isinstance(data, list):
            return [self.resolve(item, f"{path}[{i}]", quoted) for i, item in enumerate(data)]
        if not isinstance(data, str):
            return data
        whole = self._pattern.fullmatch(data)
        if whole and path not in quoted:
            return self._values[int(whole.group(1))]
        return self._text(data)

    def resolve_keys(self, lines: Mapping[str, int]) -> dict[str, int]:
        """Put the values back into key paths."""
        return {self._text(path): line for path, line in lines.items()}

    def resolve_problem(self, problem: Problem) -> Problem:
        """Put the values back into a message."""
        return Problem(
            problem.file,
            problem.line,
            self._text(problem.key),
            self._text(problem.what),
            problem.hint,
        )

    def _text(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        return self._pattern.sub(lambda found: str(self._values[int(found.group(1))]), value)


def _environment(root: Path, tokens: _Tokens) -> Environment:
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def from_json(path: str) -> Any:
        return json.loads(_below(root, path).read_text(encoding="utf-8"))

    def load(name: str) -> str | None:
        path = _below(root, name)
        return path.read_text(encoding="utf-8") if path.is_file() else None

    environment = ImmutableSandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        finalize=tokens.hide,
        loader=jinja2.FunctionLoader(load),
        keep_trailing_newline=True,
    )
    environment.filters["from_json"] = from_json
    return environment


def _below(root: Path, name: str) -> Path:
    """A file of the recipe, after links were followed.

    Raises:
        ValueError: The file lies outside the recipe.
    """
    path = (root / name).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"'{shorten(name)}' lies outside the recipe's folder")
    return path


def _without_marked_comments(text: str) -> str:
    """Empty the comments that hold template markup: a comment is never filled in.

    Other comments stay, so that lines keep their numbers and ``a#b`` its end.
    """
    return "\n".join(_without_marked_comment(line) for line in text.split("\n"))


def _without_marked_comment(line: str) -> str:
    start = _comment_start(line)
    if start is None or not MARKUP.search(line[start:]):
        return line
    return line[:start]


def _comment_start(line: str) -> int | None:
    """Where YAML sees a comment begin: a ``#`` at the start or after a space, not in quotes."""
    quote = ""
    for position, char in enumerate(line):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"" and (position == 0 or line[position - 1] in " [{,:("):
            quote = char
        elif char == "#" and (position == 0 or line[position - 1] in " \t"):
            return position
    return None


def _line_of(text: str, message: str) -> int | None:
    """The first line that uses the name which a message of Jinja quotes."""
    named = re.search(r"'(\w+)'", message)
    if named is None:
        return None
    for number, line in enumerate(text.split("\n"), 1):
        if re.search(rf"\b{named.group(1)}\b", line) and MARKUP.search(line):
            return number
    return None
