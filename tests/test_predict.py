"""Batch scoring, from rows or keys to a table that holds each batch once."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cloudpickle
import pandas as pd
import pytest
from deltalake import DeltaTable

from mlrecipes import ConfigError, GateRejected, Recipe
from mlrecipes.errors import StoreError
from mlrecipes.execution import Event
from mlrecipes.predict_options import PredictOptions
from mlrecipes.records import Action
from mlrecipes.stores.mlflow_client import open_client
from tests.conftest import CLASSIFICATION, REGRESSION, houses, write_project
from tests.test_feature_recipe import FILES as WITH_FEATURES
from tests.test_feature_recipe import write as write_with_features

PREDICT = """\
  ingest_scoring: {using: csv, location: for_sale.csv}
  predict: {output: {using: delta, location: predictions}, save_mode: append, columns: keys}
model_registry:"""
FACTS = ["model_name", "model_version", "run_id", "batch_id", "scored_at"]


def with_predict(files: Mapping[str, str], section: str = PREDICT) -> dict[str, str]:
    return {**files, "recipe.yaml": files["recipe.yaml"].replace("model_registry:", section)}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier that is registered; tests work on copies of it."""
    root = write_project(
        tmp_path_factory.mktemp("trained") / "recipe", with_predict(CLASSIFICATION)
    )
    rows = houses(500).tail(100).drop(columns=["price", "sold"])
    rows.to_csv(root / "for_sale.csv", index=False)
    Recipe("local", root).run()
    return root


def warned(recipe: Recipe, options: PredictOptions | None = None) -> tuple[dict[str, Any], str]:
    events: list[Event] = []
    facts = recipe.predict(options, on_event=events.append)
    return facts, " ".join(event.text for event in events if event.kind == "warning")


def test_rows_are_scored_by_the_registered_model_into_a_table(trained: Path) -> None:
    recipe = Recipe("local", trained)
    outcomes = recipe.run("predict")
    assert [outcome.step for outcome in outcomes] == ["ingest_scoring", "predict"]
    scored = DeltaTable(trained / "predictions").to_pandas().set_index("house")
    assert list(scored.columns) == ["prediction", "probability", *FACTS]
    rows = pd.read_csv(trained / "for_sale.csv")
    expected = recipe.score_batch(rows)["prediction"].to_numpy()
    assert scored.loc[rows["house"], "probability"].to_numpy() == pytest.approx(expected, rel=1e-12)
    first = scored.iloc[0]
    run = recipe.get_artifact("run").info.run_id
    assert (first["model_name"], first["model_version"], first["run_id"]) == (
        "sold_houses",
        "1",
        run,
    )
    assert scored["batch_id"].nunique() == 1
    assert recipe.get_artifact("scored_data")["house"].tolist() == rows["house"].tolist()


def test_the_same_batch_is_written_once_and_by_another_model_again(
    trained: Path, tmp_path: Path
) -> None:
    recipe, place = Recipe("local", trained), str(tmp_path / "table")
    first = recipe.predict(PredictOptions(output=place))
    again = recipe.predict(PredictOptions(output=place))
    assert first["became"] == f"appended to {place}"
    assert again["became"] == f"already written to {place}"
    assert again["batch_id"] == first["batch_id"]
    assert len(DeltaTable(place).to_pandas()) == 100
    assert len(recipe.get_artifact("scored_data")) == 100
    client = open_client(f"sqlite:///{trained / 'mlflow.db'}")
    known = client.get_model_version("sold_houses", "1")
    other = client.create_model_version("sold_houses", known.source, known.run_id)
    by_other = recipe.predict(
        PredictOptions(output=place, model=f"models:/sold_houses/{other.version}")
    )
    assert by_other["became"] == f"appended to {place}"
    versions = DeltaTable(place).to_pandas()["model_version"].value_counts().to_dict()
    assert versions == {"1": 100, str(other.version): 100}


def test_a_batch_leaves_a_run_that_a_reset_knows(trained: Path, tmp_path: Path) -> None:
    recipe = Recipe("local", trained)
    facts = recipe.predict(PredictOptions(output=str(tmp_path / "table"), batch_id="monday"))
    run = open_client(f"sqlite:///{trained / 'mlflow.db'}").get_run(facts["predict_run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["batch_id"] == "monday"
    assert run.data.metrics["n_rows"] == 100
    assert 0 < run.data.metrics["mean_probability"] < 1
    assert run.data.tags["mlflow.pipeline.step.name"] == "predict"
    assert facts["predict_run_id"] in {one.name for one in recipe.plan_reset().goes}


@pytest.mark.parametrize("using", ["parquet", "delta"])
@pytest.mark.parametrize("mode", ["overwrite", "ignore", "error"])
def test_save_modes_are_those_of_mlflow_recipes(
    trained: Path, tmp_path: Path, using: str, mode: str
) -> None:
    root = tmp_path / "recipe"
    shutil.copytree(trained, root)
    text = (root / "recipe.yaml").read_text().replace("append", mode)
    (root / "recipe.yaml").write_text(text.replace("using: delta", f"using: {using}"))
    recipe = Recipe("local", root)
    place = root / "places" / "scored"
    recipe.predict(PredictOptions(output=str(place), batch_id="a"))
    if mode == "error":
        with pytest.raises(StoreError, match=r"scored is already populated.*save_mode is error"):
            recipe.predict(PredictOptions(output=str(place), batch_id="b"))
    else:
        recipe.predict(PredictOptions(output=str(place), batch_id="b"))
    read = pd.read_parquet if using == "parquet" else lambda path: DeltaTable(path).to_pandas()
    expected = "b" if mode == "overwrite" else "a"
    assert read(place)["batch_id"].tolist() == [expected] * 100
    assert [path.name for path in place.parent.iterdir()] == ["scored"]


def test_missing_renamed_and_retyped_columns_are_told_before_any_work(
    trained: Path, tmp_path: Path
) -> None:
    rows = houses(20).drop(columns=["sold"]).rename(columns={"area": "area_m2"})
    rows.assign(rooms="many", colour="red").to_csv(tmp_path / "odd.csv", index=False)
    with pytest.raises(GateRejected) as caught:
        Recipe("local", trained).predict(PredictOptions(input=str(tmp_path / "odd.csv")))
    lines = [line.split() for line in caught.value.message.splitlines()]
    assert lines[1:] == [
        ["difference", "column", "in", "training", "in", "the", "rows"],
        ["renamed?", "area", "float64", "area_m2"],
        ["retyped", "rooms", "int64", "str"],
        ["extra", "colour", "str"],
    ]
    assert "2 of its 2 columns differ. Nothing was scored." in caught.value.message


def test_what_does_not_matter_is_said_once(trained: Path, tmp_path: Path) -> None:
    rows = houses(20).assign(colour="red", rooms=[None, *range(1, 20)])
    pd.concat([rows, rows.head(2)]).to_csv(tmp_path / "more.csv", index=False)
    options = PredictOptions(input=str(tmp_path / "more.csv"), output=str(tmp_path / "out"))
    with pytest.raises(StoreError, match="cannot score the rows"):  # the model has no imputer
        Recipe("local", trained).predict(options)
    rows = rows.assign(rooms=1)
    pd.concat([rows, rows.head(2)]).to_csv(tmp_path / "more.csv", index=False)
    facts, said = warned(Recipe("local", trained), options)
    assert facts["repeated_keys"] == 2
    assert "1 columns of the rows are not known to the model and left out: 'colour'" in said
    assert "2 of 22 rows have the same 'house' as an earlier one" in said


def test_a_file_without_rows_is_no_batch(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("house,rooms,area\n")
    with pytest.raises(GateRejected, match="ingest_scoring: 0 rows read from"):
        Recipe("local", trained).predict(PredictOptions(input=str(tmp_path / "none.csv")))


def test_a_recipe_that_says_nothing_is_told_what_to_say(regression: Path) -> None:
    recipe = Recipe("local", regression)
    assert "predict" not in recipe.steps
    with pytest.raises(ConfigError, match=r"ingest_scoring says not where .*--input FILE"):
        recipe.predict()
    with pytest.raises(ConfigError, match=r"predict.output is missing.*--output FOLDER"):
        recipe.predict(PredictOptions(input="houses.csv"))
    with pytest.raises(ConfigError, match=r"mlrecipes predict: batch_id String should match"):
        recipe.predict(PredictOptions(input="houses.csv", output="x", batch_id="../x"))


def test_without_a_model_the_next_command_is_named(regression: Path, tmp_path: Path) -> None:
    options = PredictOptions(input=str(regression / "houses.csv"), output=str(tmp_path / "out"))
    with pytest.raises(StoreError, match=r"no model models:/houses@challenger(.|\n)*mlrecipes run"):
        Recipe("local", regression).predict(options)


def test_the_champion_scores_where_models_are_promoted(trained: Path, tmp_path: Path) -> None:
    root = tmp_path / "recipe"
    shutil.copytree(trained, root)
    text = (root / "recipe.yaml").read_text()
    (root / "recipe.yaml").write_text(text.replace("  predict:", "  promote: {}\n  predict:"))
    recipe = Recipe("local", root)
    with pytest.raises(StoreError, match=r"no model models:/sold_houses@champion(.|\n)*promote"):
        recipe.predict()
    client = open_client(f"sqlite:///{root / 'mlflow.db'}")
    client.set_registered_model_alias("sold_houses", "champion", "1")
    assert recipe.predict()["model_version"] == "1"


def test_a_model_that_was_tampered_with_scores_nothing(trained: Path, tmp_path: Path) -> None:
    recipe, out = Recipe("local", trained), tmp_path / "out"
    client = open_client(f"sqlite:///{trained / 'mlflow.db'}")
    bad = tmp_path / "model"
    shutil.copytree(str(recipe.artifact_path("model")), bad)
    file = bad / "artifacts/sk_model/model.pkl"
    pipeline = cloudpickle.loads(file.read_bytes())
    pipeline[0].scale_ *= 2
    file.write_bytes(cloudpickle.dumps(pipeline))
    client.create_registered_model("tampered")
    client.create_model_version("tampered", bad.as_uri())
    options = PredictOptions(model="models:/tampered/1", output=str(out))
    with pytest.raises(StoreError, match=r"tampered version 1 does not answer as when it was"):
        recipe.predict(options)
    with pytest.raises(StoreError, match="does not answer as when it was trained"):
        recipe.score_batch(pd.read_csv(trained / "for_sale.csv"), "models:/tampered/1")
    assert not out.exists()


def test_an_unchanged_recipe_of_mlflow_recipes_overwrites(tmp_path: Path) -> None:
    """All columns are kept, and the column ``prediction`` stands beside them."""
    section = PREDICT.replace(", save_mode: append, columns: keys", "").replace("delta", "parquet")
    root = write_project(tmp_path / "recipe", with_predict(REGRESSION, section))
    rows = houses(30).drop(columns=["sold"])
    rows.to_csv(root / "for_sale.csv", index=False)
    recipe = Recipe("local", root)
    recipe.run()
    assert [outcome.action for outcome in recipe.run("predict")] == [Action.RUN] * 2
    assert [outcome.action for outcome in recipe.run("predict")] == [Action.CACHED, Action.RUN]
    scored = pd.read_parquet(root / "predictions")
    assert list(scored.columns) == ["house", "rooms", "area", "price", "prediction", *FACTS]
    assert scored["prediction"].to_numpy() == pytest.approx(rows["price"].to_numpy(), abs=10)
    assert list(recipe.get_artifact("ingested_scoring_data").columns) == list(rows.columns)
    assert len(recipe.get_artifact("scored_data")) == 30
    assert "probability" not in scored


def test_keys_are_enough_where_features_are_looked_up(tmp_path: Path) -> None:
    section = "  monitor: {min_rows: 20}\n" + PREDICT.split("\n", 1)[1]
    recipe_yaml = with_predict(WITH_FEATURES, section)["recipe.yaml"]
    root = tmp_path / "recipe"
    root.mkdir()
    recipe = write_with_features(root, WITH_FEATURES | {"recipe.yaml": recipe_yaml})
    recipe.run()
    facts = recipe.predict()
    scored = DeltaTable(facts["place"]).to_pandas()
    assert list(scored.columns) == ["house", "prediction", *FACTS]
    raw = pd.read_parquet(root / "raw" / "houses.parquet").set_index("house")
    expected = (raw["area"] + 10 * raw["rooms"]).loc[scored["house"]]
    assert scored["prediction"].to_numpy() == pytest.approx(expected.to_numpy())
    # Monitoring looks the features up again.
    (window,) = recipe.monitor()["windows"]
    assert (window["rows"], window["not_compared"]) == (len(scored), [])
    profile = DeltaTable(root / "monitoring" / "profile").to_pandas()
    assert {"area", "rooms", "prediction"} <= set(profile["column"])
    # A key of another type, or under another name, is told before any table is read.
    pd.DataFrame({"house": ["a"]}).to_csv(root / "odd.csv", index=False)
    with pytest.raises(GateRejected, match=r"retyped +house +int64 +str"):
        recipe.predict(PredictOptions(input=str(root / "odd.csv")))
    pd.DataFrame({"hause": [1]}).to_csv(root / "odd.csv", index=False)
    with pytest.raises(GateRejected, match=r"renamed\? +house +int64 +hause"):
        recipe.predict(PredictOptions(input=str(root / "odd.csv")))
    # The same keys with other features are another batch.
    pd.DataFrame({"house": [299, 299, 299]}).to_csv(root / "raw" / "visits.csv.gz", index=False)
    recipe.build_features(["own"])
    assert recipe.predict()["batch_id"] != facts["batch_id"]


def suite(name: str, kind: str, **kwargs: Any) -> tuple[str, str]:
    expected = {"type": kind, "kwargs": kwargs, "severity": "critical"}
    return f"{name}.json", json.dumps({"name": name, "expectations": [expected]}, indent=1)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        suite("scoring", "expect_column_values_to_be_between", column="rooms", max_value=7),
        suite(
            "predictions", "expect_column_values_to_be_between", column="probability", max_value=0
        ),
    ],
    ids=["rows", "predictions"],
)
def test_what_is_not_as_expected_never_reaches_the_table(
    trained: Path, tmp_path: Path, file: str, content: str
) -> None:
    root = shutil.copytree(trained, tmp_path / "recipe")
    (root / "expectations").mkdir()
    (root / "expectations" / file).write_text(content)
    recipe, place = Recipe("local", root), tmp_path / "table"
    with pytest.raises(
        GateRejected, match=rf"expectations/{file}:4: .* rows .* are not so"
    ) as caught:
        recipe.predict(PredictOptions(output=str(place)))
    assert "are in .mlrecipes/quarantine/local/" in str(caught.value)
    assert not place.exists()


def test_gaps_are_held_against_those_of_the_training(trained: Path, tmp_path: Path) -> None:
    recipe = Recipe("local", trained)
    recipe.predict(PredictOptions(output=str(tmp_path / "table")))
    found = recipe.get_artifact("scoring_data_quality")["scoring"]["results"]
    expected = {one["expectation_config"]["description"] for one in found}
    assert "area is missing in at most 5.0% of the rows (training: 0.0%)" in expected
