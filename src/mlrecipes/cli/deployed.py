"""The command line as a task of a Databricks job, whose recipe a bundle has deployed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from typing import TextIO, cast

from mlrecipes.project_facts import DEPLOYED

__all__ = ["as_task"]

OPTION = f"--recipe={DEPLOYED}"
MEANING = {
    1: "a step failed",
    2: "recipe, profile or options are wrong",
    3: "a gate rejected the model or the data",
    4: "the monitor raises an alert",
    75: "busy, or a server is away: try again",
}
MAX_HEARD = 2000


class _Heard:
    """A stream that keeps the end of what passes through it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.said = ""

    def write(self, text: str) -> int:
        self.said = (self.said + text)[-MAX_HEARD:]
        return self._stream.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def as_task(arguments: Sequence[str]) -> Iterator[None]:
    """Let a task succeed and fail as tasks do, if the arguments name a deployed recipe.

    A task fails by any ``SystemExit``, and Databricks shows no more of an error than its text:
    code 0 ends here, and another one becomes an error that says what it means and what was
    printed as an error.

    Raises:
        RuntimeError: The command line ended with another code than 0.
    """
    if not any(word.startswith(OPTION) for word in arguments):
        yield
        return
    heard = _Heard(sys.stderr)
    try:
        with redirect_stderr(cast("TextIO", heard)):
            yield
    except SystemExit as ended:
        if ended.code:
            what = MEANING.get(ended.code, "see above") if isinstance(ended.code, int) else ""
            raise RuntimeError(f"Exit code {ended.code}: {what}.\n{heard.said}".strip()) from None
