"""Dividing a table into training, validation and test parts.

::

    split_frame ──> apply_post_split | apply_post_filter ──> check_parts
    rows.assign, some rows at a time ──> check_sizes

Importing this package does not load pandas; calling it does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlrecipes.splits.parts import SplitParts

if TYPE_CHECKING:
    import pandas as pd

    from mlrecipes.config.step_schema import Split
    from mlrecipes.splits.parts import TaskKind

__all__ = [
    "SplitParts",
    "apply_post_filter",
    "apply_post_split",
    "check_parts",
    "check_sizes",
    "split_frame",
]


def split_frame(
    frame: pd.DataFrame,
    split_config: Split,
    *,
    target_col: str,
    task: TaskKind,
    seed: int,
    custom: Callable[..., Any] | None = None,
) -> SplitParts:
    """Divide a table as ``steps.split`` asks; rows whose target is null are dropped first.

    Args:
        frame: One row an example; it is not changed.
        split_config: The recipe's ``steps.split``.
        target_col: The column to be predicted.
        task: Says whether the target holds classes.
        seed: Decides where a row goes, except for ``split_ratios``, ``time`` and ``custom``.
        custom: The user's ``split_method``, for ``using: custom``.

    Returns:
        The parts. ``split_ratios`` keeps the index of the rows, as MLflow Recipes did; all
        other ways number the rows of each part anew, in their old order.

    Raises:
        DataError: A column that is needed does not exist or has the wrong kind of values.
        UserCodeError: The user's function failed or gave the wrong thing.
    """
    from mlrecipes.splits import _divide
    from mlrecipes.splits.methods import Request

    known, n_dropped = _divide.rows_with_target(frame, target_col)
    request = Request(known, split_config, target_col, task, seed)
    return _divide.divide(request, n_dropped, custom)


def apply_post_split(parts: SplitParts, function: Callable[..., Any]) -> SplitParts:
    """Let the user's ``post_split_method`` turn the three parts into three others.

    Raises:
        UserCodeError: It failed, or gave anything but three tables with the same columns.
    """
    from mlrecipes.splits.user_functions import reshape_parts

    return reshape_parts(parts, function)


def apply_post_filter(parts: SplitParts, function: Callable[..., Any]) -> SplitParts:
    """Let the user's ``post_split_filter_method`` say which training rows to keep.

    Raises:
        UserCodeError: It failed, or gave anything but True or False for each row.
    """
    from mlrecipes.splits.user_functions import filter_training

    return filter_training(parts, function)


def check_sizes(sizes: Mapping[str, int], n_left_out: Mapping[str, int], how: str) -> None:
    """Check that each part has at least 4 rows.

    Args:
        sizes: Rows of each part.
        n_left_out: Rows that are in no part, by reason.
        how: How rows were divided, in words.

    Raises:
        DataError: A part is too small.
    """
    from mlrecipes.splits import _divide

    _divide.check_sizes(sizes, n_left_out, how)


def check_parts(parts: SplitParts, target_col: str) -> None:
    """Check that each part can be used: at least 4 rows, each with a target.

    Raises:
        DataError: A part is too small, or lost its target.
    """
    from mlrecipes.splits import _divide

    _divide.check_parts(parts, target_col)
