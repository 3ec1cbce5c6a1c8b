"""Profiles: files of values for a recipe, and new values from the command line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlrecipes.config.yaml_source import Document, parse_yaml
from mlrecipes.errors import ConfigError, Problem, did_you_mean, few, shorten

__all__ = ["PROFILES", "PROTECTED", "misspelled", "profile_path", "protection", "variables"]

PROFILES = "profiles"
NAME = re.compile(r"\w[\w.-]*")
CONTAINERS = (dict, list)
PROTECTED = "protected"
"""The one key of a profile that is no variable: a reset must be confirmed by name."""


def profile_path(root: Path, profile: str) -> tuple[str, Path]:
    """Find a profile's file by its name.

    Returns:
        The file's name in messages, and its path.

    Raises:
        ConfigError: There is none, or the name is the name of no file in ``profiles/``.
    """
    names = sorted(path.stem for path in (root / PROFILES).glob("*.yaml"))
    there_are = f"There are: {few(names, limit=12)}." if names else "There are none yet."
    if not profile:
        what = "no profile is named."
        raise ConfigError([Problem(PROFILES, None, "", what, f"{there_are} Name one: -p NAME")])
    if not NAME.fullmatch(profile):
        what = f"'{shorten(profile)}' is no name of a profile: letters, digits, '.', '-' and '_'."
        raise ConfigError([Problem(PROFILES, None, "", what, there_are)])
    file = f"{PROFILES}/{profile}.yaml"
    path = root / file
    if path.is_file():
        return file, path
    if path.with_name(f"{profile}.yml").is_file():
        hint = f"Rename {PROFILES}/{profile}.yml to {profile}.yaml."
    else:
        near = did_you_mean(profile, names)
        listed = there_are if near.startswith("Did") else ""
        hint = f"{near} {listed}".strip() if names else f"Make it: {file}"
    raise ConfigError([Problem(shorten(file, limit=120), None, "", "does not exist.", hint)])


def variables(
    document: Document, file: str, overrides: Mapping[str, str], used: frozenset[str]
) -> tuple[dict[str, Any], list[Problem]]:
    """The profile's keys with the command line's values in place.

    Args:
        document: The profile.
        file: Its name.
        overrides: Values of the command line.
        used: Names that the recipe takes from a profile, some of them with a default.
    """
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        return {}, [Problem(file, 1, "", "is no mapping of names to values.")]
    values = {str(name): value for name, value in data.items()}
    problems = []
    for name, text in overrides.items():
        if not text:
            continue
        known = _known_name(name, {*values, *used})
        if PROTECTED in {name.lower(), known}:
            what = "cannot be set on the command line: it guards the profile."
            problems.append(Problem(file, None, name, what, "Edit the profile."))
        elif known is None:
            what = f"is set on the command line, but not known to {file} or recipe.yaml."
            problems.append(Problem(file, None, name, what, did_you_mean(name, {*values, *used})))
        else:
            values[known] = _typed(text, values.get(known))
    return values, problems


def protection(values: Mapping[str, Any], document: Document, file: str) -> Iterator[Problem]:
    """Find a ``protected`` that is not plainly true or false: it must not be lost in silence.

    Args:
        values: The profile.
        document: The parsed profile.
        file: Its name in messages.
    """
    for name, value in values.items():
        place: tuple[str, int | None] = document.places.get(name) or (file, None)
        if name == PROTECTED and not isinstance(value, bool):
            seen = "empty" if value is None else f"'{shorten(value)}'"
            yield Problem(*place, name, f"is {seen}, but true or false is expected.", "")
        elif name != PROTECTED == name.lower():
            yield Problem(*place, name, "is no key of a profile.", f"Did you mean '{PROTECTED}'?")


def misspelled(
    values: Mapping[str, Any],
    known: Iterable[str],
    told: Iterable[str],
    document: Document,
    file: str,
) -> Iterator[Problem]:
    """Find names of the profile that nothing knows and that are nearly a name that is free.

    Args:
        values: The profile.
        known: Names that the recipe uses or that are sections of a recipe.
        told: Those of them that are already known to be missing.
        document: The parsed profile.
        file: Its name in messages.
    """
    free = set(known) - set(values) - set(told)
    for name in sorted(set(values) - set(known)):
        near = difflib.get_close_matches(name, free, n=1, cutoff=0.8)
        if near:
            place: tuple[str, int | None] = document.places.get(name) or (file, None)
            yield Problem(*place, name, "is used by nothing.", f"Did you mean '{near[0]}'?")


def _known_name(name: str, values: Collection[str]) -> str | None:
    if name in values:
        return name
    alike = [known for known in values if known.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def _typed(text: str, before: Any) -> Any:
    """A text of the command line, with the type that the profile's value lets expect.

    Text stays text where the profile has text; else it is read as YAML reads a scalar, and
    as YAML reads anything only where the profile has a list or a mapping.
    """
    if isinstance(before, str):
        return text
    document = parse_yaml(text, "--set")
    is_scalar = not isinstance(document.data, CONTAINERS)
    if document.problems or not (is_scalar or isinstance(before, CONTAINERS)):
        return text
    return document.data
