"""features: build the feature tables that the recipe defines, as far as anything changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.quality import with_row_count
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, UserCodeError, did_you_mean, few
from mlrecipes.features.definition import load_definitions
from mlrecipes.records import (
    ArtifactKind,
    ArtifactSpec,
    Section,
    StepResult,
    Table,
    Text,
)
from mlrecipes.steps._building import UP_TO_DATE, Building, Built
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._features import table_source
from mlrecipes.steps._quality import Doors, TableAtDoor, open_doors, referred_tables

if TYPE_CHECKING:
    from mlrecipes.features.sql import FeatureQuery

__all__ = ["STEP"]

KEY = "steps.features"
LOCATION_METHOD = f"{KEY}.location_method"
RAW_SUFFIXES = (".parquet", ".csv", ".csv.gz")


@dataclass(frozen=True, slots=True)
class Inputs:
    """features reads raw tables, which no step writes."""


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the definitions and the raw tables themselves."""
    if config.steps.features is None:
        return {}
    return {
        KEY: config.steps.features.model_dump(),
        "feature_store": config.feature_store.model_dump(),
        "quality": config.quality.model_dump(exclude={"min_rows"}),
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
    backend, doors = context.ports.feature_backend(), open_doors(context, "features")
    doors.pass_through(_at_the_door(doors, raw, found, context), backend.checker)
    building = Building(context, backend, doors, raw, sources)
    built = [building.build(d, queries[d.name]) for d in definitions]
    doors.tell()
    n_new = sum(table.what != UP_TO_DATE for table in built)
    n_features = sum(len(table.info.features) for table in built)
    return StepResult(
        outputs={
            "feature_tables": {table.definition.name: _facts(table) for table in built},
            "feature_data_quality": doors.facts,
        },
        sections=(*_sections(built), *doors.sections),
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


def _at_the_door(
    doors: Doors, raw: Mapping[str, Path], found: Mapping[str, Path], context: Context
) -> list[TableAtDoor]:
    """The raw tables that have a suite, and what their foreign keys refer to."""
    tables, reader = [], context.ports.reader
    for name, path in sorted(raw.items()):
        suite = doors.suites.get(f"raw.{name}")
        if suite is None:
            continue
        others = {n: found[n] for n in referred_tables(suite.expectations) if n in found}
        content = [reader.sources(place) for place in (path, *others.values())]
        tables.append(TableAtDoor(with_row_count(suite, 1), path, others, content))
    return tables


# ---- what later steps know -------------------------------------------------------------------


def _facts(built: Built) -> dict[str, Any]:
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


def _sections(built: list[Built]) -> list[Section]:
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
    writes=(
        ArtifactSpec("feature_tables", ArtifactKind.JSON),
        ArtifactSpec("feature_data_quality", ArtifactKind.JSON),
    ),
    version=2,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("duckdb", "sqlglot", "deltalake"),
    # Its tables lie elsewhere, and may have been written by others since.
    restorable=False,
)
