"""Values, types and conditions of suites, as DuckDB and Spark understand them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

__all__ = [
    "condition_of",
    "is_nan",
    "is_same_type",
    "kind_of",
    "literal",
    "mask",
]

PLACEHOLDER = "{batch}"
N_SHOWN = 4
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
KINDS = {
    **dict.fromkeys((*WHOLE, "HUGEINT", "UHUGEINT"), "whole"),
    "FLOAT": "float",
    "DOUBLE": "float",
    "VARCHAR": "text",
    "BOOLEAN": "bool",
    "DATE": "date",
}
TYPE_NAMES = {
    kind: tuple(names.split())
    for kind, names in {
        "whole": "longtype integertype shorttype bytetype bigint int integer smallint long "
        "int64 int32 int16 int8 uint64 uint32",
        "float": "doubletype floattype double float float64 float32",
        "decimal": "decimaltype decimal",
        "text": "stringtype string varchar text str object category",
        "bool": "booleantype boolean bool",
        "date": "datetype date",
        "timestamp": "timestamptype timestampntztype timestamp timestamp_ntz "
        "datetime64 datetime64[ns] datetime64[us]",
    }.items()
}
"""What a kind of values is called by Spark, SQL and pandas."""


def is_nan(expression: str) -> str:
    """Whether a number is NaN, also where it comes from a Parquet file.

    DuckDB concludes from the smallest and largest value in the file, which leave NaN out, that
    there is none, and makes ``isnan(x)`` false for all rows; ``abs(x)`` and sums are no better.
    Of ``nextafter(x, x)``, which is x, it concludes nothing.
    """
    return f"isnan(nextafter({expression}, {expression}))"


def kind_of(duckdb_type: str) -> str:
    """The kind of values of a type of DuckDB.

    >>> kind_of("BIGINT"), kind_of("DECIMAL(18,3)"), kind_of("TIMESTAMP WITH TIME ZONE")
    ('whole', 'decimal', 'timestamp')
    """
    if duckdb_type.startswith("DECIMAL"):
        return "decimal"
    if duckdb_type.startswith("TIMESTAMP"):
        return "timestamp"
    if duckdb_type.startswith("ENUM"):
        return "text"
    return KINDS.get(duckdb_type, duckdb_type)


def is_same_type(duckdb_type: str, name: str) -> bool:
    """Whether a suite's name of a type, Spark's best, means a type of DuckDB.

    >>> is_same_type("BIGINT", "LongType"), is_same_type("VARCHAR", "DoubleType")
    (True, False)
    """
    return name.lower() in TYPE_NAMES.get(kind_of(duckdb_type), ()) or name == duckdb_type


def literal(value: Any) -> str:
    """A value as SQL takes it.

    >>> literal("it's"), literal(1.5), literal(True)
    ("'it''s'", 'CAST(1.5 AS DOUBLE)', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"CAST({value!r} AS DOUBLE)" if value - value == 0 else f"'{value}'::DOUBLE"
    return "'" + str(value).replace("'", "''") + "'"


@cache
def condition_of(query: str, batch: str) -> tuple[str, tuple[str, ...]]:
    """The condition of ``SELECT * FROM {batch} WHERE …`` in DuckDB's SQL, and its columns.

    Raises:
        ValueError: It is another query, or uses what engines do not compute alike.
    """
    from sqlglot import exp

    tree = _parsed(query)
    where = tree.args.get("where")
    others = [
        key
        for key, value in tree.args.items()
        if value and key not in {"where", "from", "from_", "expressions", "kind", "hint"}
    ]
    if where is None or others or not isinstance(tree.expressions[0], exp.Star):
        raise ValueError("expected SELECT * FROM {batch} WHERE and a condition, nothing else")
    if where.find(exp.Select):
        raise ValueError("a condition of one row is expected, without another SELECT")
    names = tuple(dict.fromkeys(column.name for column in where.find_all(exp.Column)))
    return where.this.sql(dialect="duckdb"), names


def _parsed(query: str) -> Any:
    import sqlglot
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    from mlrecipes.features.sql import not_portable

    try:
        trees = sqlglot.parse(query.replace(PLACEHOLDER, "batch_rows"), dialect="duckdb")
    except SqlglotError as error:
        raise ValueError(f"the query is no SQL: {str(error).splitlines()[0]}") from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Select):
        raise ValueError("one SELECT is expected")
    problems = list(not_portable(trees[0]))
    if problems:
        raise ValueError(f"the query {problems[0][0]} {problems[0][1]}".strip())
    return trees[0]


def mask(value: Any) -> str:
    """The shape of a value without the value: letters become a and A, digits 9.

    >>> mask("Cash loans 12"), mask(-365243.5), mask(None)
    ('Aaaa aaaaa 99', '-999999.9', 'missing')
    """
    if value is None or value != value:  # noqa: PLR0124 - NaN is missing too
        return "missing"
    text = re.sub(r"\d", "9", str(value))
    return re.sub(r"[^\W\d_]", lambda m: "A" if m.group().isupper() else "a", text)
