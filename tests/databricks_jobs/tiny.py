"""A project of one script, with a package that only its requirements bring."""

import subprocess
import zipfile
from pathlib import Path

from tests.databricks_jobs.workspace_double import Double

SECRET = "hush-" + "hush"
PROJECT = {
    "MLproject": "name: tiny\nentry_points:\n  train:\n    parameters:\n"
    '      x: {type: string, default: ""}\n'
    '    command: "python train.py --x {x}"\n',
    "requirements.txt": "greeting==1.0\n",
    "train.py": "import sys, os, time\n"
    "x = sys.argv[2]\n"
    "if x == 'fail':\n    raise ValueError('no such column')\n"
    "if x == 'exit':\n    print('roc_auc 0.6 < 0.7 required', file=sys.stderr)\n    sys.exit(3)\n"
    "if x == 'sleep':\n    time.sleep(3600)\n"
    "if x == 'alone':\n    sys.exit(0)\n"
    "import greeting, mlflow\n"
    "with mlflow.start_run():\n    mlflow.log_text(x + greeting.WORD, 'x.txt')\n"
    "    mlflow.log_dict(dict(files=sorted(os.listdir())), 'files.json')\n",
}


def tiny_project(folder: Path) -> Path:
    """Under git, with an untracked file that holds a secret."""
    folder.mkdir()
    for name, text in PROJECT.items():
        (folder / name).write_text(text)
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=folder, check=True)  # noqa: S607
    (folder / ".env").write_text(f"PASSWORD={SECRET}")
    return folder


def put_greeting_where_the_double_finds_it(double: Double) -> None:
    with zipfile.ZipFile(double.root / "wheels" / "greeting-1.0-py3-none-any.whl", "w") as wheel:
        about = "greeting-1.0.dist-info"
        wheel.writestr("greeting.py", "WORD = '!'\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


def plugin(folder: Path) -> Path:
    """The entry point of the backend as an installed package has it."""
    about = folder / "plugin-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[mlflow.project_backend]\n"
        "databricks-jobs = mlrecipes.databricks_jobs.backend:DatabricksJobs\n"
    )
    return folder
