"""The simulation of monitoring in small: seeded, so that it says the same each time."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.monitoring import Case, look, simulate, summed_up, train
from benchmarks.monitoring_side import TOP as TOP_OF_OTHERS
from benchmarks.monitoring_sides import CHANGES, judged, write_rows
from benchmarks.monitoring_worlds import OUTCOME, SCORE, TOP, Change, World

HARD = (
    World(correlation=0.9),
    World(tails=2),
    World(n_reference=1_000),
)


def test_hard_worlds_without_drift_raise_hardly_any_alarm() -> None:
    """At most one in 60 windows, of columns that depend on each other, have long tails, or whose
    training is small; any PSI of 0.1 would alarm in nearly all windows of 120 rows."""
    found = [simulate(Case("none", n, world=world), 10) for world in HARD for n in (120, 600)]
    assert sum(one.alarms for one in found) <= 1
    assert sum(one.usual for one in found[::2]) >= 27


@pytest.mark.parametrize(
    ("name", "n_at_least"),
    [
        ("mean +0.25 sd", 9),
        ("mean +0.5 sd", 10),
        ("missing 0 -> 5%", 10),
        ("missing 10 -> 15%", 6),
        ("new category 2%", 9),
    ],
)
def test_what_is_planted_into_a_thousand_rows_is_found(name: str, n_at_least: int) -> None:
    assert simulate(Case(name, 1_000, CHANGES[name]), 10).alarms >= n_at_least


def test_twice_as_many_events_are_seen_by_labels_and_hardly_without() -> None:
    case = Case("events", 1_000, Change(event_rate=0.16), has_labels=True)
    found = simulate(case, 10)
    assert found.outcomes == found.any == 10
    assert found.alarms <= 1


def test_labels_of_windows_without_drift_raise_hardly_any_alarm() -> None:
    assert simulate(Case("none", 1_000, has_labels=True), 10).any <= 1


def test_the_score_is_the_chance_of_the_event() -> None:
    """Else label shift and estimates would be measured in a world that cannot be."""
    rows = World().rows(40_000, np.random.default_rng(0))
    cells = pd.qcut(rows[SCORE], 10)
    by_cell = rows.groupby(cells, observed=True)[[SCORE, OUTCOME]].mean()
    assert (by_cell[SCORE] - by_cell[OUTCOME]).abs().max() < 0.015
    assert rows[OUTCOME].mean() == pytest.approx(0.08, abs=0.005)


def test_a_planted_change_is_as_large_as_it_says_and_changes_nothing_else() -> None:
    random = np.random.default_rng(0)
    usual = World().rows(50_000, random)
    more = World().rows(50_000, random, Change(more_missing=0.05, unseen=0.02, shift=0.25))
    assert more["gaps_007"].isna().mean() - usual["gaps_007"].isna().mean() == pytest.approx(
        0.05, abs=0.006
    )
    assert (more["kind_008"] == "new").mean() == pytest.approx(0.02, abs=0.003)
    assert more["number_000"].mean() - usual["number_000"].mean() == pytest.approx(0.25, abs=0.03)
    assert more["number_003"].mean() == pytest.approx(usual["number_003"].mean(), abs=0.03)
    assert set(TOP) <= set(usual.columns)


def test_the_most_important_columns_are_those_that_the_others_are_asked_about() -> None:
    columns = train(World(n_reference=500), np.random.default_rng(0)).columns
    by_importance = sorted(columns, key=lambda name: -columns[name].importance)
    assert tuple(by_importance[:5]) == TOP == TOP_OF_OTHERS


def test_a_side_reads_the_same_rows_and_says_what_the_verdict_says(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    write_rows(folder, 300, CHANGES["mean +0.5 sd"], n_windows=2, seed=1)
    told = judged("mlrecipes", Path(sys.executable), folder)
    known = summed_up(pd.read_parquet(folder / "training.parquet"))
    windows = [pd.read_parquet(folder / f"window_00{i}.parquet") for i in range(2)]
    assert told["verdicts"] == {"alarm": [look(known, rows).is_alarm for rows in windows]}
    assert told["versions"]["pandas"] == pd.__version__
