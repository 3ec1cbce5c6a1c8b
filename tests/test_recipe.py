"""The recipe in Python, as a notebook uses it."""

import html
from pathlib import Path

import pandas as pd
import pytest

from mlrecipes import ConfigError, Recipe, RecipeError
from mlrecipes.errors import StoreError
from mlrecipes.records import Action
from mlrecipes.stores.objects import CorruptArtifactError
from tests.conftest import CLASSIFICATION, write_project


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """A classification that ran to its end."""
    root = write_project(tmp_path_factory.mktemp("home") / "sold houses", CLASSIFICATION)
    recipe = Recipe(profile="local", root=root)
    recipe.run()
    return recipe


def test_a_recipe_knows_its_name_profile_and_steps(recipe: Recipe) -> None:
    assert (recipe.name, recipe.profile) == ("sold houses", "local")
    assert recipe.steps == ("ingest", "split", "transform", "train", "evaluate", "register")


def test_a_second_run_keeps_every_step(recipe: Recipe) -> None:
    assert {outcome.action for outcome in recipe.run()} == {Action.CACHED}


def test_events_tell_how_a_run_goes(recipe: Recipe) -> None:
    heard: list[tuple[str, str]] = []
    recipe.run(from_step="register", on_event=lambda event: heard.append((event.kind, event.step)))
    assert heard[-2:] == [("started", "register"), ("finished", "register")]


def test_parts_are_frames_with_the_identifiers(recipe: Recipe) -> None:
    parts = [recipe.get_artifact(f"{part}_data") for part in ("training", "validation", "test")]
    assert sorted(pd.concat(parts)["house"]) == list(range(400))


def test_predicted_training_data_belong_to_their_rows(recipe: Recipe) -> None:
    frame = recipe.get_artifact("predicted_training_data")
    assert (frame["predicted_data"] == frame["sold"]).mean() > 0.7
    assert frame["predicted_score"].between(0.5, 1).all()


def test_the_model_answers_with_the_probability_of_the_positive_class(recipe: Recipe) -> None:
    test = recipe.get_artifact("test_data")
    chance = pd.Series(recipe.get_artifact("model").predict(test), index=test.index)
    assert chance[test["sold"] == "yes"].mean() > chance[test["sold"] == "no"].mean() + 0.2


def test_columns_that_are_hidden_are_not_asked_for(recipe: Recipe) -> None:
    inputs = recipe.get_artifact("model").metadata.signature.inputs
    assert inputs.input_names() == ["rooms", "area"]


def test_run_and_version_are_mlflows(recipe: Recipe) -> None:
    run = recipe.get_artifact("run")
    version = recipe.get_artifact("registered_model_version")
    assert run.data.tags["validation_status"] == "VALIDATED"
    assert (version.name, version.run_id) == ("sold_houses", run.info.run_id)


def test_the_evaluation_is_plain_data(recipe: Recipe) -> None:
    evaluation = recipe.get_artifact("evaluation")
    assert evaluation["status"] == "VALIDATED"
    assert evaluation["metrics"]["test_roc_auc"] > 0.7


def test_a_card_shows_itself_in_a_notebook(recipe: Recipe) -> None:
    card = recipe.inspect("evaluate")
    assert card._repr_html_().startswith("<iframe srcdoc=")
    assert card.facts["status"] == "succeeded"


def test_a_card_has_a_height_of_its_own_wherever_it_is_shown(recipe: Recipe) -> None:
    """On Databricks an output lies in a frame that is as high as what is in it."""
    style = recipe.inspect("evaluate")._repr_html_().rpartition('style="')[2]
    assert "height:640px" in style
    assert "vh" not in style


def test_the_last_card_is_shown_if_none_is_named(recipe: Recipe) -> None:
    assert recipe.inspect().path.name == "register.html"


def test_an_unknown_artifact_gets_a_suggestion(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match=r"no artifact 'modl'. Did you mean 'model'\?"):
        recipe.get_artifact("modl")


def test_what_is_not_there_yet_is_none_with_a_warning(classification: Path) -> None:
    recipe = Recipe("local", root=classification)
    with pytest.warns(UserWarning, match="'model' is not there yet. Run the train step first"):
        assert recipe.get_artifact("model") is None


def test_a_card_that_is_not_there_yet_is_an_error_with_the_command(classification: Path) -> None:
    with pytest.raises(StoreError, match=r"train has no card .*: it never ran") as caught:
        Recipe("local", root=classification).inspect("train")
    assert caught.value.hint == "Run it: mlrecipes run --step train -p local"


def test_a_recipe_with_problems_is_refused_at_once(classification: Path) -> None:
    recipe = classification / "recipe.yaml"
    recipe.write_text(recipe.read_text().replace("target_col", "targetcol"))
    with pytest.raises(ConfigError, match=r"recipe.yaml:2: targetcol .* Did you mean 'target_col'"):
        Recipe("local", root=classification)


def test_edits_count_from_the_next_call_on(classification: Path) -> None:
    recipe = Recipe("local", root=classification)
    (classification / "profiles" / "local.yaml").write_text("MIN_AUC: high\n")
    with pytest.raises(ConfigError, match="'high', but a number is expected"):
        recipe.plan()


def test_two_profiles_keep_their_own_results(recipe: Recipe) -> None:
    root = recipe.artifact_path("run")
    assert root is not None
    folder = root.parents[3]
    (folder / "profiles" / "strict.yaml").write_text("MIN_AUC: 0.999\n")
    strict = Recipe("strict", root=folder)
    assert strict.status()["train"] is None
    because = {decision.step: decision.because for decision in strict.plan()}
    assert because["ingest"] == "never ran"


def test_a_plan_of_a_recipe_that_ran_has_nothing_to_do(recipe: Recipe) -> None:
    assert {decision.action for decision in recipe.plan()} == {Action.CACHED}


def test_a_plan_from_a_step_runs_it_and_no_step_before_it(recipe: Recipe) -> None:
    actions = {decision.step: decision.action for decision in recipe.plan(from_step="train")}
    assert actions["transform"] is Action.CACHED
    assert actions["train"] is Action.RUN


def test_the_status_tells_what_each_step_made(recipe: Recipe) -> None:
    found = recipe.status()
    assert tuple(found) == recipe.steps
    ingested = found["ingest"]
    assert ingested is not None
    assert ingested.summary == "400 rows x 5 columns"


def test_the_transformer_is_the_fitted_object(recipe: Recipe) -> None:
    training = recipe.get_artifact("training_data")[["rooms", "area"]]
    transformed = recipe.get_artifact("transformed_training_data")
    expected = recipe.get_artifact("transformer").transform(training)
    assert transformed[["rooms", "area"]].to_numpy() == pytest.approx(expected)


@pytest.mark.parametrize("part", ["training", "validation"])
def test_transformed_parts_end_with_the_target(recipe: Recipe, part: str) -> None:
    frame = recipe.get_artifact(f"transformed_{part}_data")
    assert list(frame.columns) == ["rooms", "area", "sold"]


def test_an_artifact_has_a_path(recipe: Recipe) -> None:
    path = recipe.artifact_path("model")
    assert path is not None
    assert (path / "MLmodel").is_file()


def test_the_path_of_an_artifact_that_is_not_there_yet_is_none(classification: Path) -> None:
    assert Recipe("local", root=classification).artifact_path("model") is None


def test_a_card_of_an_unknown_step_gets_a_suggestion(recipe: Recipe) -> None:
    with pytest.raises(RecipeError, match="Did you mean 'train'"):
        recipe.inspect("trian")


def test_a_card_in_a_notebook_is_the_whole_page(recipe: Recipe) -> None:
    card = recipe.inspect("split")
    source = card._repr_html_().partition('srcdoc="')[2].partition('" style=')[0]
    assert html.unescape(source) == card.path.read_text(encoding="utf-8")


def test_a_recipe_is_found_from_a_folder_inside_it(classification: Path) -> None:
    assert Recipe("local", root=classification / "steps").name == "my recipe"


def test_a_value_given_in_python_wins_over_the_profile(classification: Path) -> None:
    with pytest.raises(ConfigError, match="number is expected"):
        Recipe("local", root=classification, overrides={"MIN_AUC": "high"})


def test_a_missing_function_is_found_by_check(classification: Path) -> None:
    train = classification / "steps" / "train.py"
    train.write_text(train.read_text().replace("estimator_fn", "estimator"))
    with pytest.raises(ConfigError, match=r"is 'estimator_fn', which steps/train.py does not"):
        Recipe("local", root=classification).check()


def test_a_run_to_a_step_runs_no_step_behind_it(classification: Path) -> None:
    recipe = Recipe("local", root=classification)
    assert [outcome.step for outcome in recipe.run("split")] == ["ingest", "split"]
    assert recipe.status()["transform"] is None


def test_a_step_that_is_cleaned_is_forgotten(classification: Path) -> None:
    recipe = Recipe("local", root=classification)
    recipe.run("split")
    assert recipe.clean("split") == ["split"]
    assert [step for step, found in recipe.status().items() if found] == ["ingest"]


def test_without_a_step_all_results_are_forgotten(classification: Path) -> None:
    recipe = Recipe("local", root=classification)
    recipe.run("split")
    assert recipe.clean() == ["ingest", "split"]
    assert set(recipe.status().values()) == {None}


def test_an_artifact_that_was_changed_is_not_given_out(classification: Path) -> None:
    recipe = Recipe("local", root=classification)
    recipe.run("ingest")
    path = recipe.artifact_path("ingested_data")
    assert path is not None
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtifactError, match=r"ingested_data.parquet was changed after"):
        recipe.get_artifact("ingested_data")


def test_a_step_that_fails_says_so_and_leaves_the_steps_before_it(classification: Path) -> None:
    transform = classification / "steps" / "transform.py"
    transform.write_text("def transformer_fn():\n    return 1 / 0\n")
    recipe = Recipe("local", root=classification)
    with pytest.raises(RecipeError, match=r"ZeroDivisionError: .* \(steps/transform.py:2\)"):
        recipe.run("transform")
    assert recipe.status()["split"] is not None
    assert recipe.inspect("transform").facts["status"] == "failed"


def test_a_notebook_without_widgets_is_no_news_on_a_card(classification: Path) -> None:
    transform = classification / "steps" / "transform.py"
    warnings = """\
    import warnings

    warnings.warn("IProgress not found. Please update jupyter and ipywidgets.", stacklevel=2)
    warnings.warn("the areas are odd", stacklevel=2)
"""
    head = "def transformer_fn():\n"
    transform.write_text(transform.read_text().replace(head, head + warnings))
    recipe = Recipe("local", root=classification)
    recipe.run("transform")
    assert recipe.inspect("transform").facts["warnings"] == ["UserWarning: the areas are odd"]
