"""split: divide the data into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlrecipes.checks.profile import profile_frame
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
from mlrecipes.splits import (
    SplitParts,
    apply_post_filter,
    apply_post_split,
    check_parts,
    split_frame,
)
from mlrecipes.steps._contract import Context, Step, UserFunction
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
    """The table to divide."""

    ingested_data: Any


def settings(config: RecipeConfig) -> Mapping[str, Any]:
    """What decides the outcome, beside the user's code and the data itself."""
    section = config.steps.split.model_dump(mode="json", exclude={"skip_data_profiling"})
    return {KEY: section, "seed": config.seed} | common_settings(config)


def user_functions(config: RecipeConfig) -> tuple[UserFunction, ...]:
    """The functions of ``steps/split.py`` that the recipe names."""
    named = {f"{KEY}.{method}": getattr(config.steps.split, method) for method in METHODS}
    return tuple(UserFunction(key, "split", name) for key, name in named.items() if name)


def run(inputs: Inputs, context: Context) -> StepResult:
    """Divide the rows, let the user's hooks clean the parts up, and compare the parts."""
    config = context.config
    parts = split_frame(
        inputs.ingested_data,
        config.steps.split,
        target_col=config.target_col,
        task=context.task,
        seed=config.seed,
        custom=context.functions.get(f"{KEY}.split_method"),
    )
    parts = _clean_up(parts, context)
    check_parts(parts, config.target_col)
    where = key_places(context.where)
    check_columns(parts.training, config, where)
    for name, frame in parts.named().items():
        context.task.check_target(frame[config.target_col], f"the {name} part")
    return StepResult(
        outputs={
            **{f"{name}_data": frame for name, frame in parts.named().items()},
            "part_facts": _facts(parts, config),
        },
        sections=tuple(_sections(parts, context)),
        summary=" / ".join(f"{name} {len(frame):,}" for name, frame in parts.named().items()),
    )


def _clean_up(parts: SplitParts, context: Context) -> SplitParts:
    """As in MLflow Recipes: ``post_split_method`` wins over the filter of training rows."""
    post_split = context.functions.get(f"{KEY}.post_split_method")
    if post_split is not None:
        return apply_post_split(parts, post_split)
    post_filter = context.functions.get(f"{KEY}.post_split_filter_method")
    return apply_post_filter(parts, post_filter) if post_filter is not None else parts


def _facts(parts: SplitParts, config: RecipeConfig) -> dict[str, Any]:
    """How many rows each part has, and from when to when they are if time divides them."""
    named, time_col = parts.named(), config.steps.split.time_col
    times = {
        name: frame[time_col].dropna()
        for name, frame in named.items()
        if time_col is not None and time_col in frame.columns
    }
    return {
        "n_rows": {name: len(frame) for name, frame in named.items()},
        "n_columns": parts.training.shape[1],
        "n_features": features_of(parts.training.head(0), config).shape[1],
        "n_dropped": {str(why): int(n) for why, n in parts.n_dropped.items()},
        "how": parts.how,
        "time_col": time_col,
        "periods": {name: [str(c.min()), str(c.max())] for name, c in times.items() if len(c)},
    }


def _sections(parts: SplitParts, context: Context) -> list[Section]:
    n_rows = {name: len(frame) for name, frame in parts.named().items()}
    n_all = sum(n_rows.values())
    sizes = Table(
        ("part", "rows", "share"),
        tuple((name, n, f"{n / n_all:.1%}") for name, n in n_rows.items()),
    )
    dropped = Facts(tuple((f"dropped: {why}", n) for why, n in parts.n_dropped.items()))
    balance = context.task.class_balance(parts.named(), context.config.target_col)
    blocks = (sizes, dropped) if parts.n_dropped else (sizes,)
    sections = [Section("Parts", blocks + ((balance,) if balance is not None else ()))]
    if not context.config.steps.split.skip_data_profiling:
        profiles = tuple(profile_frame(frame) for frame in parts.named().values())
        comparison = ProfileComparison(tuple(parts.named()), profiles)
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
    version=3,
    settings=settings,
    user_functions=user_functions,
    run=run,
    libraries=("pandas", "pyarrow"),
)
