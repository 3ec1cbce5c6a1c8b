"""The user's code is digested by what it does, not by how it is written."""

from pathlib import Path

import pytest

from mlrecipes.user_code.source import SourceTree


def write(root: Path, files: dict[str, str]) -> SourceTree:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return SourceTree(root)


TRAIN = """
def estimator_fn(params):
    return build(params, depth=3)
"""


@pytest.mark.parametrize(
    "same",
    [
        "# a comment\n" + TRAIN,
        TRAIN.replace("build(params, depth=3)", "build(\n        params,\n        depth=3,\n    )"),
        TRAIN.replace("    return", '    """What it does."""\n    return'),
        '"""A module docstring."""\n' + TRAIN,
        TRAIN.replace("depth=3)", "depth=3)  # why"),
    ],
)
def test_comments_docstrings_and_layout_change_nothing(tmp_path: Path, same: str) -> None:
    before = write(tmp_path, {"steps/train.py": TRAIN}).digests("steps.train")
    after = write(tmp_path, {"steps/train.py": same}).digests("steps.train")
    assert after == before


def test_a_changed_function_changes_its_own_part_only(tmp_path: Path) -> None:
    other = "def other():\n    return 1\n"
    before = write(tmp_path, {"steps/train.py": TRAIN + other}).digests("steps.train")
    changed = TRAIN.replace("depth=3", "depth=4") + other
    after = write(tmp_path, {"steps/train.py": changed}).digests("steps.train")
    assert {name for name in before if before[name] != after[name]} == {
        "code.steps/train.py:estimator_fn"
    }


def test_a_changed_module_level_value_is_seen(tmp_path: Path) -> None:
    before = write(tmp_path, {"steps/train.py": "DEPTH = 3\n"}).digests("steps.train")
    after = write(tmp_path, {"steps/train.py": "DEPTH = 4\n"}).digests("steps.train")
    assert before != after


@pytest.mark.parametrize(
    ("statement", "file"),
    [
        ("from steps.shared import depth", "steps/shared.py"),
        ("import steps.shared", "steps/shared.py"),
        ("from steps import shared", "steps/shared.py"),
        ("from . import shared", "steps/shared.py"),
        ("from .shared import depth", "steps/shared.py"),
        ("import common", "common.py"),
        ("from steps.parts.trees import depth", "steps/parts/trees.py"),
        ("from steps.parts import trees", "steps/parts/trees.py"),
    ],
)
def test_a_module_that_is_imported_counts(tmp_path: Path, statement: str, file: str) -> None:
    tree = write(tmp_path, {"steps/train.py": statement + "\n", file: "depth = 3\n"})
    before = tree.digests("steps.train")
    write(tmp_path, {file: "depth = 4\n"})
    assert SourceTree(tmp_path).digests("steps.train") != before


def test_imports_of_imports_count_and_circles_end(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        {
            "steps/train.py": "import steps.a\n",
            "steps/a.py": "import steps.b\n",
            "steps/b.py": "import steps.a\nx = 1\n",
        },
    )
    names = [module.name for module in tree.closure("steps.train")]
    assert names == ["steps.a", "steps.b", "steps.train"]


def test_data_beside_an_imported_module_counts(tmp_path: Path) -> None:
    files = {
        "steps/ingest.py": "from steps.shop.cities import load\n",
        "steps/shop/cities.py": "def load(): ...\n",
        "steps/shop/cities.json": "[1]",
    }
    before = write(tmp_path, files).digests("steps.ingest")
    after = write(tmp_path, {"steps/shop/cities.json": "[2]"}).digests("steps.ingest")
    assert before["file.steps/shop/cities.json"] != after["file.steps/shop/cities.json"]


def test_a_module_that_is_not_imported_does_not_count(tmp_path: Path) -> None:
    before = write(tmp_path, {"steps/train.py": TRAIN}).digests("steps.train")
    after = write(tmp_path, {"steps/split.py": "x = 1\n"}).digests("steps.train")
    assert after == before


def test_foreign_imports_are_neither_the_recipes_nor_pythons(tmp_path: Path) -> None:
    tree = write(
        tmp_path,
        {
            "steps/train.py": "import json\nimport lightgbm as lgb\nfrom steps import a\n",
            "steps/a.py": "from sklearn.base import clone\nfrom __future__ import annotations\n",
        },
    )
    assert tree.foreign_imports("steps.train") == ("lightgbm", "sklearn")
