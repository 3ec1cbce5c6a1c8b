"""User code is importable while a recipe runs, and leaves nothing behind."""

import sys
from pathlib import Path

import pytest

from mlrecipes.errors import UserCodeError
from mlrecipes.user_code.imports import UserCode


def write(root: Path, files: dict[str, str]) -> UserCode:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return UserCode(root)


def test_a_function_is_loaded_with_its_sibling_imports(tmp_path: Path) -> None:
    code = write(
        tmp_path,
        {
            "steps/train.py": "from steps.shared import depth\ndef make(): return depth\n",
            "steps/shared.py": "depth = 3\n",
        },
    )
    with code.importable():
        assert code.load("train", "make")() == 3


def test_nothing_is_left_in_python_afterwards(tmp_path: Path) -> None:
    code = write(tmp_path, {"steps/train.py": "import common\nmake = int\n", "common.py": ""})
    path, finders, modules = list(sys.path), list(sys.meta_path), dict(sys.modules)
    with code.importable():
        code.load("train", "make")
    assert sys.modules.get("steps.train") is modules.get("steps.train")
    assert "common" not in sys.modules
    assert (sys.path, sys.meta_path) == (path, finders)


def test_an_edited_file_is_read_anew(tmp_path: Path) -> None:
    code = write(tmp_path, {"steps/train.py": "def make(): return 1\n"})
    with code.importable():
        assert code.load("train", "make")() == 1
    write(tmp_path, {"steps/train.py": "def make(): return 2\n"})
    with code.importable():
        assert code.load("train", "make")() == 2


def test_two_recipes_have_their_own_steps(tmp_path: Path) -> None:
    one = write(tmp_path / "one", {"steps/train.py": "def make(): return 'one'\n"})
    two = write(tmp_path / "two", {"steps/train.py": "def make(): return 'two'\n"})
    with one.importable():
        assert one.load("train", "make")() == "one"
        with two.importable():
            assert two.load("train", "make")() == "two"
        import steps.train  # type: ignore[import-not-found]  # the first recipe's, again

        assert steps.train.make() == "one"


def test_relative_paths_start_at_the_recipes_root(tmp_path: Path) -> None:
    code = write(
        tmp_path,
        {
            "steps/ingest.py": "from pathlib import Path\nread = Path('a.txt').read_text\n",
            "a.txt": "hello",
        },
    )
    with code.importable():
        assert code.load("ingest", "read")() == "hello"


def test_an_error_while_importing_names_file_and_line(tmp_path: Path) -> None:
    code = write(tmp_path, {"steps/train.py": "x = 1\ny = x / 0\n"})
    expected = r"steps/train.py cannot be imported: ZeroDivisionError: .*\(steps/train.py:2\)"
    with code.importable(), pytest.raises(UserCodeError, match=expected):
        code.load("train", "make")


def test_a_missing_function_is_named(tmp_path: Path) -> None:
    code = write(tmp_path, {"steps/train.py": ""})
    with (
        code.importable(),
        pytest.raises(UserCodeError, match=r"steps/train.py has no function 'make'"),
    ):
        code.load("train", "make")


def test_what_a_recipe_shares_is_importable_and_leaves_nothing_behind(tmp_path: Path) -> None:
    write(tmp_path / "common_loans", {"amounts.py": "from common_loans import cents\n"})
    write(tmp_path / "common_loans", {"cents.py": "per_dollar = 100\n"})
    recipe = tmp_path / "recipe"
    write(recipe, {"steps/train.py": "from common_loans.amounts import cents\nmake = int\n"})
    code = UserCode(recipe, {"common_loans": tmp_path / "common_loans"})
    for cents in (100, 10):
        write(tmp_path / "common_loans", {"cents.py": f"per_dollar = {cents}\n"})
        with code.importable():
            code.load("train", "make")
            assert sys.modules["common_loans.cents"].per_dollar == cents
        assert not [name for name in sys.modules if name.startswith("common_loans")]


def test_an_error_in_shared_code_names_its_place(tmp_path: Path) -> None:
    write(tmp_path / "shared_loans", {"__init__.py": "1 / 0\n"})
    write(tmp_path / "recipe", {"steps/train.py": "import shared_loans\n"})
    code = UserCode(tmp_path / "recipe", {"shared_loans": tmp_path / "shared_loans"})
    with (
        code.importable(),
        pytest.raises(UserCodeError, match=r"\(shared_loans/__init__\.py:1\)"),
    ):
        code.load("train", "make")
