"""The seams of batch scoring: a model that scores files, and the table that predictions go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mlrecipes.feature_records import Lookup

__all__ = [
    "Batch",
    "BatchModel",
    "BatchScoring",
    "ModelIdentity",
    "PredictionTable",
    "ScoreRequest",
]


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model it is, found out once, so that an alias that moves changes nothing midway.

    Attributes:
        uri: As it was asked for.
        source: Where its files lie.
        name: Of the registered model; None for a model of a run alone.
        version: Of the registered model; None for a model of a run alone.
        run_id: The run that made it.
    """

    uri: str
    source: str
    name: str | None = None
    version: str | None = None
    run_id: str | None = None

    @property
    def label(self) -> str:
        """The model in words, such as ``houses version 3``."""
        return self.uri if self.name is None else f"{self.name} version {self.version}"

    @property
    def key(self) -> str:
        """Differs between two models; the same for two ways to ask for one."""
        return "/".join((self.name or "", self.version or "", self.run_id or self.source))


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that are scored together by one model.

    Attributes:
        batch_id: Names the rows; with the model it names the predictions.
        model: Which model scores them.
        scored_at: The moment that is written to every row, in UTC.
    """

    batch_id: str
    model: ModelIdentity
    scored_at: datetime

    @property
    def key(self) -> str:
        """Predictions with the same key are the same predictions."""
        return f"{self.model.key}/{self.batch_id}"


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """What is written beside the predictions.

    Attributes:
        kept: Columns of the rows that go with the predictions, in this order.
        n_reasons: How many reason codes a row gets.
        engine: ``local`` or ``spark``.
    """

    kept: tuple[str, ...]
    n_reasons: int = 0
    engine: str = "local"


class BatchModel(Protocol):
    """A loaded model that answers as when it was trained."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model it is."""
        ...

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """How its columns are looked up in feature tables, as of now."""
        ...

    @property
    def columns(self) -> Mapping[str, Any]:
        """Its raw columns and their pandas types; None for a type that is not known."""
        ...

    @property
    def n_canaries(self) -> int:
        """How many rows of the training it was compared on when it was loaded."""
        ...

    @property
    def training_profile(self) -> Mapping[str, Any] | None:
        """What it was trained on, in numbers; None for a model that does not say."""
        ...

    def score(self, rows: Path, into: Path, batch: Batch, request: ScoreRequest) -> int:
        """Score the rows of a Parquet file, some at a time, into another one.

        Each row gives one row, in the same order: the kept columns, what the model says,
        and which model, run and batch it was.

        Returns:
            The number of rows.

        Raises:
            StoreError: A file cannot be read or written, or the model cannot score the rows.
        """
        ...


class PredictionTable(Protocol):
    """A table of predictions to which batches are added whole, or not at all."""

    @property
    def place(self) -> str:
        """Where it lies."""
        ...

    def exists(self) -> bool:
        """Whether there is anything at its place."""
        ...

    def has(self, batch: Batch) -> bool:
        """Whether the table holds the predictions of this batch by this model."""
        ...

    def read(self, batch: Batch, into: Path) -> None:
        """Copy the predictions of a batch to a Parquet file."""
        ...

    def read_all(self) -> Any:
        """The predictions of all batches: a ``pyarrow.Table``, or a ``DataFrame`` of Spark.

        Raises:
            StoreError: The table cannot be read.
        """
        ...

    def append(self, rows: Path, batch: Batch) -> bool:
        """Add a batch unless it is there already; of two writers at once one adds it.

        Returns:
            Whether it was added.

        Raises:
            StoreError: It cannot be written, or a column has another type than in the table.
            TryAgain: Other writers were faster too often.
        """
        ...

    def overwrite(self, rows: Path, batch: Batch) -> None:
        """Replace all that is in the table.

        Raises:
            StoreError: It cannot be written, or its place holds what is no table.
        """
        ...


class BatchScoring(Protocol):
    """Finds models and tables of predictions."""

    def load(self, model_uri: str, folder: Path) -> BatchModel:
        """Find out which model an address means, fetch it and see that it answers as it did.

        Args:
            model_uri: ``models:/name@alias``, ``models:/name/version`` (or ``latest``) or
                ``runs:/id/path``.
            folder: Where its files go; it does not exist yet.

        Raises:
            StoreError: There is no such model, or it does not answer as when it was trained.
            TryAgain: A server does not answer.
        """
        ...

    def table(self, using: str, location: str) -> PredictionTable:
        """A table of predictions: ``parquet``, ``delta``, or ``table`` in a catalog of Spark."""
        ...

    def digest(self, rows: Path) -> str:
        """A digest of a file with rows."""
        ...

    def n_repeated(self, rows: Path, keys: tuple[str, ...]) -> int:
        """How many rows of a Parquet file have the keys of an earlier one."""
        ...
