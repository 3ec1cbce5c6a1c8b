"""Functions that are missing or wrongly declared are found without running them."""

from pathlib import Path

import pytest

from mlrecipes.user_code.declared import declaration_problems
from mlrecipes.user_code.source import SourceTree


def problems(tmp_path: Path, code: str | None, function: str, kind: str) -> list[str]:
    if code is not None:
        (tmp_path / "steps").mkdir()
        (tmp_path / "steps" / "train.py").write_text(code)
    found = declaration_problems(
        SourceTree(tmp_path),
        "steps.train",
        function,
        key=f"steps.train.{kind}",
        place=("recipe.yaml", 7),
    )
    return [str(problem) for problem in found]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path, None, "make", "estimator_method") == [
        "recipe.yaml:7: steps.train.estimator_method is 'make', but there is no steps/train.py."
    ]


def test_a_missing_function_gets_a_suggestion(tmp_path: Path) -> None:
    found = problems(
        tmp_path, "def estimator_fn(params): ...\n", "estimator_fun", "estimator_method"
    )
    assert found == [
        "recipe.yaml:7: steps.train.estimator_method is 'estimator_fun', "
        "which steps/train.py does not define. Did you mean 'estimator_fn'?"
    ]


def test_a_function_that_takes_the_wrong_arguments_is_named_with_its_line(tmp_path: Path) -> None:
    found = problems(tmp_path, "\n\ndef make(a, b):\n    ...\n", "make", "estimator_method")
    assert found == [
        "steps/train.py:3: make(a, b) cannot be called as estimator_method. "
        "Write it as: def make(estimator_params)."
    ]


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    found = problems(tmp_path, "x = 1\ndef make(:\n", "make", "estimator_method")
    assert len(found) == 1
    assert found[0].startswith("steps/train.py:2: is no valid Python")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("def make(): ...\n", "estimator_method"),
        ("def make(params=None): ...\n", "estimator_method"),
        ("def make(*args): ...\n", "estimator_method"),
        ("def make(path, using): ...\n", "loader_method"),
        ("def make(path): ...\n", "loader_method"),
        ("def make(a, b, c): ...\n", "post_split_method"),
        ("from somewhere import make\n", "estimator_method"),
        ("from somewhere import *\n", "estimator_method"),
        ("make = build()\n", "estimator_method"),
    ],
)
def test_a_function_that_can_be_called_is_no_problem(tmp_path: Path, code: str, kind: str) -> None:
    assert problems(tmp_path, code, "make", kind) == []
