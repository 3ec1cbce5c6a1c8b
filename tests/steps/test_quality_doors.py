"""The doors of batch scoring: rows to score and predictions."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mlrecipes.checks.quality import DataQualityWarning
from mlrecipes.checks.training_profile import training_profile
from mlrecipes.errors import GateRejected
from mlrecipes.steps import Context
from mlrecipes.steps._quality import TableAtDoor, open_doors, predictions_suite, scoring_suite


def at(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_parquet(path)
    return path


def test_more_gaps_than_in_training_only_warn(
    tmp_path: Path, context: Callable[..., Context]
) -> None:
    profile = training_profile(pd.DataFrame({"a": [1.0, 2.0, 3.0, None]}))
    rows = pd.DataFrame({"a": [1.0, None, None, None]})
    doors = open_doors(context(), "predict")
    doors.pass_through(
        [TableAtDoor(scoring_suite(doors, profile, ["a"]), at(tmp_path / "r.parquet", rows))]
    )
    with pytest.warns(DataQualityWarning, match=r"a is missing in at most 30.0% of the rows"):
        doors.tell()


def test_no_rows_to_score_are_refused(tmp_path: Path, context: Callable[..., Context]) -> None:
    doors = open_doors(context(), "predict")
    table = at(tmp_path / "r.parquet", pd.DataFrame({"a": pd.Series([], dtype=float)}))
    with pytest.raises(GateRejected, match="there is at least 1 row: seen: 0"):
        doors.pass_through([TableAtDoor(scoring_suite(doors, None, ["a"]), table)])


def test_a_prediction_too_few_is_refused(tmp_path: Path, context: Callable[..., Context]) -> None:
    doors = open_doors(context(), "predict")
    table = at(tmp_path / "p.parquet", pd.DataFrame({"prediction": [0.5, 0.5]}))
    doors.pass_through([TableAtDoor(predictions_suite(doors, 2), table)])
    with pytest.raises(GateRejected, match="one prediction for each of the 3 rows: seen: 2"):
        doors.pass_through([TableAtDoor(predictions_suite(doors, 3), table)])
