"""What one library says of windows, in a process and an environment of its own.

    python -m benchmarks.monitoring_side evidently FOLDER

The folder holds ``training.parquet`` and ``window_000.parquet`` and so on, with columns and rows
of one kind each. It prints, as JSON, the library's versions and for each verdict that the library
has whether it raises an alarm, window by window. Nothing of mlrecipes is imported for the others.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pandas as pd

Verdicts = dict[str, list[bool]]
TOP = ("number_000", "gaps_007", "kind_008", "amount_005", "count_006")
"""The most important columns, see monitoring_worlds.py, which another environment cannot import."""


def mlrecipes_says(training: pd.DataFrame, windows: list[pd.DataFrame]) -> Verdicts:
    """Our verdict: what makes the exit code 4, at the default limits, with importances known."""
    from benchmarks.monitoring import look, summed_up

    known = summed_up(training)
    return {"alarm": [look(known, rows).is_alarm for rows in windows]}


def evidently_says(training: pd.DataFrame, windows: list[pd.DataFrame]) -> Verdicts:
    """The preset's verdict of a data set, half of the columns; any column; one of the top five.

    ``DriftedColumnsCount`` is the first metric of ``DataDriftPreset`` and its verdict; the others
    are one ``ValueDrift`` a column, of which five are asked here, as they take long. Beyond 1,000
    rows of training each is a distance with a threshold of 0.1.
    """
    from evidently import Dataset, Report
    from evidently.metrics import DriftedColumnsCount, ValueDrift

    then = Dataset.from_pandas(training.drop(columns="outcome"))
    found: Verdicts = {"half of the columns": [], "any column": [], "any of the top 5": []}
    asked = [DriftedColumnsCount(), *(ValueDrift(column=name) for name in TOP)]
    for rows in windows:
        now = Dataset.from_pandas(rows.drop(columns="outcome"))
        metric, *columns = Report(asked).run(now, then).dict()["metrics"]
        found["half of the columns"].append(bool(metric["value"]["share"] >= 0.5))
        found["any column"].append(bool(metric["value"]["count"] >= 1))
        drifted = (one["value"] >= one["config"]["threshold"] for one in columns)
        found["any of the top 5"].append(any(drifted))
    return found


def nannyml_says(training: pd.DataFrame, windows: list[pd.DataFrame]) -> Verdicts:
    """Any column beyond its threshold: mean and three standard deviations of chunks of training.

    A chunk has as many rows as a window. Jensen-Shannon distance, the default.
    """
    import nannyml

    columns = [name for name in training.columns if name != "outcome"]
    n_rows = len(windows[0])
    calculator = nannyml.UnivariateDriftCalculator(column_names=columns, chunk_size=n_rows)
    calculator.fit(training)
    result = calculator.calculate(pd.concat(windows, ignore_index=True))
    frame = result.filter(period="analysis").to_df()
    alerts = frame.loc[:, frame.columns.get_level_values(-1) == "alert"]
    is_top = alerts.columns.get_level_values(0).isin(TOP)
    return {
        "any column": [bool(one) for one in alerts.any(axis=1)],
        "any of the top 5": [bool(one) for one in alerts.loc[:, is_top].any(axis=1)],
    }


SIDES: dict[str, Callable[[pd.DataFrame, list[pd.DataFrame]], Verdicts]] = {
    "mlrecipes": mlrecipes_says,
    "evidently": evidently_says,
    "nannyml": nannyml_says,
}


def main() -> None:
    """Let one side judge all windows of a folder."""
    side, folder = sys.argv[1], Path(sys.argv[2])
    os.environ |= {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
    warnings.simplefilter("ignore")
    training = pd.read_parquet(folder / "training.parquet")
    windows = [pd.read_parquet(path) for path in sorted(folder.glob("window_*.parquet"))]
    start = time.perf_counter()
    verdicts = SIDES[side](training, windows)
    names = ("pandas", "numpy", *([] if side == "mlrecipes" else [side]))
    versions = {side: "of this folder"} | {name: version(name) for name in names}
    took = time.perf_counter() - start
    print(json.dumps({"versions": versions, "verdicts": verdicts, "duration_s": took}))


if __name__ == "__main__":
    main()
