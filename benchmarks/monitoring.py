"""How often monitoring cries wolf, and what it sees: seeded simulation of windows.

``python -m benchmarks.monitoring [windows]``: 120 columns of several kinds, a reference of 7,000
rows, windows without drift and windows in which one feature is shifted.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mlrecipes.checks.drift_counting import count_column
from mlrecipes.checks.drift_reference import reference_columns
from mlrecipes.checks.drift_verdict import judge
from mlrecipes.checks.training_profile import training_profile
from mlrecipes.monitor_records import DriftLimits, DriftVerdict, ReferenceColumn

N_COLUMNS = 120
N_REFERENCE = 7_000
SHIFTED = "number_000"


@dataclass(frozen=True)
class World:
    """Where rows come from.

    Attributes:
        correlation: Of the normal numbers that columns are made of.
    """

    correlation: float = 0.0

    def rows(self, n_rows: int, random: np.random.Generator, shift: float = 0.0) -> pd.DataFrame:
        """Rows; the most important column's mean is moved by ``shift`` standard deviations."""
        common = random.normal(size=(n_rows, 1))
        own = random.normal(size=(n_rows, N_COLUMNS))
        r = self.correlation
        z = math.sqrt(r) * common + math.sqrt(1 - r) * own
        columns: dict[str, object] = {}
        for i in range(N_COLUMNS):
            columns |= _column(i, z[:, i] + (shift if i == 0 else 0.0), random)
        score = 1 / (1 + np.exp(2.4 - z[:, :10].sum(axis=1) / math.sqrt(10)))
        return pd.DataFrame(columns | {"probability": score})


def _column(i: int, z: np.ndarray, random: np.random.Generator) -> dict[str, object]:
    """Numbers, skewed and zero-inflated ones, whole ones, categories, and gaps in some."""
    kind = i % 10
    if kind < 5:
        return {f"number_{i:03}": z}
    if kind == 5:
        return {f"amount_{i:03}": np.where(z < 0.3, 0.0, np.exp(z))}
    if kind == 6:
        return {f"count_{i:03}": np.floor(np.exp(z))}
    if kind == 7:
        return {f"gaps_{i:03}": np.where(random.random(len(z)) < 0.3, np.nan, z)}
    edges = [-1.5, -0.5, 0.5, 1.0, 2.2] if kind == 8 else [1.9]
    names = np.array(list("abcdef"))
    return {f"kind_{i:03}": pd.Series(names[np.searchsorted(edges, z)])}


def reference(world: World, random: np.random.Generator) -> dict[str, ReferenceColumn]:
    """A training with importances that fall by 4% from one feature to the next."""
    columns = reference_columns(training_profile(world.rows(N_REFERENCE, random)))
    weights = {name: 0.96**i for i, name in enumerate(columns) if name != "probability"}
    total = sum(weights.values())
    return {
        name: replace(one, importance=weights.get(name, 0.0) / total)
        for name, one in columns.items()
    }


def look(columns: dict[str, ReferenceColumn], rows: pd.DataFrame) -> DriftVerdict:
    """What monitoring says of a window."""
    counts = {name: count_column(rows[name], one.plan) for name, one in columns.items()}
    features = {name: one for name, one in columns.items() if name != "probability"}
    score = (columns["probability"], counts["probability"])
    return judge(features, counts, DriftLimits(), score)


def rate(world: World, n_rows: int, n_windows: int, shift: float = 0.0, seed: int = 42) -> float:
    """The share of windows with an alarm; each tenth one meets a new training."""
    random, n_alarms = np.random.default_rng(seed), 0
    for i in range(n_windows):
        if i % 10 == 0:
            columns = reference(world, random)
        n_alarms += look(columns, world.rows(n_rows, random, shift)).is_alarm
    return n_alarms / n_windows


def fixed_rate(world: World, n_rows: int, n_windows: int, seed: int = 42) -> float:
    """The share of windows without drift in which any PSI is 0.1 or more: the usual rule."""
    random, n_alarms = np.random.default_rng(seed), 0
    for i in range(n_windows):
        if i % 10 == 0:
            columns = reference(world, random)
        found = look(columns, world.rows(n_rows, random)).columns
        n_alarms += any(one.measures is not None and one.measures.psi >= 0.1 for one in found)
    return n_alarms / n_windows


def main() -> None:
    """Print the rates with their Monte-Carlo error."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("| rows | correlation | shift of one top feature | alarms | windows |")
    print("|---|---|---|---|---|")
    for n_rows, correlation, shift in (
        (100, 0.0, 0.0),
        (200, 0.0, 0.0),
        (200, 0.5, 0.0),
        (1_000, 0.0, 0.0),
        (1_000, 0.0, 0.25),
        (1_000, 0.5, 0.25),
        (500, 0.0, 0.25),
        (1_000, 0.0, 0.1),
    ):
        share = rate(World(correlation), n_rows, n, shift)
        error = 196 * math.sqrt(max(share * (1 - share), 1 / n) / n)
        said = f"{share:.1%} ± {error:.1f}"
        print(f"| {n_rows:,} | {correlation:g} | {shift:g} sd | {said} | {n:,} |", flush=True)
    for n_rows in (200, 1_000):
        share = fixed_rate(World(), n_rows, n // 10)
        print(f"the usual rule (any PSI >= 0.1), {n_rows:,} rows without drift: {share:.1%}")


if __name__ == "__main__":
    main()
