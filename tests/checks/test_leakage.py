"""The leakage check: planted leaks are found, and data without one raise no alarm."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes.checks.leakage import Outcome, duplicate_rows, find_leaks, time_overlap

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "leakage.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("leakage_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SETTINGS = [
    {"is_event": is_event, "is_correlated": is_correlated}
    for is_event in (True, False)
    for is_correlated in (True, False)
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_planted_leaks_are_found_and_nothing_else_is(
    benchmark: ModuleType, setting: dict[str, bool]
) -> None:
    """benchmarks/leakage.py does this hundreds of times."""
    for run, (kind, code) in enumerate(benchmark.WANTED.items()):
        assert benchmark.codes(kind, run, **setting) == {code}, kind
    for run in range(5):
        assert benchmark.codes("none", run, **setting) == set()


def test_a_finding_says_what_was_seen_and_what_to_do() -> None:
    target = np.repeat([0.0, 1.0], 100)
    frame = pd.DataFrame({"paid_back": target * 5, "id": np.arange(200) % 100 + 7_000})
    outcome = Outcome(target, target, target, is_event=True)
    (found, *_) = find_leaks(frame, frame, outcome, 0)
    assert (found.code, found.severity, found.subject) == ("MLR101", "error", "paid_back")
    assert found.message == (
        "'paid_back' alone has an AUC of 1.000 (the model: 1.000) with the target on test rows. "
        "Find out whether it is known when the model is asked; if not, add it to ignore_cols."
    )


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (np.arange(200) + 5, "follow the order of the rows"),
        (np.random.default_rng(0).permutation(400)[:200], "occurs once, from"),
        (np.random.default_rng(0).permutation(9 * 10**6)[:200] + 10**6, "all of 7 digits"),
        ([f"customer {i}" for i in range(200)], "100.0% of its texts occur once"),
    ],
)
def test_keys_are_told_by_their_look(column: Any, reason: str) -> None:
    training = pd.DataFrame({"key": column, "x": np.random.default_rng(1).normal(size=200)})
    (found,) = find_leaks(training, training.iloc[:0], None, 0)
    assert (found.code, found.subject) == ("MLR102", "key")
    assert reason in found.message


@pytest.mark.parametrize(
    "column",
    [
        np.random.default_rng(0).normal(size=200),
        np.random.default_rng(0).integers(0, 10**9, 200),
        pd.date_range("2020-01-01", periods=200),
        np.arange(200) % 50,
        [f"town {i % 30}" for i in range(200)],
        [True, False] * 100,
        [np.nan] * 200,
        [np.inf] * 200,
    ],
)
def test_measured_values_are_no_keys(column: Any) -> None:
    training = pd.DataFrame({"x": column})
    assert find_leaks(training, training.iloc[:0], None, 0) == ()


def test_rows_of_few_values_may_be_equal_by_chance() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.integers(0, 3, (900, 5)), columns=list("abcde"))
    assert duplicate_rows(frame.iloc[:600], frame.iloc[600:]) == ()


def test_a_table_that_holds_each_row_twice_is_found_though_training_has_doubles_too() -> None:
    once = pd.DataFrame({"x": np.random.default_rng(0).normal(size=400), "y": "a"})
    twice = pd.concat([once, once]).sample(frac=1, random_state=0)
    (found,) = duplicate_rows(twice.iloc[:600], twice.iloc[600:])
    assert found.code == "MLR103"


def test_parts_that_touch_in_time_overlap() -> None:
    days = pd.Series(pd.date_range("2020-01-01", periods=10), name="day")
    assert time_overlap(days[:5], days[5:]) == ()
    (found,) = time_overlap(days[:5], days[4:])
    assert found.code == "MLR104"
    assert "begins on 2020-01-05, before the training part ends on 2020-01-05" in found.message
