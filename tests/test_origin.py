"""What is known of a recipe's repository, also where there is only a copy of its files."""

import subprocess
from pathlib import Path

from mlrecipes.databricks_jobs import on_compute
from mlrecipes.origin import FILE, origin_of


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    command = ["git", "-C", str(folder), *who, *arguments]
    subprocess.run(command, check=True, capture_output=True)


def test_a_copy_with_the_file_beside_it_is_of_the_same_place(tmp_path: Path) -> None:
    project, copy = tmp_path / "repository" / "credit", tmp_path / "a copy"
    (project / "recipes" / "lgd").mkdir(parents=True)
    (copy / "recipes" / "lgd").mkdir(parents=True)
    git(tmp_path / "repository", "init", "-q")
    git(project, "remote", "add", "origin", "https://ann:token@example.org/bank/risk.git")
    git(project, "commit", "-q", "--allow-empty", "-m", "Nothing")
    known = origin_of(project)
    assert "token" not in known.to_json()
    (copy / FILE).write_text(known.to_json())
    for folder in (".", "recipes/lgd"):
        assert origin_of(copy / folder) == origin_of(project / folder)
    assert origin_of(project / "recipes/lgd").place == "example.org/bank/risk:credit/recipes/lgd/"
    assert origin_of(copy).tags["mlflow.source.git.commit"]


def test_nothing_is_known_outside_of_a_repository(tmp_path: Path) -> None:
    assert origin_of(tmp_path).place == ""
    assert origin_of(tmp_path).tags == {}


def test_a_repository_is_asked_itself_whatever_lies_in_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / FILE).write_text('{"place": "example.org/other:", "tags": {}}')
    assert origin_of(tmp_path).place == ""


def test_the_job_writes_the_file_that_is_read() -> None:
    assert on_compute.ORIGIN_FILE == FILE
