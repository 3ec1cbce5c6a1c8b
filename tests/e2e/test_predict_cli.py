"""mlrecipes predict, as a scheduler calls it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from mlrecipes import Recipe
from tests.e2e.test_cli import mlrecipes, start

pytestmark = pytest.mark.e2e


def test_a_scheduler_may_call_it_twice_and_learns_what_is_wrong(regression: Path) -> None:
    Recipe("local", regression).run()
    asked = ["predict", "--input", "houses.csv", "--output", "scored", "--batch-id", "monday"]
    process = start(regression, *asked, "--json")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    facts = json.loads(out)
    assert (facts["batch_id"], facts["rows"], facts["model_version"]) == ("monday", 400, "1")
    said = mlrecipes(regression, *asked, "--reason-codes", "")
    assert f"Batch monday: 400 rows already written to {regression / 'scored'}." in said
    pd.read_csv(regression / "houses.csv").rename(columns={"area": "Area"}).to_csv(
        regression / "odd.csv", index=False
    )
    said = mlrecipes(regression, "predict", "--input", "odd.csv", "--output", "scored", expect=3)
    assert "renamed?    area    float64      Area" in said
