"""transform: fit the user's transformer on the training part and apply it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.profile import preview_table, profile_frame, schema_table
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, UserCodeError
from mlrecipes.features.lookups import lookups_from_json
from mlrecipes.records import ArtifactKind, ArtifactSpec, Section, StepResult, Text
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._features import common_settings, described, features_of, target_of
from mlrecipes.steps._lookups import check_used

__all__ = ["STEP"]

KEY = "steps.transform"
METHOD = f"{KEY}.transformer_method"
N_DIMENSIONS = 2


@dataclass(frozen=True, slots=True)
class Inputs:
    """The raw parts that the transformer is fitted on and applied to."""

    training_data: Any
    validation_data: Any
    feature_lookups: Any = ()


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    section = config.steps.transform.model_dump(exclude={"skip_data_profiling"})
    return {KEY: section} | common_settings(config)


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The function of ``steps/transform.py`` that the recipe names."""
    name = config.steps.transform.transformer_method
    return (UserFunction(METHOD, "transform", name),) if name else ()


def run(inputs: Inputs, context: Context) -> StepResult:
    """Fit on the training part, transform training and validation."""
    config = context.config
    transformer = _fitted_transformer(inputs.training_data, context)
    lookups = lookups_from_json(inputs.feature_lookups)
    check_used(transformer, features_of(inputs.training_data, config), lookups)
    training = _transformed(transformer, inputs.training_data, config)
    validation = _transformed(transformer, inputs.validation_data, config)
    before = features_of(inputs.training_data.head(0), config)
    sections = [
        Section("Transformer", (Text(described(transformer), preformatted=True),)),
        Section("Input Schema", (schema_table(before),)),
        Section("Output Schema", (schema_table(training),)),
        Section("Data Preview", (preview_table(training),)),
    ]
    if not config.steps.transform.skip_data_profiling:
        sections.insert(0, Section("Data Profile (Train Transformed)", (profile_frame(training),)))
    return StepResult(
        outputs={
            "transformer": transformer,
            "transformed_training_data": training,
            "transformed_validation_data": validation,
        },
        sections=tuple(sections),
        summary=f"{before.shape[1]} columns in, {training.shape[1] - 1} features out",
    )


def _fitted_transformer(training: Any, context: Context) -> Any:
    """The user's transformer, fitted; None stands for no change at all."""
    make = context.functions.get(METHOD)
    transformer = make() if make is not None else None
    if transformer is None:
        return None
    name = f"steps/transform.py:{context.config.steps.transform.transformer_method}"
    for method in ("fit", "transform"):
        if not callable(getattr(transformer, method, None)):
            raise UserCodeError(
                f"{name} gave {type(transformer).__name__}, which has no method '{method}'. "
                "An unfitted transformer as in scikit-learn is expected, or None."
            )
    transformer.fit(features_of(training, context.config), target_of(training, context.config))
    return transformer


def _transformed(transformer: Any, part: Any, config: RecipeConfig) -> Any:
    """The features that the transformer makes of a part, with the target as last column.

    Raises:
        UserCodeError: It gives no table, or another number of rows.
        DataError: It gives a column named like the target.
    """
    import pandas as pd

    features = features_of(part, config)
    target = target_of(part, config)
    if transformer is None:
        return features.assign(**{config.target_col: target})
    values = transformer.transform(features)
    _check_shape(transformer, values, len(part))
    if isinstance(values, pd.DataFrame):
        frame, target = values, target.set_axis(values.index)
    else:
        dense = values.toarray() if hasattr(values, "toarray") else values
        names = _feature_names(transformer, features, dense.shape[1])
        frame, target = pd.DataFrame(dense, columns=names), target.reset_index(drop=True)
    if config.target_col in frame.columns:
        raise DataError(
            f"The transformer gives a column named like the target, '{config.target_col}'."
        )
    return frame.assign(**{config.target_col: target})


def _check_shape(transformer: Any, values: Any, n_rows: int) -> None:
    """Rows that were left out or added would get the targets of other rows."""
    shape: tuple[int, ...] = getattr(values, "shape", ())
    if len(shape) != N_DIMENSIONS or shape[0] != n_rows:
        seen = f"an array of shape {shape}" if shape else type(values).__name__
        raise UserCodeError(
            f"The transformer {type(transformer).__name__} made {seen} of {n_rows:,} rows; "
            f"a table of {n_rows:,} rows is expected.",
            hint="Leave rows out in steps/split.py or steps/ingest.py, not in the transformer.",
        )


def _feature_names(transformer: Any, features: Any, n_names: int) -> list[str]:
    """The transformer's own names, or f_00, f_01, … as MLflow Recipes named them."""
    try:
        names = [str(name) for name in transformer.get_feature_names_out(features.columns)]
        if len(names) != n_names:
            raise ValueError(f"{len(names):,} names for {n_names:,} features")
        return names
    except (AttributeError, ValueError, TypeError, NotImplementedError) as error:
        warnings.warn(
            f"The transformer names no features ({error}); they are called f_0, f_1, …",
            stacklevel=2,
        )
    width = len(str(n_names - 1))
    return [f"f_{position:0{width}}" for position in range(n_names)]


STEP = Step(
    name="transform",
    inputs=Inputs,
    writes=(
        ArtifactSpec("transformer", ArtifactKind.OBJECT),
        ArtifactSpec("transformed_training_data", ArtifactKind.FRAME),
        ArtifactSpec("transformed_validation_data", ArtifactKind.FRAME),
    ),
    version=2,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "scikit-learn", "numpy"),
)
