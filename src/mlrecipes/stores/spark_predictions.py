"""A table of predictions in a catalog of Spark, such as Unity Catalog."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlrecipes.scoring_ports import Batch
from mlrecipes.stores.frame_writer import FrameWriter
from mlrecipes.stores.prediction_tables import stored_schema
from mlrecipes.stores.spark import open_session, spark_errors

__all__ = ["SparkPredictions"]


class SparkPredictions:
    """A :class:`~mlrecipes.scoring_ports.PredictionTable`: a Delta table by its name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._session = open_session()

    @property
    def place(self) -> str:
        """The table's name."""
        return self._name

    def exists(self) -> bool:
        """Whether the catalog has the table."""
        with spark_errors(f"look for table {self._name}"):
            return bool(self._session.catalog.tableExists(self._name))

    def has(self, batch: Batch) -> bool:
        """Whether the table has rows of the batch."""
        if not self.exists():
            return False
        with spark_errors(f"read table {self._name}"):
            return not self._rows_of(batch).isEmpty()

    def read(self, batch: Batch, into: Path) -> None:
        """Copy the batch's rows to a Parquet file."""
        with spark_errors(f"read table {self._name}"):
            table = self._rows_of(batch).toArrow()
        with FrameWriter(into, table.schema) as writer:
            writer.write(table)

    def read_all(self) -> Any:
        """The rows of all batches."""
        with spark_errors(f"read table {self._name}"):
            return self._session.table(self._name)

    def append(self, rows: Path, batch: Batch) -> bool:
        """Add the batch; Delta leaves out what it has written under the same key."""
        if self.has(batch):
            return False
        self._write(rows, batch, "append")
        return True

    def overwrite(self, rows: Path, batch: Batch) -> None:
        """Replace the rows; older versions of the table stay readable."""
        self._write(rows, batch, "overwrite")

    def _write(self, rows: Path, batch: Batch, mode: str) -> None:
        import pyarrow.parquet as pq

        known = None
        with spark_errors(f"write to table {self._name}"):
            if mode == "append" and self.exists():
                known = self._session.table(self._name).limit(0).toArrow().schema
            stored_schema(self._name, pq.read_schema(rows), known)
            writer = self._session.read.parquet(f"file:{rows.absolute()}").write.format("delta")
            writer = writer.mode(mode).option(_SCHEMA[mode], "true")
            if mode == "append":
                key = f"mlrecipes.predict/{batch.key}"
                writer = writer.option("txnAppId", key).option("txnVersion", "1")
            writer.saveAsTable(self._name)

    def _rows_of(self, batch: Batch) -> Any:
        from pyspark.sql import functions as sf

        model = batch.model
        told: dict[str, Any] = {
            "batch_id": batch.batch_id,
            "model_name": model.name,
            "model_version": model.version,
            "run_id": model.run_id,
        }
        found = self._session.table(self._name)
        for column, value in told.items():
            found = found.where(sf.col(column).eqNullSafe(value))
        return found


_SCHEMA = {"append": "mergeSchema", "overwrite": "overwriteSchema"}
