"""How long, how large and how true: the synthetic Home Credit tables at the size of the real ones.

    python -m benchmarks.generator            # into a temporary folder, removed at the end
    python -m benchmarks.generator FOLDER     # into this folder, kept

The tables are written by a process of their own, so that its peak memory is that of the generator.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.parquet as pq

from steps.home_credit.kaggle import TABLES

ROOT = Path(__file__).parents[1]
KIB_PER_MIB = 1024
TRAIN_ROWS = TABLES["application_train"].n_rows
WRITE = (
    "import sys; from pathlib import Path; from steps.home_credit.synthetic import write_tables; "
    "write_tables(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))"
)


def main() -> None:
    """Write the tables and print what came out."""
    parser = argparse.ArgumentParser(description="Measure the generator of the Home Credit tables.")
    parser.add_argument("folder", nargs="?", type=Path, help="kept; without it a temporary one")
    parser.add_argument("--applicants", type=int, default=TRAIN_ROWS)
    parser.add_argument("--seed", type=int, default=42)
    given = parser.parse_args()
    if given.folder is not None:
        measure(given.folder.resolve(), given.applicants, given.seed)
        return
    with tempfile.TemporaryDirectory(prefix="home_credit_") as folder:
        measure(Path(folder), given.applicants, given.seed)


def measure(folder: Path, applicants: int, seed: int) -> None:
    """Write the tables into the folder in another process; print rows, seconds and memory."""
    arguments = [str(folder), str(applicants), str(seed)]
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", WRITE, *arguments], cwd=ROOT, check=True)
    duration_s = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / KIB_PER_MIB
    print(f"{'table':<24}{'rows':>12}{'true rows':>12}{'off by':>10}{'size':>10}")
    for name, table in TABLES.items():
        path = folder / f"{name}.parquet"
        n_rows = pq.read_metadata(path).num_rows
        wanted = table.n_rows * applicants / TRAIN_ROWS
        size_mib = path.stat().st_size / KIB_PER_MIB**2
        off = n_rows / wanted - 1
        print(f"{name:<24}{n_rows:>12,}{wanted:>12,.0f}{off:>10.2%}{size_mib:>6,.0f} MiB")
    print(f"\n{applicants:,} applicants with seed {seed}: written in {duration_s:.0f} seconds,")
    print(f"with at most {peak_mib:,.0f} MiB of memory.")


if __name__ == "__main__":
    main()
