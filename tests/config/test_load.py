"""A recipe and a profile become one typed configuration, or all their problems at once."""

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.config.load import LoadedConfig, find_recipe_root, load_config
from mlrecipes.errors import ConfigError

RECIPE = """\
recipe: regression/v1
target_col: price
steps:
  ingest: {using: parquet, location: data.parquet}
  train:
    estimator_method: estimator_fn
"""


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., LoadedConfig]:
    def write_and_load(
        recipe: str = RECIPE, profile: str = "", overrides: Mapping[str, str] | None = None
    ) -> LoadedConfig:
        (tmp_path / "profiles").mkdir(exist_ok=True)
        (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
        (tmp_path / "profiles" / "local.yaml").write_text(profile, encoding="utf-8")
        return load_config(tmp_path, "local", overrides)

    return write_and_load


def problems(call: Callable[[], object]) -> list[str]:
    with pytest.raises(ConfigError, match=r"\w+") as caught:
        call()
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


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


# ---- profiles -----------------------------------------------------------------------------


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
        "but profiles/local.yaml has no such name. Did you mean 'SEED'?"
    ]


# ---- templates ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    ["x\nevil: 1", "a # b", 'it\'s "both"', "a: b", "{{ 1 }}", "\\n\\", "~", "null", "- x", "'"],
)
def test_a_value_never_becomes_structure(load: Callable[..., LoadedConfig], value: str) -> None:
    recipe = RECIPE.replace("data.parquet", "{{ DATA }}")
    profile = yaml.safe_dump({"DATA": value}) if "{{" not in value else "DATA: x\n"
    overrides = {"DATA": value} if "{{" in value else {}
    assert load(recipe, profile, overrides).config.steps.ingest.location == value


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.dates(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
        max_leaves=8,
    )
)
def test_any_value_arrives_as_it_stands_in_the_profile(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    from mlrecipes.config.template import render_yaml

    document = render_yaml("x: {{ VALUE }}", "recipe.yaml", Path("/"), {"VALUE": value})
    assert document.document.data == {"x": value}


def test_text_around_an_expression_makes_text(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("data.parquet", "data/{{ YEAR }}.parquet")
    assert load(recipe, "YEAR: 2006\n").config.steps.ingest.location == "data/2006.parquet"


def test_quotes_around_an_expression_make_text(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("data.parquet", '"{{ YEAR }}"')
    assert load(recipe, "YEAR: 2006\n").config.steps.ingest.location == "2006"


def test_dates_keep_their_type(load: Callable[..., LoadedConfig]) -> None:
    split = "{using: time, time_col: t, validation_from: {{ V }}, test_from: 2006-01-01}"
    config = load(RECIPE + f"  split: {split}\n", "V: 2005-01-01\n").config
    assert config.steps.split.validation_from == datetime.date(2005, 1, 1)


def test_a_moment_keeps_its_hour_and_zone(load: Callable[..., LoadedConfig]) -> None:
    start = "'2005-01-01T00:00:00+01:00'"
    split = f"{{using: time, time_col: t, validation_from: {start}, test_from: 2006-01-01}}"
    config = load(RECIPE + f"  split: {split}\n").config
    zone = datetime.timezone(datetime.timedelta(hours=1))
    assert config.steps.split.validation_from == datetime.datetime(2005, 1, 1, tzinfo=zone)


def test_an_expression_in_a_comment_is_not_looked_at(load: Callable[..., LoadedConfig]) -> None:
    assert load("# {{ NOWHERE }}\n" + RECIPE + "seed: 3  # {{ NOWHERE }}\n").config.seed == 3


def test_a_hash_inside_a_value_does_not_cut_it(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("price", "'price #1'") + "seed: {{ SEED }}\n"
    assert load(recipe, "SEED: 1\n").config.target_col == "price #1"


def test_blocks_and_loops_work(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "id_cols:\n{% for c in COLS %}  - {{ c }}\n{% endfor %}"
    assert load(recipe, "COLS: [a, b]\n").config.id_cols == ("a", "b")


def test_an_include_below_the_root_works(load: Callable[..., LoadedConfig], tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("seed: 5\n")
    assert load(RECIPE + "{% include 'more.yaml' %}").config.seed == 5


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% include '../secret' %}",
        "{{ '../secret' | from_json }}",
        "{{ 'link' | from_json }}",
    ],
)
def test_a_template_reaches_nothing_outside_the_recipe(
    load: Callable[..., LoadedConfig], tmp_path: Path, attack: str
) -> None:
    (tmp_path.parent / "secret").write_text('"leaked"')
    (tmp_path / "link").symlink_to(tmp_path.parent / "secret")
    found = problems(lambda: load(RECIPE + f"seed: {attack}\n"))
    assert "leaked" not in str(found)


def test_a_yaml_bomb_is_refused(load: Callable[..., LoadedConfig]) -> None:
    lines = ["a0: &a0 [x, x]"] + [
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)
    ]
    (found,) = problems(lambda: load("\n".join(lines)))
    assert "unfolds to more than" in found


def test_a_python_tag_is_refused(load: Callable[..., LoadedConfig], tmp_path: Path) -> None:
    tag = f"seed: !!python/object/apply:pathlib.Path.touch ['{tmp_path}/made']\n"
    assert problems(lambda: load(RECIPE + tag))
    assert not (tmp_path / "made").exists()


# ---- finding the recipe ---------------------------------------------------------------------


def test_the_recipe_is_found_from_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").touch()
    (tmp_path / "steps").mkdir()
    assert find_recipe_root(tmp_path / "steps") == tmp_path.resolve()


def test_no_recipe_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe.yaml: is neither in .* nor above it"):
        find_recipe_root(tmp_path)
