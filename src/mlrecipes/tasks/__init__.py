"""What differs between regression, binary and multiclass recipes, behind one protocol.

No other package asks which task a recipe has: it asks the :class:`Task` to do the work.
Importing this package, and making a task, loads neither pandas nor scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlrecipes.tasks.base import Policy, Predictions, ScoredEvents, Task
from mlrecipes.tasks.classification import Binary, Multiclass
from mlrecipes.tasks.regression import Regression

if TYPE_CHECKING:
    from mlrecipes.records import Scalar

__all__ = ["Policy", "Predictions", "ScoredEvents", "Task", "task_for"]


def task_for(recipe: str, positive_class: Scalar = None) -> Task:
    """Make the task of a recipe; as in MLflow Recipes, ``positive_class`` makes it binary.

    Args:
        recipe: ``regression/v1`` or ``classification/v1``.
        positive_class: The class whose probability matters; 0 and False are classes too.

    Raises:
        ValueError: The recipe is of another kind; the configuration is checked before this.

    >>> task_for("classification/v1", positive_class=0).name
    'binary'
    >>> task_for("classification/v1").name
    'multiclass'
    """
    if recipe == "regression/v1":
        return Regression()
    if recipe == "classification/v1":
        return Multiclass() if positive_class is None else Binary(positive_class)
    raise ValueError(f"No task belongs to the recipe {recipe!r}.")
