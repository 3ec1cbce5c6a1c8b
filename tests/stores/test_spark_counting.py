"""A window is counted on Spark as it is locally: cell by cell, so each measure is the same."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes.checks.drift_measures import measure
from mlrecipes.checks.drift_reference import reference_columns
from mlrecipes.checks.training_profile import training_profile
from mlrecipes.monitor_records import DriftLimits
from mlrecipes.stores.monitoring import StoredMonitoring


def table(n_rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    z = random.normal(shift, 1, n_rows)
    frame = pd.DataFrame(
        {
            "a number": z,
            "whole": np.floor(np.exp(z)).astype("int64"),
            "gaps": pd.array(np.floor(z), dtype="Int64"),
            "flag": z > 0.3,
            "kind": pd.Series(np.where(z > 1, "rare é", np.where(z > 0, "b", "a"))),
            "code": pd.Series(np.floor(z).astype(int), dtype="object"),
            "at": pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n_rows), unit="h"),
            "constant": 1.5,
        }
    )
    frame.loc[frame.index % 7 == 0, ["a number", "kind", "gaps"]] = None
    frame.loc[5, "a number"], frame.loc[6, "a number"] = math.inf, -math.inf
    return frame


def test_counts_on_spark_are_those_of_here(spark: Any, tmp_path: Path) -> None:
    columns = reference_columns(training_profile(table(500, 0)))
    window = table(300, 1, 0.4)
    window.loc[10:20, "kind"] = "new"
    window["constant"] = window["a number"].astype("float32")
    path = tmp_path / "window.parquet"
    window.assign(code=window["code"].astype(float)).to_parquet(path, index=False)
    plans = [one.plan for one in columns.values()]
    plans.append(replace(plans[0], name="not there"))
    monitoring = StoredMonitoring(tmp_path)
    here, there = (monitoring.count(path, plans, engine) for engine in ("local", "spark"))
    assert set(here) == set(columns)
    assert here == there
    for name, one in columns.items():
        both = [measure(one, counts[name], DriftLimits()) for counts in (here, there)]
        assert both[0].psi == pytest.approx(both[1].psi, rel=1e-9)
        assert both[0].p_value == pytest.approx(both[1].p_value, rel=1e-9)


def test_numbers_that_came_as_text_are_counted_alike(spark: Any, tmp_path: Path) -> None:
    columns = reference_columns(training_profile(table(200, 0)[["a number"]]))
    path = tmp_path / "window.parquet"
    pd.DataFrame({"a number": ["1.5", "-0.25", "none", None]}).to_parquet(path)
    plans = [columns["a number"].plan]
    monitoring = StoredMonitoring(tmp_path)
    here, there = (monitoring.count(path, plans, engine) for engine in ("local", "spark"))
    assert here == there
    assert here["a number"].n_missing == 2
