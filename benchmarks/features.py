"""What the feature tables cost: their SQL on DuckDB against the same features in plain pandas.

    python -m benchmarks.features
    python -m benchmarks.features --applicants 20000 --tables bureau_credits pos_cash

First both are compared on few applicants: nothing is timed when a value differs. Then each table
is computed by each side in a process of its own, which reads Parquet and writes Parquet. The
sides take turns in going first. It prints Markdown, ratios before seconds.

This process imports nothing large: a process that starts another passes on its largest memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.sides import MEMORY_LIMIT, N_THREADS, ROOT

TABLES = (
    "bureau_credits",
    "bureau_months",
    "applications",
    "credit_cards",
    "installments",
    "pos_cash",
    "previous_applications",
)
SIDES = ("engine", "pandas")
ALL_APPLICANTS = 307_511
FEW_APPLICANTS = 2_000
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Cost:
    """What one side took for one table, run by run."""

    durations_s: tuple[float, ...]
    busy_s: float
    peak_bytes: float

    @property
    def duration_s(self) -> float:
        """The median run."""
        return statistics.median(self.durations_s)

    def __str__(self) -> str:
        """Seconds with their spread."""
        return f"{self.duration_s:.1f} ({min(self.durations_s):.1f}–{max(self.durations_s):.1f})"


Costs = dict[str, Cost]


def main() -> None:
    """Compare, measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        few = work / "few"
        _python("raw_tables", few, FEW_APPLICANTS)
        for table in options.tables:
            for side in SIDES:
                _python("sides", side, table, few, work / f"{side}.parquet")
            _refuse_if_different(table, FEW_APPLICANTS, work)
        folder = options.folder or work / "raw"
        size = _python("raw_tables", folder, options.applicants)
        costs = {}
        for table in options.tables:
            costs[table] = _measured(table, folder, work, options.repeats)
            _refuse_if_different(table, size["applicants"], work)
    for line in _report(costs, size, options.repeats):
        print(line)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--applicants", type=int, default=ALL_APPLICANTS, help="to generate")
    parser.add_argument("--folder", type=Path, help="generated tables, written unless they exist")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    parser.add_argument("--repeats", type=int, default=2, help="of each side, for the median")
    return parser.parse_args()


def _measured(table: str, folder: Path, work: Path, repeats: int) -> Costs:
    runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for i in range(repeats):
        for side in SIDES if i % 2 == 0 else reversed(SIDES):
            _warm(folder)
            print(f"{table}: {side}, run {i + 1} of {repeats}", file=sys.stderr)
            runs[side].append(_python("sides", side, table, folder, work / f"{side}.parquet"))
    return {side: _cost(took) for side, took in runs.items()}


def _cost(runs: Sequence[dict[str, float]]) -> Cost:
    return Cost(
        durations_s=tuple(run["duration_s"] for run in runs),
        busy_s=statistics.median(run["busy_s"] for run in runs),
        peak_bytes=statistics.median(run["peak_bytes"] for run in runs),
    )


def _warm(folder: Path) -> None:
    """Read all files once, so that neither side waits for the disk."""
    for path in folder.glob("*.parquet"):
        with path.open("rb") as file:
            while file.read(CHUNK_BYTES):
                pass


def _refuse_if_different(table: str, applicants: int, work: Path) -> None:
    found = _python("equality", *(work / f"{side}.parquet" for side in SIDES))
    if found:
        lines = "\n".join(found)
        sys.exit(f"{table}: the sides differ at {applicants:,} applicants, not compared.\n{lines}")
    print(f"{table}: equal at {applicants:,} applicants", file=sys.stderr)


def _python(module: str, *args: object) -> Any:
    """What a module of this folder prints, run in a process of its own."""
    path = os.pathsep.join(str(folder) for folder in (ROOT / "src", ROOT))
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}", *map(str, args)],
        env=os.environ | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def _report(costs: dict[str, Costs], size: dict[str, int], repeats: int) -> Iterator[str]:
    yield (
        f"{size['applicants']:,} applicants, {size['rows']:,} raw rows; DuckDB with {N_THREADS} "
        f"threads and {MEMORY_LIMIT}; median of {repeats}. How many times as much pandas takes:"
    )
    yield ""
    heads = ["Time", "Processor time", "Peak memory", "Engine s", "pandas s", "Engine MB"]
    yield f"| Table | {' | '.join(heads)} | pandas MB |"
    yield f"|---|{'--:|' * (len(heads) + 1)}"
    for table, by_side in costs.items():
        yield _row(table, by_side)
    if len(costs) > 1:
        yield _row("In all", {side: _in_all([c[side] for c in costs.values()]) for side in SIDES})


def _in_all(costs: Sequence[Cost]) -> Cost:
    """Tables are made one after another: their times add up, and the largest memory counts."""
    return Cost(
        durations_s=tuple(map(sum, zip(*(cost.durations_s for cost in costs), strict=True))),
        busy_s=sum(cost.busy_s for cost in costs),
        peak_bytes=max(cost.peak_bytes for cost in costs),
    )


def _row(name: str, by_side: Costs) -> str:
    engine, pandas = by_side["engine"], by_side["pandas"]
    ratios = [
        pandas.duration_s / engine.duration_s,
        pandas.busy_s / engine.busy_s,
        pandas.peak_bytes / engine.peak_bytes,
    ]
    memory = [f"{side.peak_bytes / 1e6:,.0f}" for side in (engine, pandas)]
    cells = [name, *(f"{ratio:.1f}" for ratio in ratios), str(engine), str(pandas), *memory]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
