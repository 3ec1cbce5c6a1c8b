"""The model: boosted trees that answer with the probability of a charge-off."""

from typing import Any

from lightgbm import LGBMClassifier

from sba_loans.trees import TREES

__all__ = ["estimator_fn"]


def estimator_fn(estimator_params: dict[str, Any] | None = None) -> LGBMClassifier:
    """Return the unfitted classifier; ``estimator_params`` of recipe.yaml win over the defaults."""
    return LGBMClassifier(**{**TREES, **(estimator_params or {})})
