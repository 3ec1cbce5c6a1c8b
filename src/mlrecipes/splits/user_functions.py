"""The functions of ``steps/split.py``: calling them, and making sure of what they give."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from mlrecipes.errors import UserCodeError, few, shorten
from mlrecipes.splits.methods import Division
from mlrecipes.splits.parts import PART_NAMES, SplitParts

__all__ = ["divide_by_function", "filter_training", "reshape_parts"]

LABELS = ("TRAINING", "VALIDATION", "TEST")


# ---- split_method --------------------------------------------------------------------------


def divide_by_function(frame: pd.DataFrame, function: Callable[..., Any]) -> Division:
    """Let the user's function say where each row goes.

    It gets a copy, so that a column it adds does not become a feature. What it gives belongs
    to the rows by position; only a Series whose index holds the table's own distinct labels
    in another order is aligned by them, as in MLflow Recipes.

    Raises:
        UserCodeError: The function failed or gave anything but one label a row.
    """
    place = _place(function)
    given = _call(function, place, frame.copy())
    if not isinstance(given, pd.Series):
        raise UserCodeError(
            f"{place} gave {type(given).__name__}; a pandas Series with one of "
            f"{few(LABELS)} a row is expected."
        )
    labels = np.asarray(_in_row_order(given, frame, place), dtype=object)
    is_known = np.array([isinstance(label, str) and label in LABELS for label in labels], bool)
    if not is_known.all():
        strange = dict.fromkeys(str(label) for label in labels[~is_known])
        raise UserCodeError(
            f"{place} gave something else than {few(LABELS)} for {int((~is_known).sum()):,} of "
            f"{len(labels):,} rows: {few(strange)}."
        )
    return Division([np.flatnonzero(labels == label) for label in LABELS], place)


def _in_row_order(given: pd.Series, frame: pd.DataFrame, place: str) -> pd.Series:
    if len(given) != len(frame):
        raise UserCodeError(
            f"{place} gave {len(given):,} values for {len(frame):,} rows; one a row is expected."
        )
    is_other_order = (
        not given.index.equals(frame.index)
        and frame.index.is_unique
        and given.index.is_unique
        and bool(given.index.isin(frame.index).all())
    )
    return given.reindex(frame.index) if is_other_order else given


# ---- hooks -----------------------------------------------------------------------------------


def reshape_parts(parts: SplitParts, function: Callable[..., Any]) -> SplitParts:
    """Let ``post_split_method`` turn the three parts into three others.

    Raises:
        UserCodeError: It failed, or gave anything but three tables with the same columns.
    """
    place = _place(function)
    given = _call(function, place, parts.training, parts.validation, parts.test)
    if not _are_three_frames(given):
        shown = [type(part).__name__ for part in given] if isinstance(given, tuple | list) else []
        raise UserCodeError(
            f"{place} gave {type(given).__name__}{f' of {few(shown)}' if shown else ''}; "
            "a tuple of three DataFrames (training, validation, test) is expected."
        )
    training, validation, test = given
    for name, frame in zip(PART_NAMES[1:], (validation, test), strict=True):
        others = set(frame.columns) ^ set(training.columns)
        if others:
            raise UserCodeError(
                f"{place} gave parts with different columns: {few(sorted(map(str, others)))} "
                f"is not in both training ({training.shape[1]:,} columns) and {name} "
                f"({frame.shape[1]:,} columns)."
            )
    return dataclasses.replace(
        parts,
        training=training,
        validation=validation[list(training.columns)],
        test=test[list(training.columns)],
        how=f"{parts.how}, then {place}",
    )


def _are_three_frames(given: Any) -> bool:
    return (
        isinstance(given, tuple | list)
        and len(given) == len(PART_NAMES)
        and all(isinstance(part, pd.DataFrame) for part in given)
    )


def filter_training(parts: SplitParts, function: Callable[..., Any]) -> SplitParts:
    """Let ``post_split_filter_method`` say which training rows to keep: True means keep.

    Raises:
        UserCodeError: It failed, or gave anything but True or False for each row.
    """
    place, training = _place(function), parts.training
    given = _call(function, place, training.copy())
    if not isinstance(given, pd.Series):
        given = pd.Series(_as_list(given, place), dtype=object)
    values = np.asarray(_in_row_order(given, training, place), dtype=object)
    is_answer = np.array([isinstance(value, bool | np.bool_) for value in values], bool)
    if not is_answer.all():
        strange = dict.fromkeys(str(value) for value in values[~is_answer])
        raise UserCodeError(
            f"{place} gave something else than True (keep) or False for "
            f"{int((~is_answer).sum()):,} of {len(values):,} rows: {few(strange)}."
        )
    keep = values.astype(bool)
    if keep.all():
        return parts
    dropped = {f"training row left out by {place}": int((~keep).sum())}
    return dataclasses.replace(
        parts, training=training[keep], n_dropped={**parts.n_dropped, **dropped}
    )


def _as_list(given: Any, place: str) -> Sequence[Any]:
    if isinstance(given, np.ndarray) and given.ndim == 1:
        return list(given)
    if isinstance(given, list | tuple):
        return given
    raise UserCodeError(
        f"{place} gave {type(given).__name__}; True (keep) or False for each row is expected, "
        "as a pandas Series, array or list."
    )


# ---- calling ---------------------------------------------------------------------------------


def _place(function: Callable[..., Any]) -> str:
    return f"steps/split.py:{getattr(function, '__name__', type(function).__name__)}"


def _call(function: Callable[..., Any], place: str, *frames: pd.DataFrame) -> Any:
    try:
        return function(*frames)
    except Exception as exc:
        raise UserCodeError(
            f"{place} failed: {type(exc).__name__}: {shorten(exc, limit=200)}"
        ) from exc
