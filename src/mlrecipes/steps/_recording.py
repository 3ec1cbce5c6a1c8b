"""What a training leaves in its run: values, tables, code, and the model's files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlrecipes.cleaning import PROFILE_TAG
from mlrecipes.feature_records import Lookup
from mlrecipes.ports import DatasetInput, ModelDescription
from mlrecipes.steps._contract import MODEL_ARTIFACT_PATH, Context

__all__ = ["record_parts", "record_tables", "record_training", "run_tags"]


def run_tags(context: Context, lookups: Sequence[Lookup] = ()) -> dict[str, str]:
    """Tags of a run, as MLflow Recipes set them, and those that the project brings.

    These are ``mlrecipes.recipe`` (the name), ``mlrecipes.recipe.id`` (by which a reset knows
    the recipe's runs, together with the profile), the commit of the recipe's repository, and
    ``mlrecipes.feature_tables`` with the versions that features were looked up in.
    """
    tables = {f"{lookup.table}@{lookup.version}": None for lookup in lookups}
    from_store = {"mlrecipes.feature_tables": ", ".join(tables)} if tables else {}
    return {
        **from_store,
        "mlflow.source.type": "RECIPE",
        "mlflow.pipeline.template.name": context.config.recipe,
        PROFILE_TAG: context.project.profile,
        "mlflow.pipeline.step.name": "train",
        **context.project.tags,
    }


def record_training(
    run_id: str,
    context: Context,
    *,
    estimator: Any,
    metrics: Mapping[str, float],
    tables: Mapping[str, Any],
) -> None:
    """Record the estimator's parameters, the metrics, the tables and the recipe's files."""
    tracker, kind = context.ports.tracker, type(estimator)
    tags = {
        "estimator_name": kind.__name__,
        "estimator_class": f"{kind.__module__}.{kind.__name__}",
    }
    tracker.log(run_id, params=estimator.get_params(), metrics=metrics, tags=tags)
    record_tables(run_id, context, tables)
    for path, text in sorted(context.project.snapshot.items()):
        tracker.log_text(run_id, text, f"recipe_snapshot/{path}")


def record_tables(run_id: str, context: Context, tables: Mapping[str, Any]) -> None:
    """Record which tables a run used, each under the name of its part as context."""
    source, target = str(context.project.root), context.config.target_col
    context.ports.tracker.log_inputs(
        run_id,
        [
            DatasetInput(f"{name}_data", name, frame, source, target)
            for name, frame in tables.items()
        ],
    )


def record_parts(
    run_id: str,
    context: Context,
    description: ModelDescription,
    *,
    model_path: Path,
    parts: Mapping[str, Any],
) -> None:
    """Upload the model, and its fitted parts alone where MLflow Recipes put them.

    Args:
        run_id: The run.
        context: The step's context.
        description: What belongs to the model and so to its parts.
        model_path: The model's folder.
        parts: Artifact path to fitted object; None for a part that there is not.
    """
    context.ports.tracker.log_directory(run_id, model_path, MODEL_ARTIFACT_PATH)
    for artifact_path, fitted in parts.items():
        if fitted is not None:
            path = context.staging / artifact_path.replace("/", "-")
            context.ports.models.save_part(fitted, description, path)
            context.ports.tracker.log_directory(run_id, path, artifact_path)
