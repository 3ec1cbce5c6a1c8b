"""Replacing a small text file: a reader sees the old file or the new one, never a half."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

__all__ = ["replace_text"]


def replace_text(path: Path, text: str) -> None:
    """Write a file whole, flush it to the disk, and put it in the place of the old one.

    Raises:
        OSError: It cannot be written; the old file is as it was.
    """
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
