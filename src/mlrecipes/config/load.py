"""From files to a typed configuration: everything wrong is found at once, with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlrecipes.config.problems import field_problems, rule_problems
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.config.template import names_used, render_yaml
from mlrecipes.config.yaml_source import Document
from mlrecipes.errors import ConfigError, Problem, did_you_mean, few

__all__ = ["LoadedConfig", "Places", "find_recipe_root", "load_config"]

RECIPE = "recipe.yaml"
PROFILES = "profiles"
SECTIONS = tuple(RecipeConfig.model_fields)


@dataclass(frozen=True, slots=True)
class Places:
    """Where keys stand: in the recipe, or in the profile for keys that only it has."""

    recipe: Document
    profile: Document
    profile_file: str

    def find(self, key: str) -> tuple[str, int | None]:
        """File and line of a key; of the nearest one above it if it is not written."""
        for candidate in _upwards(key):
            if candidate in self.recipe.lines:
                return RECIPE, self.recipe.lines[candidate]
            if candidate in self.profile.lines:
                return self.profile_file, self.profile.lines[candidate]
        return RECIPE, None


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration and where each of its keys stands."""

    config: RecipeConfig
    places: Places


def find_recipe_root(start: Path) -> Path:
    """Walk up to the first folder with a ``recipe.yaml``.

    Raises:
        ConfigError: There is none at or above ``start``.
    """
    folder = start.expanduser().resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / RECIPE).is_file():
            return candidate
    what = f"is neither in {folder} nor above it."
    raise ConfigError(
        [Problem(RECIPE, None, "", what, "Go to a recipe, or name one: --recipe DIR")]
    )


def load_config(
    root: Path, profile: str, overrides: Mapping[str, str] | None = None
) -> LoadedConfig:
    """Read a recipe with a profile.

    Args:
        root: The folder with ``recipe.yaml``.
        profile: Name of a file in ``profiles/``.
        overrides: New values for variables of the profile, as text; an empty text means
            the profile's value, whatever the name.

    Raises:
        ConfigError: All problems of both files.
    """
    profile_file, profile_path = _profile_path(root, profile)
    filled = render_yaml(_read(profile_path, profile_file), profile_file, root, {})
    values, problems = _variables(filled, profile_file, overrides or {})
    text = _read(root / RECIPE, RECIPE)
    undefined = list(_undefined(text, root, values, profile_file))
    if undefined:
        stand_ins = dict.fromkeys(names_used(text, root) - set(values))
        document = render_yaml(text, RECIPE, root, {**values, **stand_ins})
    else:
        document = render_yaml(text, RECIPE, root, values)
    places = Places(document, filled, profile_file)
    problems += undefined + list(document.problems)
    problems += list(_misspelled(values, names_used(text, root), places))
    if problems and not isinstance(document.data, dict):
        raise ConfigError(problems)
    merged, clashes = _merged(document.data, values, places)
    config, wrong = _validated(merged, places)
    blamed = {problem.key for problem in undefined}
    problems += clashes + [problem for problem in wrong if not blamed or not _is_null(problem)]
    if config is None or problems:
        raise ConfigError(problems)
    return LoadedConfig(config, places)


def _profile_path(root: Path, profile: str) -> tuple[str, Path]:
    folder = root / PROFILES
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if not profile or not re.fullmatch(r"[\w.-]+", profile) or profile.startswith("."):
        what = f"'{profile}' is no name of a profile." if profile else "no profile is named."
        raise ConfigError([Problem(PROFILES, None, "", what, f"There are: {few(names)}.")])
    file = f"{PROFILES}/{profile}.yaml"
    path = root / file
    if path.is_file():
        return file, path
    if path.with_suffix(".yml").is_file():
        hint = f"Rename {PROFILES}/{profile}.yml to {profile}.yaml."
    else:
        hint = did_you_mean(profile, names) if names else f"Make it: touch {file}"
    raise ConfigError([Problem(file, None, "", "does not exist.", hint)])


def _read(path: Path, file: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})."
    except OSError as error:
        what = f"cannot be read: {error.strerror}."
    raise ConfigError([Problem(file, None, "", what)])


def _variables(
    filled: Document, file: str, overrides: Mapping[str, str]
) -> tuple[dict[str, Any], list[Problem]]:
    """The profile's keys with the command line's values in place."""
    problems = list(filled.problems)
    data = filled.data if filled.data is not None else {}
    if not isinstance(data, dict):
        if not problems:
            problems.append(Problem(file, 1, "", "is no mapping of names to values."))
        return {}, problems
    values = {str(name): value for name, value in data.items()}
    for name, text in overrides.items():
        if not text:
            continue
        known = _known_name(name, values)
        if known is None:
            what = f"is set on the command line, but {file} has no such name."
            problems.append(Problem(file, None, name, what, did_you_mean(name, values)))
        else:
            values[known] = _typed(text, values[known])
    return values, problems


def _known_name(name: str, values: Mapping[str, Any]) -> str | None:
    if name in values:
        return name
    alike = [known for known in values if known.lower() == name.lower()]
    return alike[0] if len(alike) == 1 else None


def _typed(text: str, before: Any) -> Any:
    """Text from the command line as YAML reads it, but text where the profile has text."""
    if isinstance(before, str):
        return text
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return value if value is not None else text


def _undefined(
    text: str, root: Path, values: Mapping[str, Any], profile_file: str
) -> Iterator[Problem]:
    for name in sorted(names_used(text, root) - set(values)):
        uses = re.compile(rf"\{{[{{%][^}}]*\b{re.escape(name)}\b(?![^}}]*\bdefault\b)")
        for number, line in enumerate(text.split("\n"), 1):
            if uses.search(line.partition(" #")[0] if not line.lstrip().startswith("#") else ""):
                what = f"is used here, but {profile_file} does not set it."
                hint = did_you_mean(name, values) if values else f"Add to the profile: {name}: …"
                yield Problem("recipe.yaml", number, name, what, hint)
                break


def _misspelled(
    values: Mapping[str, Any], used: frozenset[str], places: Places
) -> Iterator[Problem]:
    """A name of the profile that nothing uses and that is nearly a known one is a typo."""
    for name in values:
        if name in used or name in SECTIONS:
            continue
        near = difflib.get_close_matches(name, SECTIONS, n=1, cutoff=0.8)
        if near:
            file, line = places.profile_file, places.profile.lines.get(name)
            hint = f"Did you mean '{near[0]}'?"
            yield Problem(file, line, name, "is used by nothing.", hint)


def _merged(
    data: Any, values: Mapping[str, Any], places: Places
) -> tuple[dict[str, Any], list[Problem]]:
    """The recipe's keys and those of the profile that are sections of a recipe."""
    if not isinstance(data, dict):
        return {}, [Problem(RECIPE, 1, "", "is empty or no mapping of keys to values.")]
    clashes = []
    for key in sorted(set(map(str, data)) & set(values)):
        line = places.profile.lines.get(key)
        what = f"stands here and in {RECIPE}:{places.recipe.lines.get(key)}."
        clashes.append(Problem(places.profile_file, line, key, what, "Keep one of them."))
    sections = {key: value for key, value in values.items() if key in SECTIONS}
    return {**sections, **data}, clashes


def _validated(
    merged: Mapping[str, Any], places: Places
) -> tuple[RecipeConfig | None, list[Problem]]:
    try:
        config = RecipeConfig.model_validate(merged)
    except ValidationError as error:
        return None, list(field_problems(error, RecipeConfig, places.find))
    return config, list(rule_problems(config, places.find))


def _is_null(problem: Problem) -> bool:
    """A value that is missing only because its variable is undefined was told already."""
    return "None" in problem.what or "null" in problem.what


def _upwards(key: str) -> Iterator[str]:
    while key:
        yield key
        key = re.sub(r"(\.[^.\[]+|\[[^\]]*\]|^[^.\[]+)$", "", key)
