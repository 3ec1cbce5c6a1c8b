"""Facts about the recipe's surroundings that steps record: code, git, requirements."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

from mlrecipes.cleaning import RecipeMark
from mlrecipes.origin import origin_of
from mlrecipes.planning import Project
from mlrecipes.steps import ProjectFacts

__all__ = ["DEPLOYED", "gather_facts", "mark_of"]

DEPLOYED = "/Workspace/"
"""How the path of a recipe begins that lies in a workspace of Databricks."""

SNAPSHOT = (
    "recipe.yaml",
    "requirements.txt",
    "profiles/*.yaml",
    "steps/**/*.py",
    "features/**/*.sql",
    "expectations/*.json",
)
MODEL_MODULES = ("transform", "train")
ID_LENGTH = 16
RECIPE_TAG = "mlrecipes.recipe"


def gather_facts(project: Project, *, with_record: bool, with_tags: bool = False) -> ProjectFacts:
    """Collect the facts.

    Args:
        project: The recipe.
        with_record: Also collect what only the step that makes the model needs.
        with_tags: Also collect the tags, for a step that opens a run.
    """
    cache = project.cache
    cache.mkdir(parents=True, exist_ok=True)
    if not with_record:
        tags = _tags(project) if with_tags else {}
        return ProjectFacts(project.name, project.profile, project.root, cache, tags=tags)
    return ProjectFacts(
        recipe_name=project.name,
        profile=project.profile,
        root=project.root,
        cache=cache,
        snapshot=_snapshot(project),
        tags=_tags(project),
        requirements=_requirements(project),
        code_paths=_code_paths(project),
    )


def _tags(project: Project) -> dict[str, str]:
    origin = origin_of(project.root)
    return {RECIPE_TAG: project.name, **_mark(project, origin.place).tags, **origin.tags}


def mark_of(project: Project) -> RecipeMark:
    """What tells this recipe's runs with this profile from all others.

    The id is that of the place: the same in every clone of a repository with a remote, so that
    a job finds the runs of the job before; else that of the folder on this machine. A recipe
    that was moved is another one, whose runs nobody takes for its own. What is deployed to
    Databricks has no remote, and lies in the same folder on machines of ever new names.
    """
    return _mark(project, origin_of(project.root).place)


def _mark(project: Project, place: str) -> RecipeMark:
    if not place:
        is_deployed = project.root.is_relative_to(DEPLOYED)
        place = str(project.root) if is_deployed else f"{platform.node()}:{project.root}"
    return RecipeMark(hashlib.sha256(place.encode()).hexdigest()[:ID_LENGTH], project.profile)


def _snapshot(project: Project) -> dict[str, str]:
    """The recipe's text files and those that it imports from elsewhere, as they are now."""
    root = project.root
    paths = {path for pattern in SNAPSHOT for path in root.glob(pattern) if path.is_file()}
    for path in project.code_paths.values():
        paths |= {path} if path.is_file() else set(path.rglob("*.py"))
    return {
        project.code.place(path): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(paths)
    }


def _requirements(project: Project) -> tuple[str, ...]:
    """Exact versions of what the model needs: of all that its code imports."""
    from mlrecipes.stores.models import model_requirements

    modules = [
        f"steps.{module}" for module in MODEL_MODULES if project.code.module(f"steps.{module}")
    ]
    pins: tuple[str, ...] = model_requirements(
        {name for m in modules for name in project.code.foreign_imports(m)}
    )
    return pins


def _code_paths(project: Project) -> tuple[Path, ...]:
    """``steps/`` and all else of the recipe, or of its code paths, that the model's code imports.

    MLflow lays each of them into the model's folder ``code`` under its own name.
    """
    steps = project.root / "steps"
    imported = {
        module.path for name in MODEL_MODULES for module in project.code.closure(f"steps.{name}")
    }
    elsewhere = {
        next((code for code in project.code_paths.values() if path.is_relative_to(code)), None)
        or project.root / path.relative_to(project.root).parts[0]
        for path in imported
        if not path.is_relative_to(steps)
    }
    return (steps, *sorted(elsewhere)) if steps.is_dir() else tuple(sorted(elsewhere))
