"""mlrecipes monitor, as a scheduler calls it: exit code 4 if somebody should look."""

import json
from pathlib import Path

import pytest

from mlrecipes import Recipe
from mlrecipes.recipe import PredictOptions
from tests.conftest import houses
from tests.e2e.test_cli import start

pytestmark = pytest.mark.e2e


def test_a_scheduler_learns_of_an_alert_by_the_exit_code(regression: Path) -> None:
    path = regression / "recipe.yaml"
    section = (
        "  predict: {output: {using: delta, location: scored}, save_mode: append}\n"
        "  ingest_scoring: {using: csv, location: houses.csv}\n"
        "  monitor: {window: batch}\nmodel_registry:"
    )
    path.write_text(path.read_text().replace("model_registry:", section))
    recipe = Recipe("local", regression)
    recipe.run()
    rows = houses(300).drop(columns=["price", "sold"])
    rows.assign(area=rows["area"] + 60).to_csv(regression / "large.csv", index=False)
    recipe.predict(PredictOptions(input=str(regression / "large.csv"), batch_id="large"))
    process = start(regression, "monitor", "--json", "--since", "")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 4, err
    facts = json.loads(out)
    assert {one["subject"] for one in facts["alerts"]} == {"area", "all features", "prediction"}
    assert "3 alerts for models:/houses@challenger (version 1)." in err
    assert "drift area, large (since large): PSI" in err
    assert "Look: mlrecipes inspect monitor" in err
