"""The work behind :func:`mlrecipes.splits.split_frame`, in a module that may load pandas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import DataError, did_you_mean, few
from mlrecipes.splits.methods import METHODS, Division, Request
from mlrecipes.splits.parts import SplitParts
from mlrecipes.splits.user_functions import divide_by_function

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_parts", "check_sizes", "divide", "rows_with_target"]

MIN_ROWS = 4
CUSTOM = "custom"
KEEPS_INDEX = "split_ratios"
"""The one way that keeps the index of the rows, as MLflow Recipes did."""


def rows_with_target(frame: pd.DataFrame, target_col: str) -> tuple[pd.DataFrame, dict[str, int]]:
    """Leave out rows whose target is null, and count them.

    Raises:
        DataError: There is no such column.
    """
    columns = [str(column) for column in frame.columns]
    if target_col not in columns:
        raise DataError(
            f"target_col '{target_col}' is not among the {len(columns):,} columns of the data "
            f"({few(columns)}).",
            hint=did_you_mean(target_col, columns),
        )
    is_known = frame[target_col].notna()
    if is_known.all():
        return frame, {}
    return frame[is_known], {f"{target_col} is null": int((~is_known).sum())}


def divide(
    request: Request, n_dropped: Mapping[str, int], custom: Callable[..., Any] | None
) -> SplitParts:
    """Find the rows of each part and take them out of the table.

    Raises:
        DataError: A column that is needed does not exist or has the wrong kind of values.
        UserCodeError: The user's function failed or gave the wrong thing.
    """
    division = _division(request, custom)
    parts = [request.frame.iloc[positions] for positions in division.positions]
    if request.settings.using != KEEPS_INDEX:
        parts = [part.reset_index(drop=True) for part in parts]
    training, validation, test = parts
    dropped = {**n_dropped, **division.n_dropped}
    occurred = {why: n for why, n in dropped.items() if n}
    return SplitParts(training, validation, test, occurred, division.how)


def _division(request: Request, custom: Callable[..., Any] | None) -> Division:
    using = request.settings.using
    if using == CUSTOM:
        if custom is None:
            raise DataError(
                "steps.split.using is 'custom', but steps.split.split_method names no function.",
                hint="Name a function of steps/split.py.",
            )
        return divide_by_function(request.frame, custom)
    return METHODS[using](request)


def check_sizes(sizes: Mapping[str, int], n_left_out: Mapping[str, int], how: str) -> None:
    """Check that each part has enough rows.

    Raises:
        DataError: A part is too small.
    """
    small = {name: size for name, size in sizes.items() if size < MIN_ROWS}
    if small:
        n_rows, n_dropped = sum(sizes.values()), sum(n_left_out.values())
        shown = ", ".join(f"{name} {size:,}" for name, size in small.items())
        raise DataError(
            f"split: {len(small)} of 3 parts have fewer than {MIN_ROWS} rows ({shown}) from "
            f"{n_rows:,} rows{f' ({n_dropped:,} more were dropped)' if n_dropped else ''}"
            f"{f', divided with {how}' if how else ''}.",
            hint="Add rows or change steps.split in recipe.yaml.",
        )


def check_parts(parts: SplitParts, target_col: str) -> None:
    """Check that each part has enough rows and that each row has a target.

    Raises:
        DataError: A part is too small, or lost its target.
    """
    frames = parts.named()
    check_sizes({name: len(frame) for name, frame in frames.items()}, parts.n_dropped, parts.how)
    for name, frame in frames.items():
        if target_col not in frame.columns:
            raise DataError(
                f"split: the {name} part has no column '{target_col}', the target.",
                hint="Keep it in the function that steps.split.post_split_method names.",
            )
        n_nulls = int(frame[target_col].isna().sum())
        if n_nulls:
            raise DataError(
                f"split: the target '{target_col}' is null in {n_nulls:,} of {len(frame):,} rows "
                f"of the {name} part.",
                hint="Keep it in the function that steps.split.post_split_method names.",
            )
