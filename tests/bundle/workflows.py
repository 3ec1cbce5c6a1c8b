"""The workflows of GitHub as data: their jobs, steps, and the commands that steps run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(".github") / "workflows"
# An action is named by the commit that it is, with its version for people.
PINNED = re.compile(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


def read_workflow(path: Path) -> dict[str, Any]:
    """A workflow; YAML takes its key `on` for true."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in content.items()}


def steps_of(workflow: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Key of the job, and content, of each step."""
    for key, job in workflow["jobs"].items():
        for step in job["steps"]:
            yield key, step


def commands_of(script: str) -> Iterator[list[str]]:
    """The words of each simple command in a script of bash, without where its output goes.

    >>> list(commands_of('(cd a && b "$C" > e) || d=$?'))
    [['cd', 'a'], ['b', '$C'], ['d=$?']]
    """
    for line in script.replace("\\\n", " ").splitlines():
        if line.lstrip().startswith("#"):
            continue
        lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
        lexer.whitespace_split = True
        words: list[str] = []
        for token in lexer:
            if token and set(token) <= set(";&|()"):
                if words:
                    yield _without_redirection(words)
                words = []
            else:
                words.append(token)
        if words:
            yield _without_redirection(words)


def _without_redirection(words: list[str]) -> list[str]:
    ends = [n for n, word in enumerate(words) if word in {">", ">>"}]
    return words[: ends[0]] if ends else words
