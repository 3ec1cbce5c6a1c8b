"""mlrecipes: a recipe.yaml, a profile and plain functions become a registered model.

>>> from mlrecipes import Recipe
>>> Recipe.__name__
'Recipe'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from mlrecipes._version import __version__

if TYPE_CHECKING:
    from mlrecipes.errors import ConfigError, GateRejected, RecipeError
    from mlrecipes.monitor_options import MonitorOptions
    from mlrecipes.predict_options import PredictOptions
    from mlrecipes.recipe import Recipe

__all__ = [
    "ConfigError",
    "GateRejected",
    "MonitorOptions",
    "PredictOptions",
    "Recipe",
    "RecipeError",
    "__version__",
]

_PLACES = {
    "MonitorOptions": "mlrecipes.monitor_options",
    "PredictOptions": "mlrecipes.predict_options",
    "Recipe": "mlrecipes.recipe",
    "ConfigError": "mlrecipes.errors",
    "GateRejected": "mlrecipes.errors",
    "RecipeError": "mlrecipes.errors",
}


def __getattr__(name: str) -> Any:
    """Import public names when they are asked for, so that errors cost no data frames."""
    if name not in _PLACES:
        raise AttributeError(f"module 'mlrecipes' has no attribute '{name}'")
    return getattr(importlib.import_module(_PLACES[name]), name)
