"""Runs a workflow of GitHub on this machine: its scripts as they stand, its actions imitated.

Only what the workflows of this repository use is known; anything else is an error, so that no
step passes because nobody did it.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["Runner"]

EXPRESSION = re.compile(r"\$\{\{\s*([\w.]+)\s*\}\}")
JOB_KEYS = {"name", "needs", "runs-on", "timeout-minutes", "environment", "permissions", "env"}
STEP_KEYS = {"name", "run", "uses", "with", "env"}
# Programs that they bring stand in the folder of programs instead.
SET_UP = re.compile(r"^(actions/setup-\w+|astral-sh/setup-uv|databricks/setup-cli)@[0-9a-f]{40}$")


@dataclass
class Runner:
    """A machine for workflows.

    Attributes:
        origin: The repository.
        tag: What was pushed.
        folder: Where each job gets a folder of its own.
        programs: Folder that comes first in PATH.
        known: What an expression such as ``vars.DATABRICKS_HOST`` stands for.
        environment: That each job has beside its own.
        done: Job and step, in order.
        said: What each step that ran a script wrote, by step.
    """

    origin: Path
    tag: str
    folder: Path
    programs: Path
    known: Mapping[str, str]
    environment: Mapping[str, str]
    done: list[tuple[str, str]] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)

    def run(self, workflow: Path) -> str:
        """Run all jobs; the first step that fails, or nothing if none does."""
        content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
        for name in _in_order(content["jobs"]):
            job = content["jobs"][name]
            assert set(job) - {"steps"} <= JOB_KEYS, name
            variables = {**content.get("env", {}), **job.get("env", {})}
            place = self.folder / name
            for step in job["steps"]:
                assert set(step) <= STEP_KEYS, step
                self.done.append((name, step["name"]))
                if not self._step(step, place, variables):
                    return str(step["name"])
        return ""

    def _step(self, step: Mapping[str, Any], place: Path, variables: Mapping[str, str]) -> bool:
        if "uses" in step:
            self._action(step["uses"], step.get("with", {}), place)
            return True
        given = {**variables, **step.get("env", {})}
        environment = {name: EXPRESSION.sub(self._value, str(v)) for name, v in given.items()}
        assert not EXPRESSION.search(step["run"]), "an expression in a script is an injection"
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],  # noqa: S607
            cwd=place,
            env={
                "PATH": f"{self.programs}{os.pathsep}{os.defpath}",
                "HOME": str(self.folder),
                "LANG": "C.UTF-8",
                "GITHUB_REF_NAME": self.tag,
                "GITHUB_REPOSITORY": "someone/credit",
                **self.environment,
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.said[step["name"]] = done.stdout
        return done.returncode == 0

    def _action(self, uses: str, given: Mapping[str, Any], place: Path) -> None:
        action = uses.split("@", maxsplit=1)[0]
        artifacts = self.folder / "artifacts"
        if action == "actions/checkout":
            source = f"file://{self.origin}"
            clone = ["git", "clone", "-q", "--depth", "1", "--branch", self.tag, source, str(place)]
            subprocess.run(clone, check=True, capture_output=True)
        elif action == "actions/upload-artifact":
            artifacts.mkdir(exist_ok=True)
            shutil.copy(place / given["path"], artifacts / given["name"])
        elif action == "actions/download-artifact":
            shutil.copy(artifacts / given["name"], place / f"{given['name']}.json")
        else:
            assert SET_UP.match(uses), f"{uses} is not known here"

    def _value(self, found: "re.Match[str]") -> str:
        return self.known[found.group(1)]


def _in_order(jobs: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Each job after those that it needs."""
    done: list[str] = []
    while len(done) < len(jobs):
        ready = [n for n in jobs if n not in done and set(_needs(jobs[n])) <= set(done)]
        assert ready, "jobs need each other in a circle, or one that is not there"
        done.append(ready[0])
        yield ready[0]


def _needs(job: Mapping[str, Any]) -> Sequence[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else needs
