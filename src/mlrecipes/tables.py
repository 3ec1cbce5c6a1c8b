"""The tables of a recipe as data frames, wherever they lie: for notebooks and programs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError
from mlrecipes.planning import Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from mlrecipes.feature_ports import FeatureStore

__all__ = ["Tables"]


class Tables:
    """Reads the tables that a recipe writes or looks up, as they are now.

    Args:
        project: The recipe with its profile.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def names(self) -> list[str]:
        """Names of all feature tables in the recipe's feature store, sorted.

        Raises:
            StoreError: The store cannot be reached.
        """
        with self._store() as store:
            return store.names()

    def features(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read a feature table: one row for each value of its keys, which come first.

        Args:
            name: The table's name, such as one of :meth:`names`.
            columns: What to read beside the keys; all columns if not given.

        Raises:
            StoreError: There is no such table or column.
        """
        with self._store() as store:
            return _as_frame(store.read(name, columns=columns))

    def predictions(self) -> pd.DataFrame:
        """Read the predictions of all batches where ``steps.predict`` writes them.

        Raises:
            StoreError: The recipe has no section ``steps.predict``, or nothing was scored yet.
        """
        from mlrecipes.stores.prediction_tables import open_table

        settings = self._project.config.steps.predict
        if settings is None:
            raise StoreError(
                "The recipe does not say where predictions go.",
                hint="Say it in recipe.yaml: steps.predict.output.",
            )
        table = open_table(settings.output.using, settings.output.location, self._project.root)
        if not table.exists():
            raise StoreError(
                f"There are no predictions at {table.place} yet.", hint="Score: mlrecipes predict"
            )
        return _as_frame(table.read_all())

    @contextmanager
    def _store(self) -> Iterator[FeatureStore]:
        from mlrecipes.stores.feature_backends import open_backend

        project, settings = self._project, self._project.config.feature_store
        with TemporaryDirectory() as folder:
            yield open_backend(settings, project.root, project.workspace, Path(folder)).store


def _as_frame(rows: Any) -> pd.DataFrame:
    """Rows of Arrow, or of Spark, as pandas' own types."""
    from mlrecipes.stores.frames import as_pandas

    return as_pandas(rows.toArrow() if hasattr(rows, "toArrow") else rows)
