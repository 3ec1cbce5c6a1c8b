"""The model: boosted trees with a loss that a few odd loans cannot bend."""

from typing import Any

from lightgbm import LGBMRegressor

__all__ = ["estimator_fn"]

# Losses pile up at both ends; with squared error the old loans' mean drags the forecast down
# (R2 on the validation half-year 0.44, with Huber's loss 0.46). One thread and a fixed layout of
# the histograms: equal input, equal trees.
_DEFAULTS: dict[str, Any] = {
    "objective": "huber",
    "alpha": 0.1,
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


def estimator_fn(estimator_params: dict[str, Any] | None = None) -> LGBMRegressor:
    """Return the unfitted regressor; ``estimator_params`` of recipe.yaml win over the defaults."""
    return LGBMRegressor(**{**_DEFAULTS, **(estimator_params or {})})
