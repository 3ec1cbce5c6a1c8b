"""A recipe and a profile become one typed configuration, or all their problems at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlrecipes.config.load import LoadedConfig, find_recipe_root, load_config
from mlrecipes.errors import ConfigError
from tests.config.small import RECIPE, problems


def test_a_recipe_is_typed_with_its_defaults(load: Callable[..., LoadedConfig]) -> None:
    config = load().config
    assert config.steps.split.split_ratios == (0.75, 0.125, 0.125)
    assert config.effective_primary_metric == "root_mean_squared_error"
    assert config.model_registry.alias == "challenger"


@pytest.mark.parametrize("section", ["split", "transform", "evaluate", "register", "predict"])
def test_a_section_without_values_is_as_if_absent(
    load: Callable[..., LoadedConfig], section: str
) -> None:
    assert load(RECIPE + f"  {section}:\n").config == load().config


def test_a_place_is_the_line_of_the_key_or_of_the_nearest_above(
    load: Callable[..., LoadedConfig],
) -> None:
    places = load().places
    assert places.find("steps.train.estimator_method") == ("recipe.yaml", 6)
    assert places.find("steps.train.estimator_params.depth") == ("recipe.yaml", 5)
    assert places.find("custom_metrics[0].name") == ("recipe.yaml", None)


def test_an_unknown_key_is_named_with_its_line_and_a_suggestion(
    load: Callable[..., LoadedConfig],
) -> None:
    found = problems(lambda: load(RECIPE + "  evalute:\n    x: 1\n"))
    assert found == ["recipe.yaml:7: steps.evalute is not a key of steps. Did you mean 'evaluate'?"]


def test_all_problems_are_told_at_once(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("using", "usin").replace("target_col", "targt_col")
    found = problems(lambda: load(recipe + "seed: {{ SEED }}\n"))
    assert len(found) == 5
    assert "recipe.yaml:7: SEED is used here, but profiles/local.yaml does not set it." in found[0]


def test_a_value_of_the_wrong_type_is_shown_with_what_is_expected(
    load: Callable[..., LoadedConfig],
) -> None:
    found = problems(lambda: load(RECIPE + "seed: many\n"))
    assert found == ["recipe.yaml:7: seed is 'many', but a whole number is expected."]


def test_a_word_that_yaml_reads_as_a_boolean_gets_a_hint(
    load: Callable[..., LoadedConfig],
) -> None:
    (found,) = problems(lambda: load(RECIPE.replace("price", "no")))
    assert found == (
        "recipe.yaml:2: target_col is false, but text is expected. "
        "YAML reads yes, no, on and off as false: put the word in quotes."
    )


def test_a_key_that_stands_twice_is_named_with_both_lines(
    load: Callable[..., LoadedConfig],
) -> None:
    found = problems(lambda: load(RECIPE + "target_col: rooms\n"))
    assert found == ["recipe.yaml:7: target_col stands twice, first on line 2. Keep one of them."]


def test_broken_yaml_is_named_with_its_line(load: Callable[..., LoadedConfig]) -> None:
    (found,) = problems(lambda: load("recipe: regression/v1\nsteps: [1\nx: 2\n"))
    assert found.startswith("recipe.yaml:3: is no valid YAML")


def test_a_threshold_on_an_unknown_metric_is_found(load: Callable[..., LoadedConfig]) -> None:
    criteria = "  evaluate:\n    validation_criteria:\n      - {metric: rmsee, threshold: 1}\n"
    (found,) = problems(lambda: load(RECIPE + criteria))
    assert found.startswith(
        "recipe.yaml:9: steps.evaluate.validation_criteria[0].metric is 'rmsee', "
        "which is no metric of this recipe."
    )


def test_a_custom_metric_may_have_a_threshold(load: Callable[..., LoadedConfig]) -> None:
    recipe = (
        RECIPE
        + "  evaluate: {validation_criteria: [{metric: mine, threshold: 1}]}\n"
        + "custom_metrics: [{name: mine, function: mine, greater_is_better: false}]\n"
    )
    assert load(recipe).config.metric_directions["mine"] is False


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("using: hash", "using: hash, which needs key_cols"),
        ("key_cols: [a]", "has key_cols, which belongs to using: hash, not split_ratios"),
        (
            "{using: time, time_col: t, validation_from: 2006-01-01, test_from: 2005-01-01}",
            "has validation_from 2006-01-01, which is not before test_from 2005-01-01",
        ),
        ("{split_ratios: [1, 0, 1]}", "is '[1, 0, 1]', but a list of three positive numbers"),
        ("{using: spilt_ratios}", "Did you mean 'split_ratios'?"),
    ],
)
def test_a_contradictory_split_is_an_error(
    load: Callable[..., LoadedConfig], lines: str, expected: str
) -> None:
    section = f"  split: {lines}\n" if lines.startswith("{") else f"  split: {{{lines}}}\n"
    (found,) = problems(lambda: load(RECIPE + section))
    assert found.startswith("recipe.yaml:7: steps.split")
    assert expected in found


def test_what_this_version_cannot_run_is_said_before_anything_runs(
    load: Callable[..., LoadedConfig],
) -> None:
    (found,) = problems(lambda: load(RECIPE + "    tuning: {enabled: true}\n"))
    assert "recipe.yaml:7: steps.train.tuning.enabled asks for tuning" in found


def test_a_secret_is_never_shown(load: Callable[..., LoadedConfig]) -> None:
    (found,) = problems(lambda: load(RECIPE + "    api_token: hunter2\n"))
    assert "hunter2" not in found


def test_the_recipe_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").touch()
    (tmp_path / "steps").mkdir()
    assert find_recipe_root(tmp_path / "steps") == tmp_path.resolve()


def test_no_recipe_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe.yaml: is neither in .* nor above it"):
        find_recipe_root(tmp_path)


def test_a_folder_with_a_space_in_its_name_is_fine(tmp_path: Path) -> None:
    (tmp_path / "my recipe").mkdir()
    (tmp_path / "my recipe" / "recipe.yaml").touch()
    assert find_recipe_root(tmp_path / "my recipe") == (tmp_path / "my recipe").resolve()


# ---- reading ------------------------------------------------------------------------------


def test_a_recipe_in_the_style_of_mlflow_recipes_loads(load: Callable[..., LoadedConfig]) -> None:
    recipe = """\
recipe: "classification/v1"
# Values such as {{ WINE_CONFIG }} come from the profile.
target_col: "is_red"
positive_class: "red"
primary_metric: "f1_score"
steps:
  ingest: {{WINE_CONFIG}}
  split:
    # Also: {{SPLIT_RATIO_LIST}}
    split_ratios: {{SPLIT_RATIOS|default([0.75,0.125,0.125])}}
    post_split_filter_method: keep_rows
  transform:
    using: custom
    transformer_method: transformer_fn
  train:
    using: custom
    estimator_method: estimator_fn
  evaluate:
    validation_criteria:
      - metric: f1_score
        threshold: 0.9
  register:
    allow_non_validated_model: false
  ingest_scoring: {{SCORING_CONFIG}}
  predict:
    output: {{OUTPUT_CONFIG}}
"""
    profile = """\
experiment:
  name: "wines"
model_registry:
  model_name: "wine_colour"
WINE_CONFIG:
  using: csv
  location: ["./white.csv", "./red.csv"]
  loader_method: load_wines
SCORING_CONFIG: {using: parquet, location: ""}
OUTPUT_CONFIG: {using: parquet, location: "./colours.parquet"}
"""
    config = load(recipe, profile).config
    assert config.steps.ingest.location == ("./white.csv", "./red.csv")
    assert config.steps.predict is not None
    assert config.steps.predict.output.location == "./colours.parquet"
    assert config.effective_model_name == "wine_colour"


def test_a_key_of_a_filled_in_mapping_stands_in_the_profile(
    load: Callable[..., LoadedConfig],
) -> None:
    recipe = RECIPE.replace("{using: parquet, location: data.parquet}", "{{ INGEST }}")
    profile = "INGEST:\n  using: csv\n  locatin: a.csv\n"
    found = problems(lambda: load(recipe, profile))
    assert found[0] == (
        "profiles/local.yaml:3: steps.ingest.locatin is not a key of steps.ingest. "
        "Did you mean 'location'?"
    )


def test_a_key_that_a_filled_in_mapping_lacks_is_told_where_the_mapping_is_used(
    load: Callable[..., LoadedConfig],
) -> None:
    recipe = RECIPE.replace("{using: parquet, location: data.parquet}", "{{ INGEST }}")
    found = problems(lambda: load(recipe, "INGEST:\n  location: a.csv\n"))
    assert found == ["recipe.yaml:4: steps.ingest.using is missing."]


def test_the_files_that_were_read_are_named(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    (tmp_path / "more.yaml").write_text("seed: 5\n")
    (tmp_path / "more.json").write_text("7")
    recipe = RECIPE + "{% include 'more.yaml' %}# {{ 'no.json' | from_json }}\n"
    files = load(recipe, "N: {{ 'more.json' | from_json }}\n").files
    names = [file.relative_to(tmp_path.resolve()).as_posix() for file in files]
    assert names == ["recipe.yaml", "profiles/local.yaml", "more.yaml", "more.json"]


def test_a_missing_recipe_is_an_error(load: Callable[..., LoadedConfig], tmp_path: Path) -> None:
    load()
    (tmp_path / "recipe.yaml").unlink()
    found = problems(lambda: load_config(tmp_path, "local"))
    assert found == [f"recipe.yaml: does not exist in {tmp_path}."]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff", "is not UTF-8 (byte 0)."),
        (b" " * 1_000_001, "is larger than 1,000,000 bytes."),
    ],
)
def test_a_file_that_is_no_recipe_is_not_read(
    load: Callable[..., LoadedConfig], tmp_path: Path, content: bytes, expected: str
) -> None:
    load()
    (tmp_path / "recipe.yaml").write_bytes(content)
    assert problems(lambda: load_config(tmp_path, "local")) == [f"recipe.yaml: {expected}"]


def test_a_folder_in_the_place_of_a_recipe_is_an_error(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    load()
    (tmp_path / "recipe.yaml").unlink()
    (tmp_path / "recipe.yaml").mkdir()
    found = problems(lambda: load_config(tmp_path, "local"))
    assert found == ["recipe.yaml: cannot be read: Is a directory."]


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [("", "is empty."), ("- a\n", "is no mapping of keys to values.")],
)
def test_a_recipe_without_keys_is_an_error(
    load: Callable[..., LoadedConfig], recipe: str, expected: str
) -> None:
    found = problems(lambda: load(recipe))
    assert found == [f"recipe.yaml:1: {expected} Begin with recipe: and target_col:."]


def test_what_is_missing_is_told_with_what_to_write(load: Callable[..., LoadedConfig]) -> None:
    assert problems(lambda: load("seed: 1\n")) == [
        "recipe.yaml: recipe is missing. Write recipe: regression/v1 or classification/v1.",
        "recipe.yaml: target_col is missing. Name the column to predict.",
        "recipe.yaml: steps is missing. Write steps: with ingest and train below it.",
    ]


def test_many_problems_are_counted(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "".join(f"k{i}: 1\n" for i in range(500))
    found = problems(lambda: load(recipe))
    assert len(found) == 21
    assert found[-1] == "recipe.yaml: has 480 more problems."
