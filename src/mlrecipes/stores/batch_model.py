"""Scoring files with a model, some rows at a time, so that they may be larger than memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, shorten
from mlrecipes.feature_records import Lookup
from mlrecipes.scoring_ports import Batch, ModelIdentity, PredictionTable, ScoreRequest
from mlrecipes.stores.canary import check_canary
from mlrecipes.stores.digests import sha256_of_file
from mlrecipes.stores.frame_writer import FrameWriter
from mlrecipes.stores.frames import as_pandas
from mlrecipes.stores.model_fetching import fetch_model, resolve_model
from mlrecipes.stores.models import SK_MODEL, load_pyfunc, model_lookups, model_profile
from mlrecipes.stores.prediction_tables import open_table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from mlrecipes.stores.spark_scoring import SparkAnswers

__all__ = ["LoadedModel", "MlflowBatchScoring"]

CHUNK_ROWS = 100_000
N_LIKE = 20
PREDICTION = "prediction"
SPARK = "spark"


class MlflowBatchScoring:
    """A :class:`~mlrecipes.scoring_ports.BatchScoring` with models of MLflow.

    Args:
        root: The recipe's root; relative locations start there.
        tracking_uri: Of the server that knows the runs.
        registry_uri: Of the registry.
    """

    def __init__(self, root: Path, tracking_uri: str, registry_uri: str) -> None:
        self._root, self._uris = root, (tracking_uri, registry_uri)

    def load(self, model_uri: str, folder: Path) -> LoadedModel:
        """Find out which model an address means, fetch it and see that it answers as it did.

        Raises:
            StoreError: There is no such model, or it does not answer as when it was trained.
            TryAgain: A server does not answer.
        """
        identity = resolve_model(model_uri, *self._uris)
        path = fetch_model(identity, *self._uris, folder)
        try:
            model = load_pyfunc(path)
        except Exception as error:
            raise StoreError(
                f"{identity.label} cannot be loaded: {type(error).__name__}: "
                f"{shorten(error, limit=200)}",
                hint="Install the model's requirements.txt, or train it again.",
            ) from error
        n_canaries = check_canary(path, answering(model), identity.label)
        lookups = tuple(replace(lookup, version=None) for lookup in model_lookups(path))
        return LoadedModel(identity, path, model, lookups, n_canaries)

    def table(self, using: str, location: str) -> PredictionTable:
        """A table of predictions."""
        return open_table(using, location, self._root)

    def digest(self, rows: Path) -> str:
        """The SHA-256 of the file: equal rows are written as equal bytes."""
        return sha256_of_file(rows)

    def n_repeated(self, rows: Path, keys: tuple[str, ...]) -> int:
        """How many rows have the keys of an earlier one, told by 64-bit hashes of them."""
        import numpy as np
        import pandas as pd
        import pyarrow.parquet as pq

        with pq.ParquetFile(rows, pre_buffer=False) as file:
            hashes = [
                pd.util.hash_pandas_object(as_pandas(some)[list(keys)], index=False).to_numpy()
                for some in _chunks(file, keys)
            ]
        merged = np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)
        merged.sort()
        return int(np.count_nonzero(merged[1:] == merged[:-1]))


@dataclass(frozen=True)
class LoadedModel:
    """A :class:`~mlrecipes.scoring_ports.BatchModel`: a folder, and what MLflow loaded from it."""

    identity: ModelIdentity
    path: Path
    model: Any
    lookups: tuple[Lookup, ...]
    n_canaries: int

    @property
    def training_profile(self) -> Mapping[str, Any] | None:
        """What it was trained on, in numbers; None for a model that does not say."""
        return model_profile(self.path)

    @property
    def columns(self) -> Mapping[str, Any]:
        """The raw columns of the signature, with the types that the pipeline was fitted on."""
        import cloudpickle

        names = [str(name) for name in self.model.metadata.get_input_schema().input_names()]
        file = self.path / SK_MODEL / "columns.pkl"
        known = dict(cloudpickle.loads(file.read_bytes()).dtypes) if file.is_file() else {}
        return {name: known.get(name) for name in names}

    def score(self, rows: Path, into: Path, batch: Batch, request: ScoreRequest) -> int:
        """Score the rows of a Parquet file into another one, ``CHUNK_ROWS`` at a time.

        Raises:
            StoreError: The model cannot score the rows, or gives a row too many or too few.
        """
        import pyarrow.parquet as pq

        wanted = [*self.columns]
        on_spark = self._on_spark(rows, wanted, request, into) if request.engine == SPARK else None
        with ExitStack() as stack:
            file = stack.enter_context(pq.ParquetFile(rows, pre_buffer=False))
            writer: FrameWriter | None = None
            for some in _chunks(file, dict.fromkeys([*wanted, *request.kept])):
                if on_spark is None:
                    said = _typed(self._answer(as_pandas(some)[wanted], request))
                else:
                    said = on_spark.take(some.num_rows)
                table = _beside(some, said, batch, request)
                if writer is None:
                    writer = stack.enter_context(FrameWriter(into, table.schema))
                writer.write(table)
            n_rows = int(file.metadata.num_rows)
        n_written = 0 if writer is None else writer.n_rows
        if n_written != n_rows:
            raise StoreError(f"{self.identity.label} scored {n_written:,} of {n_rows:,} rows.")
        return n_rows

    def _on_spark(
        self, rows: Path, wanted: list[str], request: ScoreRequest, into: Path
    ) -> SparkAnswers:
        import pyarrow.parquet as pq

        from mlrecipes.stores.spark_scoring import SparkAnswers

        with pq.ParquetFile(rows, pre_buffer=False) as file:
            head = next(file.iter_batches(N_LIKE, columns=wanted))
        like = _typed(self._answer(head.to_pandas()[wanted], request))
        folder = into.with_name(f"{into.stem}-on-spark")
        return SparkAnswers(self.path, rows, wanted, like, request, folder)

    def _answer(self, rows: pd.DataFrame, request: ScoreRequest) -> pd.DataFrame:
        asked = {"as_table": True, "reason_codes": request.n_reasons}
        try:
            said = answering(self.model).predict(None, rows, asked)
        except Exception as error:
            raise StoreError(
                f"{self.identity.label} cannot score the rows: {type(error).__name__}: "
                f"{shorten(error, limit=300)}"
            ) from error
        table = _as_table(said, request.n_reasons, self.identity.label)
        if len(table) != len(rows):
            raise StoreError(
                f"{self.identity.label} gave {len(table)} answers to {len(rows)} rows."
            )
        return table


def answering(model: Any) -> Any:
    """What answers without MLflow's own look at the types of the columns.

    Gaps are told to the model as they are: MLflow refuses them in columns of whole numbers,
    and an applicant without history is no error.
    """
    from mlflow.exceptions import MlflowException

    try:
        return model.unwrap_python_model()
    except MlflowException:
        return _Plain(model)


@dataclass(frozen=True)
class _Plain:
    """A model that no recipe made: it knows no parameters."""

    model: Any

    def predict(self, _context: Any, rows: pd.DataFrame, _params: Any = None) -> Any:
        return self.model.predict(rows)


def _as_table(said: Any, n_reasons: int, called: str) -> pd.DataFrame:
    """The answer as a table, also of a model that was made before models could give one."""
    import numpy as np
    import pandas as pd

    if isinstance(said, pd.DataFrame) and PREDICTION in said:
        return said
    if n_reasons:
        raise StoreError(
            f"{called} gives no reason codes: it was made before models could.",
            hint="Train it again: mlrecipes run --from train",
        )
    if isinstance(said, pd.DataFrame):
        names = list(map(str, said.columns))
        label = next((name for name in reversed(names) if name.endswith("label")), names[0])
        return said.set_axis(names, axis="columns").assign(**{PREDICTION: said[label]})
    return pd.DataFrame({PREDICTION: np.asarray(said).reshape(len(said), -1)[:, 0]})


def _typed(said: pd.DataFrame) -> pa.Table:
    """Answers in types that do not depend on which rows are in a chunk."""
    import pyarrow as pa

    table = pa.Table.from_pandas(said, preserve_index=False).replace_schema_metadata(None)
    for place, field in enumerate(table.schema):
        if field.name.startswith("reason_") or pa.types.is_large_string(field.type):
            table = table.set_column(place, field.name, table[field.name].cast(pa.string()))
    return table


def _beside(rows: pa.Table, said: pa.Table, batch: Batch, request: ScoreRequest) -> pa.Table:
    """The kept columns, what the model says, and which batch it is."""
    import pyarrow as pa

    model = batch.model
    moment = pa.scalar(batch.scored_at, pa.timestamp("us", "UTC"))
    facts = {
        "model_name": pa.scalar(model.name, pa.string()),
        "model_version": pa.scalar(model.version, pa.string()),
        "run_id": pa.scalar(model.run_id, pa.string()),
        "batch_id": pa.scalar(batch.batch_id, pa.string()),
        "scored_at": moment,
    }
    columns = {name: rows[name] for name in request.kept}
    columns |= {name: said[name] for name in said.column_names}
    columns |= {name: pa.repeat(value, rows.num_rows) for name, value in facts.items()}
    return pa.table(columns)


def _chunks(file: Any, columns: Sequence[str] | Mapping[str, None]) -> Any:
    import pyarrow as pa

    for some in file.iter_batches(CHUNK_ROWS, columns=list(columns)):
        yield pa.Table.from_batches([some])
