"""The steps of a recipe. Their order follows from what they read and write."""

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.steps import evaluate, features, ingest, register, split, train, transform
from mlrecipes.steps._contract import Context, Ports, ProjectFacts, Step, UserFunction

__all__ = ["ALL_STEPS", "Context", "Ports", "ProjectFacts", "Step", "UserFunction", "steps_of"]

ALL_STEPS: tuple[Step, ...] = (
    features.STEP,
    ingest.STEP,
    split.STEP,
    transform.STEP,
    train.STEP,
    evaluate.STEP,
    register.STEP,
)


def steps_of(config: RecipeConfig) -> tuple[Step, ...]:
    """The steps that a recipe has: features only if it builds feature tables."""
    if config.steps.features is None:
        return tuple(step for step in ALL_STEPS if step is not features.STEP)
    if not config.steps.ingest.feature_lookups:
        return ALL_STEPS
    return tuple(ingest.WITH_FEATURES if step is ingest.STEP else step for step in ALL_STEPS)
