"""SHA-256 of files, remembered as long as a file has not been touched.

The memory only saves time: a file that was touched is hashed again, and only its
content decides. A file changed in the last seconds before it was hashed is not
remembered, because a second change within the clock's resolution would go unseen.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path

from mlrecipes.stores.replacing import replace_text

__all__ = ["DigestMemory", "sha256_of_file"]

SETTLED_AFTER_S = 3.0


def sha256_of_file(path: Path) -> str:
    """Hash a file's content.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class DigestMemory:
    """Digests of files outside the workspace, kept in one JSON file between runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, list[str | int]] = _load(path)
        self._is_changed = False

    def digest(self, path: Path) -> tuple[int, str]:
        """Size in bytes and SHA-256 of a file.

        Raises:
            OSError: The file cannot be read.
        """
        status = path.stat()
        stamp = [status.st_size, status.st_mtime_ns, status.st_ino]
        name = str(path.resolve())
        entry = self._entries.get(name)
        if entry is not None and entry[:3] == stamp:
            return status.st_size, str(entry[3])
        sha256 = sha256_of_file(path)
        if time.time() - status.st_mtime > SETTLED_AFTER_S:
            self._entries[name] = [*stamp, sha256]
            self._is_changed = True
        return status.st_size, sha256

    def save(self) -> None:
        """Write the memory to the disk; a failure loses nothing but time."""
        if not self._is_changed:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(self._path, json.dumps(self._entries))


def _load(path: Path) -> dict[str, list[str | int]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(name): [int(size), int(modified_ns), int(inode), str(sha256)]
            for name, (size, modified_ns, inode, sha256) in entries.items()
        }
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
