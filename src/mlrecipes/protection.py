"""A protected profile is reset only by someone who types its registered model's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlrecipes.config.profile import PROFILES, PROTECTED
from mlrecipes.errors import ConfigError, Problem, shorten
from mlrecipes.planning import Project, open_project

__all__ = ["Place", "protections", "refuse_unless_confirmed"]

Place = tuple[str, int | None]


def protections(project: Project, environment: Mapping[str, Any]) -> tuple[Place, ...]:
    """Where what a reset would delete is protected, as file and line.

    Also by other profiles whose registered model it is: what ``prod`` protects cannot be
    deleted by the way of ``dev``.
    """
    return tuple(_protections(project, environment))


def refuse_unless_confirmed(project: Project, places: tuple[Place, ...], typed: str | None) -> None:
    """Let a reset go on only if nothing is protected, or the right name is typed.

    A wrong name is refused with or without protection. The right one is not told: whoever
    types it has to know it.

    Raises:
        ConfigError: Where it is protected and what to type; or what was typed instead.
    """
    name = project.config.effective_model_name
    if typed and typed != name:
        file, line = project.loaded.places.find("model_registry.model_name")
        what = f"is not '{shorten(typed)}', which was typed. Nothing was deleted."
        raise ConfigError([Problem(file, line, "the name of the registered model", what)])
    if not places or typed:
        return
    hint = (
        "Type the name of the registered model too: --yes --model-name NAME"
        if name
        else "The recipe has no registered model whose name could be typed: edit the profile."
    )
    what = "is true. Nothing was deleted."
    raise ConfigError([Problem(*place, PROTECTED, what) for place in places], hint=hint)


def _protections(project: Project, environment: Mapping[str, Any]) -> Iterator[Place]:
    if project.loaded.is_protected:
        yield project.loaded.places.in_profile(PROTECTED)
    for path in sorted((project.root / PROFILES).glob("*.yaml")):
        if path.stem == project.profile or PROTECTED not in path.read_text(errors="replace"):
            continue
        try:
            other = open_project(project.root, path.stem, environment=environment)
        except ConfigError:
            continue
        if other.loaded.is_protected and _same_model(project, other):
            yield other.loaded.places.in_profile(PROTECTED)


def _same_model(one: Project, other: Project) -> bool:
    return (one.destinations.registry_uri, one.config.effective_model_name) == (
        other.destinations.registry_uri,
        other.config.effective_model_name,
    )
