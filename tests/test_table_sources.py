"""A recipe over a Delta table: the plan says when the table changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from mlrecipes import Recipe, RecipeError
from mlrecipes.errors import ConfigError
from tests.conftest import REGRESSION, houses, write_project

CSV = "{using: csv, location: houses.csv}"


def recipe_over(root: Path, ingest: str) -> Recipe:
    text = REGRESSION["recipe.yaml"].replace(CSV, ingest)
    return Recipe(
        profile="local", root=write_project(root / "prices", REGRESSION | {"recipe.yaml": text})
    )


def append(root: Path, n_rows: int) -> None:
    rows = pa.Table.from_pandas(houses(n_rows).drop(columns="sold"))
    write_deltalake(root / "prices" / "table", rows, mode="append")


def why_ingest(recipe: Recipe) -> str:
    return recipe.plan("ingest")[0].because


def test_a_commit_to_the_table_makes_ingest_stale(tmp_path: Path) -> None:
    recipe = recipe_over(tmp_path, "{using: delta, location: table}")
    append(tmp_path, 40)
    recipe.run("ingest")
    before = why_ingest(recipe)
    append(tmp_path, 20)
    assert "input table changed: version 0 -> 1" in why_ingest(recipe)
    recipe.run("ingest")
    assert len(recipe.get_artifact("ingested_data")) == 60
    assert why_ingest(recipe) == before


def test_a_pinned_version_stays_whatever_is_added(tmp_path: Path) -> None:
    recipe = recipe_over(tmp_path, "{using: delta, location: table, version: 0}")
    append(tmp_path, 40)
    recipe.run("ingest")
    before = why_ingest(recipe)
    append(tmp_path, 20)
    assert why_ingest(recipe) == before
    assert "delta-table://table, version 0" in recipe.inspect("ingest")._repr_html_()


def test_a_version_that_is_not_there_is_told_with_its_line(tmp_path: Path) -> None:
    recipe = recipe_over(tmp_path, "{using: delta, location: table, version: 5}")
    append(tmp_path, 40)
    with pytest.raises(
        RecipeError, match=r"recipe.yaml:5: table has no version 5; the newest is 0"
    ):
        recipe.run("ingest")


def test_a_filter_belongs_to_the_key_and_the_card_says_how_many_rows_it_left(
    tmp_path: Path,
) -> None:
    recipe = recipe_over(tmp_path, "{using: delta, location: table, filter: rooms >= 5}")
    append(tmp_path, 80)
    recipe.run("ingest")
    rooms = recipe.get_artifact("ingested_data")["rooms"]
    assert rooms.min() == 5
    assert f"{len(rooms)} of 80" in recipe.inspect("ingest")._repr_html_()
    path = tmp_path / "prices" / "recipe.yaml"
    path.write_text(path.read_text().replace("rooms >= 5", "rooms >= 6"))
    assert "steps.ingest.filter rooms >= 5 → rooms >= 6" in why_ingest(recipe)


@pytest.mark.parametrize("call", [Recipe.check, lambda recipe: recipe.run("ingest")])
def test_a_filter_that_engines_see_differently_is_told_with_its_line(
    tmp_path: Path, call: Callable[[Recipe], object]
) -> None:
    recipe = recipe_over(tmp_path, "{using: csv, location: houses.csv, filter: area / rooms > 3}")
    message = r"recipe.yaml:5: steps.ingest.filter divides by what may be zero.* NULLIF.rooms, 0."
    with pytest.raises(ConfigError, match=message):
        call(recipe)


def test_the_rows_to_score_come_from_a_table_as_of_a_version_on_spark(
    spark: Any, tmp_path: Path
) -> None:
    append(tmp_path, 40)
    append(tmp_path, 20)
    spark.sql(f"CREATE TABLE houses_to_score USING delta LOCATION '{tmp_path}/prices/table'")
    scoring = "{using: delta, location: default.houses_to_score, version: 0, columns: [house, area]"
    predict = "predict: {output: {using: parquet, location: out}}"
    text = f"{CSV}\n  ingest_scoring: {scoring}, filter: rooms > 4}}\n  {predict}"
    recipe = recipe_over(tmp_path, text)
    try:
        recipe.run("ingest_scoring")
    finally:
        spark.sql("DROP TABLE houses_to_score")
    rows = recipe.get_artifact("ingested_scoring_data")
    source = houses(40)
    assert sorted(rows["house"]) == source.loc[source["rooms"] > 4, "house"].tolist()
    assert list(rows) == ["house", "area"]
    card = recipe.inspect("ingest_scoring")._repr_html_()
    assert "spark://default.houses_to_score, version 0" in card
    assert "a plan does not see whether its tables changed since" in card
