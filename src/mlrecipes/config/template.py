"""Jinja in recipe.yaml and profiles, without letting a value become structure.

MLflow Recipes rendered the file as text and parsed the outcome, so a value with a line break
could add keys. Here every printed value is a token while YAML is parsed, and becomes itself
afterwards, with its type:

* a plain scalar that is one expression becomes the value: a number, date, list, mapping, null;
* a scalar in quotes, or with text around the expression, becomes text;
* blocks, loops and includes work on the text as usual; what a macro or a ``{% set %}`` block
  collects is text.

Every piece of text carries a mark with its file and line through the template, so a problem
names the line on the disk, after ``{% %}`` blocks and in included files too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.config.comments import has_markup, hide_comments
from mlrecipes.config.tokens import UNSET, Tokens
from mlrecipes.config.yaml_source import Document, parse_yaml
from mlrecipes.errors import Problem, shorten

if TYPE_CHECKING:
    from mlrecipes.config.sandbox import Missing, RecipeEnvironment

__all__ = ["UNSET", "Rendered", "names_used", "render_yaml"]

MAX_CHARACTERS = 1_000_000
WILL_NOT_DO = (TypeError, ValueError, ArithmeticError, OSError, LookupError, AttributeError)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A file that was filled in and parsed.

    Attributes:
        missing: Names that it uses and nothing sets; their value in the document is ``UNSET``.
        links: Key path to the variable whose mapping or list stands there.
        files: Files that it included or read.
    """

    document: Document
    missing: tuple[Missing, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()


def render_yaml(text: str, file: str, root: Path, variables: Mapping[str, Any]) -> Rendered:
    r"""Fill in a YAML template and parse it.

    Args:
        text: The file's content.
        file: Its name in messages.
        root: Includes and ``from_json`` stay below this folder.
        variables: Values for its names.

    >>> rendered = render_yaml("a: {{ A }}", "recipe.yaml", Path("."), {"A": "x\nevil: 1"})
    >>> rendered.document.data
    {'a': 'x\nevil: 1'}
    """
    if not has_markup(text):
        return Rendered(parse_yaml(text, file))
    from mlrecipes.config.sandbox import RecipeEnvironment

    tokens = Tokens(variables)
    environment = RecipeEnvironment(root, tokens)
    try:
        printed = _print(environment, hide_comments(text), file, variables)
    except _Stopped as stop:
        missing = tuple(environment.missing)
        # What went wrong may come from the missing names, which are problems of their own.
        problems = () if missing else (stop.problem,)
        return Rendered(Document(None, problems=problems), missing)
    plain, places = tokens.unmark(printed, file)
    document = parse_yaml(plain, file, places=places, fill=tokens.fill)
    return Rendered(document, tuple(environment.missing), tokens.links, tuple(environment.files))


def names_used(text: str, root: Path) -> frozenset[str]:
    """Names that a template takes from outside; empty if it is no valid template.

    >>> sorted(names_used("a: {{ A }}  # {{ B }}", Path(".")))
    ['A']
    """
    if not has_markup(text):
        return frozenset()
    from jinja2 import TemplateSyntaxError, meta

    from mlrecipes.config.sandbox import RecipeEnvironment

    environment = RecipeEnvironment(root, Tokens({}))
    try:
        tree = environment.parse(hide_comments(text))
    except TemplateSyntaxError:
        return frozenset()
    return frozenset(meta.find_undeclared_variables(tree))


class _Stopped(Exception):
    """The template cannot be filled in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _print(
    environment: RecipeEnvironment, text: str, file: str, variables: Mapping[str, Any]
) -> str:
    """Run the template.

    Raises:
        _Stopped: It does not run to its end.
    """
    import jinja2

    pieces, n_characters = [], 0
    try:
        code = environment.compile(text, name=file, filename=file)
        template = jinja2.Template.from_code(environment, code, environment.make_globals(None))
        for piece in template.generate(dict(variables)):
            pieces.append(piece)
            n_characters += len(piece)
            if n_characters > MAX_CHARACTERS:
                raise ValueError(f"prints more than {MAX_CHARACTERS:,} characters")
    except (jinja2.TemplateError, RecursionError, *WILL_NOT_DO) as error:
        raise _Stopped(_problem(error, file)) from error
    return "".join(pieces)


def _problem(error: Exception, file: str) -> Problem:
    import jinja2
    from jinja2.exceptions import SecurityError

    if isinstance(error, jinja2.TemplateSyntaxError):
        what = f"is no valid template: {shorten(error.message, limit=120)}"
        return Problem(error.filename or file, error.lineno, "", what)
    reason = shorten(error, limit=120)
    if isinstance(error, jinja2.TemplateNotFound):
        what = f"includes '{reason}', which is no file of the recipe."
    elif isinstance(error, SecurityError):
        what = f"asks for what a template may not reach: {reason}"
    elif isinstance(error, RecursionError):
        what = "includes itself, or repeats itself without end."
    else:
        what = f"cannot be filled in: {reason} ({type(error).__name__})."
    name, line = _place(error, file)
    return Problem(name, line, "", what)


def _place(error: Exception, file: str) -> tuple[str, int | None]:
    """Where in a template an error arose: Jinja adds frames that stand for its lines."""
    place: tuple[str, int | None] = (file, None)
    trace = error.__traceback__
    while trace is not None:
        if "__jinja_exception__" in trace.tb_frame.f_globals:
            place = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return place
