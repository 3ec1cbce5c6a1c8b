"""The model of the Home Credit recipe: LightGBM that gives the same bits in every run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lightgbm import LGBMClassifier

DEFAULTS: Mapping[str, Any] = {
    "n_estimators": 400,
    "learning_rate": 0.03,
    "num_leaves": 16,
    "min_child_samples": 120,
    "subsample": 0.8,
    "subsample_freq": 1,
    "colsample_bytree": 0.1,
    "reg_lambda": 100.0,
    "random_state": 42,
    # Bit-equal runs: a fixed histogram layout, and one thread (sums depend on their number).
    "deterministic": True,
    "force_col_wise": True,
    "n_jobs": 1,
    "verbosity": -1,
}


def estimator_fn(estimator_params: dict[str, Any] | None = None) -> LGBMClassifier:
    """An unfitted classifier: the defaults of this recipe, updated by `estimator_params`."""
    return LGBMClassifier(**{**DEFAULTS, **(estimator_params or {})})
