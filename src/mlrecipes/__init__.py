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
    from mlrecipes.recipe import Recipe

__all__ = ["ConfigError", "GateRejected", "Recipe", "RecipeError", "__version__"]

_PLACES = {
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
