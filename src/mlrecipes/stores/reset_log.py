"""What resets did and what they changed for the plan: two small files of the workspace."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlrecipes.errors import StoreError
from mlrecipes.stores.replacing import replace_text

__all__ = ["ResetLog", "ResetMarks"]


class ResetLog:
    """A file of JSON lines that is only ever added to; a reset leaves it alone.

    Args:
        path: The file; made when first written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, *lines: Mapping[str, str]) -> None:
        """Add lines; they are on the disk when this returns.

        Raises:
            StoreError: The file cannot be written.
        """
        text = "".join(f"{json.dumps(dict(line))}\n" for line in lines)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b") as file:
                if file.tell() and not self._ends_whole(file):
                    text = f"\n{text}"
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}.") from error

    def read(self) -> list[dict[str, Any]]:
        """All lines, oldest first, without those that a crash has torn."""
        return list(self._lines())

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for line in text.splitlines():
            try:
                content = json.loads(line)
            except ValueError:
                continue
            if isinstance(content, dict):
                yield content

    @staticmethod
    def _ends_whole(file: Any) -> bool:
        file.seek(-1, os.SEEK_END)
        return bool(file.read(1) == b"\n")


class ResetMarks:
    """When what was last reset: a part of the keys of the results that depend on it.

    So a training whose run is gone is not used again, now or when an older setting comes
    back, while all stored results stay.

    Args:
        path: The JSON file, ``{what: UTC time}``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def at(self, what: str) -> str | None:
        """When something was last reset; None if it never was."""
        return self._load().get(what)

    def note(self, whats: Iterable[str], at_utc: str) -> None:
        """Note that things are being reset; it is on the disk when this returns.

        Raises:
            StoreError: The file cannot be written.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            marks = {**self._load(), **dict.fromkeys(whats, at_utc)}
            replace_text(self._path, json.dumps(marks, indent=1, sort_keys=True))
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}.") from error

    def _load(self) -> dict[str, str]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(what): str(at_utc) for what, at_utc in content.items()}
        except (OSError, ValueError, AttributeError):
            return {}
