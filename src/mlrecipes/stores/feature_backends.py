"""Engine and store of feature tables, as the recipe's ``feature_store`` section asks."""

from __future__ import annotations

from pathlib import Path

from mlrecipes.config.feature_schema import FeatureStoreSettings
from mlrecipes.feature_ports import FeatureBackend
from mlrecipes.feature_records import FeatureTableInfo

__all__ = ["local_folder", "local_table", "open_backend", "place_of_tables"]

DEFAULT_FOLDER = "feature_tables"


def open_backend(
    settings: FeatureStoreSettings,
    root: Path,
    workspace: Path,
    temporary: Path,
    *,
    shows_values: bool = False,
) -> FeatureBackend:
    """Open engine and store; on Spark and Databricks, a session is started or joined.

    Args:
        settings: The recipe's ``feature_store``.
        root: The recipe's root; a relative location starts there.
        workspace: Holds the tables of a store without location.
        temporary: Where rows are staged and work goes that does not fit into memory.
        shows_values: Whether values that are not as expected are shown unmasked.

    Raises:
        StoreError: Spark or Databricks' client is not installed, or cannot be reached.
    """
    if settings.using == "local":
        from mlrecipes.stores.duckdb_engine import DuckDbEngine
        from mlrecipes.stores.feature_tables import LocalFeatureStore
        from mlrecipes.stores.quality_duckdb import DuckDbChecker

        store = LocalFeatureStore(local_folder(settings, root, workspace), temporary)
        looks = DuckDbChecker(temporary, shows_values=shows_values)
        return FeatureBackend(DuckDbEngine(temporary), store, looks)

    from mlrecipes.stores.quality_spark import SparkChecker
    from mlrecipes.stores.spark import SparkEngine, open_session

    session = open_session()
    checker = SparkChecker(session, shows_values=shows_values)
    if settings.using == "databricks":
        from mlrecipes.stores.databricks_features import open_databricks_store

        schema = str(settings.catalog_schema)
        return FeatureBackend(SparkEngine(session), open_databricks_store(schema), checker)

    from mlrecipes.stores.spark_feature_tables import SparkFeatureStore

    location = str(settings.location)
    place = location if "://" in location else str(root / Path(location).expanduser())
    return FeatureBackend(SparkEngine(session), SparkFeatureStore(session, place), checker)


def local_folder(settings: FeatureStoreSettings, root: Path, workspace: Path) -> Path:
    """The folder of a local store's tables."""
    if settings.location is None:
        return workspace / DEFAULT_FOLDER
    return root / Path(settings.location).expanduser()


def place_of_tables(settings: FeatureStoreSettings, root: Path, workspace: Path) -> str:
    """Where the tables of a store lie, in words of the recipe."""
    if settings.using == "local":
        return str(local_folder(settings, root, workspace))
    return settings.catalog_schema or str(settings.location)


def local_table(
    settings: FeatureStoreSettings, root: Path, workspace: Path, name: str
) -> FeatureTableInfo | None:
    """A table of a local store as it is now; None if there is none of this name."""
    from mlrecipes.stores.feature_tables import LocalFeatureStore

    folder = local_folder(settings, root, workspace)
    return LocalFeatureStore(folder, workspace / "staging").find(name)
