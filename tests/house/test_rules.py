"""The rules of the house, as the tools check them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


LINT_IMPORTS = "from importlinter.cli import lint_imports_command as run; run()"


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "ruff", "check", "."],
        ["-m", "ruff", "format", "--check", "."],
        ["-m", "mypy"],
        ["-c", LINT_IMPORTS, "--no-cache"],
    ],
    ids=["ruff check", "ruff format", "mypy --strict", "import-linter"],
)
def test_the_code_keeps(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.parametrize("recipe", ["loss_given_default", "sba_default"])
def test_a_recipe_with_steps_of_its_own_is_typed_too(recipe: str) -> None:
    """Each has a package ``steps``, so it is looked at in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "steps"],
        cwd=ROOT / "recipes" / recipe,
        env=os.environ | {"MYPYPATH": f".{os.pathsep}.."},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]


def test_no_file_of_the_engine_is_longer_than_400_lines() -> None:
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "steps").rglob("*.py")]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_only_tasks_ask_which_task_it_is() -> None:
    """A regression, a binary and a multiclass task are objects with the same methods."""
    asking = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "src" / "mlrecipes").rglob("*.py")
        if path.parent.name not in {"tasks", "config"}
        and any(word in path.read_text() for word in ("task.name ==", "is_binary", '== "binary"'))
    ]
    assert asking == []
