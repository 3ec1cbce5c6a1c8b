"""Telling the user how a run goes: live on a terminal, one plain line an event elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

    from mlrecipes.execution import Event

__all__ = ["Talk", "seconds"]

STEP_WIDTH = 10


class Talk:
    """Shows the events of a run; use it as a context manager.

    Args:
        stream: Where to write; what is shown live depends on whether it is a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_live = stream.isatty()
        self._console: Console | None = None
        self._status: Status | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def hear(self, event: Event) -> None:
        """Show an event."""
        if event.kind == "started":
            self._start(event)
            return
        if event.kind != "warning":
            self._stop()
        self._write(_line(event))

    def _start(self, event: Event) -> None:
        line = f"{event.step:<{STEP_WIDTH}} running: {event.text}"
        if event.duration_s:
            line += f" (last time {seconds(event.duration_s)})"
        if not self._is_live:
            self._write(line)
            return
        from rich.console import Console
        from rich.text import Text

        self._console = self._console or Console(file=self._stream)
        self._status = self._console.status(Text(line))
        self._status.start()

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def _write(self, line: str) -> None:
        printable = "".join(char if char.isprintable() else " " for char in line)
        print(printable, file=self._stream, flush=True)


def _line(event: Event) -> str:
    head = f"{event.step:<{STEP_WIDTH}}"
    match event.kind:
        case "cached":
            return f"{head} kept: {event.text}"
        case "finished":
            return f"{head} done in {seconds(event.duration_s)}: {event.text}"
        case "warning":
            return f"{head}   warning: {event.text}"
        case _:
            return f"{head} {event.kind}: {event.text}"


def seconds(duration_s: float | None) -> str:
    """A duration for people.

    >>> seconds(4.04), seconds(75.2), seconds(None)
    ('4.0 s', '1 min 15 s', '')
    """
    if duration_s is None:
        return ""
    if duration_s < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{duration_s:.1f} s"
    minutes, rest = divmod(round(duration_s), 60)
    return f"{minutes} min {rest} s"
