"""The seams: what steps ask of the outside world, as protocols.

Steps get these from the runner and know nothing of MLflow, disks or networks.
``mlrecipes.stores`` implements them for real, ``mlrecipes.testing`` in memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from mlrecipes.errors import StoreError
from mlrecipes.feature_records import Lookup
from mlrecipes.records import Scalar, Source
from mlrecipes.selection import EVERYTHING, Selection

__all__ = [
    "DELTA_URI",
    "SPARK_URI",
    "DatasetInput",
    "DatasetReader",
    "ModelDescription",
    "ModelPackager",
    "NoRowsError",
    "ReadDataset",
    "RegisteredVersion",
    "Registry",
    "RunInfo",
    "RunRecord",
    "StoredFrame",
    "TableQuery",
    "Tracker",
]


DELTA_URI = "delta-table://"
"""Begins the name of a Delta table on this disk among what a step has read."""
SPARK_URI = "spark://"
"""Begins the name of what Spark has read: a plan does not ask whether it changed."""


# ---- reading data ------------------------------------------------------------------------


class NoRowsError(StoreError):
    """What was read has columns, but no row."""


class StoredFrame(Protocol):
    """A data frame in a file, of which only what is asked for comes into memory."""

    @property
    def path(self) -> Path:
        """The Parquet file."""
        ...

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        ...

    @property
    def dtypes(self) -> Mapping[Any, Any]:
        """Name and type of each column as in pandas, in their order."""
        ...

    def columns(self, names: Sequence[Any]) -> Any:
        """Read some columns, all their rows, as a pandas frame."""
        ...

    def head(self, n_rows: int) -> Any:
        """Read the first rows, all their columns, as a pandas frame."""
        ...

    def whole(self) -> Any:
        """Read all rows and columns as a pandas frame."""
        ...


@dataclass(frozen=True, slots=True)
class ReadDataset:
    """A data frame in a file and the files it came from; ``n_seen`` rows before the filter."""

    table: StoredFrame
    sources: tuple[Source, ...]
    n_seen: int | None = None


@dataclass(frozen=True, slots=True)
class TableQuery:
    """A Delta table, or a query on Spark, that rows are taken from.

    Attributes:
        using: ``delta`` or ``spark_sql``.
        location: Of a Delta table, or the name of a table in a catalog.
        sql: Query for ``spark_sql``; wins over the location.
        version: Of a Delta table; None for the newest.
        timestamp: Of a Delta table: the version that was the newest then.
        places: Where these keys stand, such as ``{"location": "recipe.yaml:5"}``.
        engine: What the recipe says of its engine, for messages.
        selection: The columns and rows that are wanted.
    """

    using: str
    location: str | Sequence[str] | None = None
    sql: str | None = None
    version: int | None = None
    timestamp: str | datetime | None = None
    places: Mapping[str, str] = field(default_factory=dict)
    engine: str = ""
    selection: Selection = EVERYTHING

    def at(self, key: str) -> str:
        """Where a key stands."""
        return self.places.get(key, key)


class DatasetReader(Protocol):
    """Reads what ``steps.ingest`` points at."""

    def read(
        self,
        location: str | Sequence[str],
        using: str,
        into: Path,
        loader: Any | None = None,
        selection: Selection = EVERYTHING,
    ) -> ReadDataset:
        """Read one or more locations, which may be larger than memory, into one Parquet file.

        Args:
            location: Paths relative to the recipe's root, ``file:`` or ``http(s):`` URIs.
            using: ``parquet``, ``csv``, ``auto`` (by each file's suffix), or any other word
                together with a loader.
            into: The Parquet file to write; other files of its folder may be written and
                removed again.
            loader: The user's function ``(path, using) -> DataFrame``, called once a file.
            selection: Columns and rows that are wanted; they are numbered from 0 then.

        Raises:
            StoreError: A location does not exist, is empty or cannot be read.
            UserCodeError: The loader failed or returned no frame.
            DataError: A column's name is no text, or a wanted column is not there.
        """
        ...

    def read_table(self, asked: TableQuery, into: Path) -> ReadDataset:
        """Read a Delta table, or the result of a query on Spark, into one Parquet file.

        Args:
            asked: The table or the query; its rows may be larger than memory.
            into: The Parquet file to write.

        Raises:
            StoreError: There is no such table or version, or it cannot be read.
            NoRowsError: There is no row.
        """
        ...

    def stored(self, path: Path) -> StoredFrame:
        """A Parquet file as a frame."""
        ...

    def narrow(
        self, table: StoredFrame, columns: Sequence[str], into: Path | None = None
    ) -> StoredFrame:
        """Write a table anew: some of its columns, and rows numbered from 0.

        Args:
            table: It may be larger than memory.
            columns: Names of columns that it has.
            into: Where to; at its own place, in this step's staging folder, if not given.
        """
        ...

    def sources(self, path: Path) -> tuple[Source, ...]:
        """A file, or the files of a folder, with their digests.

        Raises:
            StoreError: It is not there, or cannot be read.
        """
        ...


# ---- tracking -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A table that a run used: logged as a dataset input with its digest and schema."""

    name: str
    context: str
    frame: Any
    source: str
    target_col: str | None = None


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run as the tracking server knows it; ``status`` is MLflow's, such as FINISHED."""

    run_id: str
    experiment_id: str
    status: str
    tracking_uri: str


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What was recorded of a run.

    Attributes:
        started_at: UTC, ISO 8601; empty if it is not known.
        user: Who started it.
        params: As text.
    """

    run_id: str
    started_at: str = ""
    user: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


class Tracker(Protocol):
    """Records runs. One writer, values in batches, in the order of their names."""

    def start_run(self, tags: Mapping[str, str]) -> RunInfo:
        """Open a run in the recipe's experiment, as a child of the project's run if any."""
        ...

    def log(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Record values; a metric that is not finite becomes the tag ``nonfinite.<name>``."""
        ...

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        """Record which tables a run used."""
        ...

    def log_directory(self, run_id: str, path: Path, artifact_path: str) -> None:
        """Upload a folder's content to ``artifact_path`` of the run."""
        ...

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Upload a text as one file of the run."""
        ...

    def set_experiment_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Set tags on the experiment that the run belongs to."""
        ...

    def find_run(self, run_id: str) -> RunInfo | None:
        """Look a run up; None if it does not exist or was deleted."""
        ...

    def read_run(self, run_id: str) -> RunRecord | None:
        """What was recorded of a run; None if it does not exist or was deleted."""
        ...

    def end_open_runs(self, status: str) -> None:
        """End each run that this tracker started and has not ended: FINISHED, FAILED, KILLED."""
        ...


# ---- models --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a logged model needs to know beside the fitted pipeline.

    Attributes:
        task: ``regression``, ``binary`` or ``multiclass``.
        predict_output: ``recipes`` (as MLflow Recipes), ``probability`` or ``label``.
        predict_prefix: Start of the names of predicted columns in a ``recipes`` output.
        all_class_scores: Whether a ``recipes`` output has one score column a class.
        classes: The classes in the order of ``predict_proba``'s columns.
        positive_class: Whose probability a ``probability`` output gives.
        requirements: Exact requirements of the model, such as ``lightgbm==4.7.0``.
        code_paths: Folders and files the pipeline needs on import, such as ``steps``.
        lookups: How its raw columns were looked up in feature tables, so that batch scoring
            can do the same from keys alone.
        training_profile: What the training data looked like, for ``training_profile.json`` in
            the model's folder; None keeps none.
    """

    task: str
    predict_output: str = "recipes"
    predict_prefix: str = "predicted_"
    all_class_scores: bool = True
    classes: tuple[Any, ...] = ()
    positive_class: Scalar = None
    requirements: tuple[str, ...] = ()
    code_paths: tuple[Path, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    training_profile: Mapping[str, Any] | None = None


class ModelPackager(Protocol):
    """Writes and reads models in MLflow's format."""

    def save(self, pipeline: Any, description: ModelDescription, examples: Any, path: Path) -> None:
        """Write a fitted pipeline as an MLflow model folder.

        Args:
            pipeline: Fitted scikit-learn pipeline that takes raw feature columns.
            description: What else belongs to the model.
            examples: Some raw rows of features (no target, no identifiers); the signature's
                input columns and the input example come from them.
            path: A folder that does not exist yet.
        """
        ...

    def save_part(self, fitted: Any, description: ModelDescription, path: Path) -> None:
        """Write a fitted transformer or estimator alone as an MLflow model folder."""
        ...

    def load_pipeline(self, path: Path) -> Any:
        """Load the scikit-learn pipeline of a model folder that ``save`` wrote."""
        ...


# ---- registry --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """A version of a registered model; ``run_id`` of the run that made it, if it is known."""

    name: str
    version: str
    source: str
    run_id: str = ""


class Registry(Protocol):
    """Holds the registered models, their versions and aliases."""

    def register(
        self, name: str, run_id: str, artifact_path: str, tags: Mapping[str, str]
    ) -> RegisteredVersion:
        """Register the model under ``artifact_path`` of a run as a new version of ``name``.

        Registering the same run's model again gives the version that exists.
        """
        ...

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let ``alias`` point at ``version``."""
        ...

    def describe(self, name: str, version: str, text: str) -> None:
        """Set the description of a version, in Markdown."""
        ...

    def version_before(self, name: str, version: str) -> RegisteredVersion | None:
        """The newest version that is older than this one; None if there is none."""
        ...
