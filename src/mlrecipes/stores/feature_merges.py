"""Rows into a Delta table by key, as one commit of delta-rs each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlrecipes.feature_records import FeatureTableInfo
from mlrecipes.stores.duckdb_engine import quoted

if TYPE_CHECKING:
    import pyarrow as pa
    from deltalake import CommitProperties, DeltaTable, Field
    from deltalake.table import TableMerger

__all__ = ["add_by_key", "merge_by_key"]


def merge_by_key(
    delta: DeltaTable,
    info: FeatureTableInfo,
    columns: Mapping[str, str],
    rows: Callable[[], pa.RecordBatchReader],
    commit: CommitProperties,
) -> None:
    """Update rows that differ, insert those with new keys; no commit if there is none of both.

    Raises:
        CommitFailedError: The table has a newer version.
    """
    merger = _merger(delta, info, rows(), commit)
    values = [column for column in columns if column not in info.table.row_keys]
    if values:
        merger = merger.when_matched_update(_from_source(values), _any_differs(values))
    merger.when_not_matched_insert(_from_source([*columns])).execute()


def add_by_key(
    delta: DeltaTable,
    info: FeatureTableInfo,
    columns: Mapping[str, str],
    rows: Callable[[], pa.RecordBatchReader],
    commit: CommitProperties,
) -> None:
    """Fill columns, new ones and old ones, in the rows that are there; null without a match.

    Raises:
        CommitFailedError: The table has a newer version.
    """
    new = [column for column in columns if column not in info.columns]
    old = [column for column in columns if column in info.features]
    if not new and not old:
        return
    merger = _merger(delta, info, rows(), commit, merge_schema=bool(new))
    merger = merger.when_matched_update(
        _from_source([*old, *new]), None if new else _any_differs(old)
    )
    if old:
        filled = " OR ".join(f"(t.{quoted(column)} IS NOT NULL)" for column in old)
        merger = merger.when_not_matched_by_source_update(
            {quoted(column): "NULL" for column in old}, filled
        )
    merger.execute()
    if new and set(new) - {field.name for field in delta.schema().fields}:
        # No row matched, so nothing was committed.
        delta.alter.add_columns(_fields(rows().schema, new), commit_properties=commit)


def _merger(
    delta: DeltaTable,
    info: FeatureTableInfo,
    rows: Any,
    commit: CommitProperties,
    *,
    merge_schema: bool = False,
) -> TableMerger:
    same = " AND ".join(f"t.{quoted(key)} = s.{quoted(key)}" for key in info.table.row_keys)
    return delta.merge(
        rows,
        same,
        source_alias="s",
        target_alias="t",
        merge_schema=merge_schema,
        commit_properties=commit,
    )


def _from_source(columns: Sequence[str]) -> dict[str, str]:
    return {quoted(column): f"s.{quoted(column)}" for column in columns}


def _any_differs(columns: Sequence[str]) -> str:
    """Null equals null here, and NaN equals NaN."""
    return " OR ".join(f"(t.{quoted(name)} IS DISTINCT FROM s.{quoted(name)})" for name in columns)


def _fields(schema: pa.Schema, names: Sequence[str]) -> list[Field]:
    from deltalake import Schema

    return [field for field in Schema.from_arrow(schema).fields if field.name in names]
