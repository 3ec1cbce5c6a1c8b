"""evaluate: score the model on data it has not seen and hold it against the thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.records import (
    ArtifactKind,
    ArtifactSpec,
    Facts,
    Section,
    StepResult,
    Table,
    Text,
    to_json,
)
from mlrecipes.steps._contract import Context, Step
from mlrecipes.steps._features import common_settings, target_of
from mlrecipes.steps._recording import record_tables
from mlrecipes.steps._scores import (
    Scores,
    custom_metric_functions,
    metric_settings,
    metrics_table,
    score_line,
    score_part,
)
from mlrecipes.steps._verdict import Check, verdict_of

__all__ = ["STEP"]

KEY = "steps.evaluate"
STATUS_TAG = "validation_status"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The model, its run and the parts that it was not fitted on."""

    model: Path
    run: Mapping[str, str]
    validation_data: Any
    test_data: Any


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    section = {KEY: config.steps.evaluate.model_dump(mode="json")}
    return section | (metric_settings(config) | common_settings(config))


def run(inputs: Inputs, context: Context) -> StepResult:
    """Score validation and test, check the thresholds on test, record the verdict."""
    pipeline = context.ports.models.load_pipeline(inputs.model)
    validation = score_part(pipeline, inputs.validation_data, context)
    test = score_part(pipeline, inputs.test_data, context)
    metrics = validation.prefixed("val_") | test.prefixed("test_")
    verdict, checks = verdict_of(test.metrics, context.config)
    run_id = inputs.run["run_id"]
    context.ports.tracker.log(run_id, metrics=metrics, tags={STATUS_TAG: str(verdict)})
    record_tables(run_id, context, {"test": inputs.test_data})
    _name_primary_metric(run_id, context)
    return StepResult(
        outputs={
            "evaluation": {
                "status": str(verdict),
                "run_id": run_id,
                "metrics": _finite(metrics),
                "checks": [to_json(check) for check in checks],
            }
        },
        sections=tuple(_sections(inputs, context, validation, test, checks)),
        summary=f"{verdict}{score_line('test', test, context)}",
        run_id=run_id,
    )


def _name_primary_metric(run_id: str, context: Context) -> None:
    """Let MLflow's pages show the metric that models of this experiment are compared by."""
    primary = context.config.effective_primary_metric
    is_greater_better = context.config.metric_directions.get(primary, True)
    context.ports.tracker.set_experiment_tags(
        run_id,
        {
            "mlflow.experiment.primaryMetric.name": f"test_{primary}",
            "mlflow.experiment.primaryMetric.greaterIsBetter": str(is_greater_better),
        },
    )


def _finite(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN: a metric that is not finite is kept as null."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def _sections(
    inputs: Inputs, context: Context, validation: Scores, test: Scores, checks: tuple[Check, ...]
) -> list[Section]:
    parts = {"validation": validation, "test": test}
    target = target_of(inputs.test_data, context.config)
    return [
        Section("Model Validation", (_checks_table(checks) if checks else Text(_NO_CRITERIA),)),
        Section("Model Performance (Test)", (metrics_table(parts, context),)),
        *context.task.sections(target, test.predictions),
        Section("Run", (Facts((("run id", inputs.run["run_id"]),)),)),
    ]


_NO_CRITERIA = (
    "The recipe has no validation_criteria, so the verdict is UNKNOWN: "
    "a model without a verdict is registered only with allow_non_validated_model: true."
)


def _checks_table(checks: tuple[Check, ...]) -> Table:
    return Table(
        ("metric", "value on test", "must be", "threshold", "result"),
        tuple(
            (
                check.metric,
                check.value,
                "at least" if check.greater_is_better else "at most",
                check.threshold,
                "passed" if check.is_passed else "NOT passed",
            )
            for check in checks
        ),
        emphasis=tuple(i for i, check in enumerate(checks) if not check.is_passed),
    )


STEP = Step(
    name="evaluate",
    inputs=Inputs,
    writes=(ArtifactSpec("evaluation", ArtifactKind.JSON),),
    version=1,
    settings=settings,
    user_functions=custom_metric_functions,
    run=run,
    libraries=("pandas", "scikit-learn", "numpy"),
    needs_tracking=True,
)
