"""train: fit the user's estimator, keep it as an MLflow model, record it as a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from mlrecipes.checks.profile import preview_table
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import UserCodeError
from mlrecipes.feature_records import Lookup
from mlrecipes.features.lookups import lookups_from_json, without_columns
from mlrecipes.ports import ModelDescription
from mlrecipes.records import (
    ArtifactKind,
    ArtifactSpec,
    Facts,
    Section,
    StepResult,
    Table,
    Text,
)
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._features import common_settings, described, features_of, target_of
from mlrecipes.steps._recording import record_parts, record_training, run_tags
from mlrecipes.steps._reference import monitoring_profile
from mlrecipes.steps._scores import (
    Scores,
    custom_metric_functions,
    metric_settings,
    metrics_table,
    score_line,
    score_part,
)
from mlrecipes.tasks.rebalance import balance_training

__all__ = ["STEP"]

KEY = "steps.train"
METHOD = f"{KEY}.estimator_method"
N_EXAMPLES = 5
N_WORST = 10
N_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Inputs:
    """The transformer and both parts, raw and transformed."""

    training_data: Any
    validation_data: Any
    transformer: Any
    transformed_training_data: Any
    transformed_validation_data: Any
    feature_lookups: Any = ()


@dataclass(frozen=True, slots=True)
class _Trained:
    """A fitted model and how it does on both parts."""

    estimator: Any
    pipeline: Any
    training: Scores
    validation: Scores
    balance: str


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    return {
        KEY: config.steps.train.model_dump(mode="json", exclude={"skip_data_profiling"}),
        "experiment": config.experiment.model_dump(mode="json", exclude={"tracking_uri"}),
        "seed": config.seed,
    } | (metric_settings(config) | common_settings(config))


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The estimator's function and the custom metrics."""
    name = config.steps.train.estimator_method
    estimator = (UserFunction(METHOD, "train", name),) if name else ()
    return estimator + custom_metric_functions(config)


def run(inputs: Inputs, context: Context) -> StepResult:
    """Open a run, fit, score both parts, save the model and record everything."""
    lookups = lookups_from_json(inputs.feature_lookups)
    run_info = context.ports.tracker.start_run(run_tags(context, lookups))
    trained = _train(inputs, context)
    held = (inputs.training_data, inputs.validation_data)
    profile = monitoring_profile(trained.pipeline, held, trained.validation, context)
    description = replace(_describe(trained, context, lookups), training_profile=profile)
    model_path = context.staging / "model"
    examples = features_of(inputs.training_data, context.config).head(N_EXAMPLES)
    context.ports.models.save(trained.pipeline, description, examples, model_path)
    record_training(
        run_info.run_id,
        context,
        estimator=trained.estimator,
        metrics=trained.training.prefixed("training_") | trained.validation.prefixed("val_"),
        tables={"training": inputs.training_data, "validation": inputs.validation_data},
    )
    parts = {"train/estimator": trained.estimator, "transform/transformer": inputs.transformer}
    record_parts(run_info.run_id, context, description, model_path=model_path, parts=parts)
    scored = _with_predictions(inputs.training_data, trained.training)
    return StepResult(
        outputs={
            "model": model_path,
            "run": {"run_id": run_info.run_id, "experiment_id": run_info.experiment_id},
            "predicted_training_data": scored,
        },
        sections=tuple(_sections(trained, inputs, context)),
        summary=type(trained.estimator).__name__ + score_line("val", trained.validation, context),
        run_id=run_info.run_id,
    )


def _train(inputs: Inputs, context: Context) -> _Trained:
    """Fit the estimator on the transformed training part, balanced if the recipe asks."""
    from sklearn.pipeline import Pipeline

    config, training = context.config, inputs.transformed_training_data
    estimator = _new_estimator(context)
    kept = balance_training(target_of(training, config), context.task, config)
    if kept.positions is not None:
        training = training.iloc[kept.positions]
    features = features_of(training, config)
    if not _gives_frames(inputs.transformer, inputs.training_data, config):
        features = features.to_numpy()
    estimator.fit(features, target_of(training, config))
    first = "passthrough" if inputs.transformer is None else inputs.transformer
    pipeline = Pipeline([("transformer", first), ("estimator", estimator)])
    return _Trained(
        estimator,
        pipeline,
        score_part(pipeline, inputs.training_data, context),
        score_part(pipeline, inputs.validation_data, context),
        kept.sentence,
    )


def _new_estimator(context: Context) -> Any:
    """Call the user's function: with the parameters if there are any, else without."""
    make = context.functions[METHOD]
    params = dict(context.config.steps.train.estimator_params)
    estimator = make(params) if params else make()
    for method in ("fit", "predict", "get_params"):
        if not callable(getattr(estimator, method, None)):
            raise UserCodeError(
                f"steps/train.py:{context.config.steps.train.estimator_method} gave "
                f"{type(estimator).__name__}, which has no method '{method}'. "
                "An unfitted estimator as in scikit-learn is expected."
            )
    return estimator


def _gives_frames(transformer: Any, training: Any, config: RecipeConfig) -> bool:
    """An estimator must be fitted on what it will be given later: a frame or an array."""
    if transformer is None:
        return True
    return hasattr(transformer.transform(features_of(training, config).head(1)), "columns")


def _describe(trained: _Trained, context: Context, lookups: tuple[Lookup, ...]) -> ModelDescription:
    train, predictions = context.config.steps.train, trained.training.predictions
    return ModelDescription(
        task=context.task.name,
        predict_output=train.predict_output,
        predict_prefix=train.predict_prefix,
        all_class_scores=train.predict_scores_for_all_classes,
        classes=predictions.classes if predictions.scores is not None else (),
        positive_class=context.config.positive_class,
        requirements=context.project.requirements,
        code_paths=context.project.code_paths,
        lookups=without_columns(lookups, context.config.protected_cols),
    )


def _with_predictions(frame: Any, scores: Scores) -> Any:
    """The raw training part with what the model says of each row, row by row."""
    predictions = scores.predictions
    columns: dict[str, Any] = {"predicted_data": predictions.labels}
    if predictions.scores is not None:
        columns["predicted_score"] = predictions.scores.max(axis=1)
    return frame.assign(**columns)


def _sections(trained: _Trained, inputs: Inputs, context: Context) -> list[Section]:
    parts = {"training": trained.training, "validation": trained.validation}
    params = trained.estimator.get_params()
    sections = [
        Section("Model Performance", (metrics_table(parts, context),)),
        Section("Model Architecture", (Text(described(trained.pipeline), preformatted=True),)),
        Section("Worst Predictions", (_worst_table(inputs.training_data, trained, context),)),
        Section("Parameters", (Facts(tuple((k, str(v)) for k, v in sorted(params.items()))),)),
    ]
    if trained.balance:
        sections.append(Section("Balancing", (Text(trained.balance),)))
    return sections


def _worst_table(frame: Any, trained: _Trained, context: Context) -> Table:
    """The training rows on which the model is most wrong; identifiers help to find them."""
    config, predictions = context.config, trained.training.predictions
    target = target_of(frame, config)
    positions = context.task.worst_rows(target, predictions, N_WORST)
    shown = [*config.id_cols, *features_of(frame, config).columns[:N_SHOWN]]
    said = [context.task.shown_prediction(predictions, int(position)) for position in positions]
    worst = frame.iloc[positions][shown]
    worst.insert(0, "prediction", said, allow_duplicates=True)
    worst.insert(0, "target", target.iloc[positions], allow_duplicates=True)
    return preview_table(worst, N_WORST)


STEP = Step(
    name="train",
    inputs=Inputs,
    writes=(
        ArtifactSpec("model", ArtifactKind.MODEL),
        ArtifactSpec("run", ArtifactKind.JSON),
        ArtifactSpec("predicted_training_data", ArtifactKind.FRAME),
    ),
    version=5,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "scikit-learn", "numpy", "mlflow", "lightgbm"),
    needs_tracking=True,
)
