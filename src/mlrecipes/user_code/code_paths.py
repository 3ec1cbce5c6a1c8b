"""Packages outside of a recipe's folder that its steps may import: ``code_paths``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from mlrecipes.errors import ConfigError, Problem, shorten

__all__ = ["find_code_paths", "place_of"]

KEY = "code_paths"
CODE_SUFFIX = ".py"
STEPS = "steps"


def find_code_paths(
    root: Path, texts: Sequence[str], find: Callable[[str], tuple[str, int | None]]
) -> dict[str, Path]:
    """Find the packages and modules that the recipe names.

    Args:
        root: The folder with ``recipe.yaml``, where relative paths start.
        texts: Folders with Python files, or Python files, as the recipe writes them.
        find: Gives file and line of a key.

    Returns:
        What they are imported as, and where they lie.

    Raises:
        ConfigError: One is not there, or cannot be imported under its name; all are listed.
    """
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for index, text in enumerate(texts):
        path = (root / Path(text).expanduser()).resolve()
        name = path.stem if path.suffix == CODE_SUFFIX else path.name
        wrong = _wrong(root, path, name, found)
        if wrong is None:
            found[name] = path
            continue
        key = f"{KEY}[{index}]"
        problems.append(Problem(*find(key), key, f"is '{shorten(text)}', {wrong[0]}", wrong[1]))
    if problems:
        raise ConfigError(problems)
    return found


def place_of(path: Path, root: Path, code_paths: Mapping[str, Path]) -> str | None:
    """How a file of the recipe's code is named for people and in keys; None if it is not of it.

    >>> place_of(
    ...     Path("/bank/recipes/loans/csv.py"),
    ...     Path("/bank/recipes/loss"),
    ...     {"loans": Path("/bank/recipes/loans")},
    ... )
    'loans/csv.py'
    """
    for base in (root, *(other.parent for other in _around(path, code_paths))):
        if path.is_relative_to(base):
            return path.relative_to(base).as_posix()
    return None


def _around(path: Path, code_paths: Mapping[str, Path]) -> Iterator[Path]:
    return (other for other in code_paths.values() if path.is_relative_to(other))


def _wrong(root: Path, path: Path, name: str, others: Mapping[str, Path]) -> tuple[str, str] | None:
    """What is wrong with a code path, and what to do."""
    is_code = path.suffix == CODE_SUFFIX if path.is_file() else any(path.glob(f"*{CODE_SUFFIX}"))
    is_taken = (root / name).is_dir() or (root / f"{name}{CODE_SUFFIX}").is_file()
    there = (
        "Name a folder with Python files, or one such file; relative paths start at recipe.yaml."
    )
    checks = (
        (not path.exists(), f"and there is no {path}.", there),
        (not is_code, "which holds no Python.", there),
        (not name.isidentifier(), "whose name Python cannot import.", "Rename it."),
        (path.is_relative_to(root), "which the recipe's steps can import as it is.", "Remove it."),
        (root.is_relative_to(path), "which holds the recipe itself.", there),
        (name in others, f"and '{name}' is named twice.", "Remove one, or rename it."),
        (name == STEPS or is_taken, f"and the recipe has a '{name}' too.", "Rename one of them."),
    )
    return next(((what, hint) for is_wrong, what, hint in checks if is_wrong), None)
