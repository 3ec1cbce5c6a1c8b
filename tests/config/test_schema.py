"""What each key may hold, and what is said when it holds something else."""

# ruff: noqa: E501 - each error text stands on one line, in full

import datetime
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from mlrecipes.config.load import LoadedConfig
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.config.step_schema import Ingest, Split
from tests.config.small import RECIPE, problems

BINARY = RECIPE.replace("regression/v1", "classification/v1") + "positive_class: 0\n"
TIME = "  split: {using: time, time_col: t, validation_from: 2005-01-01, test_from: 2006-01-01}\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("seed: true", "7: seed is true, but a number is expected."),
        ("seed: 1.5", "7: seed is '1.5', but a whole number is expected."),
        ("seed: 1e3", "7: seed is '1e3', but a whole number is expected. YAML reads 1e3 as text: write 1000.0."),
        ("seed: [1]", "7: seed is '[1]', but a whole number is expected."),
        ("id_cols: 5", "7: id_cols is '5', but a list is expected."),
        ("id_cols: [5]", "7: id_cols[0] is '5', but text is expected. Put it in quotes."),
        ("id_cols: [no]", "7: id_cols[0] is false, but text is expected. YAML reads yes, no, on and off as false: put the word in quotes."),
        ("custom_metrics: {a: b}", "7: custom_metrics is '{'a': 'b'}', but a list is expected."),
        ("custom_metrics: [{name: a, function: b}]", "7: custom_metrics[0].greater_is_better is missing."),
        ("custom_metrics: [{name: a, function: b, greater_is_better: maybe}]", "7: custom_metrics[0].greater_is_better is 'maybe', but true or false is expected."),
        ("experiment: mine", "7: experiment is 'mine', but names with values is expected."),
        ("experiment: {name: {a: 1}}", "7: experiment.name is '{'a': 1}', but text is expected."),
        ("experiment: {id: true}", "7: experiment.id is true, but text is expected. YAML reads yes, no, on and off as true: put the word in quotes."),
        ("experiment: {on: 1}", "7: experiment.True has the name true, which YAML does not read as text. Put it in quotes: YAML reads yes, no, on, off and numbers as values."),
        ("positive_class: [1]", "7: positive_class is '[1]', but text is expected."),
        ("    estimator_params: 5", "7: steps.train.estimator_params is '5', but names with values is expected."),
        ("    estimator_params: {1: a}", "7: steps.train.estimator_params.1 has the name '1', which YAML does not read as text. Put it in quotes: YAML reads yes, no, on, off and numbers as values."),
        ("    using: automl/flam", "7: steps.train.using is 'automl/flam'. Did you mean 'automl/flaml'?"),
        ("    resampling_minority_percentage: 0.9", "7: steps.train.resampling_minority_percentage is '0.9', but a number of at most 0.5 is expected."),
        ("    time_budget_secs: 0", "7: steps.train.time_budget_secs is '0', but a number greater than 0 is expected."),
        ("    tuning: {max_trials: 3}", "7: steps.train.tuning.enabled is missing."),
        ("  split: {split_ratios: [1, 2]}", "7: steps.split.split_ratios is '[1, 2]', but a list of three positive numbers is expected."),
        ("  split: {split_ratios: [1, .inf, 1]}", "7: steps.split.split_ratios is '[1, inf, 1]', but a list of three positive numbers is expected."),
        ("  split: {split_ratios: [1, 1, true]}", "7: steps.split.split_ratios is '[1, 1, True]', but a list of three positive numbers is expected."),
        ("  split: {split_ratios: 0.8}", "7: steps.split.split_ratios is '0.8', but a list of three positive numbers is expected."),
        ("  split: {using: custom}", "7: steps.split has using: custom, which needs split_method."),
        ("  split: {using: group}", "7: steps.split has using: group, which needs group_cols."),
        ("  split: {using: time}", "7: steps.split has using: time, which needs time_col, validation_from, test_from."),
        ("  split: {using: hash, key_cols: a, stratify_cols: b}", "7: steps.split has stratify_cols, which belongs to using: stratified, not hash."),
        ("  split: {engine: spark}", "7: steps.split has engine: spark and using: split_ratios, which needs all rows at once: use engine: local, or using: group, hash, time without such functions."),
        ("  split: {engine: spark, using: hash, key_cols: a, post_split_method: f}", "7: steps.split has engine: spark and post_split_method, which needs a part as a pandas frame: use engine: local, or using: group, hash, time without such functions."),
        ("  transform: {using: other}", "7: steps.transform.using is 'other'. Known: 'custom'."),
        ("  evaluate: {validation_criteria: [{metric: max_error, threshold: .nan}]}", "7: steps.evaluate.validation_criteria[0].threshold is 'nan', but a finite number is expected."),
        ("  evaluate: {validation_criteria: [{metric: max_error, threshold: yes}]}", "7: steps.evaluate.validation_criteria[0].threshold is true, but a number is expected."),
        ("  evaluate: {validation_criteria: [{metric: max_error, treshold: 1, threshold: 1}]}", "7: steps.evaluate.validation_criteria[0].treshold is not a key of steps.evaluate.validation_criteria[0]. Did you mean 'threshold'?"),
        ("  predict: {output: {using: parquet}}", "7: steps.predict.output.location is missing."),
        ("  predict: {using: csv, location: a}", "7: steps.predict.output.using is 'csv'. Known: 'delta', 'parquet', 'table'."),
        ("  predict: {model_uri: a}", "7: steps.predict.output is missing."),
        ("  predict: {output: {using: table, location: a}, save_mod: x}", "7: steps.predict.save_mod is not a key of steps.predict. Did you mean 'save_mode'?"),
        ("  predict: 5", "7: steps.predict is '5', but names with values is expected."),
        ("  ingest_scoring: {using: json, location: a}", "7: steps.ingest_scoring has using: json, which needs a loader_method in steps/ingest.py; without one, using is one of parquet, delta, spark_sql, csv, auto."),
        ("  ingest_scoring: {using: csv, location: {a: 1}}", "7: steps.ingest_scoring.location is '{'a': 1}', but text is expected."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_in_full(
    load: Callable[..., LoadedConfig], lines: str, expected: str
) -> None:
    assert problems(lambda: load(RECIPE + lines + "\n")) == [f"recipe.yaml:{expected}"]


@pytest.mark.parametrize(
    ("ingest", "expected"),
    [
        ("{using: csv}", "has no location, no location_method and no sql for using: spark_sql."),
        ("{using: csv, sql: select 1}", "has no location, no location_method and no sql"),
        ("{using: csv, location: []}", "has no location, no location_method and no sql"),
        ("{using: csv, location: a, location_method: b}", "has both location and location_method"),
        ("", "is missing. Say where the data lie: {using: parquet, location: data.parquet}."),
    ],
)
def test_where_the_data_lie_must_be_said_once(
    load: Callable[..., LoadedConfig], ingest: str, expected: str
) -> None:
    recipe = RECIPE.replace("{using: parquet, location: data.parquet}", ingest)
    (found,) = problems(lambda: load(recipe))
    assert found.startswith(f"recipe.yaml:4: steps.ingest {expected}")


@pytest.mark.parametrize("moment", ["2005", "1.5", "'2005'", "yes", "'2005-01-01 25:00'", "soon"])
def test_a_moment_is_a_date_and_never_a_number_of_seconds(
    load: Callable[..., LoadedConfig], moment: str
) -> None:
    (found,) = problems(lambda: load(RECIPE + TIME.replace("2005-01-01", moment)))
    assert found.startswith("recipe.yaml:7: steps.split.validation_from is ")
    assert found.endswith("but a date such as 2006-01-31 is expected.")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2005-01-01 00:00:00", "2005-01-01"),
        ("'2005-01-01T01:00:00+02:00'", "'2004-12-31T23:00:00+00:00'"),
        ("2006-01-01", "2005-01-01"),
    ],
)
def test_moments_are_compared_as_moments(
    load: Callable[..., LoadedConfig], start: str, end: str
) -> None:
    split = f"{{using: time, time_col: t, validation_from: {start}, test_from: {end}}}"
    (found,) = problems(lambda: load(RECIPE + f"  split: {split}\n"))
    assert "which is not before test_from" in found


def test_a_moment_with_a_zone_may_be_earlier_than_its_text_looks() -> None:
    split = Split.model_validate(
        {
            "using": "time",
            "time_col": "t",
            "validation_from": "2005-01-01T01:00:00+02:00",
            "test_from": datetime.date(2005, 1, 1),
        }
    )
    assert split.test_from == datetime.date(2005, 1, 1)


@pytest.mark.parametrize("key", ["experiment", "model_registry", "custom_metrics", "seed"])
def test_a_null_at_the_top_is_as_if_absent(load: Callable[..., LoadedConfig], key: str) -> None:
    assert load(f"{key}:\n" + RECIPE).config == load().config


def test_a_null_inside_of_a_section_is_as_if_absent(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "    estimator_params:\n    tuning:\n  predict:\n  ingest_scoring:\n"
    assert load(recipe).config == load().config


def test_names_may_be_one_word_a_list_or_nothing(load: Callable[..., LoadedConfig]) -> None:
    assert load(RECIPE + "id_cols: a\n").config.id_cols == ("a",)
    assert load(RECIPE + "id_cols: [a, b]\n").config.id_cols == ("a", "b")
    assert load(RECIPE + "id_cols: ~\n").config.id_cols == ()


def test_an_experiment_may_be_named_by_number(load: Callable[..., LoadedConfig]) -> None:
    assert load(RECIPE + "experiment: {id: 17}\n").config.experiment.id == "17"


def test_a_class_that_counts_as_false_makes_a_binary_recipe(
    load: Callable[..., LoadedConfig],
) -> None:
    config = load(BINARY).config
    assert config.is_binary
    assert config.effective_primary_metric == "f1_score"
    assert not load().config.is_binary


def test_a_custom_metric_replaces_a_built_in_one_of_its_name(
    load: Callable[..., LoadedConfig],
) -> None:
    metric = "custom_metrics: [{name: max_error, function: f, greater_is_better: true}]\n"
    assert load().config.metric_directions["max_error"] is False
    assert load(RECIPE + metric).config.metric_directions["max_error"] is True


def test_the_registry_wins_over_the_register_step(load: Callable[..., LoadedConfig]) -> None:
    step = "  register: {model_name: a, registry_uri: b}\n"
    config = load(RECIPE + step).config
    assert (config.effective_model_name, config.effective_registry_uri) == ("a", "b")
    config = load(RECIPE + step + "model_registry: {model_name: c, registry_uri: d}\n").config
    assert (config.effective_model_name, config.effective_registry_uri) == ("c", "d")


@pytest.mark.parametrize(
    "nested", ["output: {using: table, location: a}", "using: table, location: a"]
)
def test_the_output_of_predict_may_be_nested_or_not(
    load: Callable[..., LoadedConfig], nested: str
) -> None:
    predict = load(RECIPE + f"  predict: {{{nested}, save_mode: append}}\n").config.steps.predict
    assert predict is not None
    assert (predict.output.using, predict.output.location) == ("table", "a")


def test_sql_says_where_the_data_lie() -> None:
    assert Ingest(using="spark_sql", sql="select 1").has_location


def test_a_configuration_cannot_be_changed(load: Callable[..., LoadedConfig]) -> None:
    config = load().config
    with pytest.raises(ValidationError, match="frozen"):
        config.seed = 1  # type: ignore[misc]


def test_a_section_that_is_no_mapping_is_left_to_the_schema() -> None:
    with pytest.raises(ValidationError, match="RecipeConfig"):
        RecipeConfig.model_validate([])


# ---- what only the whole can tell -------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("primary_metric: roc", "7: primary_metric is 'roc', which is no metric of this recipe. Known: 'max_error', 'mean_absolute_error', 'mean_absolute_percentage_error', 'mean_squared_error', 'r2_score', 'root_mean_squared_error'."),
        ("positive_class: 1", "7: positive_class has no meaning in a regression. Remove it."),
        ("    predict_output: probability", "7: steps.train.predict_output is 'probability', which a recipe without positive_class cannot give. Set positive_class, or use 'recipes'."),
        ("id_cols: price", "2: target_col is among id_cols or ignore_cols too. Remove it there."),
        ("custom_metrics: [{name: a, function: b, greater_is_better: true}, {name: a, function: c, greater_is_better: true}]", "7: custom_metrics[1].name is 'a', as is that of an earlier one. Rename one."),
        ("    tuning: {enabled: true}", "7: steps.train.tuning.enabled asks for tuning, which is not supported by this version of mlrecipes. Set it to false."),
        ("    calibrate_proba: isotonic", "7: steps.train.calibrate_proba asks for calibration, which is not supported by this version of mlrecipes. Remove it."),
        ("    using: automl/flaml", "7: steps.train.using asks for AutoML, which is not supported by this version of mlrecipes. Use an estimator_method."),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_told_in_full(
    load: Callable[..., LoadedConfig], lines: str, expected: str
) -> None:
    assert problems(lambda: load(RECIPE + lines + "\n")) == [f"recipe.yaml:{expected}"]


@pytest.mark.parametrize("using", ["delta", "spark_sql"])
def test_tables_are_a_source(load: Callable[..., LoadedConfig], using: str) -> None:
    assert load(RECIPE.replace("parquet", using, 1)).config.steps.ingest.using == using


def test_a_version_and_a_time_are_one_too_many(load: Callable[..., LoadedConfig]) -> None:
    both = '  ingest_scoring: {using: delta, location: a, version: 1, timestamp: "2026-01-01"}\n'
    assert problems(lambda: load(RECIPE + both)) == [
        "recipe.yaml:7: steps.ingest_scoring.version is beside timestamp: a table is read as of a "
        "version or a time, not both. Remove one of them."
    ]


def test_tuning_that_is_off_is_fine(load: Callable[..., LoadedConfig]) -> None:
    tuning = "    tuning: {enabled: false, max_trials: 3, parameters: {a: {values: [1, 2]}}}\n"
    assert load(RECIPE + tuning).config.steps.train.tuning is not None


def test_a_recipe_without_an_estimator_is_told(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.partition("  train:")[0]
    assert problems(lambda: load(recipe)) == [
        "recipe.yaml:3: steps.train.estimator_method is missing. Name a function in steps/train.py."
    ]


def test_a_train_section_without_an_estimator_is_told(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("estimator_method: estimator_fn", "predict_prefix: p_")
    assert problems(lambda: load(recipe)) == [
        "recipe.yaml:5: steps.train needs estimator_method, the name of a function in "
        "steps/train.py."
    ]


# ---- secrets and length -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "profile"),
    [
        ("experiment: {tracking_uri: [{{ DB_PASSWORD }}]}", "DB_PASSWORD: hunter2"),
        ("experiment: {tracking_uri: ['{{ DB.password }}']}", "DB: {password: hunter2}"),
        ("experiment: {tracking_uri: ['a{{ TOKENS[0] }}b']}", "TOKENS: [hunter2]"),
        ("seed: '{{ API_KEY }}'", "API_KEY: hunter2"),
        ("seed: {{ API_KEY | int('x' ~ API_KEY) }}", "API_KEY: hunter2"),
        ("experiment: {tracking_uri: ['https://me:hunter2@host/']}", ""),
        ("seed: https://me:hunter2@host/", ""),
        ("primary_metric: '{{ SECRET }}'", "SECRET: hunter2"),
        ("{{ TOKEN }}: 1", "TOKEN: hunter2"),
    ],
)
def test_a_secret_is_in_no_message(
    load: Callable[..., LoadedConfig], lines: str, profile: str
) -> None:
    found = problems(lambda: load(f"{RECIPE}{lines}\n", profile))
    assert "hunter2" not in "".join(found)


def test_a_secret_that_a_template_trips_over_is_not_shown(
    load: Callable[..., LoadedConfig],
) -> None:
    recipe = RECIPE + "seed: {{ API_TOKEN | from_json }}\n"
    (found,) = problems(lambda: load(recipe, "API_TOKEN: hunter2\n"))
    assert found.startswith("recipe.yaml:7: cannot be filled in: from_json: there is no file '***'")


def test_a_message_is_short_and_printable(load: Callable[..., LoadedConfig]) -> None:
    word = "x" * 900
    recipe = RECIPE + f'"{word}\\e[31m": 1\nseed: "{word}\\a"\nprimary_metric: {word}\n'
    found = problems(lambda: load(recipe))
    assert all(len(text) < 700 and text.isprintable() for text in found)


def test_a_word_that_only_sounds_like_a_secret_is_not_taken_out_of_messages(
    load: Callable[..., LoadedConfig],
) -> None:
    recipe = RECIPE + "seed: {{ KEY_COLS }}\n"
    found = problems(lambda: load(recipe, "KEY_COLS: number\nSORT_KEY: number\n"))
    assert found == ["recipe.yaml:7: seed is 'number', but a whole number is expected."]


PROMOTING = "model_registry: {model_name: houses}\n"


def with_promote(settings: str) -> str:
    return RECIPE + f"  promote: {settings}\n" + PROMOTING


def test_a_recipe_that_promotes_has_a_champion_alias(load: Callable[..., LoadedConfig]) -> None:
    assert load(RECIPE).config.effective_champion_alias is None
    assert load(with_promote("{}")).config.effective_champion_alias == "champion"
    named = load(with_promote("{champion: Production, previous: Archived}")).config
    assert named.effective_champion_alias == "Production"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("{champion: v1}", "steps.promote.champion is 'v1', which is read as a version."),
        ("{previous: latest}", "steps.promote.previous is 'latest', which is a reserved word."),
        ("{champion: in use}", "steps.promote.champion is 'in use', which may hold letters"),
        ("{champion: challenger}", "is 'challenger', as is model_registry.alias."),
        ("{previous: Champion}", "is 'Champion', as is steps.promote.champion."),
        ("{reference: data.parquet}", "steps.promote.reference is what the model is trained on"),
        ("{confidence: 1}", "steps.promote.confidence"),
        ("{min_gain: -1}", "steps.promote.min_gain"),
        ("{max_slice_loss: -1}", "steps.promote.max_slice_loss"),
        ("{n_resamples: 10}", "steps.promote.n_resamples"),
        ("{required: maybe}", "steps.promote.required"),
    ],
)
def test_what_promote_cannot_use_is_told_early(
    load: Callable[..., LoadedConfig], settings: str, expected: str
) -> None:
    assert expected in problems(lambda: load(with_promote(settings)))[0]
