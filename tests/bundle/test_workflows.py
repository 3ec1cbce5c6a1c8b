"""The workflows are valid, safe, and name what is there; GitHub itself was not asked."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bundle.commands import call_problems
from tests.bundle.loading import load_bundle, read_files, targets_of
from tests.bundle.workflows import FOLDER, PINNED, commands_of, read_workflow, steps_of

ROOT = Path(__file__).parents[2]
PATHS = sorted((ROOT / FOLDER).glob("*.yml"))
WORKFLOWS = {path.stem: read_workflow(path) for path in PATHS}
BIN = Path(sys.executable).parent
each_workflow = pytest.mark.parametrize("name", sorted(WORKFLOWS))
# Made by an earlier step, or by the runner.
MADE = {"../base", "../report.md", "report.md", "promotions.json", "notes.md", "comment.md"}


def scripts() -> list[tuple[str, str]]:
    return [
        (name, step["run"])
        for name, workflow in WORKFLOWS.items()
        for _job, step in steps_of(workflow)
        if "run" in step
    ]


def commands() -> list[list[str]]:
    return [words for _name, script in scripts() for words in commands_of(script)]


def test_these_are_the_workflows() -> None:
    assert sorted(WORKFLOWS) == ["pull_request", "release"]
    assert list(WORKFLOWS["release"]["on"]["push"]["tags"]) == ["v*"]
    assert list(WORKFLOWS["pull_request"]["on"]) == ["pull_request"]


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, PATHS)],
        ["zizmor", "--offline", "--persona", "pedantic", "--no-progress", str(ROOT / FOLDER)],
    ],
    ids=["schema", "zizmor"],
)
def test_a_tool_finds_nothing(command: list[str]) -> None:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_action_is_a_commit(path: Path) -> None:
    lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    uses = [line.removeprefix("- ") for line in lines if "uses:" in line]
    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


def test_an_action_is_the_same_commit_everywhere() -> None:
    seen: dict[str, set[str]] = {}
    for workflow in WORKFLOWS.values():
        for _job, step in steps_of(workflow):
            if "uses" in step:
                action, _at, commit = step["uses"].partition("@")
                seen.setdefault(action, set()).add(commit)
    assert {action: commits for action, commits in seen.items() if len(commits) > 1} == {}


@each_workflow
def test_rights_are_given_to_jobs_alone(name: str) -> None:
    workflow = WORKFLOWS[name]
    assert workflow["permissions"] == {}
    assert {"group", "cancel-in-progress"} == set(workflow["concurrency"])
    assert all("permissions" in job for job in workflow["jobs"].values())
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())


def writing(workflow: dict[str, Any]) -> dict[str, set[str]]:
    given = {
        key: {right for right, level in job["permissions"].items() if level == "write"}
        for key, job in workflow["jobs"].items()
    }
    return {key: rights for key, rights in given.items() if rights}


def test_only_these_jobs_may_write() -> None:
    assert writing(WORKFLOWS["pull_request"]) == {"comment": {"pull-requests"}}
    assert writing(WORKFLOWS["release"]) == {
        "deploy": {"id-token"},
        "run": {"id-token"},
        "notes": {"contents"},
    }


def test_what_may_comment_sees_no_code_of_the_pull_request() -> None:
    steps = [step for job, step in steps_of(WORKFLOWS["pull_request"]) if job == "comment"]
    assert [step for step in steps if "checkout" in step.get("uses", "")] == []
    assert not any("python" in step.get("run", "") for step in steps)
    condition = WORKFLOWS["pull_request"]["jobs"]["comment"]["if"]
    assert "head.repo.full_name == github.repository" in condition


def test_databricks_is_signed_in_to_without_a_secret() -> None:
    for job in ("deploy", "run"):
        environment = WORKFLOWS["release"]["jobs"][job]["env"]
        assert WORKFLOWS["release"]["jobs"][job]["environment"] == "prod"
        assert environment["DATABRICKS_AUTH_TYPE"] == "github-oidc"
    assert all("secrets." not in path.read_text(encoding="utf-8") for path in PATHS)


@pytest.mark.parametrize("script", [script for _name, script in scripts()])
def test_every_script_is_bash(script: str) -> None:
    done = subprocess.run(
        ["bash", "-n"],  # noqa: S607 - as on the runner
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@each_workflow
def test_no_script_holds_an_expression(name: str) -> None:
    assert [script for workflow, script in scripts() if workflow == name and "${{" in script] == []


@each_workflow
def test_no_checkout_leaves_a_token_behind(name: str) -> None:
    uses = [step for _job, step in steps_of(WORKFLOWS[name]) if "checkout" in step.get("uses", "")]
    assert all(step["with"]["persist-credentials"] is False for step in uses)


def test_a_release_goes_from_tests_to_notes() -> None:
    jobs = WORKFLOWS["release"]["jobs"]
    assert [(key, job.get("needs")) for key, job in jobs.items()] == [
        ("test", None),
        ("deploy", "test"),
        ("run", "deploy"),
        ("notes", "run"),
    ]
    bundle = [words[2:] for words in commands() if words[:2] == ["databricks", "bundle"]]
    assert [" ".join(words) for words in bundle] == [
        "validate -t prod --strict",
        "deploy -t prod",
        "run setup -t prod",
        "run external_features -t prod",
        "run training -t prod",
    ]


def test_targets_and_jobs_that_are_named_are_in_the_bundle() -> None:
    files = read_files(ROOT)
    for words in commands():
        if words[:2] != ["databricks", "bundle"]:
            continue
        target = words[words.index("-t") + 1]
        assert target in targets_of(files)
        if words[2] == "run":
            assert words[3] in load_bundle(files, target).resources("jobs")


def test_calls_of_the_launcher_are_commands_of_this_version() -> None:
    there = {"../base": str(ROOT)}
    found = [words[2:] for words in commands() if words[1:2] == ["src/launch.py"]]
    calls = [[there.get(word, word) for word in words] for words in found]
    assert {words[0] for words in calls} == {"run", "compare", "promotions"}
    assert [what for words in calls for what in call_problems(words, ROOT)] == []


def test_calls_of_mlflow_run_name_an_entry_point_and_its_parameters() -> None:
    entry_points = yaml.safe_load((ROOT / "MLproject").read_text())["entry_points"]
    calls = [words for words in commands() if "mlflow" in words[0] and words[1:2] == ["run"]]
    assert len(calls) == 3
    for words in calls:
        entry = entry_points[words[words.index("-e") + 1]]
        given = [words[n + 1] for n, word in enumerate(words) if word == "-P"]
        assert {text.split("=")[0] for text in given} <= set(entry.get("parameters", {}))


def test_the_profile_and_experiment_of_a_release_are_those_of_production() -> None:
    (call,) = [words for words in commands() if "databricks-jobs" in words]
    prod = load_bundle(read_files(ROOT), "prod")
    names = [one["name"] for one in prod.resources("experiments").values()]
    assert call[call.index("--experiment-name") + 1] in names
    assert call[call.index("-P") + 1] == "profile=databricks_prod"


def test_every_file_that_is_named_is_there() -> None:
    looks_like_a_file = re.compile(r"[\w./-]+\.(py|ya?ml|json|lock|md|toml)")
    named = {
        word for words in commands() for word in words if looks_like_a_file.fullmatch(word)
    } - MADE
    assert named >= {"requirements.lock", "src/launch.py", ".github/release_notes.py"}
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def test_programs_that_steps_start_are_installed_by_the_lock() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    started = {words[0] for words in commands() if words[0].startswith(".venv/bin/")}
    packages = {"lint-imports": "import-linter", "python": "mypy"}
    for program in started:
        name = program.removeprefix(".venv/bin/")
        assert f"\n{packages.get(name, name)}==" in lock
