"""Suites on DuckDB: all that can be counted together is counted in one scan of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.quality_records import Checked, Expectation, Finding, Suite
from mlrecipes.stores.duckdb_engine import (
    BATCH_ROWS,
    duckdb_errors,
    file_literal,
    open_duckdb,
    quoted,
    select_from,
)
from mlrecipes.stores.quality_looks import look_at, named_tables, offending_rows
from mlrecipes.stores.quality_plans import BATCH

if TYPE_CHECKING:
    import duckdb

__all__ = ["DuckDbChecker"]

Columns = Mapping[str, str]


class DuckDbChecker:
    """A :class:`~mlrecipes.quality_ports.QualityChecker` on DuckDB, out of memory.

    Types without a translation are run by Great Expectations on pandas, over the columns that
    they need; only then is it imported.

    Args:
        temp_folder: Where work goes that does not fit into memory.
        shows_values: Whether examples are shown as they are, not masked.
    """

    def __init__(self, temp_folder: Path, *, shows_values: bool = False) -> None:
        self._temp_folder = temp_folder
        self._shows_values = shows_values

    def check(self, table: Any, suite: Suite, others: Mapping[str, Any] | None = None) -> Checked:
        """Hold a table against a suite.

        Args:
            table: A Parquet, CSV or CSV.gz file, or a folder of Parquet files.
            suite: What is expected.
            others: Tables by name, for foreign keys.

        Raises:
            StoreError: The table cannot be read.
        """
        with self._opened(table, others or {}, suite.expectations) as (connection, columns, known):

            def query(sql: str) -> list[Any]:
                with duckdb_errors("check the table"):
                    return connection.execute(sql).fetchall()

            return look_at(
                suite.expectations,
                columns,
                known,
                query,
                partial(self._by_great_expectations, table),
                shows_values=self._shows_values,
            )

    def set_aside(
        self,
        table: Any,
        findings: Sequence[Finding],
        into: Path,
        limit: int,
        others: Mapping[str, Any] | None = None,
    ) -> tuple[int, int]:
        """Copy the rows that break any of the findings into a Parquet file."""
        asked = [finding.expectation for finding in findings]
        with self._opened(table, others or {}, asked) as (connection, columns, known):
            queries = offending_rows(findings, columns, known)
            if queries is None:
                return 0, 0
            counting, rows = queries
            into.parent.mkdir(parents=True, exist_ok=True)
            with duckdb_errors("set the offending rows aside"):
                n_offending = int(connection.execute(counting).fetchall()[0][0])
                if n_offending:
                    connection.execute(
                        f"COPY ({rows} LIMIT {int(limit)}) TO {file_literal(into)} (FORMAT parquet)"
                    )
        return n_offending, min(n_offending, limit)

    def hold(self, rows: Any, into: Path) -> Path:
        """Write Arrow record batches, a stream or a table of them, into a Parquet file."""
        import pyarrow.parquet as pq

        if hasattr(rows, "to_reader"):
            rows = rows.to_reader()
        into.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(into, rows.schema, compression="lz4") as writer:
            for batch in rows:
                writer.write_batch(batch)
        return into

    def release(self, held: Path) -> Any:
        """A stream of Arrow record batches of a held table."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = pq.ParquetFile(held)
        return pa.RecordBatchReader.from_batches(
            file.schema_arrow, file.iter_batches(batch_size=BATCH_ROWS)
        )

    # -- private ---------------------------------------------------------------------------

    @contextmanager
    def _opened(
        self, table: Any, others: Mapping[str, Any], expectations: Iterable[Expectation]
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Columns, Mapping[str, Columns]]]:
        connection = open_duckdb(self._temp_folder)
        try:
            with duckdb_errors("read the table"):
                connection.execute(f"CREATE VIEW {BATCH} AS {select_from(Path(table))}")
                columns = _columns(connection, BATCH)
            known = {}
            for name in sorted(named_tables(expectations) & set(others)):
                with duckdb_errors(f"read the table {name}"):
                    view = select_from(Path(others[name]))
                    connection.execute(f"CREATE VIEW {quoted(name)} AS {view}")
                    known[name] = _columns(connection, name)
            yield connection, columns, known
        finally:
            connection.close()

    def _by_great_expectations(
        self, table: Any, expectations: Sequence[Expectation]
    ) -> list[Finding]:
        from mlrecipes.stores.quality_gx import check_pandas

        connection = open_duckdb(self._temp_folder)
        with duckdb_errors("read the table"):
            rows = connection.sql(select_from(Path(table)))
            wanted = {name for one in expectations for name in one.columns}
            needs_all = any(
                "row_condition" in one.kwargs or not one.columns for one in expectations
            )
            names = [name for name in rows.columns if needs_all or name in wanted]
            frame = rows.select(*(quoted(name) for name in names or rows.columns[:1])).df()
        connection.close()
        return check_pandas(frame, expectations, shows_values=self._shows_values)


def _columns(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, str]:
    rows = connection.execute(f"DESCRIBE {quoted(view)}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}
