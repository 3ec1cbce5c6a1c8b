"""A recipe with feature tables, from raw tables to scores made of keys alone."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes import ConfigError, Recipe
from mlrecipes.errors import DataError
from mlrecipes.records import Action
from mlrecipes.stores.feature_tables import LocalFeatureStore

FILES = {
    "recipe.yaml": """\
recipe: regression/v1
target_col: price
id_cols: [house]
steps:
  features:
    sets: {{ SETS }}
    location: raw
  ingest:
    using: csv
    location: sold.csv
    columns: [house, price]
    feature_lookups:
      - {table_name: houses, lookup_key: house}
      - {table_name: visits, lookup_key: house}
  ingest_scoring: {using: csv, location: unsold.csv}
  split: {using: hash, key_cols: [house]}
  transform: {transformer_method: transformer_fn}
  train: {estimator_method: estimator_fn}
  evaluate: {validation_criteria: [{metric: root_mean_squared_error, threshold: 9}]}
model_registry: {model_name: houses}
""",
    "profiles/local.yaml": "SETS: [agency, own]\n",
    "features/agency/houses.sql": """\
/*
description: What is built.
owner: agency
primary_keys: [house]
*/
SELECT CAST(house AS BIGINT) AS house, CAST(rooms AS BIGINT) AS rooms, CAST(area AS DOUBLE) AS area
FROM houses
""",
    "features/own/visits.sql": """\
/*
description: Who came to see it.
owner: us
primary_keys: [house]
*/
SELECT CAST(house AS BIGINT) AS house, CAST(COUNT(*) AS BIGINT) AS n_visits
FROM visits GROUP BY house
""",
    "steps/transform.py": """\
from sklearn.impute import SimpleImputer


def transformer_fn():
    return SimpleImputer(strategy="constant", fill_value=0.0)
""",
    "steps/train.py": """\
from sklearn.linear_model import LinearRegression


def estimator_fn():
    return LinearRegression()
""",
}


def write(root: Path, files: Mapping[str, str] = FILES) -> Recipe:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    random = np.random.default_rng(0)
    houses = pd.DataFrame(
        {
            "house": np.arange(300),
            "rooms": random.integers(1, 9, 300),
            "area": random.uniform(30, 200, 300),
        }
    )
    # Nearly all houses that are for sale were visited, but few of those that were sold.
    visited = np.repeat(np.r_[0:60, 200:300], random.integers(1, 4, 160))
    price = houses["area"] + 10 * houses["rooms"]
    (root / "raw").mkdir()
    houses.to_parquet(root / "raw" / "houses.parquet")
    pd.DataFrame({"house": visited}).to_csv(root / "raw" / "visits.csv.gz", index=False)
    sold = houses.assign(price=price, note="x").head(200)
    sold.to_csv(root / "sold.csv", index=False)
    houses[["house"]].tail(100).to_csv(root / "unsold.csv", index=False)
    return Recipe("local", root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "my recipe"
    root.mkdir()
    return root


def actions(recipe: Recipe, step: str = "ingest") -> dict[str, Action]:
    return {outcome.step: outcome.action for outcome in recipe.run(step)}


def test_features_are_built_looked_up_and_fetched_again_for_scoring(root: Path) -> None:
    recipe = write(root)
    recipe.run()
    ingested = recipe.get_artifact("ingested_data")
    assert list(ingested.columns) == ["house", "price", "rooms", "area", "n_visits"]
    keys = pd.DataFrame({"house": [250, 3, 250]}, index=[7, 8, 9])
    scored = recipe.score_batch(keys)
    raw = pd.read_parquet(root / "raw" / "houses.parquet").set_index("house")
    expected = (raw["area"] + 10 * raw["rooms"]).loc[[250, 3, 250]]
    assert list(scored.index) == [7, 8, 9]
    assert scored["prediction"].to_numpy() == pytest.approx(expected.to_numpy())


def test_a_second_run_has_nothing_to_do(root: Path) -> None:
    recipe = write(root)
    recipe.run("ingest")
    assert set(actions(recipe).values()) == {Action.CACHED}
    assert [decision.action for decision in recipe.plan("ingest")] == [Action.CACHED] * 2


def test_a_changed_definition_rebuilds_its_table_and_no_other(root: Path) -> None:
    recipe = write(root)
    recipe.run("ingest")
    store = LocalFeatureStore(root / ".mlrecipes" / "feature_tables", root / "tmp")
    before = {name: store.find(name) for name in store.names()}
    path = root / "features" / "own" / "visits.sql"
    path.write_text(path.read_text().replace("n_visits", "visits"))
    assert "features/own/visits.sql changed" in recipe.plan("ingest")[0].because
    assert actions(recipe) == {"features": Action.RUN, "ingest": Action.RUN}
    after = {name: store.find(name) for name in store.names()}
    assert after["houses"] == before["houses"]
    assert after["visits"].features == ("visits",)  # type: ignore[union-attr]


def test_a_comment_in_a_definition_changes_nothing(root: Path) -> None:
    recipe = write(root)
    recipe.run("ingest")
    path = root / "features" / "own" / "visits.sql"
    path.write_text(path.read_text() + "\n-- that is all\n")
    assert set(actions(recipe).values()) == {Action.CACHED}


def test_changed_raw_rows_replace_those_of_the_table(root: Path) -> None:
    recipe = write(root)
    recipe.run("ingest")
    pd.DataFrame({"house": [5, 5, 5]}).to_csv(root / "raw" / "visits.csv.gz", index=False)
    assert "raw/visits.csv.gz changed" in recipe.plan("ingest")[0].because
    recipe.run("ingest")
    visits = recipe.get_artifact("ingested_data").set_index("house")["n_visits"]
    assert visits.dropna().to_dict() == {5: 3.0}


@pytest.mark.parametrize("what", ["dropped", "written"])
def test_a_table_that_others_touched_is_looked_at_again(root: Path, what: str) -> None:
    recipe = write(root)
    recipe.run("ingest")
    store = LocalFeatureStore(root / ".mlrecipes" / "feature_tables", root / "tmp")
    if what == "dropped":
        store.drop("visits")
    else:
        rows = store.read("visits")
        store.upsert("visits", rows.slice(0, 1).set_column(1, "n_visits", [[99]]))
    assert "feature table visits" in recipe.plan("ingest")[0].because
    recipe.run("ingest")
    assert set(actions(recipe).values()) == {Action.CACHED}


def test_one_set_is_built_alone(root: Path) -> None:
    recipe = write(root)
    recipe.build_features(["agency"])
    store = LocalFeatureStore(root / ".mlrecipes" / "feature_tables", root / "tmp")
    assert store.names() == ["houses"]
    recipe.build_features(["own"])
    assert store.names() == ["houses", "visits"]


def test_tables_of_another_team_are_taken_as_they_are(root: Path) -> None:
    write(root).build_features(["agency"])
    recipe = Recipe("local", root, {"SETS": "[own]"})
    recipe.run("ingest")
    assert recipe.get_artifact("ingested_data")["area"].notna().all()
    store = LocalFeatureStore(root / ".mlrecipes" / "feature_tables", root / "tmp")
    store.upsert("houses", store.read("houses").slice(0, 1).set_column(1, "rooms", [[99]]))
    assert "feature table houses changed" in recipe.plan("ingest")[1].because


def test_a_table_that_nobody_built_is_named_with_the_next_command(root: Path) -> None:
    write(root)
    with pytest.raises(DataError, match="the feature store has no table houses; it has visits"):
        Recipe("local", root, {"SETS": "[own]"}).run("ingest")


def test_an_unknown_set_is_told_before_anything_runs(root: Path) -> None:
    write(root)
    with pytest.raises(ConfigError, match=r"features/onw: is no folder. Did you mean 'own'\?"):
        Recipe("local", root, {"SETS": "[onw]"}).run("ingest")


def test_a_query_that_is_wrong_is_told_by_check(root: Path) -> None:
    query = FILES["features/own/visits.sql"].replace("COUNT(*)", "MODE(house)")
    recipe = write(root, FILES | {"features/own/visits.sql": query})
    with pytest.raises(ConfigError, match=r"features/own/visits.sql: uses MODE"):
        recipe.check()


def test_a_missing_raw_table_is_named_with_its_reader(root: Path) -> None:
    recipe = write(root)
    (root / "raw" / "visits.csv.gz").unlink()
    with pytest.raises(DataError, match="raw table 'visits', which 'visits' is made of"):
        recipe.run("ingest")


def test_a_feature_that_the_transformer_drops_is_an_error(root: Path) -> None:
    transform = """\
from sklearn.compose import ColumnTransformer


def transformer_fn():
    return ColumnTransformer([("kept", "passthrough", ["rooms", "area"])])
"""
    recipe = write(root, FILES | {"steps/transform.py": transform})
    with pytest.raises(DataError, match=r"1 looked-up feature never reaches.*'n_visits'"):
        recipe.run("transform")


def test_the_card_says_where_training_and_scoring_differ(root: Path) -> None:
    recipe = write(root)
    recipe.run("ingest")
    section = next(s for s in recipe.inspect("ingest").facts["sections"] if "Lookups" in s["title"])
    table, warning, missing = section["blocks"]
    assert table["rows"][1] == ["visits", table["rows"][1][1], 1, "30.0%", "100.0%", "+70.0"]
    assert table["emphasis"] == [1]
    assert warning["text"].startswith("visits knows 30.0% of the rows to train on and 100.0%")
    assert missing["rows"][0] == ["n_visits", "70.0%", "0.0%", "-70.0"]


def test_the_model_knows_its_lookups(root: Path) -> None:
    from mlrecipes.stores.models import model_lookups

    recipe = write(root)
    recipe.run()
    path = recipe.artifact_path("model")
    assert path is not None
    assert [lookup.table for lookup in model_lookups(path)] == ["houses", "visits"]
    assert "houses@" in recipe.get_artifact("run").data.tags["mlrecipes.feature_tables"]


def test_scoring_without_a_key_names_it(root: Path) -> None:
    recipe = write(root)
    recipe.run()
    with pytest.raises(DataError, match=r"needs 1 more columns of the rows: 'house'"):
        recipe.score_batch(pd.DataFrame({"hause": [1]}))


def test_a_reset_drops_the_tables_of_the_recipe_and_no_others(root: Path) -> None:
    write(root).run("ingest")
    store = LocalFeatureStore(root / ".mlrecipes" / "feature_tables", root / "tmp")
    recipe = Recipe("local", root, {"SETS": "[own]"})
    listed = [(part.kind, part.name) for part in recipe.plan_reset().goes]
    assert listed == [("feature table", "visits")]
    assert store.names() == ["houses", "visits"]
    recipe.reset()
    assert store.names() == ["houses"]
    write_again = Recipe("local", root)
    write_again.run()
    assert write_again.plan_reset().goes[-1].name == "visits"


def test_a_killed_build_goes_on_with_the_next_table(root: Path) -> None:
    """The first table is there; the second one's raw rows are broken, as if it was killed."""
    recipe = write(root)
    whole = (root / "raw" / "visits.csv.gz").read_bytes()
    (root / "raw" / "visits.csv.gz").write_bytes(whole[:20])
    with pytest.raises(Exception, match="visits"):
        recipe.run("ingest")
    store = LocalFeatureStore(root / ".mlrecipes" / "feature_tables", root / "tmp")
    first = store.find("houses")
    (root / "raw" / "visits.csv.gz").write_bytes(whole)
    recipe.run("ingest")
    assert store.find("houses") == first


def test_the_same_recipe_runs_on_spark(root: Path, spark: Any) -> None:
    """Features are computed, stored and joined there; the model is trained here."""
    stored = "feature_store: {using: spark, location: tables}\nsteps:\n"
    once = {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "house"}}
    known = {"column": "house", "other_table": "houses", "other_column": "house"}
    known_house = {"type": "expect_column_values_to_exist_in_other_table", "kwargs": known}
    suites = {"raw.visits": known_house, "features.visits": once}
    files = {
        f"expectations/{name}.json": json.dumps({"name": name, "expectations": [expected]})
        for name, expected in suites.items()
    }
    files["recipe.yaml"] = FILES["recipe.yaml"].replace("steps:\n", stored)
    recipe = write(root, FILES | files)
    recipe.run()
    found = recipe.get_artifact("feature_data_quality")
    assert {name: one["success"] for name, one in found.items()} == dict.fromkeys(suites, True)
    on_spark = recipe.get_artifact("ingested_data")
    here = root.parent / "here"
    here.mkdir()
    local = write(here)
    local.run("ingest")
    pd.testing.assert_frame_equal(on_spark, local.get_artifact("ingested_data"))
    assert LocalFeatureStore(root / "tables", root / "tmp").names() == ["houses", "visits"]
    scored = recipe.score_batch(pd.DataFrame({"house": [250, 3]}))
    assert scored["prediction"].notna().all()


def test_a_protected_feature_is_evaluated_and_never_asked_for_again(root: Path) -> None:
    recipe_file = FILES["recipe.yaml"].replace(
        "id_cols: [house]", "id_cols: [house]\nprotected_cols: [rooms]"
    )
    evaluate = "{slices: [rooms, area > 100], n_resamples: 20, min_slice_rows: 1}"
    recipe_file = recipe_file.replace(
        "{validation_criteria: [{metric: root_mean_squared_error, threshold: 9}]}", evaluate
    )
    recipe_file = recipe_file.replace(
        "  transform:", "  register: {allow_non_validated_model: true}\n  transform:"
    )
    recipe = write(root, FILES | {"recipe.yaml": recipe_file})
    recipe.run()
    assert "rooms" in recipe.get_artifact("ingested_data").columns
    slices = recipe.get_artifact("evaluation")["slices"]
    assert {"rooms", "area > 100"} == {group["slice"] for group in slices}
    (root / "raw" / "houses.parquet").unlink()
    scored = recipe.score_batch(pd.DataFrame({"house": [250, 3]}))
    assert list(scored.columns) == ["house", "prediction"]
    model = next((root / ".mlrecipes" / "objects").glob("train-*/model"))
    assert "rooms" not in (model / "MLmodel").read_text()
    assert "area" in (model / "MLmodel").read_text()
