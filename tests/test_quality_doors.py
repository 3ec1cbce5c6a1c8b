"""Doors of a recipe: what stops it, what only warns, and what is not looked at again."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrecipes import ConfigError, Recipe
from mlrecipes.errors import GateRejected
from mlrecipes.execution import Event
from mlrecipes.records import Action
from tests.conftest import REGRESSION, write_project
from tests.test_feature_recipe import FILES, write

HOUSE = "expect_column_values_to_be_unique"
ROOMS = "expect_column_values_to_be_between"


def suite(*expectations: Mapping[str, Any]) -> str:
    return json.dumps({"name": "s", "expectations": list(expectations)}, indent=1)


def expectation(kind: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs, "severity": severity}


def project(root: Path, training: str, recipe: str = "") -> Recipe:
    files = REGRESSION | {"expectations/training.json": training}
    write_project(root, files | {"recipe.yaml": REGRESSION["recipe.yaml"] + recipe})
    return Recipe("local", root)


def test_a_critical_failure_stops_the_step_and_says_all_that_is_needed(tmp_path: Path) -> None:
    root = tmp_path / "my recipe"
    recipe = project(root, suite(expectation(ROOMS, column="rooms", min_value=1, max_value=7)))
    with pytest.raises(GateRejected) as caught:
        recipe.run("ingest")
    n_bad = int((pd.read_csv(root / "houses.csv")["rooms"] > 7).sum())
    assert caught.value.exit_code == 3
    assert str(caught.value).splitlines() == [
        "training: 1 critical expectation is not met (400 rows were looked at).",
        "  expectations/training.json:4: rooms is between 1 and 7: "
        f"{n_bad} of 400 rows ({100 * n_bad / 400:.3g}%) are not so, such as '9'.",
        f"  The offending rows ({n_bad}) are in .mlrecipes/quarantine/local/training.parquet",
        "  Look: mlrecipes inspect ingest. Mend the data, or change the expectation.",
    ]
    kept = pd.read_parquet(root / ".mlrecipes" / "quarantine" / "local" / "training.parquet")
    assert set(kept["rooms"]) == {8}
    assert set(kept["failed_expectations"]) == {f"{ROOMS} rooms"}


def test_the_card_of_a_rejected_step_shows_what_was_found(tmp_path: Path) -> None:
    recipe = project(tmp_path, suite(expectation(ROOMS, column="rooms", max_value=7)))
    with pytest.raises(GateRejected):
        recipe.run("ingest")
    facts = recipe.inspect("ingest").facts
    assert facts["status"] == "rejected"
    (section,) = facts["sections"]
    assert section["title"] == "Data Quality"
    (row,) = section["blocks"][1]["rows"]
    assert row[:2] == ["critical", "rooms is at most 7"]


def test_a_warning_goes_on_the_card_and_the_run_goes_on(tmp_path: Path) -> None:
    bad = expectation(ROOMS, "warning", column="rooms", max_value=7)
    recipe = project(tmp_path, suite(bad, expectation(HOUSE, column="house")))
    told: list[Event] = []
    recipe.run("ingest", on_event=told.append)
    warned = [event.text for event in told if event.kind == "warning"]
    assert len(warned) == 1
    assert "training: 1 of 3 expectations are not met: rooms is at most 7" in warned[0]
    assert "Data Quality" in [one["title"] for one in recipe.inspect("ingest").facts["sections"]]
    results = recipe.get_artifact("data_quality")["training"]
    assert results["statistics"]["unsuccessful_expectations"] == 1
    assert not (tmp_path / ".mlrecipes" / "quarantine").exists()


def test_an_edited_suite_runs_the_step_again_and_the_plan_says_why(tmp_path: Path) -> None:
    recipe = project(tmp_path, suite(expectation(HOUSE, column="house")))
    recipe.run("ingest")
    assert recipe.plan("ingest")[0].action is Action.CACHED
    changed = suite(expectation(HOUSE, "warning", column="house"))
    (tmp_path / "expectations" / "training.json").write_text(changed)
    decision = recipe.plan("ingest")[0]
    assert (decision.action, decision.because) == (
        Action.RUN,
        "expectations/training.json changed",
    )


def test_what_could_not_be_checked_does_not_pass(tmp_path: Path) -> None:
    recipe = project(tmp_path, suite(expectation(HOUSE, column="hause")))
    with pytest.raises(
        GateRejected,
        match=r"could not be checked: there is no column 'hause'. Did you mean 'house'\?",
    ):
        recipe.run("ingest")


def test_too_few_rows_stop_a_recipe_with_a_suite_and_warn_one_without(tmp_path: Path) -> None:
    strict = "quality: {min_rows: {training: 500}}\n"
    recipe = project(tmp_path / "a", suite(expectation(HOUSE, column="house")), strict)
    with pytest.raises(GateRejected, match="there are at least 500 rows: seen: 400"):
        recipe.run("ingest")
    recipe = project(tmp_path / "b", suite(expectation(HOUSE, column="house")), strict)
    (tmp_path / "b" / "expectations" / "training.json").unlink()
    told: list[Event] = []
    recipe.run("ingest", on_event=told.append)
    assert [event.kind for event in told if "at least 500 rows" in event.text] == ["warning"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("trainin.json", "{}", r"expectations/trainin.json: belongs to no door.*'training'\?"),
        ("raw.x.json", suite(expectation(HOUSE, column="a")), "no raw table 'x'"),
        ("training.json", "{,", "expectations/training.json:1: is no JSON"),
        ("training.json", suite(), "would let anything pass"),
        (
            "training.json",
            suite(expectation("expect_column_values_to_be_uniq", column="a")),
            r"training.json:4: type is .* Did you mean 'expect_column_values_to_be_unique'\?",
        ),
        ("training.json", suite(expectation(HOUSE, colum="a")), "kwargs.column is missing"),
        (
            "training.json",
            suite(expectation(HOUSE, "fatal", column="a")),
            "training.json:4: severity is 'fatal'",
        ),
        ("training.json", suite(expectation(HOUSE, column="a", mostly=7)), "a share from 0 to 1"),
    ],
)
def test_a_wrong_suite_is_found_before_anything_runs(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    recipe = project(tmp_path, suite(expectation(HOUSE, column="house")))
    (tmp_path / "expectations" / name).write_text(content)
    with pytest.raises(ConfigError, match=message):
        recipe.check()


def test_suites_hold_for_the_tables_of_all_sets_whichever_is_built(tmp_path: Path) -> None:
    key = suite(expectation(HOUSE, column="house"))
    names = ("raw.houses", "raw.visits", "features.houses", "features.visits")
    write(tmp_path, FILES | {f"expectations/{name}.json": key for name in names})
    ours = Recipe("local", tmp_path, {"SETS": "[own]"})
    ours.check()
    ours.build_features(["agency"])
    with pytest.raises(GateRejected, match=r"raw\.visits\.json:4: house is never there twice"):
        ours.build_features()
    (tmp_path / "expectations" / "features.visit.json").write_text(key)
    with pytest.raises(ConfigError, match=r"no feature table 'visit'. Did you mean 'visits'\?"):
        ours.check()


def test_raw_and_feature_tables_pass_doors_of_their_own(tmp_path: Path) -> None:
    key = expectation(HOUSE, column="house")
    foreign = expectation(
        "expect_column_values_to_exist_in_other_table",
        column="house",
        other_table="houses",
        other_column="house",
    )
    suites = {
        "expectations/raw.houses.json": suite(key),
        "expectations/raw.visits.json": suite(foreign),
        "expectations/features.visits.json": suite(
            key, expectation(ROOMS, column="n_visits", max_value=9)
        ),
    }
    recipe = write(tmp_path, FILES | suites)
    recipe.check()
    recipe.run("features")
    found = recipe.get_artifact("feature_data_quality")
    assert {name: one["success"] for name, one in found.items()} == {
        "raw.houses": True,
        "raw.visits": True,
        "features.visits": True,
    }
    # Rows that break the feature table's suite never become visible.
    path = tmp_path / "expectations" / "features.visits.json"
    path.write_text(suite(key, expectation(ROOMS, column="n_visits", max_value=0)))
    with pytest.raises(GateRejected, match=r"features.visits: 1 critical"):
        recipe.run("features")
    visits = pd.read_csv(tmp_path / "raw" / "visits.csv.gz")
    pd.concat([visits, visits]).assign(house=5_000).to_csv(
        tmp_path / "raw" / "visits.csv.gz", index=False
    )
    with pytest.raises(GateRejected, match=r"raw.visits: 1 critical.*\n.*among house of houses"):
        recipe.run("features")


def test_what_passed_is_not_looked_at_again(tmp_path: Path) -> None:
    suites = {"expectations/raw.houses.json": suite(expectation(HOUSE, column="house"))}
    recipe = write(tmp_path, FILES | suites)
    recipe.run("features")
    memory = tmp_path / ".mlrecipes" / "cache" / "quality"
    (kept,) = memory.iterdir()
    kept.write_text(kept.read_text().replace('"n_rows": 300', '"n_rows": 299'))
    recipe.run("features", from_step="features")
    assert recipe.get_artifact("feature_data_quality")["raw.houses"]["meta"]["n_rows"] == 299
    kept.write_text("{")  # what cannot be read is looked at anew
    recipe.run("features", from_step="features")
    assert recipe.get_artifact("feature_data_quality")["raw.houses"]["meta"]["n_rows"] == 300


def test_data_docs_are_rendered_where_the_recipe_asks_for_them(tmp_path: Path) -> None:
    asked = "quality: {data_docs: true}\n"
    recipe = project(tmp_path, suite(expectation(HOUSE, column="house")), asked)
    recipe.run("ingest")
    assert (tmp_path / ".mlrecipes" / "data_docs" / "local" / "index.html").is_file()


def test_examples_are_shown_where_the_recipe_asks_for_them(tmp_path: Path) -> None:
    bad = suite(expectation(ROOMS, column="rooms", max_value=7))
    recipe = project(tmp_path, bad, "quality: {examples: shown}\n")
    with pytest.raises(GateRejected, match="such as '8'"):
        recipe.run("ingest")


def test_the_results_and_the_training_profile_lie_in_the_run(tmp_path: Path) -> None:
    import mlflow.artifacts

    from mlrecipes.stores.models import model_profile

    recipe = project(tmp_path, suite(expectation(HOUSE, column="house")))
    recipe.run("train")
    run = recipe.get_artifact("run")
    uri = f"{run.info.artifact_uri}/ingest/data_quality.json"
    said = json.loads(mlflow.artifacts.load_text(uri))
    assert said["training"]["success"]
    path = recipe.artifact_path("model")
    assert path is not None
    profile = model_profile(path)
    assert profile is not None
    assert set(profile["columns"]) == {"rooms", "area"}
    assert profile["columns"]["rooms"]["null_share"] == 0
