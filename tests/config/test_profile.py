"""A profile supplies values; the command line may replace them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlrecipes.config.load import LoadedConfig, load_config
from tests.config.small import RECIPE, problems


def test_a_profile_fills_in_the_recipe(load: Callable[..., LoadedConfig]) -> None:
    config = load(RECIPE + "seed: {{ SEED }}\n", "SEED: 7\n").config
    assert config.seed == 7


def test_a_mapping_of_a_profile_is_filled_in_as_it_is(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("{using: parquet, location: data.parquet}", "{{ INGEST_CONFIG }}")
    config = load(recipe, "INGEST_CONFIG:\n  using: csv\n  location: a.csv\n").config
    assert config.steps.ingest.location == "a.csv"


def test_a_default_in_the_recipe_holds_without_a_profile_value(
    load: Callable[..., LoadedConfig],
) -> None:
    recipe = RECIPE + "  split: {split_ratios: {{ RATIOS | default([0.8, 0.1, 0.1]) }}}\n"
    assert load(recipe).config.steps.split.split_ratios == (0.8, 0.1, 0.1)
    profile = "RATIOS: [0.6, 0.2, 0.2]\n"
    assert load(recipe, profile).config.steps.split.split_ratios == (0.6, 0.2, 0.2)


def test_sections_may_stand_in_the_profile(load: Callable[..., LoadedConfig]) -> None:
    loaded = load(profile="experiment:\n  name: mine\n")
    assert loaded.config.experiment.name == "mine"
    assert loaded.places.find("experiment.name") == ("profiles/local.yaml", 2)


def test_a_key_in_recipe_and_profile_is_an_error(load: Callable[..., LoadedConfig]) -> None:
    found = problems(lambda: load(profile="target_col: rooms\n"))
    assert found == [
        "profiles/local.yaml:1: target_col stands here and in recipe.yaml:2. Keep one of them."
    ]


def test_a_misspelled_section_in_a_profile_is_found(load: Callable[..., LoadedConfig]) -> None:
    found = problems(lambda: load(profile="experimnt: {name: a}\n"))
    assert found == [
        "profiles/local.yaml:1: experimnt is used by nothing. Did you mean 'experiment'?"
    ]


def test_a_missing_profile_gets_a_suggestion(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    load()
    found = problems(lambda: load_config(tmp_path, "locl"))
    assert found == [
        "profiles/locl.yaml: does not exist. Did you mean 'local'? There are: 'local'."
    ]


@pytest.mark.parametrize("name", ["", "../local", "/etc/passwd", ".hidden", "a/b"])
def test_a_profile_name_cannot_leave_its_folder(
    load: Callable[..., LoadedConfig], tmp_path: Path, name: str
) -> None:
    load()
    (found,) = problems(lambda: load_config(tmp_path, name))
    assert found.startswith("profiles: ")


def test_an_override_takes_the_place_of_a_profile_value(load: Callable[..., LoadedConfig]) -> None:
    config = load(RECIPE + "seed: {{ SEED }}\n", "SEED: 7\n", {"seed": "8"}).config
    assert config.seed == 8


def test_an_override_of_text_stays_text(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("data.parquet", "{{ DATA }}")
    config = load(recipe, "DATA: a\n", {"DATA": "007"}).config
    assert config.steps.ingest.location == "007"


def test_an_empty_override_leaves_the_profile_as_it_is(load: Callable[..., LoadedConfig]) -> None:
    assert load(overrides={"UNKNOWN": ""}).config == load().config


def test_an_override_of_an_unknown_name_gets_a_suggestion(
    load: Callable[..., LoadedConfig],
) -> None:
    found = problems(lambda: load(RECIPE + "seed: {{ SEED }}\n", "SEED: 7\n", {"SED": "8"}))
    assert found == [
        "profiles/local.yaml: SED is set on the command line, "
        "but not known to profiles/local.yaml or recipe.yaml. Did you mean 'SEED'?"
    ]


def test_a_name_with_a_default_in_the_recipe_can_be_set(load: Callable[..., LoadedConfig]) -> None:
    text = RECIPE + "seed: {{ SEED | default(7) }}\n"
    assert load(text, "A: 1\n").config.seed == 7
    assert load(text, "A: 1\n", {"SEED": "8"}).config.seed == 8


# ---- which profile ------------------------------------------------------------------------


def test_no_profile_is_an_error_that_lists_what_there_is(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    load()
    found = problems(lambda: load_config(tmp_path, ""))
    assert found == ["profiles: no profile is named. There are: 'local'. Name one: -p NAME"]


def test_a_name_that_is_a_path_is_refused(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    load()
    found = problems(lambda: load_config(tmp_path, "../local"))
    assert found == [
        "profiles: '../local' is no name of a profile: letters, digits, '.', '-' and '_'. "
        "There are: 'local'."
    ]


def test_a_profile_with_the_other_suffix_is_named(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    load()
    (tmp_path / "profiles" / "dev.yml").touch()
    found = problems(lambda: load_config(tmp_path, "dev"))
    assert found == ["profiles/dev.yaml: does not exist. Rename profiles/dev.yml to dev.yaml."]


def test_a_profile_unlike_all_others_lists_them(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    load()
    found = problems(lambda: load_config(tmp_path, "databricks"))
    assert found == ["profiles/databricks.yaml: does not exist. Known: 'local'."]


def test_without_any_profile_the_file_to_make_is_named(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    found = problems(lambda: load_config(tmp_path, "local"))
    assert found == ["profiles/local.yaml: does not exist. Make it: profiles/local.yaml"]
    assert problems(lambda: load_config(tmp_path, "")) == [
        "profiles: no profile is named. There are none yet. Name one: -p NAME"
    ]


# ---- what it holds ------------------------------------------------------------------------


def test_a_profile_that_is_a_list_is_an_error(load: Callable[..., LoadedConfig]) -> None:
    found = problems(lambda: load(profile="- a\n"))
    assert found == ["profiles/local.yaml:1: is no mapping of names to values."]


def test_a_broken_profile_is_told_without_blaming_the_recipe(
    load: Callable[..., LoadedConfig],
) -> None:
    found = problems(lambda: load(RECIPE + "seed: {{ SEED }}\n", "SEED: [1\n"))
    assert found == [
        "profiles/local.yaml:2: is no valid YAML: expected ',' or ']', but got '<stream end>'."
    ]


def test_a_key_that_stands_twice_in_a_profile_is_an_error(
    load: Callable[..., LoadedConfig],
) -> None:
    found = problems(lambda: load(RECIPE + "seed: {{ SEED }}\n", "SEED: 1\nSEED: 2\n"))
    assert found == ["profiles/local.yaml:2: SEED stands twice, first on line 1. Keep one of them."]


def test_a_variable_inside_of_a_profile_has_no_value(load: Callable[..., LoadedConfig]) -> None:
    profile = "HOME: /data\nDATA: {{ HOME }}/x\n"
    found = problems(lambda: load(RECIPE.replace("data.parquet", "{{ DATA }}"), profile))
    assert found == [
        "profiles/local.yaml:2: HOME is used here, but a profile has no variables. Write the value."
    ]


def test_a_profile_may_compute_its_values(load: Callable[..., LoadedConfig]) -> None:
    assert load(RECIPE + "seed: {{ SEED }}\n", "SEED: {{ 6 * 7 }}\n").config.seed == 42


def test_variables_that_nothing_uses_are_fine(load: Callable[..., LoadedConfig]) -> None:
    assert load(profile="WORKERS: 3\n").config.seed == 42


def test_a_misspelled_variable_is_found_where_the_recipe_has_a_default(
    load: Callable[..., LoadedConfig],
) -> None:
    recipe = RECIPE + "seed: {{ SEED | default(1) }}\n"
    found = problems(lambda: load(recipe, "SEEED: 2\n"))
    assert found == ["profiles/local.yaml:1: SEEED is used by nothing. Did you mean 'SEED'?"]


def test_a_variable_like_another_that_is_set_is_fine(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "seed: {{ SEED }}\n"
    assert load(recipe, "SEED: 2\nSEED2: 3\n").config.seed == 2


# ---- values from the command line -----------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        ("1", "20000", 20000),
        ("1", "0.5", 0.5),
        ("1", "true", True),
        ("1", "null", None),
        ("1", "abc", "abc"),
        ("1", "[2, 3]", "[2, 3]"),
        ("1", "a: b", "a: b"),
        ("1", "[", "["),
        ("1", "&a [*a]", "&a [*a]"),
        ("1", "!!python/name:os.system", "!!python/name:os.system"),
        ("1", "{{ 6 * 7 }}", "{{ 6 * 7 }}"),
        ("old", "20000", "20000"),
        ("old", "x\nevil: 1", "x\nevil: 1"),
        ("[1]", "[2, 3]", [2, 3]),
        ("{a: 1}", "{a: 2}", {"a": 2}),
        ("[1]", "5", 5),
    ],
)
def test_a_new_value_has_the_type_that_the_profile_lets_expect(
    load: Callable[..., LoadedConfig], before: str, text: str, after: object
) -> None:
    recipe = RECIPE + "    estimator_params: {x: {{ X }}}\n"
    config = load(recipe, f"X: {before}\n", {"X": text}).config
    assert config.steps.train.estimator_params == {"x": after}


def test_a_name_in_another_case_must_be_unique(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "seed: {{ SEED }}\n"
    found = problems(lambda: load(recipe, "SEED: 1\nSeed: 2\n", {"sEED": "3"}))
    assert len(found) == 1
    assert "sEED is set on the command line, but not known to profiles/local.yaml" in found[0]


# ---- protected ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("profile", "is_protected"),
    [("", False), ("protected: true\n", True), ("protected: false\n", False)],
)
def test_a_profile_can_be_protected(
    load: Callable[..., LoadedConfig], profile: str, is_protected: bool
) -> None:
    loaded = load(profile=profile)
    assert loaded.is_protected is is_protected


@pytest.mark.parametrize(
    ("value", "seen"), [("'true'", "'true'"), ("1", "'1'"), ("", "empty"), ("[true]", "'[True]'")]
)
def test_protected_is_plainly_true_or_false(
    load: Callable[..., LoadedConfig], value: str, seen: str
) -> None:
    found = problems(lambda: load(profile=f"protected: {value}\n"))
    assert found == [f"profiles/local.yaml:1: protected is {seen}, but true or false is expected."]


@pytest.mark.parametrize("name", ["protectd", "Protected", "PROTECTED", "is_protected"])
def test_a_misspelled_protected_is_found(load: Callable[..., LoadedConfig], name: str) -> None:
    (found,) = problems(lambda: load(profile=f"{name}: true\n"))
    assert found.startswith(f"profiles/local.yaml:1: {name} is ")
    assert found.endswith("Did you mean 'protected'?")


@pytest.mark.parametrize("name", ["protected", "PROTECTED"])
def test_the_command_line_lifts_no_protection(load: Callable[..., LoadedConfig], name: str) -> None:
    found = problems(lambda: load(profile="protected: true\n", overrides={name: "false"}))
    assert found == [
        f"profiles/local.yaml: {name} cannot be set on the command line: it guards the profile. "
        "Edit the profile."
    ]


def test_protected_is_no_variable_of_a_recipe(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "seed: {{ protected }}\n"
    assert problems(lambda: load(recipe, "protected: true\n")) == [
        "recipe.yaml:7: protected is no variable: it guards a profile. Use another name."
    ]
