"""The compute of the double: runs what a job submits, in processes with a clean environment.

Databricks' own paths are rewritten to folders of this machine, and packages are installed
without an index: what the tests' own environment has is there, all else must lie in a folder.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

__all__ = ["JOB_TOKEN", "Compute", "JobRun"]

JOB_TOKEN = "token-of-a-job"  # noqa: S105 - of nothing but the double
PROGRAMS = Path(sys.executable).parent
RSYNC = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
mkdir -p "$2"
exec cp -n "$1" "$2"
"""


@dataclass
class JobRun:
    """A job of the double.

    Attributes:
        run_id: Its number.
        state: As the Jobs API tells it.
        error: What its task said when it failed.
        log: All that it wrote to stderr.
        process: Of its task, while it runs.
    """

    run_id: int
    state: dict[str, str] = field(default_factory=lambda: {"life_cycle_state": "PENDING"})
    error: str = ""
    log: str = ""
    process: "subprocess.Popen[str] | None" = None

    @property
    def has_ended(self) -> bool:
        return self.state["life_cycle_state"] == "TERMINATED"


@dataclass
class Compute:
    """Where jobs run.

    Attributes:
        root: Folder of volumes, of DBFS, of the jobs' homes and of the folder ``wheels``.
        address: Of the workspace, as jobs see it.
        told: Called after each change of a job.
    """

    root: Path
    address: str = ""
    told: Callable[[], None] = lambda: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, job: JobRun, body: Mapping[str, Any]) -> None:
        """Run the one task of a job that was submitted, beside the caller."""
        threading.Thread(target=self._run, args=(job, body), daemon=True).start()

    def cancel(self, job: JobRun) -> None:
        """End a job at once, with all the processes that it started."""
        with self._lock:
            job.state = {"life_cycle_state": "TERMINATED", "result_state": "CANCELED"}
            if job.process is not None and job.process.poll() is None:
                os.killpg(job.process.pid, signal.SIGKILL)
        self.told()

    def _run(self, job: JobRun, body: Mapping[str, Any]) -> None:
        home = self.root / f"home-{job.run_id}"
        home.mkdir()
        try:
            command, variables = self._command(body, home)
        except subprocess.CalledProcessError as error:
            self._end(job, 1, f"Library installation failed: {error.stderr}")
            return
        clean = {
            "PATH": os.defpath,
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DATABRICKS_HOST": self.address,
            "DATABRICKS_TOKEN": JOB_TOKEN,
        }
        with self._lock:
            if job.has_ended:
                return
            job.process = subprocess.Popen(
                command,
                cwd=home,
                env=clean | variables,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            job.state = {"life_cycle_state": "RUNNING"}
        self.told()
        _out, said = job.process.communicate()
        self._end(job, job.process.returncode, said)

    def _end(self, job: JobRun, code: int, said: str) -> None:
        with self._lock:
            job.log = said
            job.error = _error_in(said) if code else ""
            if not job.has_ended:
                result = "SUCCESS" if code == 0 else "FAILED"
                job.state = {"life_cycle_state": "TERMINATED", "result_state": result}
        self.told()

    def _command(self, body: Mapping[str, Any], home: Path) -> tuple[list[str], dict[str, str]]:
        """What to run and with which variables beside the clean ones."""
        if "shell_command_task" in body:
            shell = body["shell_command_task"]
            return self._shell(shell["command"], home), self._shell_variables(shell)
        (task,) = body["tasks"]
        lines = [f"-r {each['requirements']}" for each in task.get("libraries", [])]
        for environment in body.get("environments", []):
            lines += environment["spec"].get("dependencies", [])
        python = self._python([self._here(line) for line in lines])
        script = task["spark_python_task"]
        words = [self._here(word) for word in (script["python_file"], *script["parameters"])]
        return [str(python), *words], dict(task.get("new_cluster", {}).get("spark_env_vars", {}))

    def _here(self, text: str) -> str:
        return text.replace("/Volumes/", f"{self.root}/Volumes/")

    def _python(self, requirements: Sequence[str]) -> Path:
        """The interpreter of an environment with these requirements; made once for the same."""
        contents = [*requirements]
        contents += [
            Path(shlex.split(line)[1]).read_text()
            for line in requirements
            if line.startswith("-r ")
        ]
        folder = self.root / f"environment-{sha256(repr(contents).encode()).hexdigest()[:16]}"
        python = folder / "bin" / "python"
        if folder.exists():
            return python
        venv.create(folder, symlinks=True)
        # All that the tests' own environment has serves as the compute's own packages.
        own = sysconfig.get_path("purelib")
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "own.pth").write_text(f"import site; site.addsitedir({own!r})\n")
        if requirements:
            (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
            pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
            pip += ["--disable-pip-version-check", "--no-index", "--find-links"]
            pip += [str(self.root / "wheels"), "-r", str(folder / "requirements.txt")]
            try:
                subprocess.run(pip, check=True, capture_output=True, text=True)
            except subprocess.CalledProcessError:
                shutil.rmtree(folder)
                raise
        return python

    def _shell(self, command: Sequence[str], home: Path) -> list[str]:
        """One container a job: the folder of projects must be new in each."""
        script = command[-1].replace("/dbfs/", f"{self.root}/dbfs/")
        return [*command[:-1], script.replace("/databricks/mlflow", f"{home}/databricks/mlflow")]

    def _shell_variables(self, shell: Mapping[str, Any]) -> dict[str, str]:
        shims = self.root / "shims"
        if not shims.exists() and shutil.which("rsync") is None:
            shims.mkdir()
            (shims / "rsync").write_text(RSYNC)
            (shims / "rsync").chmod(0o755)
        path = os.pathsep.join([str(shims), str(PROGRAMS), os.defpath])
        return {"PATH": path} | {name: str(value) for name, value in shell["env_vars"].items()}


def _error_in(said: str) -> str:
    """The error of the last traceback, with all its lines, as Databricks tells it."""
    _before, traceback, after = said.rpartition("Traceback (most recent call last):\n")
    lines = after.rstrip().splitlines()
    if traceback:
        while lines and lines[0].startswith(" "):
            lines.pop(0)
    return "\n".join(lines if traceback else lines[-1:])
