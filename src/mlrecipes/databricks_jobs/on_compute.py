"""What runs in the job: unpack the project and run its command.

It is uploaded as it stands and imports the standard library alone. Arguments::

    --archive FILE --digest SHA256 --origin JSON [--env NAME=VALUE]... -- COMMAND...

``python FILE ...`` runs in this very process, because only this one has the Spark session of the
task; any other command runs in a process of its own.
"""

import argparse
import hashlib
import os
import runpy
import subprocess
import sys
import tarfile
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["main"]

N_LAST_LINES = 20
ORIGIN_FILE = ".mlrecipes-origin.json"
"""What mlrecipes.origin reads; a test holds both names together."""


def main(arguments: list[str]) -> None:
    """Run the project; an error of any part is the error of the job."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", required=True)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--origin", required=True)
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    variables = dict(text.split("=", 1) for text in given.env)
    with tempfile.TemporaryDirectory(prefix="mlrecipes-") as folder:
        project = _unpack(Path(given.archive), given.digest, Path(folder) / "project")
        (project / ORIGIN_FILE).write_text(given.origin, encoding="utf-8")
        program, *words = given.command
        if program == "python" and words and not words[0].startswith("-"):
            _run_here(project, words, variables)
        else:
            # The compute's own Python, whatever else is called python there.
            command = [sys.executable if program == "python" else program, *words]
            _run_beside(project, command, variables)


def _unpack(archive: Path, digest: str, project: Path) -> Path:
    seen = hashlib.sha256(archive.read_bytes()).hexdigest()
    if seen != digest:
        raise RuntimeError(f"The archive {archive} is not the one that was packed: {seen}.")
    with tarfile.open(archive) as tar:
        tar.extractall(project, filter="data")
    return project


def _run_here(project: Path, words: Sequence[str], variables: Mapping[str, str]) -> None:
    """As ``python FILE ...`` would: exit code 0 is success, any other one an error."""
    file = project / words[0]
    with _as_program(project, [str(file), *words[1:]], variables), _heard() as last_lines:
        try:
            runpy.run_path(str(file), run_name="__main__")
        except SystemExit as ended:
            if ended.code is None or ended.code == 0:
                return
            code = ended.code
            said = list(last_lines)
            if not isinstance(code, int):
                said, code = [*said, str(code)], 1
            raise RuntimeError(_failed(code, said)) from None


@contextmanager
def _as_program(
    project: Path, arguments: list[str], variables: Mapping[str, str]
) -> Iterator[None]:
    """Working folder, arguments, module path and variables of a program; then as before."""
    before = Path.cwd(), sys.argv, sys.path[:]
    os.environ.update(variables)
    os.chdir(project)
    sys.argv = arguments
    sys.path.insert(0, str(Path(arguments[0]).parent))
    try:
        yield
    finally:
        folder, sys.argv, sys.path[:] = before
        os.chdir(folder)


class _Heard:
    """A stream that keeps the last lines of what passes through it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._open = ""
        self.lines: deque[str] = deque(maxlen=N_LAST_LINES)

    def write(self, text: str) -> int:
        *ended, self._open = (self._open + text).split("\n")
        self.lines.extend(line for line in ended if line.strip())
        return int(self._stream.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _heard() -> Iterator[deque[str]]:
    """What is written to stderr inside of the block, its last lines."""
    before = sys.stderr
    heard = _Heard(before)
    sys.stderr = heard
    try:
        yield heard.lines
    finally:
        sys.stderr = before


def _run_beside(project: Path, command: list[str], variables: Mapping[str, str]) -> None:
    heard = _Heard(sys.stderr)
    with subprocess.Popen(  # noqa: S603 - no shell
        command,
        cwd=project,
        env=os.environ | variables,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stderr or ():
            heard.write(line)
    if process.returncode != 0:
        raise RuntimeError(_failed(process.returncode, heard.lines))


def _failed(code: int, last_lines: Sequence[str]) -> str:
    return "\n".join([f"The project's command ended with exit code {code}.", *last_lines])


if __name__ == "__main__":
    main(sys.argv[1:])
