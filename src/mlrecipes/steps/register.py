"""register: make a validated model a version of the registered model, as challenger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import GateRejected
from mlrecipes.records import ArtifactKind, ArtifactSpec, Facts, Section, StepResult
from mlrecipes.steps._contract import MODEL_ARTIFACT_PATH, Context, Step, UserFunction
from mlrecipes.steps._verdict import Verdict

__all__ = ["STEP"]

KEY = "steps.register"


@dataclass(frozen=True, slots=True)
class Inputs:
    """The run that holds the model, and the verdict on it."""

    run: Mapping[str, str]
    evaluation: Mapping[str, Any]


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the verdict."""
    return {
        KEY: config.steps.registration.model_dump(mode="json"),
        "model_registry": config.model_registry.model_dump(mode="json"),
        "recipe": config.recipe,
    }


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """Register calls no function of the user."""
    return ()


def run(inputs: Inputs, context: Context) -> StepResult:
    """Obey the verdict; register the run's model and point the alias at it."""
    _obey(inputs.evaluation, context)
    name = context.config.effective_model_name or ""
    alias = context.config.model_registry.alias
    registry = context.ports.registry
    version = registry.register(
        name,
        inputs.run["run_id"],
        MODEL_ARTIFACT_PATH,
        {
            "mlflow.source.type": "RECIPE",
            "mlflow.pipeline.template.name": context.config.recipe,
            "validation_status": str(inputs.evaluation["status"]),
        },
    )
    registry.set_alias(name, alias, version.version)
    facts = (
        ("model", name),
        ("version", version.version),
        ("alias", alias),
        ("source", version.source),
        ("verdict", str(inputs.evaluation["status"])),
    )
    return StepResult(
        outputs={
            "registered_model_version": {
                "registered_model_name": name,
                "registered_model_version": version.version,
                "alias": alias,
            }
        },
        sections=(Section("Run Summary", (Facts(facts),)),),
        summary=f"{name} version {version.version} is {alias}",
        run_id=inputs.run["run_id"],
    )


def _obey(evaluation: Mapping[str, Any], context: Context) -> None:
    """Stop unless the model is validated or the recipe allows models that are not.

    Raises:
        GateRejected: With each threshold that was missed and the place where it stands.
    """
    verdict = Verdict(evaluation["status"])
    is_allowed = context.config.steps.registration.allow_non_validated_model
    if verdict is Verdict.VALIDATED or is_allowed:
        return
    if verdict is Verdict.UNKNOWN:
        raise GateRejected(
            "register: the model has no verdict, because the recipe has no validation_criteria. "
            "Nothing was registered.",
            hint="Add steps.evaluate.validation_criteria, "
            "or set steps.register.allow_non_validated_model: true.",
        )
    missed = [check for check in evaluation["checks"] if not check["is_passed"]]
    lines = [f"  {_miss(check)}   {context.where(check['key'])}" for check in missed]
    raise GateRejected(
        "\n".join(["register: the model was rejected. Nothing was registered.", *lines]),
        hint="Look: mlrecipes inspect evaluate",
    )


def _miss(check: Mapping[str, Any]) -> str:
    value = "not a finite number" if check["value"] is None else f"{check['value']:.6g}"
    sign = "<" if check["greater_is_better"] else ">"
    return f"test_{check['metric']} {value} {sign} {check['threshold']:g} required"


STEP = Step(
    name="register",
    inputs=Inputs,
    writes=(ArtifactSpec("registered_model_version", ArtifactKind.JSON),),
    version=1,
    settings=settings,
    user_functions=user_functions,
    run=run,
    restorable=False,
    needs_tracking=True,
)
