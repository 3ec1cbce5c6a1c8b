"""What runs in the job: unpack the project, install its requirements, run its command.

It is uploaded as it stands and imports the standard library alone. Arguments::

    --archive FILE --digest SHA256 [--requirements FILE] [--env NAME=VALUE]... -- COMMAND...
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Run the project; an error of any part is the error of the job."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--archive", required=True)
    parser.add_argument("--digest", required=True)
    parser.add_argument("--requirements")
    parser.add_argument("--env", action="append", default=[])
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="mlrecipes-") as folder:
        project = _unpack(Path(given.archive), given.digest, Path(folder) / "project")
        variables = dict(text.split("=", 1) for text in given.env)
        paths = []
        if given.requirements:
            paths.append(_install(project, given.requirements, Path(folder) / "packages"))
        known = os.environ.get("PYTHONPATH")
        variables["PYTHONPATH"] = os.pathsep.join([*paths, *([known] if known else [])])
        # The compute's own Python, whatever else is called python there.
        command = [sys.executable if word == "python" else word for word in given.command[:1]]
        command += given.command[1:]
        done = subprocess.run(command, cwd=project, env=os.environ | variables, check=False)  # noqa: S603 - no shell
    if done.returncode != 0:
        raise RuntimeError(f"The project's command ended with exit code {done.returncode}.")


def _unpack(archive: Path, digest: str, project: Path) -> Path:
    seen = hashlib.sha256(archive.read_bytes()).hexdigest()
    if seen != digest:
        raise RuntimeError(f"The archive {archive} is not the one that was packed: {seen}.")
    with tarfile.open(archive) as tar:
        tar.extractall(project, filter="data")
    return project


def _install(project: Path, requirements: str, packages: Path) -> str:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--target", str(packages), "-r", requirements]
    subprocess.run(command, cwd=project, check=True)  # noqa: S603 - no shell
    return str(packages)


if __name__ == "__main__":
    main(sys.argv[1:])
