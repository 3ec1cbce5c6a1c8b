"""Where a recipe comes from: its repository's remote, its place in there, its commit.

A job gets the tracked files without their repository; what is known of it lies beside them.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

__all__ = ["FILE", "Origin", "origin_of"]

FILE = ".mlrecipes-origin.json"
GIT_TIMEOUT_S = 5


@dataclass(frozen=True, slots=True)
class Origin:
    """What git knows of a folder.

    Attributes:
        place: The remote and the folder's place in the repository, ``example.org/a/b:sub/``;
            empty without a remote.
        tags: Commit, branch, remote and changes that were not committed, as tags of MLflow.
    """

    place: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> str:
        """A text that :data:`FILE` may hold."""
        return json.dumps(asdict(self), sort_keys=True)


def origin_of(root: Path) -> Origin:
    """What is known of a folder's origin; nothing outside of a repository."""
    for folder in (root, *root.parents):
        if (folder / ".git").exists():
            break
        if (folder / FILE).is_file():
            kept = Origin(**json.loads((folder / FILE).read_text(encoding="utf-8")))
            below = root.relative_to(folder).as_posix()
            inside = "" if below == "." else f"{below}/"
            return replace(kept, place=f"{kept.place}{inside}" if kept.place else "")
    remote = _git(root, "remote", "get-url", "origin")
    prefix = _git(root, "rev-parse", "--show-prefix")
    return Origin(f"{_plain_remote(remote)}:{prefix}" if remote else "", _tags(root, remote))


def _tags(root: Path, remote: str) -> dict[str, str]:
    commit = _git(root, "rev-parse", "HEAD")
    if not commit:
        return {}
    tags = {
        "mlflow.source.git.commit": commit,
        "mlflow.source.git.branch": _git(root, "rev-parse", "--abbrev-ref", "HEAD"),
        "mlflow.source.git.repoURL": _without_secrets(remote),
        "mlrecipes.git.dirty": "true" if _git(root, "status", "--porcelain") else "",
    }
    return {name: value for name, value in tags.items() if value}


def _plain_remote(url: str) -> str:
    """A remote without what differs between two ways to reach it.

    >>> _plain_remote("https://ann:token@example.org/credit/risk.git")
    'example.org/credit/risk'
    >>> _plain_remote("git@example.org:credit/risk.git")
    'example.org/credit/risk'
    """
    _scheme, separator, rest = url.partition("://")
    place = rest if separator else re.sub(r"^([^/]*):", r"\1/", url)
    return place.rpartition("@")[2].rstrip("/").removesuffix(".git")


def _without_secrets(url: str) -> str:
    """Leave out user and token of a remote's URL."""
    return re.sub(r"//[^/@]+@", "//", url)


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell, git found as the user finds it
            command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
