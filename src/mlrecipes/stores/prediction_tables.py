"""Tables of predictions in files: batches are added whole, and each of them once.

::

    predictions/                    Delta: a batch is a commit that names it (app transaction),
      _delta_log/ …                 so of two writers at once the second one is refused
    predictions/                    Parquet: a batch is one file whose name follows from model
      <batch id>-<model>.parquet    and batch; it appears complete or not at all
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, TryAgain, few, shorten
from mlrecipes.scoring_ports import Batch, PredictionTable
from mlrecipes.stores.delta_folder import delta_errors
from mlrecipes.stores.feature_types import as_stored
from mlrecipes.stores.frame_writer import FrameWriter

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import DeltaTable

__all__ = ["DeltaPredictions", "ParquetPredictions", "open_table", "stored_schema"]

BATCH_ROWS = 1 << 16
SCHEMA_MODES: dict[str, Any] = {"append": "merge", "overwrite": "overwrite"}
N_TRIES = 10
KEY_LENGTH = 12
OURS = (".parquet", ".crc")
MARKS = ("_SUCCESS", "_started_", "_committed_", ".")


def open_table(using: str, location: str, root: Path) -> PredictionTable:
    """A table of predictions; a relative location starts at the recipe's root.

    Raises:
        StoreError: Parquet is asked for at an address that is no path; or Spark is not there.
    """
    if using == "table":
        from mlrecipes.stores.spark_predictions import SparkPredictions

        return SparkPredictions(location)
    if using == "delta":
        return DeltaPredictions(location if "://" in location else str(_local(location, root)))
    if "://" in location and not location.startswith("file:"):
        raise StoreError(
            f"using: parquet writes to a folder, not to {shorten(location)}.",
            hint="Use using: delta for an address of an object store.",
        )
    return ParquetPredictions(_local(location, root))


def _local(location: str, root: Path) -> Path:
    return root / Path(location.removeprefix("file://").removeprefix("file:")).expanduser()


# ---- Parquet ---------------------------------------------------------------------------------


class ParquetPredictions:
    """A :class:`~mlrecipes.scoring_ports.PredictionTable`: a folder with a file a batch."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._path)

    def exists(self) -> bool:
        """Whether the folder holds any rows."""
        return self._path.is_file() or any(self._path.glob("*.parquet"))

    def has(self, batch: Batch) -> bool:
        """Whether the batch's file is there."""
        return self._file(batch).is_file()

    def read(self, batch: Batch, into: Path) -> None:
        """Copy the batch's file."""
        shutil.copyfile(self._file(batch), into)

    def read_all(self) -> pa.Table:
        """The rows of all files; a column that only some of them have is null in the others."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        files = sorted(self._path.glob("*.parquet"))
        with _file_errors(self._path, "read"):
            tables = [pq.read_table(file, partitioning=None) for file in files]
            return pa.concat_tables(tables, promote_options="default")

    def append(self, rows: Path, batch: Batch) -> bool:
        """Put the batch's file there, unless it is there."""
        with _file_errors(self._path):
            self._refuse_file()
            self._path.mkdir(parents=True, exist_ok=True)
            unfinished = _copied(rows, self._path)
            try:
                # Of two at once the second one is told that the name is taken.
                os.link(unfinished, self._file(batch))
            except FileExistsError:
                return False
            finally:
                unfinished.unlink()
            _sync(self._path)
            return True

    def overwrite(self, rows: Path, batch: Batch) -> None:
        """Put a folder with this batch alone in the place of the old one."""
        with _file_errors(self._path):
            self._refuse_file()
            self._refuse_others()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            spare = f".{self._path.name}.{uuid.uuid4().hex[:8]}"
            new, old = (self._path.with_name(f"{spare}.{word}") for word in ("new", "old"))
            new.mkdir()
            _copied(rows, new).rename(new / self._file(batch).name)
            _sync(new)
            if self._path.exists():
                self._path.rename(old)
            new.rename(self._path)
            _sync(self._path.parent)
            shutil.rmtree(old, ignore_errors=True)

    def _file(self, batch: Batch) -> Path:
        model = hashlib.sha256(batch.model.key.encode()).hexdigest()[:KEY_LENGTH]
        return self._path / f"{batch.batch_id}-{model}.parquet"

    def _refuse_file(self) -> None:
        if self._path.is_file():
            raise StoreError(
                f"{self._path} is a file; predictions go to a folder.",
                hint="Move it away, or change steps.predict.output.location.",
            )

    def _refuse_others(self) -> None:
        """Overwriting deletes the folder, so it must hold nothing but a table."""
        inside = sorted(entry.name for entry in self._path.glob("*"))
        others = [name for name in inside if not name.endswith(OURS) and not name.startswith(MARKS)]
        if others:
            raise StoreError(
                f"{self._path} holds more than a table ({few(others)}), so it is not overwritten.",
                hint="Change steps.predict.output.location to a folder of its own.",
            )


def _copied(rows: Path, folder: Path) -> Path:
    """A copy on the same disk under a name that no reader looks at, flushed."""
    unfinished = folder / f".{uuid.uuid4().hex}.tmp"
    try:
        shutil.copyfile(rows, unfinished)
        _sync(unfinished)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
    return unfinished


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _file_errors(path: Path, verb: str = "written") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(f"Predictions cannot be {verb} at {path}: {error}") from error


# ---- Delta -----------------------------------------------------------------------------------


class DeltaPredictions:
    """A :class:`~mlrecipes.scoring_ports.PredictionTable` in Delta, by delta-rs."""

    def __init__(self, place: str) -> None:
        self._place = place

    @property
    def place(self) -> str:
        """Folder or address of the table."""
        return self._place

    def exists(self) -> bool:
        """Whether there is a table with any row."""
        table = self._open()
        with delta_errors(f"read {self._place}"):
            return table is not None and bool(table.to_pyarrow_dataset().head(1).num_rows)

    def has(self, batch: Batch) -> bool:
        """Whether the table has rows of the batch; statistics tell which files to look at."""
        table = self._open()
        return table is not None and self._holds(table, batch)

    def read(self, batch: Batch, into: Path) -> None:
        """Copy the batch's rows to a Parquet file."""
        import pyarrow as pa

        table = self._open()
        with delta_errors(f"read {self._place}"):
            assert table is not None  # noqa: S101 - asked for after has()
            scanner = table.to_pyarrow_dataset().scanner(filter=_rows_of(batch))
            with FrameWriter(into, scanner.projected_schema) as writer:
                for some in scanner.to_batches():
                    writer.write(pa.Table.from_batches([some]))

    def read_all(self) -> pa.Table:
        """The rows of all batches, as of the newest version."""
        table = self._open()
        with delta_errors(f"read {self._place}"):
            assert table is not None  # noqa: S101 - asked for after exists()
            return table.to_pyarrow_dataset().to_table()

    def append(self, rows: Path, batch: Batch) -> bool:
        """Commit the batch, unless the version that was looked at, or a later one, has it.

        The commit carries the batch's key as an app transaction: if another process commits
        the same key in between, Delta refuses ours.
        """
        from deltalake.exceptions import CommitFailedError

        for _ in range(N_TRIES):
            table = self._open() or self._made(rows)
            if self._holds(table, batch):
                return False
            try:
                with delta_errors(f"write to {self._place}"):
                    self._write(table, rows, batch, "append")
            except CommitFailedError:
                continue
            return True
        raise TryAgain(
            f"{self._place} was written by others {N_TRIES} times in between. Nothing was written.",
            hint="Run again: mlrecipes predict",
        )

    def overwrite(self, rows: Path, batch: Batch) -> None:
        """Replace the rows in one commit; older versions of the table stay readable."""
        from deltalake.exceptions import CommitFailedError

        try:
            with delta_errors(f"write to {self._place}"):
                self._write(self._open(), rows, batch, "overwrite")
        except CommitFailedError as error:
            raise TryAgain(
                f"{self._place} was written by another process in between. Nothing was written.",
                hint="Run again: mlrecipes predict",
            ) from error

    def _open(self) -> DeltaTable | None:
        from deltalake import DeltaTable

        with delta_errors(f"open {self._place}"):
            is_there = DeltaTable.is_deltatable(self._place)
            return DeltaTable(self._place) if is_there else None

    def _made(self, rows: Path) -> DeltaTable:
        """A new table without rows: a commit that makes a table and fills it is not refused."""
        import pyarrow.parquet as pq
        from deltalake import DeltaTable
        from deltalake.exceptions import CommitFailedError, DeltaError

        schema = stored_schema(self._place, pq.read_schema(rows), None)
        with delta_errors(f"make {self._place}"):
            try:
                return DeltaTable.create(self._place, schema, mode="error")
            except (CommitFailedError, DeltaError):
                table = self._open()
                if table is None:
                    raise
                return table  # Another process made it since we looked.

    def _holds(self, table: DeltaTable, batch: Batch) -> bool:
        with delta_errors(f"read {self._place}"):
            dataset = table.to_pyarrow_dataset()
            if not {"batch_id", "model_version", "run_id"} <= set(dataset.schema.names):
                return False
            found = dataset.scanner(columns=["batch_id"], filter=_rows_of(batch)).head(1)
            return bool(found.num_rows)

    def _write(self, table: DeltaTable | None, rows: Path, batch: Batch, mode: Any) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from deltalake import CommitProperties, Transaction, write_deltalake

        known = None
        if table is not None and mode == "append":
            known = pa.schema(table.schema())
        with pq.ParquetFile(rows, pre_buffer=False) as file:
            schema = stored_schema(self._place, file.schema_arrow, known)
            reader = pa.RecordBatchReader.from_batches(schema, _cast(file, schema))
            facts = {"mlrecipes.batch_id": batch.batch_id, "mlrecipes.model": batch.model.label}
            write_deltalake(
                self._place if table is None else table,
                reader,
                mode=mode,
                schema_mode=SCHEMA_MODES[mode],
                commit_properties=CommitProperties(
                    custom_metadata=facts,
                    app_transactions=[Transaction(f"mlrecipes.predict/{batch.key}", 1)],
                ),
            )


def _rows_of(batch: Batch) -> Any:
    import pyarrow.compute as pc

    is_batch = pc.field("batch_id") == batch.batch_id
    for name in ("model_name", "model_version", "run_id"):
        value = getattr(batch.model, name.removeprefix("model_"))
        field = pc.field(name)
        is_batch &= field.is_null() if value is None else field == value
    return is_batch


def _cast(file: Any, schema: pa.Schema) -> Iterator[Any]:
    import pyarrow as pa

    for some in file.iter_batches(BATCH_ROWS, columns=schema.names):
        arrays = [
            some.column(field.name).cast(field.type, safe=not pa.types.is_timestamp(field.type))
            for field in schema
        ]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def stored_schema(place: str, schema: pa.Schema, known: pa.Schema | None) -> pa.Schema:
    """The types in which rows are written: those of feature tables, and those that are there.

    Args:
        place: Of the table, for messages.
        schema: Of the rows; without the index of a frame.
        known: Of the table, if there is one.

    Raises:
        StoreError: A column has another type than in the table: it is never cast silently.
    """
    import pyarrow as pa

    there = {} if known is None else {field.name: field.type for field in known}
    fields = []
    for field in schema:
        kind = there.get(field.name, pa.string()) if pa.types.is_null(field.type) else field.type
        fields.append(pa.field(field.name, kind))
    stored = as_stored(place, fields)
    wrong = [
        f"{field.name}: {there[field.name]} there, {field.type} now"
        for field in stored
        if field.name in there and _plain(there[field.name]) != _plain(field.type)
    ]
    if wrong:
        raise StoreError(
            f"{place} holds other predictions: {len(wrong)} columns have another type "
            f"({few(wrong)}). Nothing was written.",
            hint="Write to another place: change steps.predict.output.location, or --output.",
        )
    return stored


def _plain(kind: Any) -> str:
    """Text is text, however long its offsets are."""
    return str(kind).replace("large_", "").replace("_view", "")
