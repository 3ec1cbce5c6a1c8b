"""The types that feature tables have, and how Arrow's types become them.

All stores write the same few types, so that each reads the tables of the others. Times are
moments in UTC with microseconds: a time without a zone is taken as UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlrecipes.errors import StoreError, few, shorten

__all__ = ["arrow_types", "as_stored", "check_columns", "family", "stored_name", "type_name"]

REFUSED = re.compile(r"""[\s,;{}()="'`.\\/]""")
DELTA_TO_SPARK = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}
FAMILIES = {
    "tinyint": "number",
    "smallint": "number",
    "int": "number",
    "bigint": "number",
    "float": "number",
    "double": "number",
    "date": "time",
    "timestamp": "time",
    "timestamp_ntz": "time",
}


def type_name(delta_type: object) -> str:
    """A type in a Delta schema as Spark SQL names it.

    >>> type_name("long"), type_name("decimal(9,2)"), type_name({"type": "array"})
    ('bigint', 'decimal(9,2)', 'array')
    """
    if isinstance(delta_type, Mapping):
        return str(delta_type.get("type", "unknown"))
    return DELTA_TO_SPARK.get(str(delta_type), str(delta_type))


def family(name: str) -> str:
    """Types of one family can be compared.

    >>> family("int") == family("double"), family("string")
    (True, 'string')
    """
    return "number" if name.startswith("decimal") else FAMILIES.get(name, name)


def check_columns(table: str, columns: list[str]) -> None:
    """See to it that all stores can have these columns.

    Raises:
        StoreError: A name is empty, holds a character that Delta refuses, or is there twice.
    """
    wrong = [name for name in columns if not name or REFUSED.search(name)]
    if wrong:
        raise StoreError(
            f"Feature table {table}: {len(wrong)} names of columns that Delta refuses: "
            f"{few(wrong)}.",
            hint="Use letters, digits, '_' and '-': no spaces, dots, quotes or brackets.",
        )
    lower = [name.lower() for name in columns]
    doubles = sorted({name for name in columns if lower.count(name.lower()) > 1})
    if doubles:
        raise StoreError(
            f"Feature table {table}: columns are there more than once: {few(doubles)}. "
            "Spark takes upper and lower case as the same."
        )


def as_stored(what: str, schema: Any, expected: Mapping[str, str] | None = None) -> Any:
    """The Arrow schema in which columns are written.

    Args:
        what: Whose columns these are, for messages.
        schema: Arrow schema, or fields, of the rows as they come.
        expected: Types of the columns that are there: a column of nulls alone takes its type
            from here.

    Raises:
        StoreError: A column has no type (all its values are null) or one that no feature has.
    """
    import pyarrow as pa

    by_name = {stored: arrow for arrow, stored in arrow_types().items()}
    fields, wrong = [], []
    for field in schema:
        known = (expected or {}).get(field.name)
        if pa.types.is_null(field.type) and known is not None:
            stored = by_name.get(known) or _decimal(known)
        else:
            stored = _stored(field.type)
        if stored is None:
            wrong.append(f"{shorten(field.name)} ({shorten(field.type)})")
        else:
            fields.append(pa.field(field.name, stored))
    if wrong:
        raise StoreError(
            f"{what}: {len(wrong)} columns with a type that feature tables do not store: "
            f"{few(wrong)}.",
            hint="Cast them in the query, such as CAST(x AS DOUBLE); 'null' is the type of a "
            "column without any value.",
        )
    return pa.schema(fields)


def arrow_types() -> dict[Any, str]:
    """Arrow types as they are stored, and their names in Spark SQL; decimals come beside."""
    import pyarrow as pa

    return {
        pa.bool_(): "boolean",
        pa.int8(): "tinyint",
        pa.int16(): "smallint",
        pa.int32(): "int",
        pa.int64(): "bigint",
        pa.float32(): "float",
        pa.float64(): "double",
        pa.string(): "string",
        pa.binary(): "binary",
        pa.date32(): "date",
        pa.timestamp("us", "UTC"): "timestamp",
    }


def _stored(arrow: Any) -> Any:
    """Nothing is lost, but what is finer than a microsecond; None if there is no such type."""
    import pyarrow as pa

    if arrow in arrow_types() or pa.types.is_decimal128(arrow):
        return arrow
    if pa.types.is_dictionary(arrow):
        return _stored(arrow.value_type)
    if pa.types.is_timestamp(arrow):
        return pa.timestamp("us", "UTC")
    if pa.types.is_large_string(arrow) or arrow == pa.string_view():
        return pa.string()
    if pa.types.is_large_binary(arrow) or arrow == pa.binary_view():
        return pa.binary()
    wider = {
        pa.uint8(): pa.int16(),
        pa.uint16(): pa.int32(),
        pa.uint32(): pa.int64(),
        pa.uint64(): pa.int64(),
        pa.float16(): pa.float32(),
        pa.date64(): pa.date32(),
    }
    return wider.get(arrow)


def _decimal(name: str) -> Any:
    import pyarrow as pa

    found = re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", name)
    return pa.decimal128(int(found[1]), int(found[2])) if found else None


def stored_name(arrow: Any) -> str:
    """The name in Spark SQL of an Arrow type that is stored."""
    import pyarrow as pa

    if pa.types.is_decimal128(arrow):
        return f"decimal({arrow.precision},{arrow.scale})"
    return arrow_types()[arrow]
