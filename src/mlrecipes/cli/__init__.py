"""The command line. The only package that prints, and the only one that ends the process."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import click

# Importing a module adds its commands to the group.
from mlrecipes.cli import (  # noqa: F401
    cleaning,
    comparing,
    looking,
    monitoring,
    predicting,
    promoting,
    quality,
    running,
)
from mlrecipes.cli.shared import cli, show_error
from mlrecipes.errors import RecipeError

__all__ = ["main"]

TERMINATED = 128 + signal.SIGTERM
INTERRUPTED = 128 + signal.SIGINT


class _TerminatedError(BaseException):
    """SIGTERM arrived; not an Exception, so that nothing on the way takes it for a failure."""


def main() -> NoReturn:
    """Run the command line; each error becomes a message and its exit code."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        with _terminated_by_signal():
            code = cli.main(arguments, prog_name="mlrecipes", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was done is kept: the next run goes on from there.", err=True)
        return INTERRUPTED
    except _TerminatedError:
        return TERMINATED
    except RecipeError as error:
        show_error(error)
        return error.exit_code
    return code if isinstance(code, int) else 0


@contextmanager
def _terminated_by_signal() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that the run is ended and no half result stays.

    Python lets no other thread than the main one hear signals; a host of Python code, such as
    a task of Databricks, may run it in one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: object) -> NoReturn:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
