"""Folders that are being filled, and what killed runs left of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from filelock import FileLock

LOCK = ".lock"


@contextmanager
def unfinished_folder(cache: Path, name: str) -> Iterator[Path]:
    """A new empty folder `.<name>_...` in the cache; gone at the end unless it was renamed.

    As long as this process lives, it holds the file `.<name>_....lock` beside the folder.
    """
    folder = cache / f".{name}_{uuid4().hex}"
    # The lock is taken first: nobody ever sees the folder of a living process without it.
    with _held(folder):
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers(cache: Path, name: str) -> None:
    """Remove the unfinished folders of this name (or its beginning) that no process holds.

    What cannot be removed, such as the folder of another user, stays.
    """
    for left in sorted({path.name.removesuffix(LOCK) for path in cache.glob(f".{name}*")}):
        with suppress(OSError), _held(cache / left):
            shutil.rmtree(cache / left, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the lock of the folder; `filelock.Timeout`, an OSError, when another does."""
    path = folder.with_name(folder.name + LOCK)
    with FileLock(path, timeout=0):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
