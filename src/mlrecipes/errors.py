"""Every error that mlrecipes raises on purpose, and the words they share.

::

    RecipeError                 exit code 1
    ├── ConfigError                       2   recipe.yaml, a profile or the command line is wrong
    ├── GraphError                        2   steps that do not fit together
    ├── UserCodeError                     1   a function in steps/*.py is missing or failed
    ├── DataError                         1   the data cannot be used as the recipe asks
    ├── StoreError                        1   a file, table or model cannot be read or written
    ├── GateRejected                      3   a model or a table did not pass its thresholds
    ├── MonitorAlert                      4   a model that is in use should be looked at
    └── TryAgain                         75   the workspace is busy or a server does not answer

An error says what failed, where, what was seen, what was expected and which
command to type next. It is shown to people as it is, so it never holds a
traceback, a secret or more than a handful of values from the data.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ConfigError",
    "DataError",
    "GateRejected",
    "GraphError",
    "MonitorAlert",
    "Problem",
    "RecipeError",
    "StoreError",
    "TryAgain",
    "UserCodeError",
    "did_you_mean",
    "few",
    "shorten",
]

MAX_EXAMPLES = 5
MAX_EXAMPLE_LENGTH = 40


class RecipeError(Exception):
    """The base of all errors of mlrecipes.

    Args:
        message: What failed, where, what was seen and what was expected.
        hint: What to do next, best as a command; shown on a line of its own.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\n  {self.hint}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration file.

    >>> str(Problem("recipe.yaml", 12, "steps.splt", "is not a key of steps.", "Use 'split'."))
    "recipe.yaml:12: steps.splt is not a key of steps. Use 'split'."
    """

    file: str
    line: int | None
    key: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return " ".join(part for part in (f"{place}:", self.key, self.what, self.hint) if part)


class ConfigError(RecipeError):
    """The configuration is wrong: all its problems at once, each with its place."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem], *, hint: str | None = None) -> None:
        self.problems = tuple(problems)
        n_problems = len(self.problems)
        heading = [] if n_problems == 1 else [f"{n_problems} problems in the configuration:"]
        super().__init__("\n".join([*heading, *map(str, self.problems)]), hint=hint)


class GraphError(RecipeError):
    """Steps do not fit together: an input nobody writes, two writers, a cycle."""

    exit_code = 2


class UserCodeError(RecipeError):
    """A function in steps/*.py is missing, has the wrong shape or raised an error."""


class DataError(RecipeError):
    """The data cannot be used as the recipe asks."""


class StoreError(RecipeError):
    """A file, a table, a run or a model cannot be read or written."""


class GateRejected(RecipeError):
    """A model or a table did not pass a threshold, so the recipe stops here.

    Args:
        message: As of every error.
        hint: As of every error.
        sections: What the card of the step shows of it: sections of ``records``.
    """

    exit_code = 3

    def __init__(
        self, message: str, *, hint: str | None = None, sections: tuple[Any, ...] = ()
    ) -> None:
        super().__init__(message, hint=hint)
        self.sections = sections


class MonitorAlert(RecipeError):
    """What was scored is not as in training, or the model is worse: somebody should look."""

    exit_code = 4


class TryAgain(RecipeError):
    """Nothing is wrong with the recipe: somebody holds the lock or a server is away."""

    exit_code = 75


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Say which known word is nearest, or list the known ones when none is near.

    >>> did_you_mean("spilt", ["split", "train"])
    "Did you mean 'split'?"
    >>> did_you_mean("zzz", ["train", "split"])
    "Known: 'split', 'train'."
    """
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known: {few(names, limit=12)}." if names else ""


def few(values: Iterable[object], *, limit: int = MAX_EXAMPLES) -> str:
    """List at most ``limit`` values in quotes and count the rest.

    >>> few(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    shown = [shorten(value) for value in values]
    listed = ", ".join(f"'{text}'" for text in shown[:limit])
    n_rest = len(shown) - limit
    return f"{listed} and {n_rest} more" if n_rest > 0 else listed


def shorten(value: object, *, limit: int = MAX_EXAMPLE_LENGTH) -> str:
    r"""Show a value in at most ``limit`` printable characters.

    >>> shorten("x" * 50, limit=5)
    'xxxx…'
    >>> shorten("two\nlines")
    'two lines'
    """
    text = "".join(char if char.isprintable() else " " for char in str(value))
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
