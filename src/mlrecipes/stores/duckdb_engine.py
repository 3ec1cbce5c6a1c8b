"""SQL over files by DuckDB, in this process, streaming, with a disk to spill to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError
from mlrecipes.feature_records import Slices
from mlrecipes.stores.failures import could_not
from mlrecipes.stores.table_files import files_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = [
    "BATCH_ROWS",
    "DuckDbEngine",
    "duckdb_errors",
    "file_literal",
    "open_duckdb",
    "quoted",
    "select_from",
]

BATCH_ROWS = 65_536
MEMORY_LIMIT = "2GB"

# Types are taken from all rows: DuckDB would look at the first 20,480 and fail on a later one.
# No times of day and no numbers beyond 64 bits but as floats: Delta has no type for them.
# No truth values: a Y or a No is a text.
CSV_OPTIONS = """header = true, delim = ',', quote = '"', escape = '"', sample_size = -1,
    dateformat = '%Y-%m-%d', timestampformat = '%Y-%m-%d %H:%M:%S',
    auto_type_candidates = ['BIGINT', 'DOUBLE', 'DATE', 'TIMESTAMP', 'VARCHAR']"""


class DuckDbEngine:
    """A :class:`~mlrecipes.feature_ports.FeatureEngine` on DuckDB.

    It never loads an extension from the network, and all times are UTC.

    Args:
        temp_folder: Where work goes that does not fit into memory.
        threads: Of DuckDB; None takes one a core.
        memory_limit: Of DuckDB, such as ``2GB``.
    """

    dialect = "duckdb"

    def __init__(
        self, temp_folder: Path, threads: int | None = None, memory_limit: str = MEMORY_LIMIT
    ) -> None:
        self._temp_folder = temp_folder
        self._threads = threads
        self._memory_limit = memory_limit

    def query(
        self, sql: str, tables: Mapping[str, Path], slices: Slices | None = None
    ) -> pa.RecordBatchReader:
        """Run a query over files; its rows come in batches while it runs.

        Args:
            sql: One SELECT; it names tables by the keys of ``tables``.
            tables: Table name to a Parquet, CSV or CSV.gz file, or a folder of Parquet files.
            slices: Run it over a part of the keys at a time, which takes less memory.

        Raises:
            StoreError: A file cannot be read, or the query fails; also while rows are read.
        """
        import pyarrow as pa

        conditions = _conditions(slices)
        first, *others = (partial(self._rows, sql, tables, where) for where in conditions)
        rows = first()
        batches = chain(rows, chain.from_iterable(start() for start in others))
        return pa.RecordBatchReader.from_batches(rows.schema, batches)

    def _rows(self, sql: str, tables: Mapping[str, Path], where: str) -> pa.RecordBatchReader:
        import pyarrow as pa

        connection = open_duckdb(self._temp_folder, self._threads, self._memory_limit)
        with duckdb_errors("read the tables"):
            for name, path in sorted(tables.items()):
                connection.execute(f"CREATE VIEW {quoted(name)} AS {select_from(path)}{where}")
        with duckdb_errors("run the query"):
            kinds = [statement.type.name for statement in connection.extract_statements(sql)]
            if kinds != ["SELECT"]:
                said = ", ".join(kinds) or "nothing"
                raise StoreError(f"Could not run the query: expected one SELECT, seen {said}.")
            rows = connection.sql(sql).to_arrow_reader(BATCH_ROWS)
        return pa.RecordBatchReader.from_batches(rows.schema, _batches(rows, connection))


def open_duckdb(
    temp_folder: Path, threads: int | None = None, memory_limit: str = MEMORY_LIMIT
) -> duckdb.DuckDBPyConnection:
    """A database in memory that spills to a folder and leaves the network alone.

    Raises:
        StoreError: The folder cannot be made, or DuckDB refuses a setting.
    """
    import duckdb

    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        # A name that is no table is an error, never a variable of the code around.
        "python_enable_replacements": "false",
        "memory_limit": memory_limit,
        "temp_directory": str(temp_folder),
    }
    if threads is not None:
        config["threads"] = threads
    with duckdb_errors("start DuckDB"):
        temp_folder.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(config=config)
        connection.execute("SET TimeZone = 'UTC'")
    return connection


@contextmanager
def duckdb_errors(doing: str) -> Iterator[None]:
    """Turn errors of DuckDB, and of Arrow streams that it fills, into ours.

    Args:
        doing: What is tried, to follow "Could not".

    Raises:
        StoreError: With the first line of the cause.
    """
    import duckdb
    import pyarrow as pa

    try:
        yield
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise could_not(doing, error) from error


def quoted(name: str) -> str:
    """A name as SQL takes it.

    >>> quoted('a "b" c')
    '"a ""b"" c"'
    """
    return '"' + name.replace('"', '""') + '"'


def _conditions(slices: Slices | None) -> list[str]:
    if slices is None:
        return [""]
    key = f"hash({quoted(slices.key)}) % {slices.n_slices}"
    return [f" WHERE {key} = {number}" for number in range(slices.n_slices)]


def select_from(path: Path) -> str:
    """Read a table's files: the beginning of a query.

    Raises:
        StoreError: There is no such table.
    """
    form, files = files_of(path)
    listed = ", ".join(file_literal(file) for file in files)
    if form == "parquet":
        return f"FROM read_parquet([{listed}])"
    return f"FROM read_csv([{listed}], {CSV_OPTIONS})"


def file_literal(path: Path) -> str:
    """A path as a text in SQL that stands for itself: DuckDB takes ``*`` for any file.

    >>> file_literal(Path("it's [a] *.csv"))
    "'it''s [[]a] [*].csv'"
    """
    escaped = re.sub(r"([*?\[])", r"[\1]", str(path))
    return "'" + escaped.replace("'", "''") + "'"


def _batches(rows: Any, connection: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    try:
        with duckdb_errors("run the query"):
            yield from rows
    finally:
        rows.close()
        connection.close()
