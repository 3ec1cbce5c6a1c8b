"""Thinning out the more frequent class of a large, lopsided training part.

MLflow Recipes does this by default: binary, more than 5,000 rows, less than 30% of them in
the rarer class. Two things differ here.

* The draw has a seed. Recipes' had none, so that two runs of the same recipe differed.
* No ``class_weight`` is handed to the estimator. Recipes put one into its parameters, which
  crashed every estimator without that parameter and, with text classes, every other one as
  well; and it weighted a class up that the draw had made more frequent already.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import shorten

if TYPE_CHECKING:
    import numpy as np

    from mlrecipes.config.schema import RecipeConfig
    from mlrecipes.tasks.base import Task

__all__ = ["Balance", "balance_training", "thin_out"]

MIN_ROWS = 5000
N_CLASSES = 2


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """Which training rows are kept, and what the card says about it.

    Attributes:
        positions: Positions of the kept rows, ascending; None where all rows are kept.
        sentence: Empty where nothing was to be decided.
    """

    positions: np.ndarray | None = None
    sentence: str = ""


def balance_training(target: Any, task: Task, config: RecipeConfig) -> Balance:
    """Thin the more frequent class out if the recipe asks for it and the task allows it.

    Args:
        target: The training target, one value a row.
        task: The recipe's task.
        config: The recipe's configuration; ``steps.train`` and ``seed`` are read.
    """
    train = config.steps.train
    if not (task.can_rebalance and train.rebalance_training_data):
        return Balance()
    return thin_out(target, train.resampling_minority_percentage, config.seed)


def thin_out(target: Any, minority_share: float, seed: int) -> Balance:
    """Draw rows of the more frequent of two classes until the rarer has ``minority_share``.

    All rows of the rarer class are kept, and the kept rows keep their order.

    Args:
        target: Two classes, one value a row.
        minority_share: The share the rarer class shall have; 0.3 for 30%.
        seed: Decides the draw.
    """
    import numpy as np

    from mlrecipes.tasks._classes import count_classes, encode

    counts = count_classes(target)
    n_rows = sum(counts.values())
    if n_rows <= MIN_ROWS or len(counts) != N_CLASSES:
        return Balance()
    rare, frequent = sorted(counts, key=lambda label: counts[label])
    share = counts[rare] / n_rows
    if share >= minority_share:
        return Balance()
    # The tolerance keeps a product such as 0.3 / 0.1 = 2.9999999999999996 from losing a row.
    n_drawn = math.floor(counts[rare] * (1 - minority_share) / minority_share + 1e-9)
    rarer, more_frequent = shorten(rare), shorten(frequent)
    code = encode(target, (rare, frequent))
    drawn = np.random.default_rng(seed).choice(np.flatnonzero(code == 1), n_drawn, replace=False)
    positions = np.sort(np.concatenate([np.flatnonzero(code == 0), drawn]))
    return Balance(
        positions,
        f"Of {n_rows:,} training rows {len(positions):,} are used: all {counts[rare]:,} of class "
        f"{rarer} ({share:.1%}) and {n_drawn:,} of the {counts[frequent]:,} of class "
        f"{more_frequent}, drawn with seed {seed}, so that class {rarer} has "
        f"{minority_share:.0%}. The model's probabilities are those of that mixture, not of the "
        "data. To use all rows, set steps.train.rebalance_training_data: false.",
    )
