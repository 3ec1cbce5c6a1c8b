"""The steps of a recipe. Their order follows from what they read and write."""

from mlrecipes.steps import evaluate, ingest, register, split, train, transform
from mlrecipes.steps._contract import Context, Ports, ProjectFacts, Step, UserFunction

__all__ = ["ALL_STEPS", "Context", "Ports", "ProjectFacts", "Step", "UserFunction"]

ALL_STEPS: tuple[Step, ...] = (
    ingest.STEP,
    split.STEP,
    transform.STEP,
    train.STEP,
    evaluate.STEP,
    register.STEP,
)
