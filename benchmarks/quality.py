"""What a suite of 241 expectations costs on 300,000 rows of 120 columns.

    python -m benchmarks.quality

The suite is run by DuckDB over a Parquet file, then by Great Expectations on the same rows in
pandas; the reading of the file counts for both, the import of Great Expectations is told apart.
First both are compared: nothing is told when a verdict differs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mlrecipes.quality_records import Expectation, Suite

N_ROWS, N_NUMBERS, N_WHOLE, N_TEXTS = 300_000, 80, 25, 15


def make_table(n_rows: int) -> pd.DataFrame:
    """Numbers with gaps, whole numbers and texts; the first column is a key."""
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {"key": np.arange(n_rows)}
    for i in range(N_NUMBERS):
        values = random.normal(size=n_rows)
        values[random.random(n_rows) < i / 200] = np.nan
        columns[f"number_{i}"] = values
    columns |= {f"whole_{i}": random.integers(0, 50, n_rows) for i in range(N_WHOLE - 1)}
    letters = np.array(list("abcdefgh"))
    columns |= {f"text_{i}": letters[random.integers(0, 8, n_rows)] for i in range(N_TEXTS)}
    return pd.DataFrame(columns)


def make_suite(frame: pd.DataFrame) -> Suite:
    """Two expectations a column, and that the key is there once."""
    found = [Expectation("expect_column_values_to_be_unique", {"column": "key"})]
    for name in frame.columns:
        kwargs: dict[str, Any] = {"column": name}
        found.append(Expectation("expect_column_values_to_not_be_null", kwargs | {"mostly": 0.5}))
        if name.startswith("text"):
            known = kwargs | {"value_set": list("abcdefg")}
            found.append(Expectation("expect_column_values_to_be_in_set", known))
        else:
            bounds = kwargs | {"min_value": -4, "max_value": 400_000}
            found.append(Expectation("expect_column_values_to_be_between", bounds))
    return Suite("benchmark", tuple(found))


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gave, and the seconds it took: wall and processor."""
    started, busy = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - started, time.process_time() - busy


def main() -> None:
    """Compare and print Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=N_ROWS)
    n_rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path, frame = folder / "table.parquet", make_table(n_rows)
        frame.to_parquet(path)
        suite = make_suite(frame)
        del frame
        from mlrecipes.stores.quality_duckdb import DuckDbChecker

        checker = DuckDbChecker(folder / "tmp")
        ours, wall, busy = timed(lambda: checker.check(path, suite).findings)

        from mlrecipes.stores.quality_gx import check_pandas, load_suite

        _, imported, _ = timed(lambda: load_suite("empty", []))
        theirs, their_wall, their_busy = timed(
            lambda: check_pandas(pd.read_parquet(path), suite.expectations)
        )
    pairs = zip(ours, theirs, strict=True)
    differing = [a for a, b in pairs if (a.is_met, a.n_unexpected) != (b.is_met, b.n_unexpected)]
    if differing:
        raise SystemExit(f"{len(differing)} verdicts differ, such as {differing[0]}")
    print(f"{n_rows:,} rows x 120 columns, {len(suite.expectations)} expectations\n")
    print("| | seconds | processor |\n|---|--:|--:|")
    print(f"| DuckDB, from Parquet | {wall:.2f} | {busy:.2f} |")
    print(f"| Great Expectations on pandas | {their_wall:.2f} | {their_busy:.2f} |")
    print(f"| import of Great Expectations | {imported:.2f} | |")
    print(f"\nratio {their_wall / wall:.1f}, of processor time {their_busy / busy:.1f}")


if __name__ == "__main__":
    main()
