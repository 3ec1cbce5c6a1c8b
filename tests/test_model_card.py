"""A recipe with a model_card.yaml, from its first check to the version in the registry."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlrecipes import ConfigError, Recipe, RecipeError
from mlrecipes.planning import open_project
from mlrecipes.records import Action
from tests.config.test_model_card_schema import PARTS
from tests.conftest import REGRESSION, write_project

CARD = "".join(f"{part}: About the {part}.\n" for part in PARTS)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """A regression with a model card that ran to its end."""
    root = tmp_path_factory.mktemp("home") / "prices"
    recipe = Recipe("local", root=write_project(root, REGRESSION | {"model_card.yaml": CARD}))
    recipe.run()
    return recipe


def root_of(recipe: Recipe) -> Path:
    path = recipe.artifact_path("run")
    assert path is not None
    return path.parents[3]


def actions(recipe: Recipe) -> dict[str, tuple[Action, str]]:
    return {one.step: (one.action, one.because) for one in recipe.plan()}


def test_the_run_holds_the_card_as_text_and_as_a_page(recipe: Recipe) -> None:
    folder = Path(recipe.get_artifact("run").info.artifact_uri.removeprefix("file://"))
    files = {path.name: path.read_text("utf-8") for path in (folder / "model_card").iterdir()}
    assert files == {
        "MODEL_CARD.md": recipe.get_artifact("model_card"),
        "model_card.html": recipe.get_artifact("model_card_html"),
    }


def test_the_card_lies_in_the_workspace_and_says_what_the_run_knows(recipe: Recipe) -> None:
    path = recipe.artifact_path("model_card")
    assert path is not None
    assert path.name == "model_card.md"
    card, run = path.read_text(encoding="utf-8"), recipe.get_artifact("run")
    for line in (
        "# Model card: houses, version 1",
        "About the limits.",
        f"| MLflow run | {run.info.run_id} |",
        "| estimator | sklearn.linear_model.\\_ridge.Ridge |",
        "| alpha | 1.0 |",
        "| columns that the model sees | 2 |",
    ):
        assert line in card.splitlines()
    html = recipe.artifact_path("model_card_html")
    assert html is not None
    assert html.suffix == ".html"


def test_the_version_and_the_card_of_register_point_to_it(recipe: Recipe) -> None:
    version = recipe.get_artifact("registered_model_version")
    assert version.description.startswith("About the purpose.")
    titles = [section["title"] for section in recipe.inspect("register").facts["sections"]]
    assert titles == ["Run Summary", "Model Card"]


def test_new_words_make_register_run_again_and_nothing_else(recipe: Recipe) -> None:
    path = root_of(recipe) / "model_card.yaml"
    path.write_text(CARD.replace("About the owner", "Ann"), encoding="utf-8")
    found = actions(recipe)
    assert found.pop("register") == (Action.RUN, "model_card.yaml changed")
    assert {action for action, _ in found.values()} == {Action.CACHED}
    recipe.run()
    assert recipe.get_artifact("registered_model_version").version == 1
    assert "Ann." in recipe.get_artifact("model_card").splitlines()
    assert {action for action, _ in actions(recipe).values()} == {Action.CACHED}


def test_a_card_with_gaps_stops_check_and_register_but_no_step_before(
    regression: Path,
) -> None:
    (regression / "model_card.yaml").write_text("purpose: TODO\nowner: Ann\n", encoding="utf-8")
    recipe = Recipe("local", root=regression)
    calls: list[Callable[[], object]] = [recipe.check, recipe.run]
    for call in calls:
        with pytest.raises(ConfigError, match="9 problems") as caught:
            call()
        assert "model_card.yaml:1: purpose is 'TODO'" in str(caught.value)
    assert caught.value.exit_code == 2
    assert len(recipe.plan()) == 6
    recipe.run("split")


def test_without_the_file_there_is_no_card_and_nothing_is_asked(regression: Path) -> None:
    recipe = Recipe("local", root=regression)
    recipe.check()
    with pytest.raises(RecipeError, match="There is no artifact 'model_card'"):
        recipe.artifact_path("model_card")


def test_new_words_are_no_reason_to_decide_about_the_model_again(tmp_path: Path) -> None:
    recipe = REGRESSION["recipe.yaml"].replace("model_registry:", "  promote: {}\nmodel_registry:")
    root = write_project(tmp_path, REGRESSION | {"recipe.yaml": recipe, "model_card.yaml": CARD})
    parts = open_project(root, "local").wanted("promote").parts
    assert [name for name in parts if "file.model_card.yaml" in parts[name]] == ["register"]
