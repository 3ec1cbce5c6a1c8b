"""Suites on DuckDB: all that can be counted together is counted in one scan of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import MAX_EXAMPLES, StoreError, shorten
from mlrecipes.quality_records import Checked, Expectation, Finding, Suite
from mlrecipes.stores.duckdb_engine import (
    BATCH_ROWS,
    duckdb_errors,
    file_literal,
    open_duckdb,
    quoted,
    select_from,
)
from mlrecipes.stores.quality_plans import (
    BATCH,
    Plan,
    PlanError,
    plan_of,
    wants_great_expectations,
)
from mlrecipes.stores.quality_sql import literal, mask

if TYPE_CHECKING:
    import duckdb

__all__ = ["FAILED_COLUMN", "DuckDbChecker"]

FAILED_COLUMN = "failed_expectations"
NOT_NULL = "expect_column_values_to_not_be_null"
"""What is missing makes no example."""
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
            look = _Look(connection, columns, known, self._shows_values)
            found: dict[int, Finding] = look.at(
                {
                    i: one
                    for i, one in enumerate(suite.expectations)
                    if not wants_great_expectations(one)
                }
            )
            n_rows = look.n_rows
        rest = [i for i in range(len(suite.expectations)) if i not in found]
        if rest:
            asked = [suite.expectations[i] for i in rest]
            found |= dict(zip(rest, self._by_great_expectations(table, asked), strict=True))
        return Checked(n_rows, tuple(found[i] for i in range(len(suite.expectations))))

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
            pairs = []
            for expectation in asked:
                plan = _plan(expectation, columns, known)
                if isinstance(plan, Plan) and plan.bad is not None:
                    pairs.append((f"({plan.known} AND {plan.bad})", expectation))
            if not pairs:
                return 0, 0
            said = ", ".join(f"CASE WHEN {bad} THEN {literal(_label(e))} END" for bad, e in pairs)
            where = " OR ".join(bad for bad, _expectation in pairs)
            into.parent.mkdir(parents=True, exist_ok=True)
            with duckdb_errors("set the offending rows aside"):
                counted = connection.sql(_select("count(*)", where)).fetchall()
                n_offending = int(counted[0][0])
                if n_offending:
                    rows = _select(f"*, concat_ws('; ', {said}) AS {FAILED_COLUMN}", where)
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
            for name in sorted(_named(expectations) & set(others)):
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


def _select(selected: str, where: str = "true") -> str:
    """A query of the table under check; names and values in its parts are quoted already."""
    return f"SELECT {selected} FROM {BATCH} WHERE {where}"  # noqa: S608 - see above


def _named(expectations: Iterable[Expectation]) -> set[str]:
    named = [one.kwargs.get("other_table") for one in expectations]
    return {name for one in named if one for name in ([one] if isinstance(one, str) else list(one))}


def _columns(connection: duckdb.DuckDBPyConnection, view: str) -> dict[str, str]:
    rows = connection.execute(f"DESCRIBE {quoted(view)}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}


def _plan(expectation: Expectation, columns: Columns, others: Mapping[str, Columns]) -> Plan | str:
    """The plan, or why there is none."""
    try:
        return plan_of(expectation, columns, others)
    except (PlanError, ValueError, TypeError, KeyError) as error:
        return shorten(error, limit=300)


def _label(expectation: Expectation) -> str:
    columns = ", ".join(expectation.columns)
    return expectation.description or f"{expectation.type} {columns}".strip()


class _Look:
    """One look at the expectations of one table."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        columns: Columns,
        others: Mapping[str, Columns],
        shows_values: bool,  # noqa: FBT001 - passed on as it came
    ) -> None:
        self._connection = connection
        self._columns = columns
        self._others = others
        self._shows_values = shows_values
        self.n_rows = 0

    def at(self, expectations: Mapping[int, Expectation]) -> dict[int, Finding]:
        plans = {i: _plan(one, self._columns, self._others) for i, one in expectations.items()}
        asked = ["count(*)", *(sql for plan in plans.values() for sql in _counts(plan))]
        values = self._values(list(dict.fromkeys(asked)))
        self.n_rows = int(values["count(*)"])
        return {i: self._finding(expectations[i], plan, values) for i, plan in plans.items()}

    def _values(self, asked: list[str]) -> dict[str, Any]:
        """All of them from one scan; each from its own if one of them is in the way."""
        try:
            return dict(zip(asked, self._row(", ".join(asked)), strict=True))
        except StoreError:
            values = {}
            for sql in asked:
                try:
                    values[sql] = self._row(sql)[0]
                except StoreError as error:
                    if sql == "count(*)":
                        raise
                    values[sql] = error
            return values

    def _row(self, selected: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._query(_select(selected))[0]
        return row

    def _query(self, sql: str) -> list[Any]:
        with duckdb_errors("check the table"):
            return self._connection.execute(sql).fetchall()

    def _finding(
        self, expectation: Expectation, plan: Plan | str, values: Mapping[str, Any]
    ) -> Finding:
        if isinstance(plan, str):
            return Finding(expectation, is_met=False, n_rows=self.n_rows, problem=plan)
        got = [values[sql] for sql in _counts(plan)]
        failure = next((one for one in got if isinstance(one, StoreError)), None)
        if failure is not None:
            return Finding(expectation, is_met=False, n_rows=self.n_rows, problem=failure.message)
        n_known = int(got[0])
        if plan.needs and n_known == 0:
            problem = "there are no rows." if self.n_rows == 0 else "there are no values."
            return Finding(
                expectation,
                is_met=False,
                n_rows=self.n_rows,
                n_missing=self.n_rows if plan.counts_missing else None,
                problem=problem,
            )
        if plan.accepts is not None:
            observed = _plain(got[1])
            is_met = plan.accepts(got[1])
            return Finding(expectation, is_met=is_met, n_rows=self.n_rows, observed=observed)
        return self._about_rows(expectation, plan, n_known, got)

    def _about_rows(
        self, expectation: Expectation, plan: Plan, n_known: int, got: Sequence[Any]
    ) -> Finding:
        try:
            n_bad = int(self._query(plan.count_query)[0][0] or 0) if plan.count_query else got[1]
            is_met = (n_known - n_bad) / n_known >= expectation.mostly
            is_silent = n_bad == 0 or is_met or expectation.type == NOT_NULL
            examples = () if is_silent else self._examples(plan)
        except StoreError as error:
            return Finding(expectation, is_met=False, n_rows=self.n_rows, problem=error.message)
        return Finding(
            expectation,
            is_met=is_met,
            n_rows=self.n_rows,
            n_missing=self.n_rows - n_known if plan.counts_missing else None,
            n_unexpected=int(n_bad),
            examples=examples,
        )

    def _examples(self, plan: Plan) -> tuple[str, ...]:
        shown = ", ".join(quoted(name) for name in plan.shown) or "1"
        sql = f"{_select(shown, f'{plan.known} AND {plan.bad}')} LIMIT {MAX_EXAMPLES}"
        return tuple(_example(plan.shown, row, self._shows_values) for row in self._query(sql))


def _counts(plan: Plan | str) -> tuple[str, ...]:
    """What the one scan must count for a plan: known rows first."""
    if isinstance(plan, str):
        return ()
    known = "count(*)" if plan.known == "true" else f"coalesce(count_if({plan.known}), 0)"
    if plan.accepts is not None:
        # A word about the table needs no column; any_value keeps it one row.
        value = plan.value or "NULL"
        is_word = value.startswith("'") or value == "true"
        return known, f"coalesce(any_value({value}), {value})" if is_word else value
    if plan.count_query:
        return (known,)
    return known, f"coalesce(count_if({plan.bad}), 0)"


def _example(names: Sequence[str], row: Sequence[Any], shows_values: bool) -> str:  # noqa: FBT001
    said = [shorten("missing" if v is None else v) if shows_values else mask(v) for v in row]
    if len(names) == 1:
        return shorten(said[0])
    return ", ".join(f"{name}={shorten(text)}" for name, text in zip(names, said, strict=True))


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if value is None or isinstance(value, str | bool | int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if number - number == 0 else str(number)
