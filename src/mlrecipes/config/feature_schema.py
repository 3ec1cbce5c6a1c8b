"""Settings of feature tables: where they are kept, who builds them, what is taken from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import model_validator

from mlrecipes.config.base import Model, Names, Section

__all__ = ["FeatureLookup", "FeatureStoreSettings", "Features"]


class FeatureStoreSettings(Section):
    """Where feature tables are kept. The whole section is an extension.

    Attributes:
        using: ``local``: Delta tables in a folder, computed by DuckDB. ``spark``: Delta tables
            at a location that Spark reaches, computed there. ``databricks``: feature tables
            of Unity Catalog.
        location: Folder or URI of the tables; by default ``.mlrecipes/feature_tables``.
        catalog_schema: For Databricks, ``catalog.schema``; written as ``schema``.
    """

    using: Literal["local", "spark", "databricks"] = "local"
    location: str | None = None
    catalog_schema: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _schema(cls, data: Any) -> Any:
        """``schema`` is the users' word, and pydantic's too."""
        if isinstance(data, dict) and "schema" in data:
            return {("catalog_schema" if k == "schema" else k): v for k, v in data.items()}
        return data

    @model_validator(mode="after")
    def _has_a_place(self) -> Self:
        if self.using == "databricks" and not self.catalog_schema:
            raise ValueError("has using: databricks, which needs schema: catalog.schema")
        if self.using == "spark" and not self.location:
            raise ValueError("has using: spark, which needs location: a folder or URI")
        return self


class Features(Section):
    """The feature tables that this recipe builds. The whole section is an extension.

    Attributes:
        sets: Folders below ``features/``; the tables of the first are built first.
        location: Folder with the raw tables; a file is the table of its name.
        location_method: A function in ``steps/features.py`` that gives the raw tables as
            ``{name: path}``.
        location_params: Its keyword arguments.
    """

    sets: Names
    location: str | None = None
    location_method: str | None = None
    location_params: Mapping[str, Any] = {}

    @model_validator(mode="after")
    def _has_a_location(self) -> Self:
        if bool(self.location) == bool(self.location_method):
            raise ValueError("needs either location or location_method")
        return self


class FeatureLookup(Model):
    """Features to be put beside each row. Names are those of Databricks' FeatureLookup.

    Attributes:
        lookup_key: Columns of the row, in the order of the table's primary keys.
        feature_names: Which features; all of the table if not given.
        exclude: Features of the table to leave out; only without ``feature_names``.
        rename_outputs: Feature to the name of its column.
        timestamp_lookup_key: Column with the moment of the row: no feature is taken that was
            not known then.
    """

    table_name: str
    lookup_key: Names
    feature_names: Names = ()
    exclude: Names = ()
    rename_outputs: Mapping[str, str] = {}
    timestamp_lookup_key: str | None = None

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        if self.feature_names and self.exclude:
            raise ValueError("has feature_names and exclude: keep one of them")
        for key in ("lookup_key", "feature_names", "exclude"):
            names: tuple[str, ...] = getattr(self, key)
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"names '{twice}' twice in {key}")
        if not self.lookup_key:
            raise ValueError("needs lookup_key, the columns that find a row of the table")
        return self
