"""The user's code in ``steps/``: read as text for the plan, imported only to run."""

from mlrecipes.user_code.imports import UserCode
from mlrecipes.user_code.source import SourceTree

__all__ = ["SourceTree", "UserCode"]
