"""Scoring on Spark by MLflow's own ``spark_udf``: the same model, the same answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError
from mlrecipes.scoring_ports import ScoreRequest
from mlrecipes.stores.spark import open_session, spark_errors

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SparkAnswers"]

ROW = "__row"
SAID = "__said"


class SparkAnswers:
    """The answers to all rows of a file, computed on Spark and handed out in their order.

    Args:
        model: The model's folder.
        rows: A Parquet file on a disk that Spark sees.
        columns: Raw columns of the model.
        like: Answers to a few rows, whose types all answers have.
        request: What is asked of the model.
        folder: For what Spark writes.
    """

    def __init__(
        self,
        model: Path,
        rows: Path,
        columns: list[str],
        like: pa.Table,
        request: ScoreRequest,
        folder: Path,
    ) -> None:
        self._schema = like.schema
        self._asked = {"as_table": True, "reason_codes": request.n_reasons}
        with spark_errors("score the rows on Spark"):
            self._compute(model, rows, columns, folder)
        self._batches = _in_order(sorted(folder.glob("*.parquet")))
        self._left: pa.Table | None = None
        self._n_taken = 0

    def take(self, n_rows: int) -> pa.Table:
        """The answers to the next rows.

        Raises:
            StoreError: Spark has not answered to each row, once and in order.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        parts = [] if self._left is None else [self._left]
        while sum(part.num_rows for part in parts) < n_rows:
            some = next(self._batches, None)
            if some is None:
                break
            parts.append(some)
        table = pa.concat_tables(parts)
        taken, self._left = table.slice(0, n_rows), table.slice(n_rows)
        expected = pa.array(range(self._n_taken, self._n_taken + n_rows), pa.int64())
        if taken.num_rows != n_rows or not taken[ROW].combine_chunks().equals(expected):
            raise StoreError("Spark has not answered to each row, once and in order.")
        self._n_taken += n_rows
        columns = {}
        for field in self._schema:
            column = taken[field.name].cast(field.type)
            if pa.types.is_floating(field.type):  # locally what is no number is missing
                column = pc.if_else(pc.is_nan(column), None, column)
            columns[field.name] = column
        for name in [name for name in columns if name.startswith("reason_")]:
            # MLflow writes the word None where there is no text.
            is_none = columns[name.replace("reason", "contribution")].is_null()
            columns[name] = pc.if_else(is_none, None, columns[name])
        return pa.table(columns, schema=self._schema)

    def _compute(self, model: Path, rows: Path, columns: list[str], folder: Path) -> None:
        import mlflow.pyfunc
        from pyspark.sql import functions as sf
        from pyspark.sql.pandas.types import from_arrow_schema

        from mlrecipes.stores.mlflow_client import quiet, without_progress_bars

        session = open_session()
        with without_progress_bars(), quiet("mlflow.models.flavor_backend_registry"):
            score = mlflow.pyfunc.spark_udf(
                session,
                str(_taking_gaps(model, folder.with_name(f"{folder.name}-model"))),
                result_type=from_arrow_schema(self._schema),
                env_manager="local",
                params=self._asked,
            )
        floats = _float_columns(model)

        def fitted(name: str) -> Any:
            """Whole numbers with gaps come to pandas in a type that MLflow takes for no float."""
            column = sf.col(f"`{name}`")
            return column.cast("double").alias(name) if name in floats else column

        frame = session.read.parquet(f"file:{rows.absolute()}")
        said = frame.select(
            sf.col("_metadata.row_index").alias(ROW),
            score(sf.struct(*map(fitted, columns))).alias(SAID),
        )
        ordered = said.select(ROW, f"{SAID}.*").orderBy(ROW)
        ordered.write.mode("overwrite").parquet(f"file:{folder.absolute()}")


def _float_columns(model: Path) -> frozenset[str]:
    from mlflow.models import Model
    from mlflow.types.schema import DataType

    inputs = Model.load(str(model)).signature.inputs
    return frozenset(str(column.name) for column in inputs if column.type == DataType.double)


def _taking_gaps(model: Path, copy: Path) -> Path:
    """A copy of a model whose signature lets gaps pass in columns of whole numbers.

    MLflow refuses them there; locally they are told to the model as they are.
    """
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import AnyType, DataType

    shutil.copytree(model, copy)
    described = Model.load(str(copy))
    signature = described.signature
    columns = [
        ColSpec(AnyType(), column.name) if column.type == DataType.long else column  # type: ignore[no-untyped-call]
        for column in signature.inputs
    ]
    described.signature = ModelSignature(Schema(columns), signature.outputs, signature.params)
    described.save(str(copy / "MLmodel"))
    return copy


def _in_order(files: list[Path]) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for path in files:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for some in file.iter_batches():
                yield pa.Table.from_batches([some])
