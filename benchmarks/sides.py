"""One feature table, computed by one of the two sides and written as Parquet.

    python -m benchmarks.sides engine bureau_credits data out.parquet

It prints the seconds of the work, those of the processor, and the largest memory of the
process, which does nothing else. Imports take part in the memory only, for either side.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SETS = ("external", "home_credit")
N_THREADS = 2
MEMORY_LIMIT = "2GB"


def import_side(side: str) -> None:
    """Import what a side needs, before its time is taken."""
    importlib.import_module("pyarrow.parquet")
    if side == "engine":
        importlib.import_module("duckdb")
        importlib.import_module("mlrecipes.features.sql")
        importlib.import_module("mlrecipes.stores.duckdb_engine")
    else:
        importlib.import_module("benchmarks.plain_pandas")


def run_engine(table: str, folder: Path, out: Path) -> None:
    """The table's SQL, filled in and run as a recipe runs it, its rows written as they come."""
    import pyarrow.parquet as pq

    from mlrecipes.features.definition import load_definitions
    from mlrecipes.features.sql import parse_query
    from mlrecipes.stores.duckdb_engine import DuckDbEngine

    definition = next(d for d in load_definitions(ROOT, SETS) if d.name == table)
    query = parse_query(definition, ROOT)
    tables = {name: folder / f"{name}.parquet" for name in query.tables}
    with tempfile.TemporaryDirectory(dir=out.parent) as spill:
        engine = DuckDbEngine(Path(spill), N_THREADS, MEMORY_LIMIT)
        rows = engine.query(query.texts[engine.dialect], tables, definition.slices)
        with pq.ParquetWriter(out, rows.schema) as writer:
            for batch in rows:
                writer.write_batch(batch)


def run_pandas(table: str, folder: Path, out: Path) -> None:
    """The same table in plain pandas."""
    from benchmarks.plain_pandas import TABLES

    TABLES[table](folder).to_parquet(out, index=False)


RUN = {"engine": run_engine, "pandas": run_pandas}


def main() -> None:
    """Run one side and print what it took."""
    side, table, folder, out = sys.argv[1:]
    import_side(side)
    start, busy = time.perf_counter(), time.process_time()
    RUN[side](table, Path(folder), Path(out))
    took = {"duration_s": time.perf_counter() - start, "busy_s": time.process_time() - busy}
    unit_bytes = 1 if sys.platform == "darwin" else 1024
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit_bytes
    print(json.dumps(took | {"peak_bytes": peak_bytes}))


if __name__ == "__main__":
    main()
