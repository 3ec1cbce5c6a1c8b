"""Feature tables as plain data: what one is, what is in it, and what a recipe takes from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["TABLE_URI", "FeatureTable", "FeatureTableInfo", "Lookup", "Slices"]


TABLE_URI = "feature-table://"
"""Begins the name of a feature table among what a step has read."""


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """What somebody decided about a feature table, before there is a row in it.

    Attributes:
        name: Of the table; letters, digits and ``_``, unique in its store.
        primary_keys: Columns that identify a row (together with ``event_time`` if there is
            one): never missing, never twice.
        event_time: Column with the moment from which on a row was known; None for a table
            whose rows hold at any time.
        description: What the table tells, for people.
        owner: Who answers for it.
    """

    name: str
    primary_keys: tuple[str, ...]
    event_time: str | None = None
    description: str = ""
    owner: str = ""

    @property
    def row_keys(self) -> tuple[str, ...]:
        """The columns by which rows are merged: primary keys, then the event time."""
        return (
            self.primary_keys if self.event_time is None else (*self.primary_keys, self.event_time)
        )


@dataclass(frozen=True, slots=True)
class FeatureTableInfo:
    """A feature table as it lies in its store.

    Attributes:
        table: Its definition.
        columns: Column name to type, in the table's order: ``bigint``, ``double``, ``string``,
            ``boolean``, ``date``, ``timestamp`` and so on, as Spark SQL names them.
        version: Of the content; raised by every write.
        n_rows: Number of rows, if the store knows it without reading them.
        table_id: Differs between a table and another of the same name that replaced it.
        properties: Text kept with the table, such as what it was built from.
    """

    table: FeatureTable
    columns: Mapping[str, str]
    version: int
    table_id: str
    properties: Mapping[str, str] = field(default_factory=dict)
    n_rows: int | None = field(default=None, compare=False)

    @property
    def content_id(self) -> str:
        """Differs whenever the content may differ."""
        return f"{self.table_id}@{self.version}"

    @property
    def features(self) -> tuple[str, ...]:
        """All columns that are no key and no event time."""
        keys = set(self.table.row_keys)
        return tuple(name for name in self.columns if name not in keys)


@dataclass(frozen=True, slots=True)
class Slices:
    """How a query is run over a part of the keys at a time.

    Attributes:
        key: A column of every raw table that the query reads; what it gives for a key must
            depend on rows with this key alone.
        n_slices: Number of parts.
    """

    key: str
    n_slices: int


@dataclass(frozen=True, slots=True)
class Lookup:
    """Features of one table to be put beside the rows of another one, the spine.

    Attributes:
        table: Name of the feature table.
        version: Read the table as of this version; None for the newest.
        keys: Column of the spine to primary key of the table, in the order of the latter.
        features: Column of the table to its name in the result.
        event_time: Column of the spine with the moment of each row: of a table with an event
            time, the newest row that is not later is taken. None takes the newest row of all.
    """

    table: str
    keys: Mapping[str, str]
    features: Mapping[str, str]
    version: int | None = None
    event_time: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it puts beside the spine."""
        return tuple(self.features.values())

    @property
    def spine_columns(self) -> tuple[str, ...]:
        """The columns that it needs of the spine."""
        return (*self.keys, self.event_time) if self.event_time else tuple(self.keys)
