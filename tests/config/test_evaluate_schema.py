"""The settings of evaluate and the attributes that are kept for it alone."""

# ruff: noqa: E501 - each error text stands on one line, in full

from collections.abc import Callable

import pytest

from mlrecipes.config.load import LoadedConfig
from mlrecipes.config.schema import RecipeConfig
from tests.config.small import problems

RECIPE = """\
recipe: classification/v1
target_col: bad
positive_class: 1
id_cols: [id]
steps:
  ingest: {using: parquet, location: data.parquet}
  train: {estimator_method: estimator_fn}
"""


def config_of(load: Callable[[str], LoadedConfig], lines: str) -> RecipeConfig:
    return load(RECIPE + lines).config


def test_a_criterion_may_stand_on_a_slice_that_is_not_listed(
    load: Callable[[str], LoadedConfig],
) -> None:
    lines = '  evaluate: {slices: [sex, " age > 5 ", sex], validation_criteria: [{metric: gini, threshold: 0.1, slice: town}]}\n'
    evaluate = config_of(load, lines).steps.evaluate
    assert evaluate.slices == ("sex", "age > 5")
    assert evaluate.all_slices == ("sex", "age > 5", "town")


def test_leakage_off_needs_no_quotes(load: Callable[[str], LoadedConfig]) -> None:
    assert config_of(load, "  evaluate: {leakage: off}\n").steps.evaluate.leakage == "off"


def test_a_protected_column_is_hidden_from_the_model(load: Callable[[str], LoadedConfig]) -> None:
    config = config_of(load, "protected_cols: sex\n")
    assert config.protected_cols == ("sex",)
    assert config.hidden_cols == {"bad", "id", "sex"}


def test_a_protected_column_may_be_looked_up(load: Callable[[str], LoadedConfig]) -> None:
    lookup = "feature_lookups: [{table_name: people, lookup_key: id, feature_names: [sex, job]}]"
    recipe = RECIPE.replace("data.parquet}", f"data.parquet, {lookup}}}")
    assert load(recipe + "protected_cols: sex\n").config.protected_cols == ("sex",)
    assert "names 'sex'" in problems(lambda: load(recipe + "ignore_cols: sex\n"))[0]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("protected_cols: bad", "8: protected_cols[0] is 'bad', which is the target too. Remove it in one of the two places."),
        ("protected_cols: [sex, id]", "8: protected_cols[1] is 'id', which is one of id_cols too. Remove it in one of the two places."),
        ("  evaluate: {slices: [age >]}", "8: steps.evaluate.slices is 'age >', which is no slice (invalid syntax): write a column's name or a condition such as AMT_CREDIT > 1e6 and REGION == 'x'; a column whose name has blanks or signs stands in backticks."),
        ("  evaluate: {validation_criteria: [{metric: ks, threshold: 0, slice: 1 < 2}]}", "8: steps.evaluate.validation_criteria[0].slice is '1 < 2', a slice that names no column: write a column's name or a condition such as AMT_CREDIT > 1e6 and REGION == 'x'."),
        ("  evaluate: {validation_criteria: [{metric: calibration_slope, threshold: 1}]}", "8: steps.evaluate.validation_criteria[0].metric is 'calibration_slope', which is best near 1: neither more nor less is better. Use brier_score or log_loss."),
        ("  evaluate: {min_slice_rows: 0}", "8: steps.evaluate.min_slice_rows is '0', but a number greater than 0 is expected."),
        ("  evaluate: {confidence: 1}", "8: steps.evaluate.confidence is '1', but a number less than 1 is expected."),
        ("  evaluate: {n_resamples: -1}", "8: steps.evaluate.n_resamples is '-1', but a number of at least 0 is expected."),
        ("  evaluate: {selects: belov}", "8: steps.evaluate.selects is 'belov'. Did you mean 'below'?"),
        ("  evaluate: {leakage: on}", "8: steps.evaluate.leakage is true. Known: 'off', 'stop', 'warn'."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(
    load: Callable[[str], LoadedConfig], lines: str, expected: str
) -> None:
    assert problems(lambda: load(RECIPE + lines + "\n")) == [f"recipe.yaml:{expected}"]
