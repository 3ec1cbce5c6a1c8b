"""The rows that monitoring looks at: found, cut into windows, and with their features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlrecipes.config.monitor_schema import Monitor
from mlrecipes.config.step_schema import Ingest
from mlrecipes.errors import DataError, few
from mlrecipes.monitor_ports import Cut, Window, WindowRequest
from mlrecipes.ports import NoRowsError
from mlrecipes.scoring_ports import BatchModel
from mlrecipes.steps._contract import Context
from mlrecipes.steps._reading import read_rows

__all__ = [
    "KEY",
    "Completed",
    "as_of",
    "complete",
    "cut",
    "find_rows",
    "identity_of",
    "read_beside",
    "settings_of",
]

KEY = "steps.monitor"


@dataclass(frozen=True, slots=True)
class Completed:
    """A window's rows with their features.

    Attributes:
        path: A Parquet file.
        lacking: Columns of the model that nothing gives.
    """

    path: Path
    lacking: tuple[str, ...]


def settings_of(context: Context) -> Monitor:
    """The section of the recipe."""
    settings = context.config.steps.monitor
    if settings is None:
        raise DataError(f"{context.where('steps')}: there is no {KEY}.")
    return settings


def find_rows(context: Context) -> Path | None:
    """Read the rows that were scored into a file; None if there are none yet.

    Raises:
        DataError: It is not said where they are.
        StoreError: They cannot be read.
    """
    settings, predict = settings_of(context), context.config.steps.predict
    section = settings.batches
    if section is None:
        if predict is None:
            raise DataError(
                f"{context.where(KEY)}: it is not said where the rows are that were scored.",
                hint="Set steps.monitor.batches, or steps.predict.output.",
            )
        output = predict.output
        if not context.ports.scoring.table(output.using, output.location).exists():
            return None
        section = _as_source(output.using, output.location)
    try:
        return read_rows(f"{KEY}.batches", section, context, "batches").table.path
    except NoRowsError:
        return None


def _as_source(using: str, location: str) -> Ingest:
    """A table of predictions, as it is read."""
    if using == "table":
        name = ".".join(f"`{part.replace('`', '``')}`" for part in location.split("."))
        return Ingest(using="spark_sql", sql=f"SELECT * FROM {name}")  # noqa: S608 - quoted
    return Ingest(using=using, location=location)


def cut(rows: Path, model: BatchModel, context: Context) -> Cut:
    """Cut rows of the model into windows.

    Raises:
        DataError: There is no such column, or it holds no moments.
    """
    settings = settings_of(context)
    names = [str(name) for name in context.ports.reader.stored(rows).dtypes]
    is_given = "time_col" in settings.model_fields_set or settings.time_col in names
    asked = WindowRequest(
        settings.time_col if is_given or settings.batches is None else None,
        settings.window,
        since=_moment(settings.since),
        until=_moment(settings.until),
        history=settings.history,
        model=identity_of(model),
    )
    return context.ports.monitoring().windows(rows, asked, context.staging / "windows")


def complete(
    window: Window, model: BatchModel, features: Path | None, context: Context
) -> Completed:
    """Put beside a window's rows what the model sees: by its lookups, or from a table of features.

    Features of a table without event time are those of now, not those that were scored.
    """
    reader, path = context.ports.reader, window.path
    there = {str(name) for name in reader.stored(path).dtypes}
    wanted = [str(name) for name in model.columns]
    lookups = [
        one
        for one in model.lookups
        if not set(one.columns) <= there and set(one.spine_columns) <= there
    ]
    if lookups:
        found = {column for one in lookups for column in one.columns}
        spine = [name for name in reader.stored(path).dtypes if str(name) not in found]
        narrow = reader.narrow(reader.stored(path), spine, path.with_name(f"{path.stem}-s.parquet"))
        path = path.with_name(f"{path.stem}-f.parquet")
        context.ports.feature_backend().store.join(narrow.path, lookups, path)
        there = {str(name) for name in reader.stored(path).dtypes}
    if features is not None and not set(wanted) <= there:
        into = path.with_name(f"{path.stem}-t.parquet")
        context.ports.monitoring().beside(path, features, context.config.id_cols, into)
        path = into
        there = {str(name) for name in reader.stored(path).dtypes}
    return Completed(path, tuple(name for name in wanted if name not in there))


def read_beside(word: str, context: Context) -> Path | None:
    """Read the table of ``features`` or ``labels``; None if the recipe names none.

    Raises:
        DataError: Rows cannot be told apart.
        StoreError: It cannot be read.
    """
    section = getattr(settings_of(context), word)
    if section is None:
        return None
    if not context.config.id_cols:
        raise DataError(
            f"{context.where(f'{KEY}.{word}')}: {word} are found by id_cols, and there are none.",
            hint="Set id_cols at the top of recipe.yaml.",
        )
    try:
        path = read_rows(f"{KEY}.{word}", section, context, f"monitor_{word}").table.path
    except NoRowsError:
        return None
    missing = set(context.config.id_cols) - {
        str(n) for n in context.ports.reader.stored(path).dtypes
    }
    if missing:
        raise DataError(
            f"{context.where(f'{KEY}.{word}')}: the table of {word} has no column {few(missing)}."
        )
    return path


def as_of(settings: Monitor) -> datetime:
    """The moment as of which labels are old enough."""
    return _moment(settings.until) or datetime.now(UTC)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def identity_of(model: BatchModel) -> Mapping[str, str | None]:
    """Which model it is, as the tables say it."""
    identity = model.identity
    return {
        "model_name": identity.name,
        "model_version": identity.version,
        "run_id": identity.run_id,
    }
