"""A step's surroundings in memory."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import StoreError
from mlrecipes.feature_ports import FeatureBackend
from mlrecipes.steps import Context, Ports, ProjectFacts
from mlrecipes.stores.batch_model import MlflowBatchScoring
from mlrecipes.stores.datasets import FileDatasetReader
from mlrecipes.stores.models import MlflowModels
from mlrecipes.stores.quality_backend import open_quality
from mlrecipes.stores.row_division import FileRowDivider
from mlrecipes.tasks import task_for
from mlrecipes.testing import MemoryRegistry, MemoryTracker


@pytest.fixture
def tracker() -> MemoryTracker:
    return MemoryTracker()


@pytest.fixture
def registry() -> MemoryRegistry:
    return MemoryRegistry()


def no_feature_tables() -> FeatureBackend:
    raise StoreError("This recipe has no feature tables.")


@pytest.fixture
def context(
    tmp_path: Path, tracker: MemoryTracker, registry: MemoryRegistry
) -> Callable[..., Context]:
    """Make the context of a step from a recipe's keys and functions by configuration key."""

    def make(functions: dict[str, Any] | None = None, **recipe: Any) -> Context:
        steps = {"ingest": {"using": "csv", "location": "a.csv"}, **recipe.pop("steps", {})}
        few = {"min_rows": {"training": 1}}
        keys = {"recipe": "regression/v1", "target_col": "y", "steps": steps, "quality": few}
        keys |= recipe
        config = RecipeConfig.model_validate(keys)
        reader = FileDatasetReader(tmp_path, tmp_path / "downloads", lambda path: (0, ""))
        scoring = MlflowBatchScoring(tmp_path, "memory:", "memory:")
        staging = tmp_path / "staging"
        staging.mkdir(exist_ok=True)
        quality = open_quality(
            config.quality,
            temporary=tmp_path / "quality",
            memory=tmp_path / "memory",
            quarantine=tmp_path / "quarantine",
            docs=tmp_path / "docs",
        )
        return Context(
            config=config,
            task=task_for(config.recipe, config.positive_class),
            functions=functions or {},
            ports=Ports(
                reader,
                MlflowModels(),
                tracker,
                registry,
                no_feature_tables,
                quality,
                scoring,
                FileRowDivider(),
            ),
            project=ProjectFacts("loans", "local", tmp_path, tmp_path / "cache"),
            staging=staging,
            where=lambda key: f"recipe.yaml ({key})",
        )

    return make
