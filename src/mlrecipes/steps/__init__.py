"""The steps of a recipe. Their order follows from what they read and write."""

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.steps import (
    evaluate,
    features,
    ingest,
    ingest_scoring,
    monitor,
    predict,
    promote,
    register,
    split,
    train,
    transform,
)
from mlrecipes.steps._contract import (
    CardMaterial,
    Context,
    Ports,
    ProjectFacts,
    Step,
    UserFunction,
)
from mlrecipes.steps._deciding import Request as PromotionRequest
from mlrecipes.steps._deciding import challenger_of, ledger_of

__all__ = [
    "ALL_STEPS",
    "CardMaterial",
    "Context",
    "Ports",
    "ProjectFacts",
    "PromotionRequest",
    "Step",
    "UserFunction",
    "challenger_of",
    "ledger_of",
    "promotion_step",
    "steps_of",
    "with_model_card",
]

ALL_STEPS: tuple[Step, ...] = (
    features.STEP,
    ingest.STEP,
    split.STEP,
    transform.STEP,
    train.STEP,
    evaluate.STEP,
    register.STEP,
    promote.STEP,
    ingest_scoring.STEP,
    predict.STEP,
    monitor.STEP,
)
promotion_step = promote.step_for


def steps_of(config: RecipeConfig) -> tuple[Step, ...]:
    """The steps that a recipe has.

    features, promote and monitor only if it has their section; ingest_scoring and predict only
    if it says where predictions go and where the rows to score are.
    """
    steps, scoring = config.steps, config.steps.ingest_scoring
    is_scoring = steps.predict is not None and scoring is not None and scoring.has_location
    absent = [] if is_scoring else [ingest_scoring.STEP, predict.STEP]
    absent += [features.STEP] if steps.features is None else []
    absent += [promote.STEP] if steps.promote is None else []
    absent += [monitor.STEP] if steps.monitor is None else []
    kept = tuple(step for step in ALL_STEPS if step not in absent)
    if steps.features is None or not steps.ingest.feature_lookups:
        return kept
    return tuple(ingest.WITH_FEATURES if step is ingest.STEP else step for step in kept)


def with_model_card(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same steps, of which register writes the model card too."""
    written = {artifact.name for step in steps for artifact in step.writes}
    card_step = register.with_card(written)
    return tuple(card_step if step is register.STEP else step for step in steps)
