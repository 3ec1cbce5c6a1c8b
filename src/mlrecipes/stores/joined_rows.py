"""The two ends of a join that all feature stores share: the spine, and the file with its result.

The columns of the spine are passed on as they are; a store only finds the features, in parts:
Arrow files with the rows of the spine, in its order, and some columns each.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError, did_you_mean, few, shorten
from mlrecipes.feature_records import FeatureTableInfo, Lookup
from mlrecipes.stores.duckdb_engine import BATCH_ROWS
from mlrecipes.stores.feature_rows import evenly
from mlrecipes.stores.feature_types import as_stored, family, stored_name

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ROW", "check_lookups", "numbered", "spine_keys", "write_beside", "write_part"]

ROW = "__row"


def check_lookups(spine: Path, lookups: Sequence[tuple[Lookup, FeatureTableInfo]]) -> None:
    """See to it that all columns are there, can be compared, and have names of their own.

    Raises:
        StoreError: They do not; or the spine cannot be read.
    """
    with _open(spine) as file:
        schema = file.schema_arrow
    for lookup, info in lookups:
        _check_keys(spine, schema, lookup, info)
        for column in lookup.features:
            if column not in info.columns:
                raise StoreError(
                    f"Feature table {lookup.table}, version {info.version}, has no column "
                    f"{few([column])}. {did_you_mean(column, info.columns)}"
                )
    names = Counter(schema.names)
    for lookup, _ in lookups:
        names.update(lookup.features.values())
    doubles = sorted(name for name, n in names.items() if n > 1)
    if doubles:
        raise StoreError(
            f"{len(doubles)} columns would be in the result more than once: {few(doubles)}.",
            hint="Give the looked-up features other names.",
        )


def _check_keys(spine: Path, schema: pa.Schema, lookup: Lookup, info: FeatureTableInfo) -> None:
    primary_keys = info.table.primary_keys
    if sorted(lookup.keys.values()) != sorted(primary_keys):
        raise StoreError(
            f"Feature table {lookup.table} is looked up by {few(lookup.keys.values())}; its "
            f"primary keys are {few(primary_keys)}."
        )
    pairs = [*lookup.keys.items()]
    if lookup.event_time is not None and info.table.event_time is not None:
        pairs.append((lookup.event_time, info.table.event_time))
    for column, key in pairs:
        if column not in schema.names:
            raise StoreError(
                f"{spine} has no column {few([column])} to look up {lookup.table} by. "
                f"{did_you_mean(column, schema.names)}"
            )
        field = as_stored(str(spine), [schema.field(column)]).field(0)
        if family(stored_name(field.type)) != family(info.columns[key]):
            raise StoreError(
                f"{spine}: column {few([column])} is {stored_name(field.type)} and cannot be "
                f"compared with '{key}' of feature table {lookup.table}, which is "
                f"{info.columns[key]}."
            )


def spine_keys(spine: Path, columns: Sequence[tuple[str, str]]) -> pa.RecordBatchReader:
    """Some columns of the spine under other names, with the number of each row.

    Args:
        spine: A Parquet file.
        columns: Column of the spine and its name in the result; a column may be there twice.
    """
    with _open(spine) as file:
        schema = file.schema_arrow
    wanted = [*dict.fromkeys(column for column, _ in columns)]

    def batches() -> Iterator[Any]:
        with _open(spine) as file:
            yield from file.iter_batches(BATCH_ROWS, columns=wanted)

    return numbered(schema, batches(), columns)


def numbered(
    schema: pa.Schema, batches: Iterable[Any], columns: Sequence[tuple[str, str]]
) -> pa.RecordBatchReader:
    """Some columns in the types of feature tables, all times as timestamps, and row numbers."""
    import pyarrow as pa

    kept = as_stored("a join", [schema.field(column) for column, _ in columns])
    moment = pa.timestamp("us", "UTC")
    types = [moment if pa.types.is_temporal(field.type) else field.type for field in kept]
    names = [name for _, name in columns]
    typed = pa.schema([*zip(names, types, strict=True), (ROW, pa.int64())])

    def cast() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in batches:
            arrays = [
                batch.column(column).cast(to, safe=to != moment)
                for (column, _), to in zip(columns, types, strict=True)
            ]
            rows = pa.array(range(start, start + batch.num_rows), pa.int64())
            start += batch.num_rows
            yield pa.RecordBatch.from_arrays([*arrays, rows], schema=typed)

    return pa.RecordBatchReader.from_batches(typed, cast())


def write_part(table: pa.Table, path: Path) -> None:
    """Write features in the order of the spine, so that some rows can be read at a time."""
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        for rows in evenly(table.to_batches(), BATCH_ROWS):
            writer.write_table(rows)


def write_beside(spine: Path, parts: Sequence[Path], path: Path) -> None:
    """Write the spine with the parts beside it; equal rows give equal bytes.

    Raises:
        StoreError: A file cannot be read or written; then there is no result.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with ExitStack() as files:
            rows = files.enter_context(_open(spine))
            others = [pa.ipc.open_file(files.enter_context(pa.OSFile(str(part)))) for part in parts]
            fields = [field for other in others for field in other.schema]
            # What pandas noted about the spine's columns is not true of the result.
            schema = pa.schema([*rows.schema_arrow, *fields])
            writer = files.enter_context(
                pq.ParquetWriter(temporary, schema, write_page_checksum=True)
            )
            for number, some in enumerate(evenly(rows.iter_batches(BATCH_ROWS), BATCH_ROWS)):
                beside = [other.get_batch(number) for other in others]
                arrays = [array for batch in beside for array in batch.columns]
                writer.write_table(pa.Table.from_arrays([*some.columns, *arrays], schema=schema))
        temporary.replace(path)
    except (pa.ArrowException, OSError) as error:
        raise StoreError(
            f"The joined rows cannot be written to {path}: {shorten(error, limit=160)}"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _open(spine: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(spine)
    except (pa.ArrowException, OSError) as error:
        raise StoreError(
            f"{spine} cannot be read as Parquet: {shorten(error, limit=160)}"
        ) from error
