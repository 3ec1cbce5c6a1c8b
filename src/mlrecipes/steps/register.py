"""register: make a validated model a version of the registered model, as challenger."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import GateRejected
from mlrecipes.features.lookups import lookups_from_json
from mlrecipes.ports import RegisteredVersion, RunRecord
from mlrecipes.records import ArtifactKind, ArtifactSpec, Facts, Section, StepResult
from mlrecipes.steps._contract import (
    MODEL_ARTIFACT_PATH,
    CardMaterial,
    Context,
    Step,
    UserFunction,
)
from mlrecipes.steps._features import SPLIT_TAG, split_digest
from mlrecipes.steps._model_card import CardFacts, model_card
from mlrecipes.steps._verdict import Verdict

__all__ = ["STEP", "with_card"]

KEY = "steps.register"
CARD_FOLDER = "model_card"
QUALITY = ("data_quality", "feature_data_quality")
"""What came of the expectations that a recipe has of its tables, if a step writes it."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The run that holds the model, and the verdict on it."""

    run: Mapping[str, str]
    evaluation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InputsWithCard(Inputs):
    """What the model card tells of the data too."""

    part_facts: Mapping[str, Any]
    feature_lookups: Any


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
            SPLIT_TAG: split_digest(context.config),
        },
    )
    card = _write_card(inputs, version, context.card, context) if context.card else {}
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
            },
            **card,
        },
        sections=(Section("Run Summary", (Facts(facts),)), *((_CARD_SECTION,) if card else ())),
        summary=f"{name} version {version.version} is {alias}",
        run_id=inputs.run["run_id"],
    )


def _write_card(
    inputs: Inputs, version: RegisteredVersion, material: CardMaterial, context: Context
) -> dict[str, str]:
    """Draw the model card, lay it beside the model, and point to it from the version.

    It comes before the alias: a version that the alias names has its card.
    """
    tracker, registry = context.ports.tracker, context.ports.registry
    run_id = inputs.run["run_id"]
    before = registry.version_before(version.name, version.version)
    facts = CardFacts(
        version=version,
        run=tracker.read_run(run_id) or RunRecord(run_id),
        evaluation=inputs.evaluation,
        part_facts=getattr(inputs, "part_facts", {}),
        lookups=lookups_from_json(getattr(inputs, "feature_lookups", ())),
        quality={k: v for name in QUALITY for k, v in getattr(inputs, name, {}).items()},
        before=before,
        run_before=tracker.read_run(before.run_id) if before and before.run_id else None,
    )
    files = material.render(model_card(facts, material, context))
    tracker.log_text(run_id, files.markdown, f"{CARD_FOLDER}/MODEL_CARD.md")
    tracker.log_text(run_id, files.html, f"{CARD_FOLDER}/model_card.html")
    registry.describe(version.name, version.version, files.description)
    return {"model_card": files.markdown, "model_card_html": files.html}


_CARD_SECTION = Section(
    "Model Card",
    (
        Facts(
            (
                ("in the run", f"{CARD_FOLDER}/MODEL_CARD.md, {CARD_FOLDER}/model_card.html"),
                ("where they lie here", "mlrecipes get-artifact model_card"),
                ("for a browser", "mlrecipes get-artifact model_card_html"),
            )
        ),
    ),
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
    if not missed:
        place = context.where("steps.evaluate.leakage")
        lines = [f"  {finding['message']}   {place}" for finding in evaluation["leakage"]]
    raise GateRejected(
        "\n".join(["register: the model was rejected. Nothing was registered.", *lines]),
        hint="Look: mlrecipes inspect evaluate",
    )


def _miss(check: Mapping[str, Any]) -> str:
    value = "not a finite number" if check["value"] is None else f"{check['value']:.6g}"
    sign = "<" if check["greater_is_better"] else ">"
    rows = f" of {check['slice']} (n = {check['n_rows']:,})" if check.get("slice") else ""
    return f"test_{check['metric']}{rows} {value} {sign} {check['threshold']:g} required"


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


def with_card(written: Collection[str]) -> Step:
    """The same step in a recipe with a ``model_card.yaml``.

    Args:
        written: Names of the artifacts that the recipe's steps write.
    """
    quality = [(name, Any) for name in QUALITY if name in written]
    inputs = dataclasses.make_dataclass("Inputs", quality, bases=(InputsWithCard,), frozen=True)
    files = (
        ArtifactSpec("model_card", ArtifactKind.TEXT, ".md"),
        ArtifactSpec("model_card_html", ArtifactKind.TEXT, ".html"),
    )
    return dataclasses.replace(STEP, inputs=inputs, writes=(*STEP.writes, *files))
