"""Delta tables that a recipe takes its rows from: on this disk by delta-rs, elsewhere by Spark.

A version of a table never changes, so that its id and its version stand for its content.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from mlrecipes.errors import StoreError, few
from mlrecipes.ports import DELTA_URI, NoRowsError, ReadDataset, TableQuery
from mlrecipes.records import Source
from mlrecipes.stores.delta_folder import LOG, delta_errors
from mlrecipes.stores.frame_writer import FrameWriter, rows_in_group
from mlrecipes.stores.frames import FrameFile
from mlrecipes.stores.joint_schema import as_type, with_timestamps
from mlrecipes.stores.parts import BUFFER_BYTES, MAX_ROWS_AT_ONCE, Part
from mlrecipes.stores.places import is_remote, relative
from mlrecipes.stores.row_filter import RowPicker

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deltalake import DeltaTable

__all__ = [
    "check_no_doubles",
    "delta_change",
    "one_location",
    "read_delta",
    "version_asked",
    "write_rows",
]

PINNED = "#version="
CATALOG_NAME = re.compile(r"[^\W\d]\w*([.][^\W\d]\w*){1,2}")


def read_delta(asked: TableQuery, root: Path, into: Path) -> ReadDataset:
    """Copy the rows of a table's version into a Parquet file, a few at a time.

    Args:
        asked: The table, and of which version or time.
        root: The recipe's root; a relative location starts there.
        into: The file.

    Raises:
        StoreError: There is no such table, version, or none at that time; or it cannot be
            read.
        NoRowsError: It has no row.
    """
    location = one_location(asked)
    folder = _folder(location, root)
    if folder is None:
        from mlrecipes.stores.spark_source import read_table

        return read_table(asked, location, into)
    name = relative(folder, root)
    with delta_errors(f"read {name} ({asked.at('location')})"):
        newest = _opened(asked, folder, name)
        history = newest.history() if asked.timestamp is not None else ()
        version = version_asked(asked, name, int(newest.version()), history)
        table = _as_of(asked, newest, folder, version)
        picker = RowPicker(asked.selection)
        _copy(table, picker, asked, f"{name}, version {version} ({asked.at('location')})", into)
    is_pinned = asked.version is not None or asked.timestamp is not None
    uri = f"{DELTA_URI}{name}" + (f"{PINNED}{version}" if is_pinned else "")
    source = Source(uri, None, f"{table.metadata().id}@{version}")
    return ReadDataset(FrameFile(into), (source,), picker.n_seen)


def delta_change(source: Source, root: Path) -> str | None:
    """Why a table on this disk is not what it was when it was read; None if it is.

    What is read as of a version stays as it is, whatever is added to the table.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    name, _, pinned = source.uri.removeprefix(DELTA_URI).partition(PINNED)
    if not (root / name / LOG).is_dir():
        return f"input {name} is gone"
    try:
        table = DeltaTable(root / name)
    except (DeltaError, OSError):
        return f"input {name} cannot be read"
    table_id, _, version = (source.sha256 or "").rpartition("@")
    if str(table.metadata().id) != table_id:
        return f"input {name} changed: it is another table"
    if pinned or str(table.version()) == version:
        return None
    return f"input {name} changed: version {version} -> {table.version()}"


def one_location(asked: TableQuery) -> str:
    """The location, which is one table.

    Raises:
        StoreError: There are several, or none.
    """
    places = [asked.location] if isinstance(asked.location, str) else list(asked.location or ())
    if len(places) != 1:
        raise StoreError(
            f"{asked.at('location')}: using: {asked.using} reads one table; location names "
            f"{len(places)}.",
            hint="Put them together with using: spark_sql and sql: SELECT ... UNION ALL ...",
        )
    return places[0]


def version_asked(
    asked: TableQuery, name: str, newest: int, history: Iterable[Mapping[str, Any]]
) -> int:
    """The version that is meant, by its number, by a time, or as the newest.

    Args:
        asked: What the recipe says.
        name: Of the table.
        newest: Its newest version.
        history: One mapping a version, with ``version`` and ``timestamp`` in milliseconds;
            needed for a time.

    Raises:
        StoreError: There is none.
    """
    if asked.timestamp is not None:
        return _version_at(asked, name, history)
    if asked.version is None:
        return newest
    if 0 <= asked.version <= newest:
        return asked.version
    raise _no_version(asked, name, asked.version, newest)


def write_rows(
    tables: Iterable[Any], schema: Any, name: str, into: Path, *, hint: str | None = None
) -> None:
    """Write tables, a few rows each, as one; dates become timestamps, as in files.

    Columns that the schema does not name are left out.

    Raises:
        NoRowsError: There is no row.
        StoreError: Two columns have one name.
    """
    import pyarrow as pa

    check_no_doubles(schema.names, name)
    joint = with_timestamps(schema)
    with FrameWriter(into, joint) as writer:
        for table in tables:
            columns = [as_type(table[field.name], field.type) for field in joint]
            writer.write(pa.Table.from_arrays(columns, schema=joint))
    if not Part(name, into, is_ours=True).n_rows:
        raise NoRowsError(f"0 rows read from {name}.", hint=hint)


def check_no_doubles(names: Sequence[str], table: str) -> None:
    """Check that no two columns have one name.

    Raises:
        StoreError: Two have.
    """
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise StoreError(
            f"{table} has more than one column {few(doubles)}.", hint="Name them by AS in the SQL."
        )


# ---- on this disk ------------------------------------------------------------------------------


def _folder(location: str, root: Path) -> Path | None:
    """The folder of a table on this disk; None for what only Spark can find."""
    if location.startswith("file:"):
        return root / url2pathname(urlsplit(location).path)
    if is_remote(location):
        return None
    folder = root / Path(location).expanduser()
    return None if CATALOG_NAME.fullmatch(location) and not folder.exists() else folder


def _opened(asked: TableQuery, folder: Path, name: str) -> DeltaTable:
    from deltalake import DeltaTable

    if (folder / LOG).is_dir():
        return DeltaTable(folder)
    where = asked.at("location")
    if not folder.exists():
        beside = sorted(path.name for path in folder.parent.glob("*") if (path / LOG).is_dir())
        raise StoreError(
            f"{where}: there is no Delta table {name}. Tables beside it: {few(beside) or 'none'}.",
            hint="Mend location; a table of a catalog is written as schema.table.",
        )
    raise StoreError(
        f"{where}: {name} is no Delta table: it has no {LOG}.",
        hint="Read files with using: parquet, csv or auto.",
    )


def _as_of(asked: TableQuery, newest: DeltaTable, folder: Path, version: int) -> DeltaTable:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError

    if version == newest.version():
        return newest
    try:
        return DeltaTable(folder, version=version)
    except DeltaError as error:
        raise _no_version(asked, folder.name, version, int(newest.version())) from error


def _copy(table: DeltaTable, picker: RowPicker, asked: TableQuery, name: str, into: Path) -> None:
    import pyarrow as pa
    from deltalake.exceptions import DeltaProtocolError
    from pyarrow.dataset import ParquetFragmentScanOptions

    try:
        dataset = table.to_pyarrow_dataset()
    except DeltaProtocolError as error:
        raise StoreError(
            f"{name} uses what only Spark can read: {str(error).splitlines()[0]}",
            hint="Read it with using: spark_sql and sql: FROM delta.`/folder` SELECT *",
        ) from error
    options = ParquetFragmentScanOptions(
        use_buffered_stream=True, buffer_size=BUFFER_BYTES, pre_buffer=False
    )
    names = dataset.schema.names
    check_no_doubles(names, name)
    asked.selection.check(names)
    columns = asked.selection.scanned(names)
    # File by file, on one thread: a scan of all of them runs ahead and fills the memory.
    batches = (
        picker.pick(pa.Table.from_batches([batch]))
        for fragment in dataset.get_fragments()
        for batch in fragment.to_batches(
            schema=dataset.schema,
            columns=columns,
            batch_size=min(MAX_ROWS_AT_ONCE, rows_in_group(len(columns))),
            batch_readahead=0,
            use_threads=False,
            fragment_scan_options=options,
        )
    )
    schema = pa.schema([dataset.schema.field(name) for name in asked.selection.kept(names)])
    try:
        write_rows(batches, schema, name, into, hint="Are its rows all deleted?")
    except NoRowsError as error:
        raise (picker.none_left(name) if picker.n_seen else error) from None


# ---- versions ----------------------------------------------------------------------------------


def _version_at(asked: TableQuery, name: str, history: Iterable[Mapping[str, Any]]) -> int:
    at = _moment(asked)
    made_ms = {int(entry["version"]): int(entry["timestamp"]) for entry in history}
    first, last = min(made_ms), max(made_ms)
    there = [number for number, made in made_ms.items() if made <= at.timestamp() * 1000]
    if not there:
        raise StoreError(
            f"{asked.at('timestamp')}: {name} had no version at {at.isoformat()}: the first one "
            f"that is known, {first}, is of {_shown(made_ms[first])}.",
            hint=f"Use a later timestamp, or version: {first}",
        )
    if at.timestamp() * 1000 > made_ms[last] and last == max(there):
        # What comes next would belong to that time too: it says nothing that stays.
        raise StoreError(
            f"{asked.at('timestamp')}: {at.isoformat()} is later than the newest version of "
            f"{name}, {last}, which is of {_shown(made_ms[last])}.",
            hint=f"Remove timestamp to read the newest, or pin it: version: {last}",
        )
    return max(there)


def _moment(asked: TableQuery) -> datetime:
    """A day or a moment; one without a zone is UTC."""
    value = asked.timestamp
    try:
        moment = value if isinstance(value, date) else datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise StoreError(
            f"{asked.at('timestamp')}: timestamp is '{value}', which is no time.",
            hint='Such as: timestamp: "2026-01-31 06:00:00"',
        ) from error
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _shown(made_ms: int) -> str:
    return datetime.fromtimestamp(made_ms / 1000, UTC).isoformat()


def _no_version(asked: TableQuery, name: str, version: int, newest: int) -> StoreError:
    where = asked.at("timestamp" if asked.version is None else "version")
    cleaned = " Old versions may have been cleaned up." if 0 <= version < newest else ""
    return StoreError(
        f"{where}: {name} has no version {version}; the newest is {newest}.{cleaned}",
        hint=f"Use version: {newest}, or remove it to read the newest.",
    )
