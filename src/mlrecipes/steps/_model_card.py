"""The model card: the words of its owner beside the facts of the run, part by part.

Nothing here is measured anew, and what was not measured is said to be so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlrecipes.errors import shorten
from mlrecipes.feature_records import Lookup
from mlrecipes.model_card_records import CardBlock, CardPart, ModelCardView, Words
from mlrecipes.ports import RegisteredVersion, RunRecord
from mlrecipes.records import Facts, Scalar, Table
from mlrecipes.steps._card_data import data_facts, parts_block, quality_blocks, source_blocks
from mlrecipes.steps._card_validation import (
    NOT_KNOWN,
    NOT_MEASURED,
    importance_blocks,
    missed_checks,
    validation_blocks,
)
from mlrecipes.steps._contract import CardMaterial, Context

__all__ = ["CardFacts", "model_card"]

LIBRARY = "library."
MAX_SENTENCE = 600
"""A registry takes 5,000 characters in all."""
EVIDENCE = (
    "This card puts together what the run recorded and what its owner wrote in model_card.yaml. "
    "It is evidence for a review. It does not say that any rule or law is complied with."
)


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is known of a version.

    Attributes:
        run: The run that made it.
        part_facts: What split wrote down of its parts.
        quality: What came of the expectations by suite, as Great Expectations writes it.
        before: The version before it, and the run that made that one; None if there is none,
            or if that run is gone.
    """

    version: RegisteredVersion
    run: RunRecord
    evaluation: Mapping[str, Any]
    part_facts: Mapping[str, Any] = field(default_factory=dict)
    lookups: tuple[Lookup, ...] = ()
    quality: Mapping[str, Any] = field(default_factory=dict)
    before: RegisteredVersion | None = None
    run_before: RunRecord | None = None


def model_card(facts: CardFacts, material: CardMaterial, context: Context) -> ModelCardView:
    """Put the card of a version together; equal facts give an equal card."""
    text = material.text
    status = str(facts.evaluation["status"])
    primary = context.config.effective_primary_metric
    validation = (*validation_blocks(facts.evaluation, primary), Words(text.approvals, "Approvals"))
    return ModelCardView(
        name=facts.version.name,
        version=facts.version.version,
        recipe=context.project.recipe_name,
        profile=context.project.profile,
        verdict=status,
        warnings=tuple(_warnings(facts)),
        summary=tuple(_summary(facts, material, context)),
        parts=(
            CardPart("Purpose and tier", tuple(_purpose(facts, material, context))),
            CardPart("Data", tuple(_data(facts, material, context))),
            CardPart("Development", tuple(_development(facts, material, context))),
            CardPart("Validation and challenge", validation),
            CardPart("Monitoring plan", (Words(text.monitoring_plan),)),
            CardPart(
                "Limits",
                (
                    Words(text.limits, "Known limits"),
                    Words(text.ethical_considerations, "Ethical considerations"),
                ),
            ),
            CardPart("Changes", tuple(_changes(facts))),
            CardPart("About this card", (Words((EVIDENCE,)),)),
        ),
    )


def _warnings(facts: CardFacts) -> Iterator[str]:
    status = facts.evaluation["status"]
    if status != "VALIDATED":
        missed = "; ".join(missed_checks(facts.evaluation))
        why = missed or "the recipe has no thresholds"
        yield (
            f"NOT VALIDATED. The verdict is {status}: {why}. It was registered all the same, "
            "because the recipe says allow_non_validated_model: true."
        )
    if n_found := len(facts.evaluation.get("leakage") or ()):
        yield f"The leakage checks found {n_found}: see Validation and challenge."
    if facts.run.tags.get("mlrecipes.git.dirty") == "true":
        yield (
            "Trained from files that no commit holds as they were; the run keeps them under "
            "recipe_snapshot."
        )


def _summary(facts: CardFacts, material: CardMaterial, context: Context) -> Iterator[str]:
    """What the registry shows of the version."""
    primary = context.config.effective_primary_metric
    value = facts.evaluation.get("metrics", {}).get(f"test_{primary}")
    shown = NOT_MEASURED if value is None else f"{value:.4g}"
    yield shorten(material.text.purpose[0], limit=MAX_SENTENCE)
    yield f"Verdict {facts.evaluation['status']}; {primary} on test: {shown}."
    yield shorten(f"Owner: {material.text.owner[0]}", limit=MAX_SENTENCE)
    yield f"Model card: model_card/MODEL_CARD.md and model_card.html of run {facts.run.run_id}."


# ---- purpose ---------------------------------------------------------------------------------


def _purpose(facts: CardFacts, material: CardMaterial, context: Context) -> Iterator[CardBlock]:
    text, config, tags = material.text, context.config, facts.run.tags
    yield Words(text.purpose, "Purpose")
    yield Words(text.tier, "Tier")
    yield Words(text.owner, "Owner")
    yield Words(text.intended_use, "Intended use")
    yield Words(text.out_of_scope_use, "Not to be used for")
    if text.target_meaning is not None:
        yield Words(text.target_meaning, "What the target means")
    rows: list[tuple[str, Scalar]] = [
        ("model", facts.version.name),
        ("version", facts.version.version),
        ("task", context.task.name),
        ("target", config.target_col),
    ]
    if config.positive_class is not None:
        rows.append(("positive class", str(config.positive_class)))
    rows += [
        ("primary metric", config.effective_primary_metric),
        ("recipe", f"{context.project.recipe_name} ({config.recipe})"),
        ("profile", context.project.profile),
        ("trained at", facts.run.started_at or NOT_KNOWN),
        ("trained by", facts.run.user or NOT_KNOWN),
        ("commit", tags.get("mlflow.source.git.commit", NOT_KNOWN)),
        ("MLflow run", facts.run.run_id),
    ]
    yield Facts(tuple(rows))


def _data(facts: CardFacts, material: CardMaterial, context: Context) -> Iterator[CardBlock]:
    yield Words(material.text.population, "Population")
    yield parts_block(facts.part_facts)
    yield Facts(tuple(data_facts(facts.part_facts, context.config)))
    yield from source_blocks(material.results, facts.lookups)
    yield from quality_blocks(facts.quality)


# ---- development -----------------------------------------------------------------------------


def _development(facts: CardFacts, material: CardMaterial, context: Context) -> Iterator[CardBlock]:
    run, steps, results = facts.run, context.config.steps, material.results
    method = steps.transform.transformer_method
    rows: list[tuple[str, Scalar]] = [
        ("estimator", run.tags.get("estimator_class", NOT_KNOWN)),
        ("made by", f"steps/train.py: {steps.train.estimator_method or NOT_KNOWN}"),
        ("transformer", f"steps/transform.py: {method}" if method else "none"),
    ]
    if "transform" in results:
        rows.append(("columns and features", results["transform"].summary))
    rows += [("seed", context.config.seed), ("mlrecipes", material.engine)]
    if "train" in results:
        made_with = results["train"].parts
        rows.append(("Python", str(made_with.get("engine.python", NOT_KNOWN))))
        rows += [
            (name.removeprefix(LIBRARY), str(version))
            for name, version in sorted(made_with.items())
            if name.startswith(LIBRARY) and version != "not installed"
        ]
    yield Facts(tuple(rows))
    yield from importance_blocks(facts.evaluation)
    params = tuple(sorted(run.params.items()))
    if params:
        yield Table(("parameter", "value"), params, "Parameters")


# ---- changes ---------------------------------------------------------------------------------


def _changes(facts: CardFacts) -> Iterator[CardBlock]:
    before, run = facts.before, facts.run_before
    if before is None:
        yield Words(("This is the first version.",))
        return
    if run is None:
        yield Words(
            (f"Version {before.version} came before; its run is gone, so nothing is known.",)
        )
        return
    names = sorted(name for name in {*run.metrics, *facts.run.metrics} if name.startswith("test_"))
    metrics = tuple((name, run.metrics.get(name), facts.run.metrics.get(name)) for name in names)
    head = (f"version {before.version}", f"version {facts.version.version}")
    yield Words((f"Version {before.version} came before, from run {run.run_id}.",))
    if metrics:
        yield Table(("metric", *head), metrics, "Metrics, each on the test part of its own run")
    differing = tuple(
        (name, run.params.get(name), facts.run.params.get(name))
        for name in sorted({*run.params, *facts.run.params})
        if run.params.get(name) != facts.run.params.get(name)
    )
    if differing:
        yield Table(("parameter", *head), differing, "Parameters that differ")
    else:
        yield Words(("None.",), "Parameters that differ")
