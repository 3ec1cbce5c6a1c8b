"""A task of a bundle ends as tasks do, and is the same recipe on every machine."""

import platform
import sys
import threading
from pathlib import Path

import pytest

from mlrecipes import project_facts
from mlrecipes.cli import main
from mlrecipes.cli.deployed import as_task
from mlrecipes.planning import open_project
from mlrecipes.project_facts import mark_of

TASK = ["launch.py", "run", "--recipe=/Workspace/Users/ann/credit", "--profile=prod"]


def test_code_0_is_a_task_that_succeeds() -> None:
    with as_task(TASK):
        sys.exit(0)


@pytest.mark.parametrize(
    ("code", "what"),
    [
        (3, "^Exit code 3: a gate rejected the model or the data.$"),
        (4, "^Exit code 4: the monitor raises an alert.$"),
        (75, "^Exit code 75: busy, or a server is away: try again.$"),
        (143, "^Exit code 143: see above.$"),
    ],
)
def test_another_code_is_an_error_that_says_what_it_means(code: int, what: str) -> None:
    with pytest.raises(RuntimeError, match=what), as_task(TASK):
        sys.exit(code)


def test_the_error_holds_what_was_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Databricks shows the text of an error where people look; the log is one click further."""
    monkeypatch.setattr(sys, "argv", ["launch.py", "run", "--to=fly", *TASK[2:]])
    with (
        pytest.raises(RuntimeError, match=r"^Exit code 2: .*\nError: .*recipe.yaml: is neither"),
        as_task(TASK),
    ):
        main()
    assert "is neither" in capsys.readouterr().err


@pytest.mark.parametrize("code", [0, 3])
def test_anywhere_else_a_command_ends_with_its_code(code: int) -> None:
    with pytest.raises(SystemExit, match=f"^{code}$"), as_task(["launch.py", "--recipe=."]):
        sys.exit(code)


def test_a_reset_knows_the_runs_of_all_tasks_as_the_recipes_own(
    regression: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A serverless task never runs on a machine of the same name twice."""
    monkeypatch.setattr(project_facts, "DEPLOYED", f"{regression.parent}/")
    ids = set()
    for machine in ("ip-10-0-0-1", "ip-10-0-0-2"):
        monkeypatch.setattr(platform, "node", lambda machine=machine: machine)
        ids.add(mark_of(open_project(regression, "local")).recipe_id)
    assert len(ids) == 1


def test_the_command_line_runs_in_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host of Python code need not run it in the main thread, the only one to hear signals."""
    monkeypatch.setattr(sys, "argv", ["mlrecipes", "--version"])
    codes: list[object] = []

    def run() -> None:
        try:
            main()
        except SystemExit as ended:
            codes.append(ended.code)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert codes == [0]
