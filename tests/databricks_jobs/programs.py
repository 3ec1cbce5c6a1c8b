"""Programs that a release calls and that are not here: they record what they are told.

    python programs.py PROGRAM RECORD ARGUMENTS...

`uv` makes an environment that borrows the tests' own packages; the others do nothing more, but
refuse what could not be meant: an unknown target, job or entry point.
"""

import json
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

import yaml

PROGRAMS = ("databricks", "gh", "mlflow", "pip", "uv")
PLUGIN = "databricks-jobs = mlrecipes.databricks_jobs.backend:DatabricksJobs"


def write_programs(folder: Path, record: Path) -> Path:
    """A folder for PATH; each call of a program becomes a line of the record."""
    folder.mkdir()
    for name in PROGRAMS:
        call = f'exec {sys.executable} {Path(__file__)} {name} {record} "$@"'
        (folder / name).write_text(f"#!/bin/sh\n{call}\n")
        (folder / name).chmod(0o755)
    for name in ("python", "python3"):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        (folder / name).chmod(0o755)
    (folder / "git").symlink_to(shutil.which("git") or "git")
    return folder


def databricks(arguments: list[str]) -> str:
    """The bundle commands of Databricks' CLI; what is wrong, if anything is."""
    bundle = yaml.safe_load(Path("databricks.yml").read_text())
    files = [path for pattern in bundle["include"] for path in Path().glob(pattern)]
    parts = [yaml.safe_load(path.read_text()) for path in files]
    jobs = {name for part in parts for name in part.get("resources", {}).get("jobs", {})}
    match arguments:
        case ["bundle", "validate" | "deploy", "-t", target, *_options]:
            return "" if target in bundle["targets"] else f"{target}: no such target"
        case ["bundle", "run", job, "-t", target]:
            if target not in bundle["targets"]:
                return f"{target}: no such target"
            return "" if job in jobs else f"{job}: no such job"
    return f"unknown command {arguments}"


def mlflow(arguments: list[str]) -> str:
    """The tests of the workflow's own; they are running already."""
    wanted = ["run", ".", "-e", "test", "--env-manager", "uv"]
    return "" if arguments == wanted else f"unknown command {arguments}"


def gh(arguments: list[str]) -> str:
    """Making a release takes a file with notes."""
    notes = Path(arguments[arguments.index("--notes-file") + 1])
    return "" if notes.read_text().strip() else "empty notes"


def uv(arguments: list[str]) -> str:
    """An environment with the tests' own packages, and this checkout as if it were installed."""
    folder = Path(".venv")
    if arguments[0] == "venv":
        venv.create(folder, symlinks=True)
        return ""
    if not {"pip", "install", ".", "databricks-sdk"} <= set(arguments):
        return f"unknown command {arguments}"
    (site,) = folder.glob("lib/python*/site-packages")
    own = sysconfig.get_path("purelib")
    (site / "0.pth").write_text(f"{Path('src').resolve()}\n")
    (site / "own.pth").write_text(f"import site; site.addsitedir({own!r})\n")
    about = site / "mlrecipes_at_tag-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: mlrecipes-at-tag\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[mlflow.project_backend]\n{PLUGIN}\n")
    script = f"#!{folder.resolve()}/bin/python\nimport sys\nfrom mlflow.cli import cli\n"
    (folder / "bin" / "mlflow").write_text(f"{script}sys.exit(cli())\n")
    (folder / "bin" / "mlflow").chmod(0o755)
    return ""


def main(program: str, record: str, arguments: list[str]) -> None:
    with Path(record).open("a") as lines:
        lines.write(json.dumps([program, *arguments]) + "\n")
    calls = {"databricks": databricks, "gh": gh, "mlflow": mlflow, "uv": uv}
    wrong = calls[program](arguments) if program in calls else ""
    if wrong:
        sys.exit(f"{program}: {wrong}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
