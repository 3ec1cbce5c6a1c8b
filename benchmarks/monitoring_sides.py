"""Monitoring beside Evidently and NannyML: false alarms and what is found, on the same rows.

    python -m benchmarks.monitoring_sides
    python -m benchmarks.monitoring_sides --windows 20 --environments FOLDER

Each library runs with its defaults in an environment of its own, which uv makes in the folder
(else a temporary one). All of them read the same Parquet files: a training of ten windows' rows,
at least 10,000, and windows without drift or with a planted change. A library that does not
install is told and left out.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.monitoring_worlds import Change, World

ROOT = Path(__file__).parents[1]
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "evidently": ("evidently==0.7.23", "pandas<3.1"),  # does not import on 3.1
    "nannyml": ("nannyml==0.13.1", "statsmodels"),  # imported, and not declared
}
PYTHON = "3.11"
MIN_REFERENCE = 10_000
N_CHUNKS = 10
CHANGES: Mapping[str, Change] = {
    "none": Change(),
    "mean +0.1 sd": Change(shift=0.1),
    "mean +0.25 sd": Change(shift=0.25),
    "mean +0.5 sd": Change(shift=0.5),
    "missing 0 -> 5%": Change(missing=0.05),
    "missing 10 -> 15%": Change(more_missing=0.05),
    "new category 2%": Change(unseen=0.02),
    "events 8 -> 16%": Change(event_rate=0.16),
}
Rates = dict[tuple[str, str], float]


def main() -> None:
    """Make environments, write rows, let each side judge them, and print one table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--windows", type=int, default=30, help="of each row of the table")
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 200, 1_000, 10_000])
    parser.add_argument("--environments", type=Path, help="where the others' stay; else nowhere")
    parser.add_argument("--seed", type=int, default=42)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.environments or Path(scratch) / "environments"
        pythons = {"mlrecipes": Path(sys.executable)}
        for side, packages in PACKAGES.items():
            if python := _environment(folder.resolve() / side, packages):
                pythons[side] = python
        found: dict[tuple[int, str], Rates] = {}
        about: dict[str, dict[str, Any]] = {}
        for n_rows, name in _cells(given.rows):
            write_rows(Path(scratch) / "rows", n_rows, CHANGES[name], given.windows, given.seed)
            rates: Rates = {}
            for side, python in pythons.items():
                told = judged(side, python, Path(scratch) / "rows")
                about.setdefault(side, {"versions": told["versions"], "s": 0.0, "n": 0})
                about[side]["s"] += told["duration_s"]
                about[side]["n"] += given.windows
                rates |= {(side, k): sum(v) / len(v) for k, v in told["verdicts"].items()}
            found[n_rows, name] = rates
            print(f"{n_rows:,} rows, {name}: {rates}", file=sys.stderr, flush=True)
    for line in _report(found, about, given.windows):
        print(line)


def _cells(sizes: Sequence[int]) -> Iterator[tuple[int, str]]:
    """False alarms at each size; what is found in 1,000 rows."""
    for n_rows in sizes:
        for name in CHANGES:
            if name == "none" or n_rows == 1_000:
                yield n_rows, name


def _environment(folder: Path, packages: Sequence[str]) -> Path | None:
    """An environment with the packages; None where they do not install."""
    python = folder / "bin" / "python"
    if python.exists():
        return python
    uv = shutil.which("uv")
    if uv is None:
        sys.exit("uv is not installed: it makes the environments of the other libraries.")
    for command in (
        [uv, "venv", "--quiet", "--python", PYTHON, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(python), "pyarrow", *packages],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"not installed: {' '.join(packages)}\n{done.stderr}", file=sys.stderr)
            shutil.rmtree(folder, ignore_errors=True)
            return None
    return python


def write_rows(folder: Path, n_rows: int, change: Change, n_windows: int, seed: int) -> None:
    """A training and windows, in which nothing but the change is different."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    random, world = np.random.default_rng([seed, n_rows]), World()
    training = world.rows(max(MIN_REFERENCE, N_CHUNKS * n_rows), random)
    training.to_parquet(folder / "training.parquet")
    for i in range(n_windows):
        world.rows(n_rows, random, change).to_parquet(folder / f"window_{i:03}.parquet")


def judged(side: str, python: Path, folder: Path) -> Any:
    """What a side prints; its own environment sees this folder and, if it is ours, src."""
    path = os.pathsep.join(str(one) for one in (ROOT / "src", ROOT))
    done = subprocess.run(
        [str(python), "-m", "benchmarks.monitoring_side", side, str(folder)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _report(
    found: Mapping[tuple[int, str], Rates], about: Mapping[str, Mapping[str, Any]], n_windows: int
) -> Iterator[str]:
    for one in about.values():
        versions = ", ".join(f"{name} {value}" for name, value in one["versions"].items())
        yield f"- {versions}: {one['s'] / one['n']:.2f} s a window"
    worst = 196 * math.sqrt(0.25 / n_windows)
    yield ""
    yield f"{n_windows} windows a row; Monte-Carlo error (95%) at most {worst:.0f} points."
    by_library: dict[str, list[str]] = defaultdict(list)
    for side, verdict in dict.fromkeys(key for rates in found.values() for key in rates):
        by_library[side].append(verdict)
    columns = [(side, verdict) for side, some in by_library.items() for verdict in some]
    yield ""
    yield f"| change | rows | {' | '.join(f'{side}: {verdict}' for side, verdict in columns)} |"
    yield f"|---|--:|{'--:|' * len(columns)}"
    for (n_rows, name), rates in found.items():
        cells = " | ".join(f"{rates[column]:.0%}" for column in columns)
        yield f"| {name} | {n_rows:,} | {cells} |"


if __name__ == "__main__":
    main()
