"""One writer a workspace: a lock that the kernel releases when its holder dies."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mlrecipes.errors import StoreError, TryAgain

__all__ = ["workspace_lock"]


@contextmanager
def workspace_lock(folder: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold the workspace for writing.

    Args:
        folder: The workspace; made if it is not there.
        wait_s: Seconds to wait for another process; 0 gives up at once.

    Raises:
        TryAgain: Another process holds it; the message names the process.
        StoreError: The workspace cannot be written.
    """
    holder = folder / "lock.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock", timeout=wait_s)
        lock.acquire()
    except Timeout as error:
        raise TryAgain(
            f"The workspace {folder} is busy: {_describe(holder)}.",
            hint="Wait for it, or give --wait SECONDS.",
        ) from error
    except OSError as error:
        raise StoreError(f"The workspace {folder} cannot be written: {error.strerror}.") from error
    try:
        _write_holder(holder)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _write_holder(path: Path) -> None:
    facts = {
        "pid": os.getpid(),
        "user": getpass.getuser(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    path.write_text(json.dumps(facts), encoding="utf-8")


def _describe(path: Path) -> str:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        return (
            f"process {facts['pid']} of {facts['user']} runs "
            f"'{facts['command']}' since {facts['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another process holds it"
