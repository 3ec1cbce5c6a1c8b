"""ingest_scoring: read the rows that the model shall score, and look at them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.profile import preview_table, profile_stored, schema_table
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import DataError, GateRejected
from mlrecipes.ports import NoRowsError
from mlrecipes.records import ArtifactKind, ArtifactSpec, Section, StepResult
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._reading import Ingested, read_rows, sources_section

__all__ = ["STEP"]

KEY = "steps.ingest_scoring"
INGESTED = "ingested_scoring_data"


@dataclass(frozen=True, slots=True)
class Inputs:
    """ingest_scoring reads nothing that another step wrote."""


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    section = config.steps.ingest_scoring
    return {} if section is None else {KEY: section.model_dump(exclude={"skip_data_profiling"})}


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/ingest.py`` that the section names."""
    return tuple(
        UserFunction(f"{KEY}.{word}", "ingest", name)
        for word in ("location_method", "loader_method")
        if (name := getattr(config.steps.ingest_scoring, word, None))
    )


def run(inputs: Inputs, context: Context) -> StepResult:
    """Find the rows and read them; none at all is no batch."""
    section = context.config.steps.ingest_scoring
    if section is None:
        raise DataError(f"{context.where('steps')}: there is no {KEY}.")
    try:
        ingested = read_rows(KEY, section, context, INGESTED)
    except NoRowsError as error:
        raise GateRejected(f"ingest_scoring: {error.message}", hint=error.hint) from error
    table = ingested.table
    return StepResult(
        outputs={INGESTED: table.path},
        sections=tuple(_sections(ingested, is_profiled=not section.skip_data_profiling)),
        summary=f"{table.n_rows:,} rows x {len(table.dtypes)} columns",
        sources=ingested.sources,
    )


def _sections(ingested: Ingested, *, is_profiled: bool) -> list[Section]:
    table = ingested.table
    sections = [
        Section("Data Schema", (schema_table(table),)),
        Section("Data Preview", (preview_table(table),)),
        sources_section(ingested, "ingest_scoring"),
    ]
    profiled = [Section("Data Profile", (profile_stored(table),))] if is_profiled else []
    return [*profiled, *sections]


STEP = Step(
    name="ingest_scoring",
    inputs=Inputs,
    writes=(ArtifactSpec(INGESTED, ArtifactKind.FRAME),),
    version=1,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "pyarrow"),
)
