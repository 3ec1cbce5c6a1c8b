"""Reading the rows that a section of the recipe points at, for training and for scoring."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.config.step_schema import Ingest
from mlrecipes.errors import ConfigError, Problem, UserCodeError
from mlrecipes.feature_records import Lookup
from mlrecipes.ports import DELTA_URI, SPARK_URI, StoredFrame, TableQuery
from mlrecipes.records import Facts, Scalar, Section, Source, Text
from mlrecipes.selection import Selection
from mlrecipes.steps._contract import Context

__all__ = ["Ingested", "narrowed", "read_rows", "sources_section"]

TABLES = ("delta", "spark_sql")
NOT_WATCHED = (
    "Spark read these rows: a plan does not see whether its tables changed since. "
    "Run with --from {step} to read them anew."
)


@dataclass(frozen=True, slots=True)
class Ingested:
    """The rows, how their features were looked up, and where all of it is from."""

    table: StoredFrame
    sources: tuple[Source, ...]
    lookups: tuple[Lookup, ...] = ()
    sections: tuple[Section, ...] = ()
    picked: tuple[tuple[str, Scalar], ...] = ()
    """What the filter has left, for the card."""


def read_rows(key: str, section: Ingest, context: Context, into: str) -> Ingested:
    """Read the rows of a section into a Parquet file of this name in the staging folder.

    Where ``columns`` or ``filter`` leave something out, the rows are numbered from 0.

    Raises:
        ConfigError: The filter is no condition that means the same everywhere.
        DataError: The section names a column that is not there.
        NoRowsError: There is no row.
        StoreError: The data cannot be read.
        UserCodeError: The user's function failed.
    """
    selection = _selection(key, section, context)
    location = _locate(key, section, context)
    loader = context.functions.get(f"{key}.loader_method")
    path = context.staging / f"{into}.parquet"
    if section.using in TABLES and loader is None:
        asked = _table_query(key, section, context, location)
        asked = dataclasses.replace(asked, selection=selection)
        dataset = context.ports.reader.read_table(asked, path)
    else:
        dataset = context.ports.reader.read(location, section.using, path, loader, selection)
    n_rows, n_seen = dataset.table.n_rows, dataset.n_seen
    of = "" if n_seen is None else f" of {n_seen:,}"
    picked = (("filter", section.filter), ("rows that meet it", f"{n_rows:,}{of}"))
    return Ingested(dataset.table, dataset.sources, picked=picked if section.filter else ())


def narrowed(ingested: Ingested, columns: Sequence[str], context: Context) -> Ingested:
    """Some columns of the rows, numbered from 0."""
    table = context.ports.reader.narrow(ingested.table, columns)
    return dataclasses.replace(ingested, table=table)


def sources_section(ingested: Ingested, step: str) -> Section:
    """What was read, each table with its version."""
    facts = [(f"file {i}", _named(source)) for i, source in enumerate(ingested.sources, 1)]
    is_watched = not any(source.uri.startswith(SPARK_URI) for source in ingested.sources)
    note = () if is_watched else (Text(NOT_WATCHED.format(step=step)),)
    return Section("Sources", (Facts((*facts, *ingested.picked)), *note))


def _named(source: Source) -> str:
    if source.sha256 and source.uri.startswith((DELTA_URI, SPARK_URI)):
        uri, version = source.uri.partition("#")[0], source.sha256.rpartition("@")[2]
        return f"{uri}, version {version}"
    return source.uri


def _selection(key: str, section: Ingest, context: Context) -> Selection:
    places = {name: context.where(f"{key}.{name}") for name in ("columns", "filter")}
    if section.filter is None:
        return Selection(section.columns, places=places)
    from mlrecipes.features.condition import parse_condition

    try:
        condition = parse_condition(section.filter)
    except ValueError as error:
        raise ConfigError([Problem(places["filter"], None, f"{key}.filter", str(error))]) from error
    return Selection(section.columns, condition.texts, condition.columns, places)


def _table_query(key: str, section: Ingest, context: Context, location: Any) -> TableQuery:
    keys = ("location", "sql", "version", "timestamp")
    engine = context.config.feature_store.using
    return TableQuery(
        section.using,
        location,
        section.sql,
        section.version,
        section.timestamp,
        {name: context.where(f"{key}.{name}") for name in keys},
        f"feature_store.using: {engine} in profile {context.project.profile}",
    )


def _locate(key: str, section: Ingest, context: Context) -> Any:
    """Where the data lies: written in the recipe, or found by the user's function."""
    find: Callable[..., Any] | None = context.functions.get(f"{key}.location_method")
    if find is None:
        return section.location
    found = find(**section.location_params, cache=context.project.cache)
    paths = found if isinstance(found, list | tuple) else [found]
    if not all(isinstance(path, str) or hasattr(path, "__fspath__") for path in paths):
        raise UserCodeError(
            f"steps/ingest.py:{section.location_method} gave {type(found).__name__}; "
            "a path or a list of paths is expected."
        )
    return [str(path) for path in paths]
