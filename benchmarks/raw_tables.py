"""The generated raw tables that both sides read.

    python -m benchmarks.raw_tables data 307511

It writes them unless they are there, and prints how many applicants and rows they have.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow.parquet as pq

from steps.home_credit.profile import load_types
from steps.home_credit.synthetic import write_tables

SEED = 42


def main() -> None:
    """Write the tables if need be, and count their rows."""
    folder, applicants = Path(sys.argv[1]), int(sys.argv[2])
    files = {name: folder / f"{name}.parquet" for name in load_types()}
    if not all(file.is_file() for file in files.values()):
        write_tables(folder, applicants, SEED)
    n_rows = {name: pq.read_metadata(file).num_rows for name, file in files.items()}
    n_applicants = n_rows["application_train"] + n_rows["application_test"]
    print(json.dumps({"applicants": n_applicants, "rows": sum(n_rows.values())}))


if __name__ == "__main__":
    main()
