"""recipe.yaml as typed, frozen values. A default stands here and nowhere else.

Keys are those of MLflow Recipes 2.22; ours are marked as extensions. Values that follow
from others are properties named ``effective_*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mlrecipes.config.base import Model, Names, Section, Whole
from mlrecipes.config.evaluate_schema import Evaluate
from mlrecipes.config.feature_schema import Features, FeatureStoreSettings
from mlrecipes.config.metric_names import metric_directions, primary_metric
from mlrecipes.config.monitor_schema import Monitor
from mlrecipes.config.predict_schema import Predict
from mlrecipes.config.promote_schema import Promote
from mlrecipes.config.quality_schema import Quality
from mlrecipes.config.step_schema import Ingest, Register, Split, Train, Transform

__all__ = ["CustomMetric", "Experiment", "ModelRegistry", "RecipeConfig", "Results", "Steps"]


class CustomMetric(Model):
    """A metric that the user computes in ``steps/custom_metrics.py``."""

    name: str
    function: str
    greater_is_better: bool


def _id_as_text(value: Any) -> Any:
    """Ids of MLflow are text that looks like a number."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


class Experiment(Section):
    """Where runs are recorded."""

    name: str | None = None
    id: Annotated[str | None, BeforeValidator(_id_as_text)] = None
    tracking_uri: str | None = None
    artifact_location: str | None = None
    run_name_prefix: str | None = None


class ModelRegistry(Section):
    """Where models are registered."""

    model_name: str | None = None
    registry_uri: str | None = None
    alias: str = "challenger"
    """Extension: the alias that a newly registered version gets."""


class Results(Section):
    """Where the results of steps lie.

    Attributes:
        workspace: Folder of this machine to work in, with locks and renames; by default
            ``.mlrecipes`` beside recipe.yaml.
        location: Folder that other machines see too, such as a volume: what one of them made,
            none makes again.
    """

    workspace: str | None = Field(default=None, min_length=1)
    location: str | None = Field(default=None, min_length=1)


class Steps(Section):
    """The settings of each step."""

    ingest: Ingest
    features: Features | None = None
    split: Split = Split()
    transform: Transform = Transform()
    train: Train = Train()
    evaluate: Evaluate = Evaluate()
    registration: Annotated[Register, Field(alias="register")] = Register()
    promote: Promote | None = None
    predict: Predict | None = None
    ingest_scoring: Ingest | None = None
    monitor: Monitor | None = None


class RecipeConfig(Section):
    """A whole recipe with its profile's values in place.

    >>> config = RecipeConfig.model_validate(
    ...     {
    ...         "recipe": "classification/v1",
    ...         "target_col": "default",
    ...         "positive_class": 0,
    ...         "steps": {"ingest": {"using": "csv", "location": "loans.csv"}},
    ...     }
    ... )
    >>> config.is_binary, config.effective_primary_metric
    (True, 'f1_score')

    Attributes:
        positive_class: Set for a binary classification; 0 and False are classes too.
        code_paths: Extension: folders and files with Python outside of the recipe's folder that
            its steps import by their names; relative paths start at ``recipe.yaml``.
        id_cols: Extension: columns that identify a row and never reach the model.
        quality: Extension: what tables are expected to be.
        feature_store: Extension: where feature tables are kept.
        results: Extension: where the results of steps lie.
        ignore_cols: Extension: columns kept for splits and reports, hidden from the model.
        protected_cols: Extension: attributes such as sex or age, hidden from the model and kept
            to compare how it treats their groups.
        seed: Extension: decides every random draw of the engine.
    """

    recipe: Literal["regression/v1", "classification/v1"]
    target_col: str
    positive_class: str | bool | int | float | None = None
    primary_metric: str | None = None
    custom_metrics: tuple[CustomMetric, ...] = ()
    code_paths: Names = ()
    id_cols: Names = ()
    ignore_cols: Names = ()
    protected_cols: Names = ()
    seed: Whole = 42
    steps: Steps
    quality: Quality = Quality()
    results: Results = Results()
    feature_store: FeatureStoreSettings = FeatureStoreSettings()
    experiment: Experiment = Experiment()
    model_registry: ModelRegistry = ModelRegistry()

    @property
    def is_binary(self) -> bool:
        """Whether the recipe predicts one class against the other."""
        return self.recipe == "classification/v1" and self.positive_class is not None

    @property
    def hidden_cols(self) -> frozenset[str]:
        """Columns that no model sees: the target, identifiers, ignored and protected ones."""
        return frozenset({self.target_col, *self.id_cols, *self.ignore_cols, *self.protected_cols})

    @property
    def metric_directions(self) -> Mapping[str, bool]:
        """Each metric that can be used in this recipe; True where greater is better."""
        builtin = metric_directions(self.recipe, is_binary=self.is_binary)
        return {**builtin, **{m.name: m.greater_is_better for m in self.custom_metrics}}

    @property
    def effective_primary_metric(self) -> str:
        """The metric that models are compared by."""
        return self.primary_metric or primary_metric(self.recipe, is_binary=self.is_binary)

    @property
    def effective_model_name(self) -> str | None:
        """The registered model's name: ``model_registry`` wins over ``steps.register``."""
        return self.model_registry.model_name or self.steps.registration.model_name

    @property
    def effective_champion_alias(self) -> str | None:
        """The alias of the model in use; None if the recipe promotes nothing."""
        return self.steps.promote.champion if self.steps.promote else None

    @property
    def effective_scoring_uri(self) -> str | None:
        """The model that scores: the one that is named, the champion, or the newest one."""
        if self.steps.predict is not None and self.steps.predict.model_uri:
            return self.steps.predict.model_uri
        alias = self.effective_champion_alias or self.model_registry.alias
        name = self.effective_model_name
        return None if name is None else f"models:/{name}@{alias}"

    @property
    def effective_registry_uri(self) -> str | None:
        """The registry's URI; None means that of the tracking server."""
        return self.model_registry.registry_uri or self.steps.registration.registry_uri
