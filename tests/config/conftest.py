"""Loading of a recipe and a profile that a test writes down."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mlrecipes.config.load import LoadedConfig, load_config
from tests.config.small import RECIPE


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., LoadedConfig]:
    def write_and_load(
        recipe: str = RECIPE, profile: str = "", overrides: Mapping[str, str] | None = None
    ) -> LoadedConfig:
        (tmp_path / "profiles").mkdir(exist_ok=True)
        (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
        (tmp_path / "profiles" / "local.yaml").write_text(profile, encoding="utf-8")
        return load_config(tmp_path, "local", overrides)

    return write_and_load
