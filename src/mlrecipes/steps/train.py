"""train: fit the user's estimator, keep it as an MLflow model, record it as a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import UserCodeError
from mlrecipes.ports import DatasetInput, ModelDescription
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
from mlrecipes.steps._features import common_settings, features_of, target_of
from mlrecipes.steps._scores import CUSTOM_METRICS_KEY, Scores, metrics_table, score_part
from mlrecipes.tasks import Predictions
from mlrecipes.tasks.rebalance import balance_training

__all__ = ["MODEL_ARTIFACT_PATH", "STEP"]

KEY = "steps.train"
METHOD = f"{KEY}.estimator_method"
MODEL_ARTIFACT_PATH = "train/model"
ESTIMATOR = "train/estimator"
TRANSFORMER = "transform/transformer"
N_EXAMPLES = 5
N_WORST = 10


@dataclass(frozen=True, slots=True)
class Inputs:
    """The transformer and both parts, raw and transformed."""

    training_data: Any
    validation_data: Any
    transformer: Any
    transformed_training_data: Any
    transformed_validation_data: Any


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    return {
        KEY: config.steps.train.model_dump(mode="json", exclude={"skip_data_profiling"}),
        "experiment": config.experiment.model_dump(mode="json"),
        "custom_metrics": [metric.model_dump(mode="json") for metric in config.custom_metrics],
        "primary_metric": config.effective_primary_metric,
        "seed": config.seed,
    } | common_settings(config)


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The estimator's function and the custom metrics."""
    name = config.steps.train.estimator_method
    estimator = (UserFunction(METHOD, "train", name),) if name else ()
    return estimator + custom_metric_functions(config)


def custom_metric_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/custom_metrics.py`` that the recipe names."""
    return tuple(
        UserFunction(f"{CUSTOM_METRICS_KEY}[{i}].function", "custom_metrics", metric.function)
        for i, metric in enumerate(config.custom_metrics)
    )


def run(inputs: Inputs, context: Context) -> StepResult:
    """Open a run, fit, score both parts, save the model and record everything."""
    tracker = context.ports.tracker
    run_info = tracker.start_run(_run_tags(context))
    fitted, balance = _fit(inputs, context)
    pipeline = _pipeline(inputs.transformer, fitted)
    training = score_part(pipeline, inputs.training_data, context)
    validation = score_part(pipeline, inputs.validation_data, context)
    description = _describe(training.predictions, context)
    examples = features_of(inputs.training_data, context.config).head(N_EXAMPLES)
    model_path = context.staging / "model"
    context.ports.models.save(pipeline, description, examples, model_path)
    _record(run_info.run_id, fitted, inputs, context, training=training, validation=validation)
    tracker.log_directory(run_info.run_id, model_path, MODEL_ARTIFACT_PATH)
    _record_parts(
        run_info.run_id, {ESTIMATOR: fitted, TRANSFORMER: inputs.transformer}, description, context
    )
    return StepResult(
        outputs={
            "model": model_path,
            "run": {"run_id": run_info.run_id, "experiment_id": run_info.experiment_id},
            "predicted_training_data": _with_predictions(inputs.training_data, training, context),
        },
        sections=tuple(_sections(pipeline, inputs, context, training, validation, balance)),
        summary=_summary(fitted, validation, context),
        run_id=run_info.run_id,
    )


def _fit(inputs: Inputs, context: Context) -> tuple[Any, str]:
    """Fit the estimator on the transformed training part, balanced if the recipe asks."""
    config = context.config
    estimator = _new_estimator(context)
    kept = balance_training(
        target_of(inputs.transformed_training_data, config), context.task, config
    )
    training = inputs.transformed_training_data
    if kept.positions is not None:
        training = training.iloc[kept.positions]
    features = features_of(training, config)
    if not _gives_frames(inputs.transformer, inputs.training_data, config):
        features = features.to_numpy()
    return estimator.fit(features, target_of(training, config)), kept.sentence


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


def _pipeline(transformer: Any, estimator: Any) -> Any:
    from sklearn.pipeline import Pipeline

    first = "passthrough" if transformer is None else transformer
    return Pipeline([("transformer", first), ("estimator", estimator)])


def _describe(predictions: Predictions, context: Context) -> ModelDescription:
    train = context.config.steps.train
    return ModelDescription(
        task=context.task.name,
        predict_output=train.predict_output,
        predict_prefix=train.predict_prefix,
        all_class_scores=train.predict_scores_for_all_classes,
        classes=predictions.classes if predictions.scores is not None else (),
        positive_class=context.config.positive_class,
        requirements=context.project.requirements,
        code_paths=context.project.code_paths,
    )


def _run_tags(context: Context) -> dict[str, str]:
    return {
        "mlflow.source.type": "RECIPE",
        "mlflow.pipeline.template.name": context.config.recipe,
        "mlflow.pipeline.profile.name": context.project.profile,
        "mlflow.pipeline.step.name": "train",
        **context.project.tags,
    }


def _record(
    run_id: str,
    estimator: Any,
    inputs: Inputs,
    context: Context,
    *,
    training: Scores,
    validation: Scores,
) -> None:
    tracker = context.ports.tracker
    tracker.log(
        run_id,
        params=estimator.get_params(),
        metrics=training.prefixed("training_") | validation.prefixed("val_"),
        tags={
            "estimator_name": type(estimator).__name__,
            "estimator_class": f"{type(estimator).__module__}.{type(estimator).__name__}",
        },
    )
    source = str(context.project.root)
    tracker.log_inputs(
        run_id,
        [
            DatasetInput(f"{name}_data", name, frame, source, context.config.target_col)
            for name, frame in (
                ("training", inputs.training_data),
                ("validation", inputs.validation_data),
            )
        ],
    )
    for path, text in sorted(context.project.snapshot.items()):
        tracker.log_text(run_id, text, f"recipe_snapshot/{path}")


def _record_parts(
    run_id: str, parts: Mapping[str, Any], description: ModelDescription, context: Context
) -> None:
    """The estimator and the transformer alone, where MLflow Recipes put them."""
    for artifact_path, fitted in parts.items():
        if fitted is not None:
            path = context.staging / artifact_path.replace("/", "-")
            context.ports.models.save_part(fitted, description, path)
            context.ports.tracker.log_directory(run_id, path, artifact_path)


def _with_predictions(frame: Any, scores: Scores, context: Context) -> Any:
    """The raw training part with what the model says of each row, row by row."""
    predictions = scores.predictions
    columns: dict[str, Any] = {"predicted_data": predictions.labels}
    if predictions.scores is not None:
        columns["predicted_score"] = predictions.scores.max(axis=1)
    return frame.assign(**columns)


def _summary(estimator: Any, validation: Scores, context: Context) -> str:
    primary = context.config.effective_primary_metric
    value = validation.metrics.get(primary)
    score = f", val_{primary} {value:.4g}" if value is not None else ""
    return f"{type(estimator).__name__}{score} (n = {validation.n_rows:,})"


def _sections(
    pipeline: Any,
    inputs: Inputs,
    context: Context,
    training: Scores,
    validation: Scores,
    balance: str,
) -> list[Section]:
    parts = {"training": training, "validation": validation}
    sections = [
        Section("Model Performance", (metrics_table(parts, context),)),
        Section("Model Architecture", (Text(repr(pipeline), preformatted=True),)),
        Section("Worst Predictions", (_worst_table(inputs.training_data, training, context),)),
        Section(
            "Parameters",
            (Facts(tuple((k, str(v)) for k, v in pipeline[-1].get_params().items())),),
        ),
    ]
    return [*sections, Section("Balancing", (Text(balance),))] if balance else sections


def _worst_table(frame: Any, scores: Scores, context: Context) -> Table:
    """The training rows on which the model is most wrong; identifiers help to find them."""
    config = context.config
    target = target_of(frame, config)
    positions = context.task.worst_rows(target, scores.predictions, N_WORST)
    shown = [*config.id_cols, *features_of(frame, config).columns[:8]]
    rows = []
    for position in positions:
        row = frame.iloc[int(position)]
        prediction = context.task.shown_prediction(scores.predictions, int(position))
        rows.append((str(target.iloc[int(position)]), prediction, *(str(row[c]) for c in shown)))
    return Table(("target", "prediction", *map(str, shown)), tuple(rows))


STEP = Step(
    name="train",
    inputs=Inputs,
    writes=(
        ArtifactSpec("model", ArtifactKind.MODEL),
        ArtifactSpec("run", ArtifactKind.JSON),
        ArtifactSpec("predicted_training_data", ArtifactKind.FRAME),
    ),
    version=1,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "scikit-learn", "numpy", "mlflow", "lightgbm"),
    needs_tracking=True,
)
