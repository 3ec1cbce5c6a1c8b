"""A reset deletes what the recipe made with its profile, tells it, and goes on after a failure."""

import json
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from mlflow import MlflowClient

from mlrecipes import ConfigError, Recipe
from mlrecipes.cleaning import FoundExperiment, FoundRun
from mlrecipes.errors import StoreError, TryAgain
from mlrecipes.feature_records import FeatureTable
from mlrecipes.planning import Project, open_project
from mlrecipes.project_facts import mark_of
from mlrecipes.records import Action
from mlrecipes.reset import Reset
from mlrecipes.reset_look import Cleaners, scope_of
from mlrecipes.stores.lock import workspace_lock
from mlrecipes.stores.mlflow_client import open_client
from mlrecipes.testing import MemoryFeatureStore, MemoryRegistry, MemoryRunArchive
from tests.conftest import REGRESSION, write_project

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
HOUSES = FoundExperiment("7", "my recipe")


@pytest.fixture
def project(regression: Path) -> Project:
    return open_project(regression, "local")


@pytest.fixture
def world(project: Project) -> Cleaners:
    """One run, one version with an alias, in memory."""
    registry = MemoryRegistry()
    registry.register("houses", "a", "train/model", {})
    registry.set_alias("houses", "challenger", "1")
    run = FoundRun("a", "7", mark=mark_of(project))
    return Cleaners(MemoryRunArchive([HOUSES], [run]), registry)


def reset(project: Project, world: Cleaners, **more: Any) -> Reset:
    return Reset(project, world, user="ann", now=lambda: NOON, **more)


def log(project: Project) -> list[tuple[str, str, str]]:
    lines = (project.workspace / "reset.log").read_text().splitlines()
    return [(line["what"], line["name"], line["outcome"]) for line in map(json.loads, lines)]


# ---- in memory --------------------------------------------------------------------------------


def test_a_plan_changes_nothing(project: Project, world: Cleaners) -> None:
    plan = reset(project, world).plan()
    assert [str(part) for part in plan.goes] == [
        "alias challenger",
        "version 1",
        "model houses",
        "run a",
        "experiment my recipe",
    ]
    assert not project.workspace.exists()
    assert reset(project, world).plan() == plan


def test_all_that_was_planned_is_deleted(project: Project, world: Cleaners) -> None:
    plan = reset(project, world).plan()
    assert reset(project, world).carry_out() == plan
    assert reset(project, world).plan().goes == ()


def test_the_name_of_a_deleted_experiment_is_free(project: Project, world: Cleaners) -> None:
    reset(project, world).carry_out()
    assert isinstance(world.runs, MemoryRunArchive)
    assert world.runs.names == {"7": "my recipe (reset 2026-01-02T120000Z)"}


def test_the_intent_is_logged_before_anything_goes(project: Project, world: Cleaners) -> None:
    reset(project, world).carry_out()
    parts = [
        ("alias", "challenger"),
        ("version", "1"),
        ("model", "houses"),
        ("run", "a"),
        ("experiment", "my recipe"),
    ]
    planned = [(*part, "planned") for part in parts]
    deleted = [(*part, "deleted") for part in parts]
    renamed = ("experiment", "my recipe", "renamed")
    assert log(project) == [*planned, *deleted[:-1], renamed, deleted[-1]]


def test_a_line_of_the_log_says_who_when_and_where_without_secrets(
    regression: Path, world: Cleaners
) -> None:
    there = {"MLFLOW_TRACKING_URI": "https://ann:secret@mlflow.example.org?token=abc"}
    project = open_project(regression, "local", environment=there)
    reset(project, world).carry_out()
    text = (project.workspace / "reset.log").read_text()
    assert json.loads(text.splitlines()[0]) == {
        "at_utc": "2026-01-02T12:00:00+00:00",
        "user": "ann",
        "profile": "local",
        "what": "alias",
        "name": "challenger",
        "id": "houses",
        "detail": "1",
        "where": "https://***@mlflow.example.org",
        "outcome": "planned",
    }
    written = text + (project.workspace / "resets.json").read_text()
    assert "secret" not in written
    assert "abc" not in written


def test_a_reset_with_nothing_to_do_writes_no_log(project: Project) -> None:
    nothing = Cleaners(MemoryRunArchive(), MemoryRegistry(), MemoryFeatureStore())
    plan = reset(project, nothing).carry_out()
    assert (plan.goes, plan.stays) == ((), ())
    assert not (project.workspace / "reset.log").exists()
    assert not (project.workspace / "resets.json").exists()


def test_only_feature_tables_of_the_recipe_go(project: Project) -> None:
    store = MemoryFeatureStore()
    for name in ("bureau", "weather"):
        store.create(FeatureTable(name, ("house",)), pa.table({"house": [1, 2]}))
    world = Cleaners(MemoryRunArchive(), MemoryRegistry(), store)
    plan = reset(project, world, tables=("bureau", "never_made")).carry_out()
    assert [str(part) for part in plan.goes] == ["feature table bureau"]
    assert [part.name for part in plan.stays] == ["weather"]
    assert store.names() == ["weather"]
    assert list(store.rows) == ["weather"]


def test_a_failure_tells_what_is_done_and_left_and_the_next_call_goes_on(
    project: Project, world: Cleaners
) -> None:
    registry = world.models
    assert isinstance(registry, MemoryRegistry)
    registry.refuses = {"delete_model"}
    with pytest.raises(StoreError, match="Could not delete model: not allowed") as caught:
        reset(project, world).carry_out()
    assert "Deleted: 1 alias, 1 version. Left: 1 model, 1 run, 1 experiment." in str(caught.value)
    assert "The same command goes on from here" in str(caught.value)
    assert log(project)[-1] == ("model", "houses", "failed")

    registry.refuses = set()
    went = [str(part) for part in reset(project, world).carry_out().goes]
    assert went == ["model houses", "run a", "experiment my recipe"]


def test_an_experiment_that_was_renamed_and_not_deleted_is_deleted_the_next_time(
    project: Project, world: Cleaners
) -> None:
    archive = world.runs
    assert isinstance(archive, MemoryRunArchive)
    archive.refuses = {"delete_experiment"}
    with pytest.raises(StoreError, match="Left: 1 experiment"):
        reset(project, world).carry_out()
    archive.refuses = set()
    reset(project, world).carry_out()
    assert archive.names == {"7": "my recipe (reset 2026-01-02T120000Z)"}
    assert "7" in archive.deleted
    assert reset(project, world).plan().goes == ()


def test_a_busy_workspace_is_not_reset(project: Project, world: Cleaners) -> None:
    with workspace_lock(project.workspace), pytest.raises(TryAgain, match="is busy") as caught:
        reset(project, world).carry_out()
    assert caught.value.exit_code == 75
    assert len(reset(project, world).plan().goes) == 5


# ---- what belongs to a recipe -------------------------------------------------------------------


def with_experiment(root: Path, text: str) -> Path:
    recipe = root / "recipe.yaml"
    recipe.write_text(f"{recipe.read_text()}experiment: {text}\n")
    return root


def test_a_recipe_that_names_no_experiment_may_have_runs_anywhere(project: Project) -> None:
    scope = scope_of(project)
    assert (scope.experiment_name, scope.looks_everywhere) == ("my recipe", True)


def test_a_recipe_that_names_its_experiment_has_runs_there_only(regression: Path) -> None:
    scope = scope_of(open_project(with_experiment(regression, "{name: homes}"), "local"))
    assert (scope.experiment_name, scope.looks_everywhere) == ("homes", False)
    assert scope.is_named_by_id is False


def test_an_experiment_by_id_is_known_as_such(regression: Path) -> None:
    scope = scope_of(open_project(with_experiment(regression, "{id: 12}"), "local"))
    assert (scope.experiment_name, scope.experiment_ids) == (None, ("12",))
    assert scope.is_named_by_id is True


def test_databricks_is_not_searched_for_experiments(regression: Path) -> None:
    inside = {
        "MLFLOW_TRACKING_URI": "databricks",
        "MLFLOW_EXPERIMENT_ID": "99",
        "MLFLOW_RUN_ID": "a",
    }
    scope = scope_of(open_project(regression, "local", environment=inside))
    assert (scope.looks_everywhere, scope.experiment_ids) == (False, ("99",))
    assert scope.is_named_by_id is False


def test_profiles_and_folders_have_marks_of_their_own(regression: Path, tmp_path: Path) -> None:
    (regression / "profiles" / "prod.yaml").write_text("MAX_RMSE: 5.0\n")
    local, prod = (mark_of(open_project(regression, name)) for name in ("local", "prod"))
    assert local.recipe_id == prod.recipe_id
    assert local != prod
    elsewhere = open_project(write_project(tmp_path / "other" / "my recipe", REGRESSION), "local")
    assert mark_of(elsewhere).recipe_id != local.recipe_id


def test_clones_of_a_repository_have_one_mark_and_its_folders_have_several(tmp_path: Path) -> None:
    ids = set()
    for name, remote in (("one", "git@example.org:a/b.git"), ("two", "https://example.org/a/b")):
        clone = write_project(tmp_path / name, REGRESSION)
        for words in (["init", "-q"], ["remote", "add", "origin", remote]):
            subprocess.run(["git", *words], cwd=clone, check=True)  # noqa: S607 - as users find it
        ids.add(mark_of(open_project(clone, "local")).recipe_id)
    inner = write_project(clone / "recipes" / "inner", REGRESSION)
    assert len(ids) == 1
    assert mark_of(open_project(inner, "local")).recipe_id not in ids


# ---- in a real MLflow ----------------------------------------------------------------------------


@pytest.fixture
def client(regression: Path) -> MlflowClient:
    uri = f"sqlite:///{regression / 'mlflow.db'}"
    return open_client(uri, uri)


NewRun = Callable[..., str]


@pytest.fixture
def new_run(project: Project, client: MlflowClient) -> NewRun:
    """Make a run of this recipe, as its training marks it."""

    def make(experiment_id: str, **tags: str) -> str:
        run = client.create_run(experiment_id, tags={**mark_of(project).tags, **tags})
        return str(run.info.run_id)

    return make


def is_active(client: MlflowClient, run_id: str) -> bool:
    return bool(client.get_run(run_id).info.lifecycle_stage == "active")


def test_what_others_made_in_the_same_database_stays(
    regression: Path, client: MlflowClient, new_run: NewRun
) -> None:
    mine, theirs = client.create_experiment("my recipe"), client.create_experiment("theirs")
    ours, other = new_run(mine), str(client.create_run(theirs).info.run_id)
    prod = new_run(theirs, **{"mlflow.pipeline.profile.name": "prod"})
    for name in ("houses", "flats"):
        client.create_registered_model(name)
        client.create_model_version(name, "file:///nowhere")
        client.set_registered_model_alias(name, "champion", "1")

    Recipe("local", regression).reset()
    assert [is_active(client, run_id) for run_id in (ours, other, prod)] == [False, True, True]
    assert [model.name for model in client.search_registered_models()] == ["flats"]
    assert client.get_registered_model("flats").aliases == {"champion": 1}
    assert {one.name for one in client.search_experiments()} == {"Default", "theirs"}
    assert Recipe("local", regression).reset().goes == ()


def test_runs_below_a_run_of_the_project_go_with_it_wherever_they_lie(
    regression: Path, client: MlflowClient, new_run: NewRun
) -> None:
    project = {"mlflow.source.type": "PROJECT"}
    parent = str(client.create_run("0", tags=project).info.run_id)
    mixed = str(client.create_run("0", tags=project).info.run_id)
    children = [new_run("0", **{"mlflow.parentRunId": above}) for above in (parent, mixed)]
    other = client.create_run("0", tags={"mlflow.parentRunId": mixed}).info.run_id

    plan = Recipe("local", regression).reset()
    assert [is_active(client, run_id) for run_id in (parent, *children)] == [False] * 3
    assert [is_active(client, run_id) for run_id in (mixed, other)] == [True] * 2
    assert ("Default", "it is MLflow's Default experiment") in [
        (part.name, part.why) for part in plan.stays
    ]


def test_the_run_that_the_reset_is_recorded_in_stays(
    regression: Path, client: MlflowClient, new_run: NewRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = client.create_experiment("jobs")
    active = str(client.create_run(here, tags={"mlflow.source.type": "PROJECT"}).info.run_id)
    child = new_run(here, **{"mlflow.parentRunId": active})
    monkeypatch.setenv("MLFLOW_RUN_ID", active)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", here)
    plan = Recipe("local", regression).reset()
    assert (is_active(client, active), is_active(client, child)) == (True, False)
    assert {part.why for part in plan.stays} == {"this reset runs in it"}


def test_a_database_that_refuses_in_the_middle_is_told_and_gone_on_with(
    regression: Path, client: MlflowClient, new_run: NewRun
) -> None:
    here = client.create_experiment("my recipe")
    run_id = new_run(here)
    client.create_registered_model("houses")
    with sqlite3.connect(regression / "mlflow.db") as database:
        database.execute(
            "CREATE TRIGGER kept BEFORE UPDATE OF lifecycle_stage ON runs "
            "BEGIN SELECT RAISE(ABORT, 'runs are kept'); END"
        )
    with pytest.raises(StoreError, match="runs are kept") as caught:
        Recipe("local", regression).reset()
    assert "Deleted: 1 model. Left: 1 run, 1 experiment." in str(caught.value)
    with sqlite3.connect(regression / "mlflow.db") as database:
        database.execute("DROP TRIGGER kept")
    assert len(Recipe("local", regression).reset().goes) == 2
    assert not is_active(client, run_id)


def test_after_a_reset_a_run_trains_again_and_registers_version_1(regression: Path) -> None:
    recipe = Recipe("local", regression)
    recipe.run()
    first = recipe.get_artifact("run").info.run_id
    recipe.reset()
    assert {d.step: d.because for d in recipe.plan()}["train"].startswith("its runs went in")
    outcomes = {outcome.step: outcome.action for outcome in recipe.run()}
    assert (outcomes["transform"], outcomes["train"]) == (Action.CACHED, Action.RUN)
    assert recipe.get_artifact("registered_model_version").version == 1
    assert recipe.get_artifact("run").info.run_id != first
    assert {outcome.action for outcome in recipe.run()} == {Action.CACHED}


# ---- protected profiles --------------------------------------------------------------------------


@pytest.fixture
def protected(regression: Path, client: MlflowClient) -> Path:
    client.create_registered_model("houses")
    (regression / "profiles" / "prod.yaml").write_text("MAX_RMSE: 5.0\n\nprotected: true\n")
    return regression


def test_a_protected_profile_asks_for_the_models_name(protected: Path) -> None:
    recipe = Recipe("prod", protected)
    assert len(recipe.plan_reset().goes) == 1
    with pytest.raises(ConfigError) as caught:
        recipe.reset()
    assert str(caught.value) == (
        "profiles/prod.yaml:3: protected is true. Nothing was deleted.\n"
        "  Type the name of the registered model too: --yes --model-name NAME"
    )
    assert len(recipe.reset("houses").goes) == 1


def test_a_wrong_name_is_refused_and_the_right_one_is_not_told(protected: Path) -> None:
    for profile in ("prod", "local"):
        with pytest.raises(ConfigError, match=r"recipe\.yaml:14: .*is not 'flats', which was"):
            Recipe(profile, protected).reset("flats")
    assert len(Recipe("prod", protected).plan_reset().goes) == 1


def test_another_profile_cannot_delete_the_model_of_a_protected_one(protected: Path) -> None:
    with pytest.raises(ConfigError, match=r"profiles/prod\.yaml:3: protected is true"):
        Recipe("local", protected).reset()
    (protected / "profiles" / "dev.yaml").write_text(
        "MAX_RMSE: 5.0\nexperiment: {tracking_uri: 'sqlite:///dev.db'}\n"
    )
    assert Recipe("dev", protected).reset().goes == ()


def test_a_protected_profile_without_a_model_cannot_be_reset(protected: Path) -> None:
    recipe = protected / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("model_registry: {model_name: houses}", ""))
    with pytest.raises(ConfigError, match="no registered model whose name could be typed"):
        Recipe("prod", protected).reset()
