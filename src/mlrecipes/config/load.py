"""From files to a typed configuration: everything wrong is found at once, with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlrecipes.config.problems import field_problems, for_people, secret_texts
from mlrecipes.config.profile import PROTECTED, misspelled, profile_path, protection, variables
from mlrecipes.config.rules import rule_problems
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.config.template import Rendered, names_used, render_yaml
from mlrecipes.errors import ConfigError, Problem, did_you_mean

__all__ = ["LoadedConfig", "Places", "find_recipe_root", "load_config", "read_text_file"]

RECIPE = "recipe.yaml"
SECTIONS = tuple(RecipeConfig.model_fields)
MAX_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Places:
    """Where keys stand: in the recipe, or in the profile for keys that only it has."""

    recipe: Rendered
    profile: Rendered
    profile_file: str

    def find(self, key: str) -> tuple[str, int | None]:
        """File and line of a key; of the nearest one above it if it is not written.

        A key inside of a mapping that the recipe takes from the profile stands in the profile.
        """
        for above in _upwards(key):
            if above in self.recipe.document.places:
                return self._behind(above, key) or self.recipe.document.places[above]
            if above in self.profile.document.places:
                return self.profile.document.places[above]
        return RECIPE, None

    def in_profile(self, key: str) -> tuple[str, int | None]:
        """File and line of a key of the profile."""
        return self.profile.document.places.get(key) or (self.profile_file, None)

    def _behind(self, above: str, key: str) -> tuple[str, int] | None:
        """Where a key stands below a variable that was filled in for ``above``."""
        variable = self.recipe.links.get(above)
        if variable is None:
            return None
        places = self.profile.document.places
        names = _upwards(variable + key[len(above) :])
        inner = (name for name in names if len(name) > len(variable) and name in places)
        return next((places[name] for name in inner), None)


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """A configuration, where each of its keys stands, and the files that it was read from.

    Attributes:
        config: The configuration.
        places: Where its keys stand.
        files: What it was read from.
        is_protected: Whether the profile says ``protected: true``.
    """

    config: RecipeConfig
    places: Places
    files: tuple[Path, ...]
    is_protected: bool = False


def find_recipe_root(start: Path) -> Path:
    """Walk up to the first folder with a ``recipe.yaml``.

    Raises:
        ConfigError: There is none at or above ``start``.

    >>> find_recipe_root(Path("/"))
    Traceback (most recent call last):
    mlrecipes.errors.ConfigError: recipe.yaml: is neither in / nor above it. Go to a recipe, ...
    """
    folder = start.expanduser().resolve()
    for candidate in (folder, *folder.parents):
        if (candidate / RECIPE).is_file():
            return candidate
    what = f"is neither in {folder} nor above it."
    hint = "Go to a recipe, or name one: --recipe DIR"
    raise ConfigError([Problem(RECIPE, None, "", what, hint)])


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

    >>> load_config(Path("/"), "../secret")
    Traceback (most recent call last):
    mlrecipes.errors.ConfigError: profiles: '../secret' is no name of a profile: ...
    """
    file, path = profile_path(root, profile)
    text = read_text_file(root / RECIPE, RECIPE)
    filled = render_yaml(read_text_file(path, file), file, root, {})
    problems = [*filled.document.problems, *_undefined(filled, {}, file)]
    if problems and filled.document.data is None:
        raise ConfigError(for_people(problems))
    used = names_used(text, root)
    values, wrong = variables(filled.document, file, overrides or {}, used)
    problems += protection(values, filled.document, file)
    is_protected, guard = values.get(PROTECTED) is True, {PROTECTED} - set(values)
    values = {name: value for name, value in values.items() if name.lower() != PROTECTED}
    secrets = secret_texts(values)
    recipe = render_yaml(text, RECIPE, root, values)
    problems += [*wrong, *_undefined(recipe, values, file), *recipe.document.problems]
    told = [name.name for name in recipe.missing]
    problems += misspelled(values, {*used, *SECTIONS, *guard}, told, filled.document, file)
    places = Places(recipe, filled, file)
    config, wrong = _validated(recipe.document.data, values, places, secrets)
    # A file that is no mapping needs no second complaint if it is no valid YAML either.
    problems += [problem for problem in wrong if not problems or recipe.document.data is not None]
    if config is None or problems:
        raise ConfigError(for_people(problems, secrets))
    files = (root / RECIPE, path, *recipe.files, *filled.files)
    return LoadedConfig(config, places, tuple(dict.fromkeys(files)), is_protected)


def read_text_file(path: Path, file: str) -> str:
    """Read a file of the recipe, which is UTF-8 and of a size that people write.

    Raises:
        ConfigError: It is not there, too large or no text; ``file`` is its name in messages.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            what = f"is larger than {MAX_BYTES:,} bytes."
        else:
            return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})."
    except FileNotFoundError:
        what = f"does not exist in {path.parent}."
    except OSError as error:
        what = f"cannot be read: {error.strerror}."
    raise ConfigError([Problem(file, None, "", what)])


def _undefined(rendered: Rendered, values: Mapping[str, Any], profile: str) -> Iterator[Problem]:
    """Names that a file uses and nobody sets, each once."""
    told = set()
    for name in rendered.missing:
        if name.name in told:
            continue
        told.add(name.name)
        if not name.is_variable:
            what, hint = "is used here, but the value before it has no such part.", ""
        elif name.file == profile:
            what, hint = "is used here, but a profile has no variables.", "Write the value."
        elif name.name == PROTECTED:
            what, hint = "is no variable: it guards a profile.", "Use another name."
        else:
            what = f"is used here, but {profile} does not set it."
            near = did_you_mean(name.name, values)
            hint = near if near.startswith("Did") else f"Add to the profile: {name.name}: …"
        yield Problem(name.file, name.line, name.name, what, hint)


def _validated(
    data: Any, values: Mapping[str, Any], places: Places, secrets: frozenset[str]
) -> tuple[RecipeConfig | None, list[Problem]]:
    """The recipe's keys and those of the profile that are sections of a recipe, typed."""
    if not isinstance(data, dict):
        what = "is empty." if data is None else "is no mapping of keys to values."
        return None, [Problem(RECIPE, 1, "", what, "Begin with recipe: and target_col:.")]
    problems = []
    for key in sorted(set(map(str, data)) & set(values)):
        file, line = places.recipe.document.places[key]
        what = f"stands here and in {file}:{line}."
        problems.append(Problem(*places.in_profile(key), key, what, "Keep one of them."))
    sections = {key: value for key, value in values.items() if key in SECTIONS}
    try:
        config = RecipeConfig.model_validate({**sections, **data})
    except ValidationError as error:
        wrong = field_problems(error, RecipeConfig, places.find, secrets)
        return None, [*problems, *wrong]
    return config, [*problems, *rule_problems(config, places.find)]


def _upwards(key: str) -> Iterator[str]:
    """A key path and all above it: ``a.b[0]``, ``a.b``, ``a``."""
    while key:
        yield key
        key = re.sub(r"(\.[^.\[]+|\[[^\]]*\]|^[^.\[]+)$", "", key)
