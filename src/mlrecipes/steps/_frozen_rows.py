"""The rows that champion and challenger are both scored on, and what each says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlrecipes.errors import DataError, TryAgain, did_you_mean, few, shorten
from mlrecipes.promotion_ports import FetchedModel
from mlrecipes.records import Source
from mlrecipes.steps._contract import Context
from mlrecipes.steps._scores import judged
from mlrecipes.tasks import Predictions

__all__ = [
    "FrozenRows",
    "Scored",
    "frozen_rows",
    "score",
]

KEY = "steps.promote.reference"
DIGEST_LENGTH = 16
UNSTABLE = frozenset({"random", "stratified", "custom"})
"""Splits that may move a row to another part when the data change."""


@dataclass(frozen=True, slots=True, eq=False)
class FrozenRows:
    """Rows with their target, the same for both models.

    Attributes:
        frame: One row a row, with target, identifiers and raw features.
        digest: Of their content.
        origin: Where they are from, for people.
        is_test_part: Whether they are the run's own test part.
        sources: Files that they were read from.
    """

    frame: Any
    digest: str
    origin: str
    is_test_part: bool = True
    sources: tuple[Source, ...] = ()

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.frame)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a model says of the rows, or why it cannot.

    Attributes:
        predictions: None if it cannot be scored.
        metrics: Built-in and custom metrics by name.
        problem: Why it cannot be scored.
    """

    predictions: Predictions | None = None
    metrics: Mapping[str, float] | None = None
    problem: str = ""

    @property
    def certain(self) -> Predictions:
        """The predictions of a model that could be scored."""
        if self.predictions is None:
            raise DataError(self.problem)
        return self.predictions

    def value(self, metric: str) -> float:
        """A metric; NaN where there is none."""
        return float((self.metrics or {}).get(metric, float("nan")))


def frozen_rows(test_data: Any, context: Context, folder: Path) -> FrozenRows:
    """The reference table if the recipe names one, else the run's own test part.

    Raises:
        DataError: The reference has no row or no target, or there is neither.
        StoreError: It cannot be read.
    """
    settings, target = context.config.steps.promote, context.config.target_col
    reference = settings.reference if settings else None
    if reference is None:
        if test_data is None:
            raise DataError(
                "There is no test part here that the models can be compared on.",
                hint="Make it: mlrecipes run --to split. Or name a table: steps.promote.reference",
            )
        frame = test_data.reset_index(drop=True)
        return FrozenRows(frame, _digest(frame), "the test part of this run")
    read = context.ports.reader.read(reference, "auto", folder / "reference.parquet")
    columns = [str(name) for name in read.table.dtypes]
    if target not in columns:
        raise DataError(
            f"{context.where(KEY)}: {shorten(reference)} has no column '{target}', the target.",
            hint=did_you_mean(target, columns),
        )
    frame = read.table.columns(columns)
    frame = frame[frame[target].notna()].reset_index(drop=True)
    if frame.empty:
        raise DataError(f"{context.where(KEY)}: {shorten(reference)} has no row with a target.")
    context.task.check_target(frame[target], "the reference")
    return FrozenRows(
        frame, _digest(frame), shorten(reference), is_test_part=False, sources=read.sources
    )


def _digest(frame: Any) -> str:
    """A digest of the content: names, types, values and their order."""
    import pandas as pd

    hashed = hashlib.sha256()
    for name in frame.columns:
        hashed.update(repr((str(name), str(frame[name].dtype))).encode())
        column = frame[name]
        plain = column.astype(str) if column.dtype == object else column
        hashed.update(pd.util.hash_pandas_object(plain, index=False).to_numpy().tobytes())
    return hashed.hexdigest()[:DIGEST_LENGTH]


# ---- scoring ---------------------------------------------------------------------------------


def score(model: FetchedModel, rows: FrozenRows, context: Context, folder: Path) -> Scored:
    """Ask a model about the rows, by its pipeline: probabilities, where it gives them.

    Columns that are not there are looked up in feature tables as the model's own lookups say.
    """
    try:
        frame = _with_lookups(model, rows.frame, context, folder)
        missing = [name for name in model.columns if name not in frame.columns]
        if missing:
            return Scored(problem=f"it needs {few(missing)}, which these rows do not have")
        features = model.fit(frame[list(model.columns)])
        predictions = context.task.predict(model.pipeline, features)
    except TryAgain:
        raise
    except Exception as error:  # noqa: BLE001 - code of another day may fail in any way: a reason
        return Scored(problem=f"{type(error).__name__}: {shorten(error, limit=200)}")
    # A metric of the user sees the same columns for both models.
    return Scored(predictions, judged(rows.frame, predictions, context).metrics)


def _with_lookups(model: FetchedModel, frame: Any, context: Context, folder: Path) -> Any:
    """The rows, with the columns that the model looks up where these are not there yet."""
    missing = set(model.columns) - set(frame.columns)
    lookups = tuple(replace(lookup, version=None) for lookup in model.lookups)
    looked_up = {column for lookup in lookups for column in lookup.columns}
    keys = {column for lookup in lookups for column in lookup.spine_columns}
    if not missing or not missing <= looked_up or not keys <= set(frame.columns):
        return frame
    spine = frame[[column for column in frame.columns if column not in looked_up]]
    return _joined(spine, lookups, context, folder)


def _joined(spine: Any, lookups: Sequence[Any], context: Context, folder: Path) -> Any:
    source, into = folder / "spine.parquet", folder / "joined.parquet"
    spine.to_parquet(source, index=False)
    context.ports.feature_backend().store.join(source, lookups, into)
    table = context.ports.reader.stored(into)
    return table.columns(list(table.dtypes))
