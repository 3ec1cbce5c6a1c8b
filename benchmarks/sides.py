"""One feature table, computed by one of the two sides and written as Parquet.

    python -m benchmarks.sides engine bureau_credits data out.parquet

It prints the seconds of the work and the largest memory of the process, which does nothing
else. Imports are not part of the seconds, for either side.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETS = ("external", "home_credit")
N_THREADS = 2
MEMORY_LIMIT = "1GB"
SIDES = ("engine", "pandas")


def run_engine(table: str, folder: Path, out: Path) -> float:
    """The table's SQL, filled in and run by DuckDB within the process."""
    import duckdb

    from mlrecipes.features.definition import load_definitions
    from mlrecipes.features.sql import parse_query

    start = time.perf_counter()
    definition = next(d for d in load_definitions(ROOT, SETS) if d.name == table)
    query = parse_query(definition, ROOT)
    with tempfile.TemporaryDirectory(dir=out.parent) as spill:
        settings = {
            "threads": N_THREADS,
            "memory_limit": MEMORY_LIMIT,
            "preserve_insertion_order": False,
            "temp_directory": spill,
        }
        with duckdb.connect(config=settings) as database:
            for name in query.tables:
                source = (folder / f"{name}.parquet").as_posix()
                database.read_parquet(source).create_view(name)
            database.sql(query.texts["duckdb"]).write_parquet(out.as_posix())
    return time.perf_counter() - start


def run_pandas(table: str, folder: Path, out: Path) -> float:
    """The same table in plain pandas."""
    from benchmarks.plain_pandas import TABLES

    start = time.perf_counter()
    TABLES[table](folder).to_parquet(out, index=False)
    return time.perf_counter() - start


def main() -> None:
    """Run one side and print what it took."""
    side, table, folder, out = sys.argv[1:]
    run = {"engine": run_engine, "pandas": run_pandas}[side]
    duration_s = run(table, Path(folder), Path(out))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    peak_bytes = usage.ru_maxrss * unit
    busy_s = usage.ru_utime + usage.ru_stime
    print(json.dumps({"duration_s": duration_s, "busy_s": busy_s, "peak_bytes": peak_bytes}))


if __name__ == "__main__":
    main()
