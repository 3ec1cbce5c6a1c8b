"""How a path is called in what a recipe says of its data."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["is_remote", "relative"]


def is_remote(place: str) -> bool:
    """Whether only Spark can read from an address, such as ``s3://lake/loans``."""
    scheme = place.partition(":")[0].lower()
    is_address = "://" in place or place.startswith("dbfs:/")
    return is_address and scheme not in {"file", "http", "https"}


def relative(path: Path, root: Path) -> str:
    """A path as it is called from the recipe's root; whole if it lies elsewhere.

    Links are followed only to find the root, so that a linked data folder keeps its name.
    """
    normal = Path(os.path.normpath(path.absolute()))
    for base in (root.absolute(), root.resolve()):
        if normal.is_relative_to(os.path.normpath(base)):
            return normal.relative_to(os.path.normpath(base)).as_posix()
    return normal.as_posix()
