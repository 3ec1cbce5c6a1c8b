"""Dividing the ingested table: row by row from file to file, or whole in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mlrecipes.checks.profile import profile_frame, profile_stored
from mlrecipes.records import Profile
from mlrecipes.splits import (
    SplitParts,
    apply_post_filter,
    apply_post_split,
    check_parts,
    check_sizes,
    split_frame,
)
from mlrecipes.splits.parts import PART_NAMES
from mlrecipes.steps._contract import Context

__all__ = ["Divided", "divided"]

KEY = "steps.split"


@dataclass(frozen=True, slots=True)
class Divided:
    """The three parts by name.

    Attributes:
        outputs: What is stored of each: a frame, or the file that holds it already.
        known: Of each, at least its target and its time, all rows.
        like: Their columns, without a row.
        profiles: Looks at all columns of all parts.
        n_dropped: Rows that are in no part, by reason; only reasons that occurred.
        how: How the rows were divided, in words.
    """

    outputs: Mapping[str, Any]
    known: Mapping[str, Any]
    like: Any
    profiles: Callable[[], tuple[Profile, ...]]
    n_dropped: Mapping[str, int]
    how: str

    @property
    def n_rows(self) -> dict[str, int]:
        """Rows of each part."""
        return {name: len(frame) for name, frame in self.known.items()}


def divided(path: Path, context: Context) -> Divided:
    """Divide a table as ``steps.split`` asks.

    Raises:
        DataError: A column is missing or has the wrong kind of values, or a part is too small.
        StoreError: Spark is not there, or its workers do not see the table.
        UserCodeError: A function of the user failed or gave the wrong thing.
    """
    if context.config.steps.split.is_by_row:
        return _from_file_to_file(path, context)
    return _in_memory(path, context)


# ---- row by row ------------------------------------------------------------------------------


def _from_file_to_file(path: Path, context: Context) -> Divided:
    from mlrecipes.splits.rows import assign, check_rule, rule_of

    config, reader = context.config, context.ports.reader
    rule = rule_of(config.steps.split, config.target_col, config.seed)
    like = reader.stored(path).head(0)
    check_rule(like, rule)
    parts, n_dropped, sizes, how = [], Counter[str](), Counter[int](), ""
    on_spark = config.steps.split.engine == "spark"
    ask = partial(assign, rule=rule)
    for part, left_out, words in context.ports.rows.assign(
        path, rule.columns, ask, on_spark=on_spark
    ):
        parts.append(part)
        sizes.update({code: int((part == code).sum()) for code in range(len(PART_NAMES))})
        n_dropped.update(left_out)
        how = words
    occurred = {why: n for why, n in n_dropped.items() if n}
    check_sizes({name: sizes[code] for code, name in enumerate(PART_NAMES)}, occurred, how)
    files = {name: context.staging / f"{name}_data.parquet" for name in PART_NAMES}
    context.ports.rows.divide(path, parts, list(files.values()))
    stored = {name: reader.stored(file) for name, file in files.items()}
    looked_at = list(dict.fromkeys([config.target_col, *filter(None, [rule.time_col])]))
    return Divided(
        files,
        {name: table.columns(looked_at) for name, table in stored.items()},
        stored["training"].head(0),
        lambda: tuple(map(profile_stored, stored.values())),
        occurred,
        how,
    )


# ---- whole -----------------------------------------------------------------------------------


def _in_memory(path: Path, context: Context) -> Divided:
    config = context.config
    parts = split_frame(
        context.ports.reader.stored(path).whole(),
        config.steps.split,
        target_col=config.target_col,
        task=context.task,
        seed=config.seed,
        custom=context.functions.get(f"{KEY}.split_method"),
    )
    parts = _cleaned_up(parts, context)
    check_parts(parts, config.target_col)
    frames = parts.named()
    return Divided(
        frames,
        frames,
        parts.training.head(0),
        lambda: tuple(map(profile_frame, frames.values())),
        parts.n_dropped,
        parts.how,
    )


def _cleaned_up(parts: SplitParts, context: Context) -> SplitParts:
    """As in MLflow Recipes: ``post_split_method`` wins over the filter of training rows."""
    post_split = context.functions.get(f"{KEY}.post_split_method")
    if post_split is not None:
        return apply_post_split(parts, post_split)
    post_filter = context.functions.get(f"{KEY}.post_split_filter_method")
    return apply_post_filter(parts, post_filter) if post_filter is not None else parts
