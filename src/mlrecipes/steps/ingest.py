"""ingest: read the data that the recipe points at, and look at it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.profile import preview_table, profile_frame, schema_table
from mlrecipes.config.schema import RecipeConfig
from mlrecipes.errors import UserCodeError
from mlrecipes.records import ArtifactKind, ArtifactSpec, Facts, Section, StepResult
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._features import check_columns

__all__ = ["STEP"]

KEY = "steps.ingest"
LOCATION_METHOD = f"{KEY}.location_method"
LOADER_METHOD = f"{KEY}.loader_method"


@dataclass(frozen=True, slots=True)
class Inputs:
    """ingest reads nothing that another step wrote."""


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    return {
        KEY: config.steps.ingest.model_dump(exclude={"skip_data_profiling"}),
        "target_col": config.target_col,
        "positive_class": config.positive_class,
    }


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/ingest.py`` that the recipe names."""
    ingest = config.steps.ingest
    named = {LOCATION_METHOD: ingest.location_method, LOADER_METHOD: ingest.loader_method}
    return tuple(UserFunction(key, "ingest", name) for key, name in named.items() if name)


def run(inputs: Inputs, context: Context) -> StepResult:
    """Find the data, read it, check its target and profile its columns."""
    config = context.config
    location = _locate(context)
    dataset = context.ports.reader.read(
        location, config.steps.ingest.using, context.functions.get(LOADER_METHOD)
    )
    frame = dataset.frame
    where = {key: context.where(key) for key in ("target_col", "id_cols", "ignore_cols")}
    check_columns(frame, config, where)
    context.task.check_target(frame[config.target_col], "the ingested data")
    n_rows, n_columns = frame.shape
    return StepResult(
        outputs={"ingested_data": frame},
        sections=tuple(_sections(frame, context, [source.uri for source in dataset.sources])),
        summary=f"{n_rows:,} rows x {n_columns} columns",
        sources=dataset.sources,
    )


def _locate(context: Context) -> Any:
    """Where the data lies: written in the recipe, or found by the user's function."""
    ingest = context.config.steps.ingest
    find: Callable[..., Any] | None = context.functions.get(LOCATION_METHOD)
    if find is None:
        return ingest.location
    found = find(**ingest.location_params, cache=context.project.cache)
    paths = found if isinstance(found, list | tuple) else [found]
    if not all(isinstance(path, str) or hasattr(path, "__fspath__") for path in paths):
        raise UserCodeError(
            f"steps/ingest.py:{ingest.location_method} gave {type(found).__name__}; "
            "a path or a list of paths is expected."
        )
    return [str(path) for path in paths]


def _sections(frame: Any, context: Context, sources: list[str]) -> list[Section]:
    sections = [
        Section("Data Schema", (schema_table(frame),)),
        Section("Data Preview", (preview_table(frame),)),
        Section("Sources", (Facts(tuple((f"file {i}", uri) for i, uri in enumerate(sources, 1))),)),
    ]
    if context.config.steps.ingest.skip_data_profiling:
        return sections
    return [Section("Data Profile", (profile_frame(frame),)), *sections]


STEP = Step(
    name="ingest",
    inputs=Inputs,
    writes=(ArtifactSpec("ingested_data", ArtifactKind.FRAME),),
    version=1,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "pyarrow"),
)
