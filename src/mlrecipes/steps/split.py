"""split: divide the data into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.records import (
    ArtifactKind,
    ArtifactSpec,
    Facts,
    ProfileComparison,
    Section,
    StepResult,
    Table,
)
from mlrecipes.steps._contract import Context, Step, UserFunction
from mlrecipes.steps._dividing import Divided, divided
from mlrecipes.steps._features import (
    check_columns,
    common_settings,
    features_of,
    key_places,
)

__all__ = ["STEP"]

KEY = "steps.split"
METHODS = ("split_method", "post_split_method", "post_split_filter_method")


@dataclass(frozen=True, slots=True)
class Inputs:
    """The file of the table to divide, which may be larger than memory."""

    ingested_data: Path


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself.

    Not the engine: the parts are the same.
    """
    unimportant = {"skip_data_profiling", "engine"}
    section = config.steps.split.model_dump(mode="json", exclude=unimportant)
    return {KEY: section, "seed": config.seed} | common_settings(config)


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/split.py`` that the recipe names."""
    named = {f"{KEY}.{method}": getattr(config.steps.split, method) for method in METHODS}
    return tuple(UserFunction(key, "split", name) for key, name in named.items() if name)


def run(inputs: Inputs, context: Context) -> StepResult:
    """Divide the rows, let the user's hooks clean the parts up, and compare the parts."""
    config = context.config
    parts = divided(inputs.ingested_data, context)
    check_columns(parts.like, config, key_places(context.where))
    for name, frame in parts.known.items():
        context.task.check_target(frame[config.target_col], f"the {name} part")
    return StepResult(
        outputs={
            **{f"{name}_data": rows for name, rows in parts.outputs.items()},
            "part_facts": _facts(parts, config),
        },
        sections=tuple(_sections(parts, context)),
        summary=" / ".join(f"{name} {n_rows:,}" for name, n_rows in parts.n_rows.items()),
    )


def _facts(parts: Divided, config: RecipeConfig) -> dict[str, Any]:
    """How many rows each part has, and from when to when they are if time divides them."""
    time_col = config.steps.split.time_col
    times = {
        name: frame[time_col].dropna()
        for name, frame in parts.known.items()
        if time_col is not None and time_col in frame.columns
    }
    return {
        "n_rows": parts.n_rows,
        "n_columns": parts.like.shape[1],
        "n_features": features_of(parts.like, config).shape[1],
        "n_dropped": {str(why): int(n) for why, n in parts.n_dropped.items()},
        "how": parts.how,
        "time_col": time_col,
        "periods": {name: [str(c.min()), str(c.max())] for name, c in times.items() if len(c)},
    }


def _sections(parts: Divided, context: Context) -> list[Section]:
    n_all = sum(parts.n_rows.values())
    sizes = Table(
        ("part", "rows", "share"),
        tuple((name, n, f"{n / n_all:.1%}") for name, n in parts.n_rows.items()),
    )
    dropped = Facts(tuple((f"dropped: {why}", n) for why, n in parts.n_dropped.items()))
    balance = context.task.class_balance(parts.known, context.config.target_col)
    blocks = (sizes, dropped) if parts.n_dropped else (sizes,)
    sections = [Section("Parts", blocks + ((balance,) if balance is not None else ()))]
    if not context.config.steps.split.skip_data_profiling:
        comparison = ProfileComparison(tuple(parts.n_rows), parts.profiles())
        sections.append(Section("Compare Splits", (comparison,)))
    return sections


STEP = Step(
    name="split",
    inputs=Inputs,
    writes=(
        *(
            ArtifactSpec(f"{name}_data", ArtifactKind.FRAME)
            for name in ("training", "validation", "test")
        ),
        ArtifactSpec("part_facts", ArtifactKind.JSON),
    ),
    version=4,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "pyarrow"),
    reads_files=("ingested_data",),
)
