"""ingest: read the data that the recipe points at, put features beside them, look at both."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.profile import preview_table, profile_stored, schema_table
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.config.step_schema import Ingest
from mlrecipes.errors import DataError, did_you_mean, few
from mlrecipes.feature_ports import FeatureStore
from mlrecipes.feature_records import Lookup
from mlrecipes.features.lookups import lookups_json
from mlrecipes.records import ArtifactKind, ArtifactSpec, Section, StepResult
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._features import check_columns, key_places, table_source
from mlrecipes.steps._joining import (
    Coverage,
    cover,
    lookup_section,
    lookups_of,
    spine_columns,
)
from mlrecipes.steps._quality import TableAtDoor, open_doors, training_suite
from mlrecipes.steps._reading import Ingested, narrowed, read_rows, sources_section

__all__ = ["STEP", "WITH_FEATURES"]

KEY = "steps.ingest"
SCORING_KEY = "steps.ingest_scoring"
INGESTED = "ingested_data"


@dataclass(frozen=True, slots=True)
class Inputs:
    """ingest reads nothing that another step wrote."""


@dataclass(frozen=True, slots=True)
class InputsWithFeatures:
    """The feature tables that the recipe built; others are read as they are now."""

    feature_tables: Any


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    parts: dict[str, Any] = {
        key: section.model_dump(exclude={"skip_data_profiling"})
        for key, section in _sources_of(config)
    }
    if config.steps.ingest.feature_lookups:
        parts["feature_store"] = config.feature_store.model_dump()
        parts["hidden"] = [*config.id_cols, *config.ignore_cols]
    parts["quality"] = config.quality.model_dump()
    return parts | {"target_col": config.target_col, "positive_class": config.positive_class}


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/ingest.py`` that the recipe names."""
    return tuple(
        UserFunction(f"{key}.{word}", "ingest", name)
        for key, section in _sources_of(config)
        for word in ("location_method", "loader_method")
        if (name := getattr(section, word))
    )


def run(inputs: Inputs | InputsWithFeatures, context: Context) -> StepResult:
    """Find the data, read it, look features up, check the target and profile the columns."""
    config = context.config
    if config.steps.ingest.feature_lookups:
        rows = read_rows(KEY, config.steps.ingest, context, "spine")
        if not config.steps.ingest.is_selective:
            rows = narrowed(rows, list(rows.table.dtypes), context)
        ingested = _with_features(rows, inputs, context)
    else:
        ingested = read_rows(KEY, config.steps.ingest, context, INGESTED)
    table = ingested.table
    doors = open_doors(context, "ingest")
    doors.pass_through([TableAtDoor(training_suite(doors), table.path)])
    where = key_places(context.where)
    check_columns(table.head(0), config, where)
    target = table.columns([config.target_col])[config.target_col]
    context.task.check_target(target, "the ingested data")
    doors.tell()
    return StepResult(
        outputs={
            INGESTED: table.path,
            "feature_lookups": lookups_json(ingested.lookups),
            "data_quality": doors.facts,
        },
        sections=(*ingested.sections, *_sections(ingested, context), *doors.sections),
        summary=f"{table.n_rows:,} rows x {len(table.dtypes)} columns",
        sources=ingested.sources,
    )


def _sources_of(config: RecipeConfig) -> Iterator[tuple[str, Ingest]]:
    """The sections that say where rows are: those to score matter only beside features."""
    yield KEY, config.steps.ingest
    if config.steps.ingest_scoring is not None and config.steps.ingest.feature_lookups:
        yield SCORING_KEY, config.steps.ingest_scoring


# ---- features --------------------------------------------------------------------------------


def _with_features(
    spine: Ingested, inputs: Inputs | InputsWithFeatures, context: Context
) -> Ingested:
    built = inputs.feature_tables if isinstance(inputs, InputsWithFeatures) else {}
    store = context.ports.feature_backend().store
    lookups, tables = lookups_of(context, store, list(spine.table.dtypes), built)
    path = context.staging / f"{INGESTED}.parquet"
    store.join(spine.table.path, lookups, path)
    table = context.ports.reader.stored(path)
    others = tuple(table_source(info) for info in tables if info.table.name not in built)
    scoring = _cover_scoring(lookups, store, context)
    return Ingested(
        table,
        sources=(*spine.sources, *others),
        lookups=lookups,
        sections=(lookup_section(lookups, cover(table, lookups), scoring),),
        picked=spine.picked,
    )


def _cover_scoring(
    lookups: tuple[Lookup, ...], store: FeatureStore, context: Context
) -> Coverage | None:
    """What is known of the rows to score; None if the recipe does not say where they are."""
    section = context.config.steps.ingest_scoring
    if section is None or not section.has_location:
        return None
    rows = read_rows(SCORING_KEY, section, context, "rows_to_score")
    kept, needed = section.columns or list(rows.table.dtypes), spine_columns(lookups)
    missing = [name for name in needed if name not in kept]
    if missing:
        raise DataError(
            f"{context.where(SCORING_KEY)}: the rows to score lack {few(missing)}, by which "
            "features are looked up.",
            hint=did_you_mean(missing[0], kept),
        )
    keys = narrowed(rows, needed, context)
    path = context.staging / "features_to_score.parquet"
    store.join(keys.table.path, lookups, path)
    return cover(context.ports.reader.stored(path), lookups)


# ---- the card --------------------------------------------------------------------------------


def _sections(ingested: Ingested, context: Context) -> list[Section]:
    table = ingested.table
    sections = [
        Section("Data Schema", (schema_table(table),)),
        Section("Data Preview", (preview_table(table),)),
        sources_section(ingested, "ingest"),
    ]
    if context.config.steps.ingest.skip_data_profiling:
        return sections
    return [Section("Data Profile", (profile_stored(table),)), *sections]


STEP = Step(
    name="ingest",
    inputs=Inputs,
    writes=(
        ArtifactSpec(INGESTED, ArtifactKind.FRAME),
        ArtifactSpec("feature_lookups", ArtifactKind.JSON),
        ArtifactSpec("data_quality", ArtifactKind.JSON),
    ),
    version=3,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "pyarrow"),
)
WITH_FEATURES = dataclasses.replace(STEP, inputs=InputsWithFeatures)
"""The same step in a recipe that builds feature tables: they come first."""
