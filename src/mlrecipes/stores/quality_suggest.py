"""A first suite from a table: what holds in it, with slack."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import DataError
from mlrecipes.quality_records import Expectation, Severity
from mlrecipes.stores.duckdb_engine import duckdb_errors, open_duckdb, quoted, select_from
from mlrecipes.stores.quality_sql import is_nan, kind_of

if TYPE_CHECKING:
    import duckdb

__all__ = ["suggest", "suite_text"]

TABLE = "suggested_from"
MAX_VALUES = 20
NULL_SLACK = 0.05
NUMBERS = {"whole", "float", "decimal"}
TYPE_LISTS = {
    "whole": ["LongType", "IntegerType", "DoubleType"],
    "float": ["LongType", "IntegerType", "DoubleType", "FloatType"],
    "decimal": ["DecimalType", "DoubleType"],
    "text": ["StringType"],
    "bool": ["BooleanType"],
    "date": ["DateType"],
    "timestamp": ["TimestampType", "TimestampNTZType"],
}


def suggest(table: Path, temp_folder: Path) -> list[Expectation]:
    """Say what holds in a table: it passes its own suite.

    That its columns are there and of their types is critical; all else is a guess from one
    table and only warns.

    Args:
        table: A Parquet, CSV or CSV.gz file, or a folder of Parquet files.
        temp_folder: Where work goes that does not fit into memory.

    Raises:
        DataError: The table has no rows.
        StoreError: It cannot be read.
    """
    connection = open_duckdb(temp_folder)
    try:
        with duckdb_errors("read the table"):
            connection.execute(f"CREATE VIEW {TABLE} AS {select_from(table)}")
            rows = connection.execute(f"DESCRIBE {TABLE}").fetchall()
            columns = {str(row[0]): str(row[1]) for row in rows}
            n_rows = int(
                connection.execute(f"FROM (SELECT count(*) FROM {TABLE})").fetchall()[0][0]
            )
            if n_rows == 0:
                raise DataError(f"{table} has no rows, so nothing can be learned from it.")
            found = [_Column(connection, name, columns[name], n_rows) for name in columns]
            return [*_of_table(list(columns), n_rows), *(e for one in found for e in one.expect())]
    finally:
        connection.close()


def suite_text(name: str, expectations: list[Expectation]) -> str:
    """A suite as a file: an expectation a block, its arguments on one line."""
    blocks = []
    for expectation in expectations:
        config = {key: value for key, value in expectation.config.items() if key != "meta" or value}
        lines = [f"      {json.dumps(k)}: {_line(v)}" for k, v in config.items()]
        blocks.append("    {\n" + ",\n".join(lines) + "\n    }")
    listed = ",\n".join(blocks)
    return f'{{\n  "name": {_line(name)},\n  "expectations": [\n{listed}\n  ]\n}}\n'


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _of_table(columns: list[str], n_rows: int) -> Iterator[Expectation]:
    yield Expectation(
        "expect_table_columns_to_match_set",
        {"column_set": columns, "exact_match": False},
        description=f"all {len(columns)} columns are there",
    )
    least = max(1, n_rows // 2)
    yield Expectation(
        "expect_table_row_count_to_be_between",
        {"min_value": least},
        Severity.WARNING,
        f"there are at least half as many rows as when this was written ({n_rows:,})",
    )


class _Column:
    """One column, and what can be said of it."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, name: str, duckdb_type: str, n_rows: int
    ) -> None:
        self._connection = connection
        self._name = name
        self._kind = kind_of(duckdb_type)
        self._n_rows = n_rows
        column = quoted(name)
        is_float = self._kind == "float"
        known = f"{column} IS NOT NULL" + (f" AND NOT {is_nan(column)}" if is_float else "")
        self._known = f"({known})"
        counts = self._row(f"count_if({self._known}), count(DISTINCT {column})")
        self._n_known, self._n_distinct = int(counts[0] or 0), int(counts[1])

    def expect(self) -> Iterator[Expectation]:
        share = self._n_known / self._n_rows
        if share == 1:
            text = f"{self._name} is never missing"
            yield self._guess("expect_column_values_to_not_be_null", text)
        elif share > NULL_SLACK:
            mostly = math.floor(1000 * (share - NULL_SLACK)) / 1000
            text = f"{self._name} is there in at least {mostly:.1%} of the rows ({share:.1%} then)"
            yield self._guess("expect_column_values_to_not_be_null", text, mostly=mostly)
        if self._n_known == 0:
            return
        if self._kind in TYPE_LISTS:
            yield Expectation(
                "expect_column_values_to_be_in_type_list",
                {"column": self._name, "type_list": TYPE_LISTS[self._kind]},
                description=f"{self._name} has the type that it had ({self._kind})",
            )
        yield from self._about_values()
        is_key = self._kind in {"whole", "text"} and self._n_distinct == self._n_rows
        if is_key and self._n_rows > MAX_VALUES:
            text = f"{self._name} is never there twice"
            yield self._guess("expect_column_values_to_be_unique", text)

    def _about_values(self) -> Iterator[Expectation]:
        is_small = self._n_distinct <= MAX_VALUES and self._n_distinct < self._n_known
        if self._kind == "text" and is_small:
            column = quoted(self._name)
            rows = self._rows(f"DISTINCT {column}", f"WHERE {self._known} ORDER BY 1")
            text = f"{self._name} has one of the {len(rows)} values that it had"
            values = [row[0] for row in rows]
            yield self._guess("expect_column_values_to_be_in_set", text, value_set=values)
        elif self._kind in NUMBERS:
            yield from self._range()

    def _range(self) -> Iterator[Expectation]:
        """From the least to the greatest finite value, and as far again as most values spread."""
        is_whole = self._kind == "whole"
        number = f"CAST({quoted(self._name)} AS {'HUGEINT' if is_whole else 'DOUBLE'})"
        finite = "" if is_whole else f" AND isfinite({number})"
        finite = f"FILTER (WHERE {self._known}{finite})"
        low, high, first, last, n_finite = self._row(
            f"min({number}) {finite}, max({number}) {finite}, quantile_disc({number}, 0.01) "
            f"{finite}, quantile_disc({number}, 0.99) {finite}, count(*) {finite}"
        )
        if not n_finite:
            return
        spread = last - first
        least = type(low)(0) if low >= 0 and low - spread < 0 else low - spread
        most = high + spread
        if not is_whole and not (math.isfinite(least) and math.isfinite(most)):
            return
        share = n_finite / self._n_known
        mostly = {} if share == 1 else {"mostly": math.floor(10_000 * share) / 10_000}
        text = f"{self._name} lies where it lay, with slack"
        yield self._guess(
            "expect_column_values_to_be_between",
            text,
            min_value=least,
            max_value=most,
            **mostly,
        )

    def _guess(self, kind: str, text: str, **kwargs: Any) -> Expectation:
        return Expectation(kind, {"column": self._name, **kwargs}, Severity.WARNING, text)

    def _row(self, selected: str) -> tuple[Any, ...]:
        return self._rows(selected)[0]

    def _rows(self, selected: str, rest: str = "") -> list[tuple[Any, ...]]:
        sql = f"SELECT {selected} FROM {TABLE} {rest}"
        rows: list[tuple[Any, ...]] = self._connection.execute(sql).fetchall()
        return rows
