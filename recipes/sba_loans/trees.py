"""Settings of boosted trees that fit these loans, and give the same trees each time."""

from typing import Any

__all__ = ["TREES"]

# One thread and a fixed layout of the histograms: equal input, equal trees.
TREES: dict[str, Any] = {
    "n_estimators": 300,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_child_samples": 100,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.8,
    "deterministic": True,
    "force_row_wise": True,
    "n_jobs": 1,
    "random_state": 42,
    "verbose": -1,
}
