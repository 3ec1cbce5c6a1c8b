"""Copies of this project's files, for tests that run a recipe where nothing ran before."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEFT_BY_RUNS = shutil.ignore_patterns(
    *("__pycache__", ".mlrecipes", ".ipynb_checkpoints"),
    *("mlflow.db*", "mlartifacts", "predictions", "monitoring"),
)


def copy_of_project(target: Path, *names: str, source: Path = ROOT) -> Path:
    """Copy files and folders into a folder, without what runs leave in them."""
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name, ignore=LEFT_BY_RUNS)
        else:
            target.mkdir(exist_ok=True, parents=True)
            shutil.copy(source / name, target / name)
    return target
