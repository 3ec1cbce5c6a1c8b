"""Whether a task calls what `mlflow run` calls: an entry point's command with its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import click
import yaml

import mlrecipes.cli  # noqa: F401 - it adds the commands to the group
from mlrecipes.cli.shared import cli
from tests.bundle.loading import Bundle

LAUNCH = "src/launch.py"
# Commands that run nothing and therefore are no entry point.
LOOKING = {"check", "compare", "promotions"}
# Their exit code is a verdict, 3 of a gate or 4 of the monitor, or they delete: never again.
ONCE = {("run", None), ("run", "register"), ("run", "promote"), ("monitor", None), ("reset", None)}


@dataclass(frozen=True)
class Command:
    """A command of the command line as somebody wrote it.

    Attributes:
        name: Such as ``run``.
        options: Name and value of each option, in order.
        arguments: The words, to be read by the command line itself.
    """

    name: str
    options: tuple[tuple[str, str], ...]
    arguments: tuple[str, ...]

    @property
    def kind(self) -> tuple[str, str | None]:
        """Name and step, by which an entry point is found."""
        return self.name, dict(self.options).get("--to")


def command_of(words: list[str]) -> Command:
    """Take words apart.

    >>> command_of(["run", "--to", "train", "--set=A=1"]).options
    (('--to', 'train'), ('--set', 'A=1'))
    """
    name, *rest = words
    options, waiting = [], ""
    for word in rest:
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            waiting = "" if equals else option
            options += [(option, value)] if equals else []
        elif waiting:
            options.append((waiting, word))
            waiting = ""
    return Command(name, (*options, *([(waiting, "")] if waiting else [])), tuple(rest))


@cache
def entry_points(root: Path) -> dict[str, Command]:
    """The command of each entry point of MLproject that the launcher runs."""
    declared: Mapping[str, Any] = yaml.safe_load((root / "MLproject").read_text())["entry_points"]
    found = {}
    for name, entry in declared.items():
        _python, file, *words = shlex.split(entry["command"])
        if file == LAUNCH:
            found[name] = command_of(words)
    return found


@cache
def profile_of(root: Path, name: str) -> dict[str, Any] | None:
    """The values of a profile, or None if it is not there."""
    path = root / "profiles" / f"{name}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None


def command_problems(bundle: Bundle, root: Path) -> Iterator[str]:
    """Each task runs an entry point's command, with options that both know."""
    for place, _key, task in bundle.tasks():
        python = task.get("spark_python_task", {})
        if python.get("python_file") != LAUNCH:
            yield f"{place}: runs {python.get('python_file')}, but {LAUNCH} is expected"
            continue
        command = command_of(python.get("parameters") or [""])
        yield from (f"{place}: {what}" for what in _wrong(command, root))
        if command.kind in ONCE and task.get("max_retries") != 0:
            yield f"{place}: max_retries is {task.get('max_retries')}, but a verdict is asked once"


def call_problems(words: list[str], root: Path) -> Iterator[str]:
    """What is wrong with a call of the launcher that somebody typed."""
    yield from _wrong(command_of(words), root)


def _wrong(command: Command, root: Path) -> Iterator[str]:
    named = {name for name, _value in command.options}
    if command.name not in cli.commands:
        yield f"{command.name} is no command"
        return
    try:
        cli.commands[command.name].make_context(command.name, list(command.arguments))
    except click.ClickException as error:
        yield f"{command.name}: {error.format_message()}"
    yield from _unknown_values(command, root)
    if command.name in LOOKING:
        return
    entry = next((one for one in entry_points(root).values() if one.kind == command.kind), None)
    if entry is None:
        yield f"{' --to '.join(filter(None, command.kind))} is no entry point of MLproject"
    elif surplus := named - {name for name, _value in entry.options}:
        yield f"{sorted(surplus)} are no options of the entry point of MLproject"


@cache
def _read_by_the_recipe(root: Path) -> set[str]:
    return set(re.findall(r"\{\{\s*(\w+)", (root / "recipe.yaml").read_text(encoding="utf-8")))


def _unknown_values(command: Command, root: Path) -> Iterator[str]:
    profile = dict(command.options).get("--profile", "local")
    values = profile_of(root, profile)
    if values is None:
        yield f"profile {profile} is no file in profiles/"
        return
    variables = values.keys() | _read_by_the_recipe(root)
    for name, value in command.options:
        if name != "--set":
            continue
        variable, equals, _value = value.partition("=")
        if equals and variable not in variables:
            yield f"--set {variable} is read by nothing, and profile {profile} has none"
        if not equals and not (root / "features" / variable).is_dir():
            yield f"--set {variable} is no folder in features/"
