"""What every step looks like to the runner, and what the runner hands to every step.

A step module has four parts in this order: its ``Inputs`` (a frozen dataclass, a field
an artifact, so the fields *are* what the step reads), its ``settings`` (the part of the
configuration that decides its outcome), its ``run``, and private functions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlrecipes.config.model_card_schema import ModelCardText
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import StoreError
from mlrecipes.feature_ports import FeatureBackend
from mlrecipes.model_card_records import RenderModelCard
from mlrecipes.monitor_ports import Monitoring, no_monitoring
from mlrecipes.ports import DatasetReader, ModelPackager, Registry, Tracker
from mlrecipes.promotion_ports import PromotionRegistry
from mlrecipes.quality_ports import QualityBackend
from mlrecipes.records import ArtifactSpec, Manifest, StepResult, StepSpec
from mlrecipes.scoring_ports import BatchScoring
from mlrecipes.split_ports import RowDivider
from mlrecipes.tasks import Task

__all__ = [
    "MODEL_ARTIFACT_PATH",
    "CardMaterial",
    "Context",
    "Ports",
    "ProjectFacts",
    "Step",
    "UserFunction",
]

MODEL_ARTIFACT_PATH = "train/model"
"""Where a run holds its model, as with MLflow Recipes."""


@dataclass(frozen=True, slots=True)
class UserFunction:
    """A function that the recipe names and the user writes.

    Attributes:
        key: The configuration key that names it, such as ``steps.train.estimator_method``.
        module: File under ``steps/`` without suffix, such as ``train``.
        name: The function's name.
    """

    key: str
    module: str
    name: str


@dataclass(frozen=True, slots=True)
class ProjectFacts:
    """Facts about the recipe's surroundings that steps record.

    Attributes:
        recipe_name: The folder's name, as in card titles.
        profile: The profile's name.
        root: The folder with ``recipe.yaml``.
        cache: A folder kept between runs, for downloads and generated data.
        snapshot: Files of the recipe as ``{relative path: text}``, for the run's record.
        tags: Tags for runs and model versions, such as the git commit.
        requirements: What a model of this recipe needs, exactly, such as ``lightgbm==4.7.0``.
        code_paths: Folders and files of the recipe that a model of it imports.
    """

    recipe_name: str
    profile: str
    root: Path
    cache: Path
    snapshot: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[str, ...] = ()
    code_paths: tuple[Path, ...] = ()


def _no_promotions() -> PromotionRegistry:
    raise StoreError("There is no registry here that promotions could be written to.")


@dataclass(frozen=True, slots=True)
class Ports:
    """The outside world, for steps.

    Attributes:
        feature_backend: Opens engine and store of feature tables; a cluster may have to start.
        quality: Looks at tables that lie in files.
        rows: Divides the rows of tables that lie in files.
        scoring: Finds models to score with and tables for their predictions.
        promotions: Opens the registry's aliases and the ledger of promotions.
        monitoring: Opens what windows of scored rows are cut and counted by.
    """

    reader: DatasetReader
    models: ModelPackager
    tracker: Tracker
    registry: Registry
    feature_backend: Callable[[], FeatureBackend]
    quality: QualityBackend
    scoring: BatchScoring
    rows: RowDivider
    promotions: Callable[[], PromotionRegistry] = _no_promotions
    monitoring: Callable[[], Monitoring] = no_monitoring


@dataclass(frozen=True, slots=True)
class CardMaterial:
    """What a model card is made of beside a step's inputs.

    Attributes:
        text: The words of ``model_card.yaml``.
        results: Results of the earlier steps: what they read, and with which libraries. They
            decide nothing but what the card says.
        render: Draws the card.
        engine: The version of mlrecipes.
    """

    text: ModelCardText
    results: Mapping[str, Manifest]
    render: RenderModelCard
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a step may use beside its inputs.

    Attributes:
        functions: The user's functions by configuration key, loaded and callable.
        staging: A folder of this step's run; what lies in it is stored or thrown away.
        where: Says where a configuration key stands, such as ``recipe.yaml:48``.
        card: For the step that writes the model card, if the recipe has one.
    """

    config: RecipeConfig
    task: Task
    functions: Mapping[str, Callable[..., Any]]
    ports: Ports
    project: ProjectFacts
    staging: Path
    where: Callable[[str], str] = str
    card: CardMaterial | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step, as the runner sees it."""

    name: str
    inputs: type
    writes: tuple[ArtifactSpec, ...]
    version: int
    settings: Callable[[RecipeConfig], Mapping[str, Any]]
    user_functions: Callable[[RecipeConfig], tuple[UserFunction, ...]]
    run: Callable[[Any, Context], StepResult]
    libraries: tuple[str, ...] = ()
    restorable: bool = True
    needs_tracking: bool = False
    always_runs: bool = False
    reads_files: tuple[str, ...] = ()
    """Artifacts that are handed to it as paths: they may be larger than memory."""

    @property
    def spec(self) -> StepSpec:
        """What the step declares, for the graph and the plan."""
        return StepSpec(
            name=self.name,
            reads=tuple(name.name for name in dataclasses.fields(self.inputs)),
            writes=self.writes,
            version=self.version,
            libraries=self.libraries,
            restorable=self.restorable,
            always_runs=self.always_runs,
        )
