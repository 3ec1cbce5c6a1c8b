"""Batch scoring: keys come in, features are fetched, predictions go out."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import DataError, did_you_mean, few
from mlrecipes.planning import Project
from mlrecipes.stores.feature_backends import open_backend
from mlrecipes.user_code.imports import UserCode

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["score_batch"]

PREDICTION = "prediction"


def score_batch(project: Project, rows: pd.DataFrame, model_uri: str | None = None) -> Any:
    """Score rows that hold the keys of a model's lookups, and what is not looked up.

    Features are those of now: the newest version of each table, and of a table with an event
    time the newest row that is not later than the moment that the rows give.

    Args:
        project: The recipe.
        rows: One row a prediction.
        model_uri: ``models:/name@alias``, ``models:/name/version`` or ``runs:/id/path``; the
            champion, or the newest model of a recipe without one, if not given.

    Returns:
        The rows, in their order and with their index, with the column ``prediction``; several
        columns for a model that answers so.

    Raises:
        DataError: A key or a column that is not looked up is missing.
        StoreError: There is no such model or feature table, or the model does not answer as
            when it was trained.
        TryAgain: A server does not answer.
    """
    from mlrecipes.stores.batch_model import MlflowBatchScoring, answering

    uri = model_uri or _own_model(project)
    to = project.destinations
    with TemporaryDirectory() as temporary, UserCode(project.root, project.code_paths).importable():
        folder = Path(temporary)
        scoring = MlflowBatchScoring(project.root, to.tracking_uri, to.registry_uri)
        model = scoring.load(uri, folder / "model")
        wanted = [*model.columns]
        looked_up = {column for lookup in model.lookups for column in lookup.columns}
        keys = {column for lookup in model.lookups for column in lookup.spine_columns}
        _check(rows, keys | (set(wanted) - looked_up), uri)
        own = rows[[column for column in rows.columns if column not in looked_up]]
        features = _joined(project, own, model.lookups, folder) if model.lookups else rows
        answer = answering(model.model).predict(None, features[wanted])
    return _beside(rows, answer)


def _own_model(project: Project) -> str:
    uri = project.config.effective_scoring_uri
    if uri is None:
        raise DataError(
            "No model is named.", hint="Pass model_uri, or set model_registry.model_name."
        )
    return uri


def _check(rows: pd.DataFrame, needed: set[str], model_uri: str) -> None:
    missing = sorted(needed - set(rows.columns))
    if missing:
        raise DataError(
            f"{model_uri} needs {len(missing)} more columns of the rows: {few(missing)}.",
            hint=did_you_mean(missing[0], map(str, rows.columns)),
        )


def _joined(project: Project, rows: pd.DataFrame, lookups: Any, folder: Path) -> Any:
    from mlrecipes.stores.frame_writer import write_frame
    from mlrecipes.stores.frames import read_frame

    spine, joined = folder / "spine.parquet", folder / "joined.parquet"
    write_frame(spine, rows.reset_index(drop=True))
    settings = project.config.feature_store
    backend = open_backend(settings, project.root, project.workspace, folder)
    backend.store.join(spine, lookups, joined)
    return read_frame(joined)


def _beside(rows: pd.DataFrame, answer: Any) -> Any:
    """The rows with what the model says of each."""
    import pandas as pd

    if isinstance(answer, pd.DataFrame):
        return rows.assign(**{str(name): answer[name].to_numpy() for name in answer.columns})
    return rows.assign(**{PREDICTION: answer})
