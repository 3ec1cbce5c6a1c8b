"""Files that are larger than what may be used of the memory are read all the same."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

N_COLUMNS = 40
N_ROWS = 1_500_000
PANDAS_MIB = N_COLUMNS * N_ROWS * 8 / 2**20
CHILD = """
import resource, sys
from pathlib import Path

from mlrecipes.checks.profile import preview_table, profile_stored, schema_table
from mlrecipes.stores.datasets import FileDatasetReader


def ingest(name):
    reader = FileDatasetReader(Path(), Path("downloads"), lambda path: (0, ""))
    table = reader.read(name, "auto", Path("out.parquet")).table
    return table, profile_stored(table), schema_table(table), preview_table(table)


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


ingest("small." + sys.argv[1])
before = peak_mib()
table, profile, _, _ = ingest("large." + sys.argv[1])
print(table.n_rows, profile.columns[0].n_distinct, peak_mib() - before)
"""


def write_csv(folder: Path) -> None:
    block = "".join(f"{','.join(str(i % 10) for _ in range(N_COLUMNS))}\n" for i in range(5_000))
    header = ",".join(f"c{i}" for i in range(N_COLUMNS)) + "\n"
    (folder / "small.csv").write_text(header + block)
    with (folder / "large.csv").open("w") as file:
        file.write(header)
        for _ in range(N_ROWS // 5_000):
            file.write(block)


def write_parquet(folder: Path) -> None:
    """One group of rows, as pandas writes a million of them."""
    values = pa.array(np.tile(np.arange(10), N_ROWS // 10))
    table = pa.table({f"c{i}": values for i in range(N_COLUMNS)})
    pq.write_table(table, folder / "large.parquet", row_group_size=N_ROWS)
    pq.write_table(table.slice(0, 5_000), folder / "small.parquet")


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted in other units")
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_is_ingested_in_a_part_of_its_size(tmp_path: Path, form: str) -> None:
    {"csv": write_csv, "parquet": write_parquet}[form](tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, form],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    n_rows, n_distinct, growth_mib = done.stdout.split()
    assert (int(n_rows), int(n_distinct)) == (N_ROWS, 10)
    assert float(growth_mib) < 0.7 * PANDAS_MIB
