"""What the Home Credit recipe takes from raw tables to a registered model, step by step.

    python -m benchmarks.generator FOLDER     # the tables, at the size of the real ones
    python -m benchmarks.pipeline FOLDER

The recipe is copied to a temporary folder first, so that nothing is kept from earlier runs. All
steps run in one process, as for a user; its peak memory is that of the largest step.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RECIPE = ("recipe.yaml", "model_card.yaml", "profiles", "steps", "features", "expectations")
KIB_PER_GIB = 1024**2


def main() -> None:
    """Run the recipe on the tables of a folder and print what each step took."""
    parser = argparse.ArgumentParser(description="Measure the Home Credit recipe as a whole.")
    parser.add_argument("folder", type=Path, help="the raw tables: a Kaggle download, or generated")
    folder = parser.parse_args().folder.resolve()
    with tempfile.TemporaryDirectory(prefix="home_credit_") as temporary:
        root = Path(temporary)
        for name in RECIPE:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, root / name)
        start = time.perf_counter()
        steps = run(root, folder)
        duration_s = time.perf_counter() - start
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{'step':<12}{'seconds':>8}  result")
    for step in steps:
        print(f"{step['step']:<12}{step['duration_s']:>8.1f}  {step['summary']}")
    print(f"\nIn all {duration_s:.0f} seconds ({used.ru_utime + used.ru_stime:.0f} of processors),")
    print(f"with at most {used.ru_maxrss / KIB_PER_GIB:.2f} GiB of memory.")


def run(root: Path, folder: Path) -> list[dict[str, Any]]:
    """Run all steps in a process of their own, and give what became of each."""
    words = ["run", "--recipe", str(root), "--set", f"DATA={folder}", "--json"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "src" / "launch.py"), *words],
        env=os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{root / 'mlflow.db'}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    steps: list[dict[str, Any]] = json.loads(done.stdout)["steps"]
    return steps


if __name__ == "__main__":
    main()
