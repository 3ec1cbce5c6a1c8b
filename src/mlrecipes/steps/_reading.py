"""Reading the rows that a section of the recipe points at, for training and for scoring."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.config.step_schema import Ingest
from mlrecipes.errors import DataError, UserCodeError, did_you_mean, few
from mlrecipes.feature_records import Lookup
from mlrecipes.ports import DELTA_URI, SPARK_URI, StoredFrame, TableQuery
from mlrecipes.records import Facts, Section, Source, Text
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


def read_rows(key: str, section: Ingest, context: Context, into: str) -> Ingested:
    """Read the rows of a section into a Parquet file of this name in the staging folder.

    Raises:
        DataError: The section names a column that is not there.
        NoRowsError: There is no row.
        StoreError: The data cannot be read.
        UserCodeError: The user's function failed.
    """
    location = _locate(key, section, context)
    loader = context.functions.get(f"{key}.loader_method")
    path = context.staging / f"{into}.parquet"
    if section.using in TABLES and loader is None:
        asked = _table_query(key, section, context, location)
        dataset = context.ports.reader.read_table(asked, path)
    else:
        dataset = context.ports.reader.read(location, section.using, path, loader)
    table = dataset.table
    columns = list(table.dtypes)
    for name in section.columns:
        if name not in columns:
            raise DataError(
                f"{context.where(f'{key}.columns')}: columns names '{name}', which is not among "
                f"the {len(columns)} columns of the data ({few(columns)}).",
                hint=did_you_mean(name, columns),
            )
    return Ingested(table, dataset.sources)


def narrowed(ingested: Ingested, columns: Sequence[str], context: Context) -> Ingested:
    """Some columns of the rows, numbered from 0."""
    table = context.ports.reader.narrow(ingested.table, columns)
    return dataclasses.replace(ingested, table=table)


def sources_section(ingested: Ingested, step: str) -> Section:
    """What was read, each table with its version."""
    facts = [(f"file {i}", _named(source)) for i, source in enumerate(ingested.sources, 1)]
    is_watched = not any(source.uri.startswith(SPARK_URI) for source in ingested.sources)
    note = () if is_watched else (Text(NOT_WATCHED.format(step=step)),)
    return Section("Sources", (Facts(tuple(facts)), *note))


def _named(source: Source) -> str:
    if source.sha256 and source.uri.startswith((DELTA_URI, SPARK_URI)):
        uri, version = source.uri.partition("#")[0], source.sha256.rpartition("@")[2]
        return f"{uri}, version {version}"
    return source.uri


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
