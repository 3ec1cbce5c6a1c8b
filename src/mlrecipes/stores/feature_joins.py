"""Features beside the rows of a spine, on this machine.

::

    keys of the spine ─┐
                       ├─ DuckDB: which row of the table belongs to which row of the spine
    keys of the table ─┘                              │
    features of the table, some columns at a time ─── taken in the spine's order ─> a part
    spine + parts, some rows at a time ───────────────────────────────────────────> result

DuckDB sees the keys alone: to sort hundreds of columns into the spine's order would cost it
many times the memory. At no time are there more than some columns of one table in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlrecipes.feature_records import FeatureTableInfo, Lookup
from mlrecipes.stores.duckdb_engine import duckdb_errors, open_duckdb
from mlrecipes.stores.joined_rows import (
    ROW,
    check_lookups,
    numbered,
    spine_keys,
    write_beside,
    write_part,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["join_tables"]

PART_BYTES = 96 << 20
VALUE_BYTES = 8
AT = "__at"


def join_tables(
    spine: Path,
    lookups: Sequence[tuple[Lookup, FeatureTableInfo, Any]],
    path: Path,
    temp_folder: Path,
) -> None:
    """Write a Parquet file with the spine's rows and the features that belong to them.

    Args:
        spine: A Parquet file.
        lookups: What to look up, what its table holds, and its rows as an Arrow dataset.
        path: The file to write.
        temp_folder: For parts of the result and for what DuckDB spills.

    Raises:
        StoreError: A column is missing, cannot be compared, or would be there twice; or a
            file cannot be read or written.
    """
    check_lookups(spine, [(lookup, info) for lookup, info, _ in lookups])
    parts: list[Path] = []
    with duckdb_errors("join the feature tables"):
        temp_folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=temp_folder, prefix="join.") as folder:
            for lookup, info, rows in lookups:
                found = _matches(spine, lookup, info, rows, temp_folder)
                for columns in _groups(lookup, max(len(found), rows.count_rows())):
                    part = Path(folder) / f"{len(parts)}.arrow"
                    taken = rows.to_table(columns=columns).take(found)
                    write_part(taken.rename_columns([lookup.features[c] for c in columns]), part)
                    parts.append(part)
            write_beside(spine, parts, path)


def _groups(lookup: Lookup, n_rows: int) -> Iterator[list[str]]:
    columns = [*lookup.features]
    size = max(1, PART_BYTES // (VALUE_BYTES * max(n_rows, 1)))
    for start in range(0, len(columns), size):
        yield columns[start : start + size]


def _matches(
    spine: Path, lookup: Lookup, info: FeatureTableInfo, rows: Any, temp_folder: Path
) -> pa.Array:
    """For each row of the spine the position of the table's row that belongs to it, or null."""
    keys, event_time = [*info.table.primary_keys], info.table.event_time
    of_spine = [(column, f"k{keys.index(key)}") for column, key in lookup.keys.items()]
    of_table = [(key, f"k{position}") for position, key in enumerate(keys)]
    if event_time is not None:
        of_table.append((event_time, AT))
    as_of = event_time is not None and lookup.event_time is not None
    if as_of:
        of_spine.append((str(lookup.event_time), AT))
    batches = rows.scanner(columns=[column for column, _ in of_table]).to_batches()
    with closing(open_duckdb(temp_folder)) as connection:
        for name, arrow in (
            ("s", spine_keys(spine, of_spine)),
            ("t", numbered(rows.schema, batches, of_table)),
        ):
            connection.register("arrow", arrow)
            connection.execute(f"CREATE TEMP TABLE {name} AS FROM arrow")
        query = _query(len(keys), has_time=event_time is not None, as_of=as_of)
        return connection.sql(query).to_arrow_table().column(0)


def _query(n_keys: int, *, has_time: bool, as_of: bool) -> str:
    same = " AND ".join(f"s.k{i} = t.k{i}" for i in range(n_keys))
    if as_of:
        joined = f"s ASOF LEFT JOIN t ON {same} AND s.{AT} >= t.{AT}"
    elif has_time:
        keys = ", ".join(f"k{i}" for i in range(n_keys))
        newest = f"row_number() OVER (PARTITION BY {keys} ORDER BY {AT} DESC) = 1"
        joined = f"s LEFT JOIN (FROM t QUALIFY {newest}) t ON {same}"
    else:
        joined = f"s LEFT JOIN t ON {same}"
    return f"FROM {joined} SELECT t.{ROW} ORDER BY s.{ROW}"
