"""evaluate: score the model on data it has not seen and hold it against the thresholds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlrecipes.checks.fairness import GroupTreatment
from mlrecipes.checks.leakage import LeakageFinding
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.records import (
    ArtifactKind,
    ArtifactSpec,
    Facts,
    Section,
    StepResult,
    to_json,
)
from mlrecipes.steps._contract import Context, Step
from mlrecipes.steps._features import common_settings, target_of
from mlrecipes.steps._leaks import (
    N_KEPT,
    importance_of,
    importance_section,
    leakage_section,
    leaks_of,
)
from mlrecipes.steps._recording import record_tables
from mlrecipes.steps._scores import (
    Scores,
    custom_metric_functions,
    metric_settings,
    metrics_table,
    score_line,
    score_part,
)
from mlrecipes.steps._slices import (
    Estimate,
    SliceScores,
    estimate_json,
    fairness_section,
    intervals_of,
    policy_of,
    shown,
    slice_scores,
    slices_section,
    treatment_json,
    treatments,
)
from mlrecipes.steps._verdict import Check, Judged, Verdict, checks_block, verdict_of

__all__ = ["STEP"]

KEY = "steps.evaluate"
STATUS_TAG = "validation_status"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The model, its run, the parts that it was not fitted on, and the one that it was."""

    model: Path
    run: Mapping[str, str]
    training_data: Any
    validation_data: Any
    test_data: Any


@dataclass(frozen=True, slots=True)
class _Found:
    """All that evaluate finds out about the test part."""

    validation: Scores
    test: Scores
    estimates: Mapping[str, Estimate]
    slices: tuple[SliceScores, ...]
    treatments: tuple[GroupTreatment, ...]
    leaks: tuple[LeakageFinding, ...]
    importance: tuple[tuple[str, float], ...]


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    section = {KEY: config.steps.evaluate.model_dump(mode="json"), "seed": config.seed}
    return section | (metric_settings(config) | common_settings(config))


def run(inputs: Inputs, context: Context) -> StepResult:
    """Score validation and test, check the thresholds on test, record the verdict."""
    found = _look(inputs, context)
    metrics = found.validation.prefixed("val_") | found.test.prefixed("test_")
    verdict, checks = _verdict(found, context)
    run_id = inputs.run["run_id"]
    ends = _headline_ends(found, context)
    context.ports.tracker.log(run_id, metrics=metrics | ends, tags={STATUS_TAG: str(verdict)})
    record_tables(run_id, context, {"test": inputs.test_data})
    _name_primary_metric(run_id, context)
    evaluation = {
        "status": str(verdict),
        "run_id": run_id,
        "metrics": {name: shown(value) for name, value in metrics.items()},
        "checks": [to_json(check) for check in checks],
        **_evidence(found, context),
    }
    text = json.dumps(evaluation, indent=1)
    context.ports.tracker.log_text(run_id, text, "evaluate/evaluation.json")
    return StepResult(
        outputs={"evaluation": evaluation},
        sections=tuple(_sections(inputs, context, found, checks)),
        summary=f"{verdict}{score_line('test', found.test, context)}",
        run_id=run_id,
    )


def _look(inputs: Inputs, context: Context) -> _Found:
    config, test_data = context.config, inputs.test_data
    pipeline = context.ports.models.load_pipeline(inputs.model)
    validation = score_part(pipeline, inputs.validation_data, context)
    test = score_part(pipeline, test_data, context)
    estimates = intervals_of(test_data, test, context)
    covered = context.task.coverage(
        (target_of(inputs.validation_data, config), validation.predictions),
        target_of(test_data, config),
        test.predictions.labels,
    )
    estimates |= {name: Estimate(*ends) for name, ends in covered.items()}
    shares = {name: ends[0] for name, ends in covered.items()}
    return _Found(
        validation,
        replace(test, metrics={**test.metrics, **shares}),
        estimates,
        slice_scores(test_data, test, context),
        treatments(test_data, test, context),
        leaks_of(inputs.training_data, test_data, test, context),
        importance_of(pipeline, test_data, context),
    )


def _verdict(found: _Found, context: Context) -> tuple[Verdict, tuple[Check, ...]]:
    """Thresholds, and leaks where the recipe says that they stop a model."""
    groups = [scores.judged for scores in found.slices if scores.metrics]
    whole = Judged(found.test.metrics, found.test.n_rows)
    verdict, checks = verdict_of(whole, groups, context.config)
    if context.config.steps.evaluate.leakage == "stop" and found.leaks:
        return Verdict.REJECTED, checks
    return verdict, checks


def _headline_ends(found: _Found, context: Context) -> dict[str, float]:
    """The ends of the intervals that a table of runs should show: not those of all metrics."""
    criteria = context.config.steps.evaluate.validation_criteria
    names = {context.config.effective_primary_metric, *(c.metric for c in criteria)}
    ends: dict[str, float] = {}
    for name in sorted(names & found.estimates.keys()):
        estimate = found.estimates[name]
        if math.isfinite(estimate.low) and math.isfinite(estimate.high):
            ends |= {f"test_{name}_low": estimate.low, f"test_{name}_high": estimate.high}
    return ends


def _evidence(found: _Found, context: Context) -> dict[str, Any]:
    """What the verdict rests on, as plain data; a number that is not finite is null."""
    return {
        "confidence": context.config.steps.evaluate.confidence,
        "intervals": {
            name: estimate_json(estimate) | {"n_rows": found.test.n_rows}
            for name, estimate in found.estimates.items()
        },
        "slices": [
            {
                "slice": scores.group.slice,
                "value": scores.group.value,
                "n_rows": scores.group.n_rows,
                "metrics": {n: estimate_json(e) for n, e in scores.estimates.items()},
            }
            for scores in found.slices
        ],
        "fairness": [treatment_json(treatment) for treatment in found.treatments],
        "leakage": [to_json(leak) for leak in found.leaks],
        "importance": [{"feature": n, "share": share} for n, share in found.importance[:N_KEPT]],
        "cut_off": context.config.steps.evaluate.cut_off,
        "n_rows": {"validation": found.validation.n_rows, "test": found.test.n_rows},
    }


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


def _sections(
    inputs: Inputs, context: Context, found: _Found, checks: tuple[Check, ...]
) -> list[Section]:
    parts = {"validation": found.validation, "test": found.test}
    target = target_of(inputs.test_data, context.config)
    policy = policy_of(context)
    intervals = {name: estimate.text for name, estimate in found.estimates.items()}
    table = metrics_table(parts, context, intervals)
    sections = [
        Section("Model Validation", (checks_block(checks),)),
        Section("Model Performance (Test)", (table,)),
        *context.task.sections(target, found.test.predictions, policy),
    ]
    if found.slices:
        sections.append(slices_section(found.slices, found.test, context))
    if found.treatments:
        sections.append(fairness_section(found.treatments, context))
    sections.append(leakage_section(found.leaks, context))
    sections.append(importance_section(found.importance))
    return [*sections, Section("Run", (Facts((("run id", inputs.run["run_id"]),)),))]


STEP = Step(
    name="evaluate",
    inputs=Inputs,
    writes=(ArtifactSpec("evaluation", ArtifactKind.JSON),),
    version=2,
    settings=settings,
    user_functions=custom_metric_functions,
    run=run,
    libraries=("pandas", "scikit-learn", "numpy"),
    needs_tracking=True,
)
