"""How often the leakage check finds planted leaks, and how often it cries wolf.

Run: python benchmarks/leakage.py [runs]
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import numpy as np
import pandas as pd

from mlrecipes.checks.leakage import Outcome, find_leaks, time_overlap

N_ROWS = 900
PLANTED = ("target copy", "noisy copy", "text of target", "gap", "row number", "key", "rows")


def table(run: int, *, is_event: bool, is_correlated: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """Twenty features of several types and a target that some of them explain in part."""
    random = np.random.default_rng(run)
    n_noise = 0.5 if is_correlated else 1.0
    common = random.normal(size=N_ROWS) * (1.5 if is_correlated else 0)
    frame = pd.DataFrame(
        {f"x{i}": common + n_noise * random.normal(size=N_ROWS) for i in range(12)}
    )
    frame["x0"] = frame["x0"].where(random.random(N_ROWS) > 0.2)
    frame["count"] = random.poisson(3, N_ROWS)
    frame["amount"] = (np.exp(random.normal(10, 1, N_ROWS))).round()
    frame["days"] = -random.integers(7_000, 25_000, N_ROWS)
    frame["wide"] = random.integers(0, 1_000_000_000, N_ROWS)
    frame["town"] = random.choice([f"t{i}" for i in range(60)], N_ROWS)
    frame["sex"] = random.choice(["F", "M"], N_ROWS)
    frame["flag"] = random.random(N_ROWS) < 0.1
    signal = frame["x1"] + frame["x2"] + 0.5 * frame["x3"] + random.normal(size=N_ROWS) * 1.5
    target = (signal > np.quantile(signal, 0.8)).astype(float) if is_event else signal.to_numpy()
    return frame, np.asarray(target, dtype=float)


def plant(kind: str, frame: pd.DataFrame, target: np.ndarray, run: int) -> pd.DataFrame:
    """The table with one leak."""
    random = np.random.default_rng(10_000 + run)
    wide = frame.copy()
    high = target > np.quantile(target, 0.8) if len(set(target)) > 2 else target == 1
    if kind == "target copy":
        wide["leak"] = -3 * target + 1
    elif kind == "noisy copy":
        wide["leak"] = target + random.normal(size=N_ROWS) * 0.05 * target.std()
    elif kind == "text of target":
        bins = target if set(target) == {0, 1} else pd.qcut(target, 50, labels=False)
        wide["leak"] = [f"class {value}" for value in bins]
    elif kind == "gap":
        wide["leak"] = np.where(high, np.nan, target if len(set(target)) > 2 else 1.0)
    elif kind == "row number":
        wide["leak"] = np.arange(N_ROWS) + 1000
    elif kind == "key":
        wide["leak"] = random.permutation(N_ROWS * 3)[:N_ROWS] + 100_000
    return wide


def parts(
    kind: str, wide: pd.DataFrame, target: np.ndarray, run: int
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray, np.ndarray]:
    """Two thirds to train on, one third to test, with some rows in both if that is the leak."""
    n_training = 2 * N_ROWS // 3
    training, test = wide.iloc[:n_training], wide.iloc[n_training:]
    known, new = target[:n_training], target[n_training:]
    if kind == "rows":
        copied = np.random.default_rng(run).choice(n_training, 10, replace=False)
        test = pd.concat([test, training.iloc[copied]], ignore_index=True)
        new = np.concatenate([new, known[copied]])
    return training, test, known, new


def codes(kind: str, run: int, *, is_event: bool, is_correlated: bool) -> set[str]:
    """What the check finds in one run."""
    from sklearn.linear_model import LinearRegression, LogisticRegression

    frame, target = table(run, is_event=is_event, is_correlated=is_correlated)
    wide = plant(kind, frame, target, run)
    training, test, known, new = parts(kind, wide, target, run)
    numeric = training.select_dtypes("number").columns
    estimator = LogisticRegression(max_iter=200) if is_event else LinearRegression()
    middle, spread = training[numeric].mean(), training[numeric].std()
    ready = [((part[numeric] - middle) / spread).fillna(0) for part in (training, test)]
    fitted = estimator.fit(ready[0], known)
    scores = fitted.decision_function(ready[1]) if is_event else fitted.predict(ready[1])
    found = find_leaks(training, test, Outcome(known, new, scores, is_event), run)
    return {finding.code for finding in found}


WANTED = dict.fromkeys(PLANTED, "MLR101") | {
    "row number": "MLR102",
    "key": "MLR102",
    "rows": "MLR103",
}


def measure(n_runs: int) -> Iterator[str]:
    """One line a setting: the share of runs with the planted code, or with any alarm."""
    for is_event in (True, False):
        for is_correlated in (False, True):
            setting = {"is_event": is_event, "is_correlated": is_correlated}
            quiet = [codes("none", run, **setting) for run in range(n_runs)]
            alarms, alarmed = Counter(c for run in quiet for c in run), sum(map(bool, quiet))
            named = f"{'binary' if is_event else 'regression'}, " + (
                "correlated" if is_correlated else "independent"
            )
            yield f"{named}: no leak: {alarmed} of {n_runs} runs alarm {dict(alarms) or ''}"
            for kind in PLANTED:
                n_found = sum(
                    WANTED[kind] in codes(kind, run, **setting) for run in range(n_runs // 4)
                )
                yield f"{named}: {kind}: found in {n_found} of {n_runs // 4} runs"
    days = pd.Series(pd.date_range("2020-01-01", periods=100))
    n_found = sum(bool(time_overlap(days[:60], days[60 - k :])) for k in range(1, 40))
    n_false = len(time_overlap(days[:60], days[60:]))
    yield f"time: {n_found} of 39 overlaps found, without one: {n_false} alarms"


if __name__ == "__main__":
    for line in measure(int(sys.argv[1]) if len(sys.argv) > 1 else 300):
        print(line, flush=True)
