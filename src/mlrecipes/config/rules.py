"""What only the whole configuration can tell: words that contradict each other or mean nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from mlrecipes.config.metric_names import UNORDERED
from mlrecipes.config.promote_schema import alias_problem
from mlrecipes.errors import Problem, did_you_mean, shorten

if TYPE_CHECKING:
    from mlrecipes.config.schema import RecipeConfig

__all__ = ["rule_problems", "unsupported"]

Finding = tuple[str, str, str]
"""Key, what is wrong with it, what to do."""


def rule_problems(
    config: RecipeConfig, find: Callable[[str], tuple[str, int | None]]
) -> Iterator[Problem]:
    """Find what no single key shows."""
    for key, what, hint in (
        *_unknown_metrics(config),
        *_contradictions(config),
        *_lookup_problems(config),
        *_alias_problems(config),
        *_reference_problems(config),
        *unsupported(config),
    ):
        yield Problem(*find(key), key, what, hint)


def unsupported(config: RecipeConfig) -> Iterator[Finding]:
    """Parts of MLflow Recipes that this version reads but cannot run yet."""
    train = config.steps.train
    if train.using == "automl/flaml":
        yield "steps.train.using", _NOT_YET.format("AutoML"), "Use an estimator_method."
    if train.tuning is not None and train.tuning.enabled:
        yield "steps.train.tuning.enabled", _NOT_YET.format("tuning"), "Set it to false."
    if train.calibrate_proba is not None:
        yield "steps.train.calibrate_proba", _NOT_YET.format("calibration"), "Remove it."


_NOT_YET = "asks for {}, which is not supported by this version of mlrecipes."


def _unknown_metrics(config: RecipeConfig) -> Iterator[Finding]:
    directions = config.metric_directions
    metrics = {
        f"steps.evaluate.validation_criteria[{i}].metric": criterion.metric
        for i, criterion in enumerate(config.steps.evaluate.validation_criteria)
    }
    if config.primary_metric is not None:
        metrics["primary_metric"] = config.primary_metric
    for key, name in metrics.items():
        if name in directions:
            continue
        if config.is_binary and name in UNORDERED:
            what = f"is '{name}', which {UNORDERED[name]}: neither more nor less is better."
            yield key, what, "Use brier_score or log_loss."
        else:
            what = f"is '{shorten(name)}', which is no metric of this recipe."
            yield key, what, did_you_mean(name, directions)


def _contradictions(config: RecipeConfig) -> Iterator[Finding]:
    if config.recipe == "regression/v1" and config.positive_class is not None:
        yield "positive_class", "has no meaning in a regression.", "Remove it."
    if not config.steps.ingest.has_location:
        what = "has no location, no location_method and no sql for using: spark_sql."
        yield "steps.ingest", what, "Say where the data lie: location: data.parquet"
    for name, section in (
        ("ingest", config.steps.ingest),
        ("ingest_scoring", config.steps.ingest_scoring),
    ):
        if section is not None and section.version is not None and section.timestamp is not None:
            what = "is beside timestamp: a table is read as of a version or a time, not both."
            yield f"steps.{name}.version", what, "Remove one of them."
    if config.steps.train.predict_output == "probability" and not config.is_binary:
        what = "is 'probability', which a recipe without positive_class cannot give."
        yield "steps.train.predict_output", what, "Set positive_class, or use 'recipes'."
    if config.target_col in config.id_cols + config.ignore_cols:
        yield "target_col", "is among id_cols or ignore_cols too.", "Remove it there."
    yield from _protected_problems(config)
    names = [metric.name for metric in config.custom_metrics]
    for index, name in enumerate(names):
        if name in names[:index]:
            key = f"custom_metrics[{index}].name"
            yield key, f"is '{shorten(name)}', as is that of an earlier one.", "Rename one."
    if not config.steps.train.estimator_method and config.steps.train.using == "custom":
        yield "steps.train.estimator_method", "is missing.", "Name a function in steps/train.py."


def _protected_problems(config: RecipeConfig) -> Iterator[Finding]:
    """A protected attribute is kept to compare groups: it cannot be what is predicted."""
    others = {config.target_col: "the target"} | dict.fromkeys(config.id_cols, "one of id_cols")
    for index, name in enumerate(config.protected_cols):
        if name in others:
            what = f"is '{shorten(name)}', which is {others[name]} too."
            yield f"protected_cols[{index}]", what, "Remove it in one of the two places."


def _lookup_problems(config: RecipeConfig) -> Iterator[Finding]:
    """Lookups that name what cannot become a feature, or the same feature twice."""
    first: dict[str, str] = {}
    for index, lookup in enumerate(config.steps.ingest.feature_lookups):
        key = f"steps.ingest.feature_lookups[{index}]"
        for feature in lookup.feature_names:
            column = lookup.rename_outputs.get(feature, feature)
            if column in config.hidden_cols.difference(config.protected_cols):
                what = f"names '{shorten(column)}', which the model never sees."
                yield f"{key}.feature_names", what, "Remove it here, or from ignore_cols."
            other = first.setdefault(column, key)
            if other != key:
                what = f"names '{shorten(column)}', as does {other}."
                yield f"{key}.feature_names", what, "Remove one, or use rename_outputs."
        for feature in lookup.rename_outputs:
            if lookup.feature_names and feature not in lookup.feature_names:
                what = f"renames '{shorten(feature)}', which is not among feature_names."
                yield f"{key}.rename_outputs", what, did_you_mean(feature, lookup.feature_names)


def _alias_problems(config: RecipeConfig) -> Iterator[Finding]:
    """Aliases that MLflow would refuse after the training, and two that are the same."""
    promote = config.steps.promote
    aliases = {"model_registry.alias": config.model_registry.alias}
    if promote is not None:
        aliases["steps.promote.champion"] = promote.champion
        aliases["steps.promote.previous"] = promote.previous
    first: dict[str, str] = {}
    for key, alias in aliases.items():
        problem = alias_problem(alias)
        if problem is not None:
            yield key, f"is '{shorten(alias)}', which {problem}.", "Such as: champion"
        other = first.setdefault(alias.lower(), key)
        if other != key:
            yield key, f"is '{shorten(alias)}', as is {other}.", "Use another name."


def _reference_problems(config: RecipeConfig) -> Iterator[Finding]:
    """A comparison on the rows that a model has learned says nothing."""
    promote, ingest = config.steps.promote, config.steps.ingest
    locations = [ingest.location] if isinstance(ingest.location, str) else ingest.location or ()
    if promote is not None and promote.reference in locations:
        what = "is what the model is trained on (steps.ingest.location)."
        yield "steps.promote.reference", what, "Remove it: the run's own test part is used then."
