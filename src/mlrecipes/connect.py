"""The outside world for real: MLflow, files and the network, behind the ports."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from mlrecipes.feature_ports import FeatureBackend
from mlrecipes.planning import Project
from mlrecipes.quality_ports import QualityBackend
from mlrecipes.reset import Reset
from mlrecipes.reset_look import Cleaners
from mlrecipes.steps import Ports
from mlrecipes.stores.batch_model import MlflowBatchScoring
from mlrecipes.stores.cleaning import MlflowModelCleaner, MlflowRunCleaner
from mlrecipes.stores.datasets import FileDatasetReader
from mlrecipes.stores.feature_backends import open_backend
from mlrecipes.stores.models import MlflowModels
from mlrecipes.stores.monitoring import StoredMonitoring
from mlrecipes.stores.promotions import MlflowPromotions
from mlrecipes.stores.quality_backend import open_quality
from mlrecipes.stores.registry import MlflowRegistry
from mlrecipes.stores.row_division import FileRowDivider
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget, ping, user_name
from mlrecipes.user_code.imports import UserCode

__all__ = ["connect", "connect_cleaners", "load_artifact", "open_reset"]


def connect(project: Project) -> Ports:
    """Reach for the tracking server before any work is done, and clean up after a crash.

    Raises:
        TryAgain: The tracking server does not answer.
    """
    to = project.destinations
    ping(to.tracking_uri, origin=to.origin)
    target = TrackingTarget(
        tracking_uri=to.tracking_uri,
        experiment_name=to.experiment_name,
        experiment_id=to.experiment_id,
        artifact_location=to.artifact_location,
        parent_run_id=to.parent_run_id,
        run_name_prefix=to.run_name_prefix,
    )
    tracker = MlflowTracker(target, project.journal)
    tracker.reap(keep=lambda run_id: run_id == _committed_run(project))
    reader = FileDatasetReader(
        project.root, project.workspace / "cache" / "downloads", project.digests.digest
    )
    registry = MlflowRegistry(to.registry_uri, to.tracking_uri)

    @cache
    def feature_backend() -> FeatureBackend:
        return _backend(project)

    scoring = MlflowBatchScoring(project.root, to.tracking_uri, to.registry_uri)
    promotions = MlflowPromotions(to.registry_uri, to.tracking_uri)
    return Ports(
        reader,
        MlflowModels(),
        tracker,
        registry,
        feature_backend,
        _quality_backend(project),
        scoring,
        FileRowDivider(),
        promotions=lambda: promotions,
        monitoring=lambda: StoredMonitoring(project.root),
    )


def connect_cleaners(project: Project) -> Cleaners:
    """Reach for what a reset looks at, without changing anything.

    Raises:
        TryAgain: The tracking server does not answer.
    """
    to = project.destinations
    ping(to.tracking_uri, origin=to.origin)
    models = MlflowModelCleaner(to.registry_uri, to.tracking_uri)
    backend = _backend(project) if project.feature_definitions else None
    return Cleaners(MlflowRunCleaner(to.tracking_uri), models, backend.store if backend else None)


def open_reset(project: Project, environment: Mapping[str, str]) -> Reset:
    """Prepare the reset of a recipe with its profile.

    Raises:
        TryAgain: The tracking server does not answer.
    """
    return Reset(
        project,
        connect_cleaners(project),
        user=user_name(),
        # What another team builds is looked up here, and stays.
        tables=[definition.name for definition in project.feature_definitions],
        active_run_id=environment.get("MLFLOW_RUN_ID"),
    )


def _backend(project: Project) -> FeatureBackend:
    """Temporary files lie where results are staged: what a killed run leaves goes with them."""
    settings, workspace = project.config.feature_store, project.workspace
    temporary = workspace / "staging" / "features"
    shows_values = project.config.quality.shows_values
    return open_backend(settings, project.root, workspace, temporary, shows_values=shows_values)


def _quality_backend(project: Project) -> QualityBackend:
    workspace = project.workspace
    return open_quality(
        project.config.quality,
        temporary=workspace / "staging" / "quality",
        memory=workspace / "cache" / "quality",
        quarantine=workspace / "quarantine" / project.profile,
        docs=workspace / "data_docs" / project.profile,
    )


def _committed_run(project: Project) -> str | None:
    """The run of the training whose result the workspace holds."""
    manifest = project.store.current(project.profile, "train")
    if manifest is None:
        return None
    spec = next(spec for spec in project.steps["train"].writes if spec.name == "run")
    return str(project.store.read(manifest, spec)["run_id"])


def load_artifact(name: str, project: Project) -> Any:
    """Load what a step made; what is stored about MLflow's things, as the things themselves.

    ============================================== =========================
    feature_tables, feature_lookups, part_facts    dict, list, dict
    feature_data_quality, data_quality,
    scoring_data_quality, evaluation, promotion,   dict
    scored_batch, monitoring
    ingested_data, training_data, validation_data,
    test_data, transformed_training_data,          pandas DataFrame
    transformed_validation_data,
    predicted_training_data,
    ingested_scoring_data, scored_data
    transformer                                    fitted object, or None
    model                                          mlflow PyFuncModel
    run                                            mlflow Run
    registered_model_version                       mlflow ModelVersion
    model_card, model_card_html                    text, with a model_card.yaml
    ============================================== =========================

    Raises:
        RecipeError: No step makes an artifact of this name.
        CorruptArtifactError: The file was changed after the step wrote it.
    """
    with UserCode(project.root, project.code_paths).importable():
        value = project.read_artifact(name)
    if name == "model":
        from mlrecipes.stores.models import load_pyfunc

        return load_pyfunc(value)
    if name == "run":
        from mlrecipes.stores.tracking import get_run

        return get_run(project.destinations.tracking_uri, value["run_id"])
    if name == "registered_model_version":
        from mlrecipes.stores.registry import get_version

        return get_version(
            project.destinations.registry_uri,
            value["registered_model_name"],
            value["registered_model_version"],
        )
    return value
