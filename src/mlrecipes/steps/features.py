"""features: build the feature tables that the recipe defines, as far as anything changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, UserCodeError, did_you_mean, few
from mlrecipes.feature_ports import FeatureBackend, FeatureStore
from mlrecipes.feature_records import FeatureTableInfo
from mlrecipes.features.definition import FeatureDefinition, built_from, load_definitions
from mlrecipes.records import (
    ArtifactKind,
    ArtifactSpec,
    Section,
    Source,
    StepResult,
    Table,
    Text,
)
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._features import table_source

if TYPE_CHECKING:
    from mlrecipes.features.sql import FeatureQuery

__all__ = ["STEP"]

KEY = "steps.features"
LOCATION_METHOD = f"{KEY}.location_method"
BUILT_FROM = "mlrecipes.built_from"
"""Property of a table: the key of all that its rows were made from."""
UP_TO_DATE = "up to date"
RAW_SUFFIXES = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True, slots=True)
class Inputs:
    """features reads raw tables, which no step writes."""


@dataclass(frozen=True, slots=True)
class _Built:
    """What became of one feature table."""

    definition: FeatureDefinition
    info: FeatureTableInfo
    what: str
    duration_s: float


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the definitions and the raw tables themselves."""
    if config.steps.features is None:
        return {}
    return {
        KEY: config.steps.features.model_dump(),
        "feature_store": config.feature_store.model_dump(),
    }


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The function of ``steps/features.py`` that finds the raw tables."""
    features = config.steps.features
    name = features.location_method if features else None
    return (UserFunction(LOCATION_METHOD, "features", name),) if name else ()


def run(inputs: Inputs, context: Context) -> StepResult:
    """Compute each table whose query or raw tables changed, and write it to the store."""
    from mlrecipes.features.sql import parse_query

    root, asked = context.project.root, context.config.steps.features
    definitions = load_definitions(root, asked.sets if asked else ())
    queries = {definition.name: parse_query(definition, root) for definition in definitions}
    found = _raw_tables(context)
    raw = {
        name: _place_of(name, found, queries) for query in queries.values() for name in query.tables
    }
    sources = {name: context.ports.reader.sources(path) for name, path in raw.items()}
    backend = context.ports.feature_backend()
    built = [_build(d, queries[d.name], raw, sources, backend) for d in definitions]
    n_new = sum(table.what != UP_TO_DATE for table in built)
    n_features = sum(len(table.info.features) for table in built)
    return StepResult(
        outputs={"feature_tables": {table.definition.name: _facts(table) for table in built}},
        sections=tuple(_sections(built)),
        summary=f"{n_features:,} features in {len(built)} tables, {n_new} written",
        sources=(
            *dict.fromkeys(source for listed in sources.values() for source in listed),
            *(table_source(table.info) for table in built),
        ),
    )


# ---- raw tables ------------------------------------------------------------------------------


def _raw_tables(context: Context) -> dict[str, Path]:
    """All raw tables that can be found, by name."""
    features, find = context.config.steps.features, context.functions.get(LOCATION_METHOD)
    if features is None:
        return {}
    if find is not None:
        found = find(**features.location_params, cache=context.project.cache)
        if not isinstance(found, Mapping) or not all(isinstance(name, str) for name in found):
            raise UserCodeError(
                f"steps/features.py:{features.location_method} gave {type(found).__name__}; "
                "a dict of names and paths of the raw tables is expected."
            )
        return {name: Path(path) for name, path in found.items()}
    folder = context.project.root / Path(str(features.location)).expanduser()
    if not folder.is_dir():
        raise DataError(
            f"{context.where(f'{KEY}.location')}: {folder} is no folder with raw tables."
        )
    return {_stem(path): path for path in sorted(folder.iterdir()) if _stem(path)}


def _stem(path: Path) -> str:
    """The name of the table in a file; nothing for other files.

    >>> _stem(Path("data/bureau.csv.gz"))
    'bureau'
    """
    suffix = next((suffix for suffix in RAW_SUFFIXES if path.name.endswith(suffix)), None)
    return path.name.removesuffix(suffix) if suffix else ""


def _place_of(name: str, found: Mapping[str, Path], queries: Mapping[str, FeatureQuery]) -> Path:
    if name in found:
        return found[name]
    readers = [table for table, query in queries.items() if name in query.tables]
    raise DataError(
        f"The raw table '{name}', which {few(readers)} is made of, is not among {few(found)}.",
        hint=did_you_mean(name, found),
    )


# ---- building --------------------------------------------------------------------------------


def _build(
    definition: FeatureDefinition,
    query: FeatureQuery,
    raw: Mapping[str, Path],
    sources: Mapping[str, tuple[Source, ...]],
    backend: FeatureBackend,
) -> _Built:
    """Write a table unless it was made of the same before; a killed run goes on with the next."""
    started = time.monotonic()
    engine, store, table = backend.engine, backend.store, definition.table
    key = built_from(definition, engine.dialect, {name: sources[name] for name in query.tables})
    before = store.find(table.name)
    if before is not None and before.properties.get(BUILT_FROM) == key:
        return _Built(definition, before, UP_TO_DATE, 0.0)
    tables = {name: raw[name] for name in query.tables}
    rows = engine.query(query.texts[engine.dialect], tables, definition.slices)
    what = _write(definition, rows, {BUILT_FROM: key}, before, store)
    after = store.find(table.name)
    if after is None:
        raise DataError(f"The feature table {table.name} was dropped while it was built.")
    return _Built(definition, after, what, time.monotonic() - started)


def _write(
    definition: FeatureDefinition,
    rows: Any,
    properties: Mapping[str, str],
    before: FeatureTableInfo | None,
    store: FeatureStore,
) -> str:
    """Write the rows as the definition asks, and say how."""
    table = definition.table
    if before is None:
        store.create(table, rows, properties)
        return "created"
    if before.table.row_keys != table.row_keys:
        store.drop(table.name)
        store.create(table, rows, properties)
        return "made anew: its keys changed"
    if definition.write == "merge":
        store.upsert(table.name, rows, properties)
        return "merged"
    store.overwrite(table.name, rows, expected_version=before.version, properties=properties)
    return "replaced"


def _facts(built: _Built) -> dict[str, Any]:
    """What later steps need to know of a table."""
    info = built.info
    return {
        "set": built.definition.set_name,
        "version": info.version,
        "table_id": info.table_id,
        "primary_keys": list(info.table.primary_keys),
        "event_time": info.table.event_time,
        "columns": dict(info.columns),
    }


# ---- the card --------------------------------------------------------------------------------


def _sections(built: list[_Built]) -> list[Section]:
    about = ("table", "set", "owner", "keys", "rows", "features", "version")
    columns = (*about, "this run", "seconds")
    rows = tuple(
        (
            table.definition.name,
            table.definition.set_name,
            table.info.table.owner,
            ", ".join(table.info.table.row_keys),
            table.info.n_rows,
            len(table.info.features),
            table.info.version,
            table.what,
            f"{table.duration_s:.1f}",
        )
        for table in built
    )
    return [
        Section("Feature Tables", (Table(columns, rows),)),
        *(
            Section(
                table.definition.name,
                (
                    Text(table.info.table.description),
                    Table(("column", "type"), tuple(table.info.columns.items())),
                ),
            )
            for table in built
        ),
    ]


STEP = Step(
    name="features",
    inputs=Inputs,
    writes=(ArtifactSpec("feature_tables", ArtifactKind.JSON),),
    version=1,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("duckdb", "sqlglot", "deltalake"),
    # Its tables lie elsewhere, and may have been written by others since.
    restorable=False,
)
