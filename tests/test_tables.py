"""A notebook reads feature tables and predictions by name, wherever they lie."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrecipes import Recipe
from mlrecipes.errors import StoreError
from tests.conftest import CLASSIFICATION, houses, write_project
from tests.test_feature_recipe import write as write_with_features
from tests.test_predict import with_predict


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    recipe = write_with_features(tmp_path_factory.mktemp("tables") / "my recipe")
    recipe.build_features()
    return recipe


def test_feature_tables_are_read_by_their_names(recipe: Recipe) -> None:
    assert recipe.tables.names() == ["houses", "visits"]
    frame = recipe.tables.features("houses")
    assert list(frame.columns) == ["house", "rooms", "area"]
    assert frame["house"].is_unique


def test_keys_come_with_the_columns_that_are_asked_for(recipe: Recipe) -> None:
    assert list(recipe.tables.features("houses", ["area"]).columns) == ["house", "area"]


def test_a_feature_table_that_is_not_there_is_an_error(recipe: Recipe) -> None:
    with pytest.raises(StoreError, match="no feature table 'hauses'"):
        recipe.tables.features("hauses")


def test_predictions_are_those_of_all_batches(tmp_path: Path) -> None:
    root = write_project(tmp_path / "recipe", with_predict(CLASSIFICATION))
    rows = houses(500).tail(100).drop(columns=["price", "sold"])
    rows.to_csv(root / "for_sale.csv", index=False)
    recipe = Recipe("local", root)
    with pytest.raises(StoreError, match=r"no predictions at .*predictions yet") as caught:
        recipe.tables.predictions()
    assert caught.value.hint == "Score: mlrecipes predict"
    recipe.run()
    first = recipe.predict()
    rows.head(40).to_csv(root / "for_sale.csv", index=False)
    second = recipe.predict()
    sizes = recipe.tables.predictions().groupby("batch_id").size().to_dict()
    assert sizes == {first["batch_id"]: 100, second["batch_id"]: 40}


def test_a_recipe_that_predicts_nothing_says_where_to_say_it(classification: Path) -> None:
    with pytest.raises(StoreError, match="does not say where predictions go") as caught:
        _ = Recipe("local", root=classification).tables.predictions()
    assert caught.value.hint == "Say it in recipe.yaml: steps.predict.output."


def test_predictions_in_a_catalog_of_spark_are_read_too(
    spark: Any, classification: Path, tmp_path: Path
) -> None:
    rows = pd.DataFrame({"house": [1, 2], "probability": [0.25, 0.75]})
    rows.to_parquet(tmp_path / "rows.parquet")
    written = spark.read.parquet(f"file:{tmp_path}/rows.parquet").write.format("delta")
    written.saveAsTable("predictions_of_a_notebook")
    recipe = (classification / "recipe.yaml").read_text()
    output = "  predict: {using: table, location: predictions_of_a_notebook}\nmodel_registry:"
    (classification / "recipe.yaml").write_text(recipe.replace("model_registry:", output))
    try:
        found = Recipe("local", root=classification).tables.predictions()
    finally:
        spark.sql("DROP TABLE predictions_of_a_notebook")
    pd.testing.assert_frame_equal(found.sort_values("house", ignore_index=True), rows)


def test_destinations_are_what_mlflow_needs_to_be_told(classification: Path) -> None:
    profile = classification / "profiles" / "local.yaml"
    profile.write_text("MIN_AUC: 0.7\nexperiment: {tracking_uri: 'sqlite:///runs.db'}\n")
    to = Recipe("local", root=classification).destinations
    assert to.tracking_uri == f"sqlite:///{classification}/runs.db"
    assert to.registry_uri == to.tracking_uri
