"""What all feature stores agree on: names, properties, and what is said when it is wrong."""

from __future__ import annotations

import dataclasses
import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mlrecipes.errors import MAX_EXAMPLES, StoreError, TryAgain, did_you_mean, few
from mlrecipes.feature_ports import FeatureStore
from mlrecipes.feature_records import FeatureTable, FeatureTableInfo
from mlrecipes.stores.feature_types import check_columns

__all__ = [
    "as_of",
    "check_changed",
    "check_definition",
    "check_name",
    "check_new",
    "check_properties",
    "existing",
    "exists_already",
    "info_from",
    "keys_first",
    "new_values",
    "no_table",
    "no_version",
    "properties_of",
    "stale",
    "too_busy",
    "version_at",
]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,127}")
PRIMARY_KEYS = "mlrecipes.primary_keys"
EVENT_TIME = "mlrecipes.event_time"
OWNER = "mlrecipes.owner"
TABLE_ID = "mlrecipes.table_id"
"""Of our own: delta-rs gives a table another id when its columns are replaced."""
OURS = (PRIMARY_KEYS, EVENT_TIME, OWNER, TABLE_ID)


def check_name(name: str) -> None:
    """See to it that a name is that of a table, and no path.

    Raises:
        StoreError: It is not.
    """
    if not NAME.fullmatch(name):
        raise StoreError(
            f"{few([name])} is not a name of a feature table.",
            hint="Use letters, digits and '_', with a letter or digit first, 128 at most.",
        )


# ---- definition and properties -------------------------------------------------------------


def properties_of(table: FeatureTable, properties: Mapping[str, str] | None) -> dict[str, str]:
    """What is kept with a new Delta table: its definition, then the caller's own properties."""
    kept = {PRIMARY_KEYS: json.dumps(list(table.primary_keys)), TABLE_ID: str(uuid.uuid4())}
    if table.event_time is not None:
        kept[EVENT_TIME] = table.event_time
    if table.owner:
        kept[OWNER] = table.owner
    return kept | dict(properties or {})


def info_from(
    name: str,
    description: str | None,
    properties: Mapping[str, str],
    columns: Mapping[str, str],
    version: int,
) -> FeatureTableInfo:
    """The other way: what a Delta table says of itself.

    Raises:
        StoreError: The table is no feature table: it has no primary keys.
    """
    try:
        table = FeatureTable(
            name,
            tuple(str(key) for key in json.loads(properties[PRIMARY_KEYS])),
            properties.get(EVENT_TIME) or None,
            description or "",
            properties.get(OWNER, ""),
        )
        table_id = properties[TABLE_ID]
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(
            f"{name} is a Delta table, but no feature table: its property {PRIMARY_KEYS} "
            f"or {TABLE_ID} is missing or damaged."
        ) from error
    own = {
        key: value
        for key, value in sorted(properties.items())
        if key not in OURS and not key.startswith("delta.")
    }
    return FeatureTableInfo(table, columns, version, table_id, own)


def as_of(
    info: FeatureTableInfo, columns: Mapping[str, str], version: int | None
) -> FeatureTableInfo:
    """What a table held in an older version."""
    if version is None:
        return info
    return dataclasses.replace(info, columns=columns, version=version)


def check_properties(properties: Mapping[str, str] | None) -> None:
    """See to it that nobody changes the definition, or Delta's settings, by a property.

    Raises:
        StoreError: A name is one of those.
    """
    taken = [key for key in properties or {} if key in OURS or key.startswith("delta.")]
    if taken:
        raise StoreError(f"Properties {few(sorted(taken))} are kept by the feature store itself.")


def new_values(properties: Mapping[str, str] | None, now: Mapping[str, str]) -> dict[str, str]:
    """Those properties that are to be changed."""
    return {key: value for key, value in (properties or {}).items() if now.get(key) != value}


def check_new(
    store: FeatureStore, table: FeatureTable, properties: Mapping[str, str] | None
) -> None:
    """See to it that a table can be made: its name, its properties, and that there is none yet.

    Raises:
        StoreError: Something is wrong with one of these.
    """
    check_name(table.name)
    check_properties(properties)
    found = store.find(table.name)
    if found is not None:
        raise exists_already(table.name, found.version)


def existing(store: FeatureStore, name: str) -> FeatureTableInfo:
    """What a table that must be there holds now.

    Raises:
        StoreError: There is no such table.
    """
    found = store.find(name)
    if found is None:
        raise no_table(name, store.names())
    return found


def check_definition(table: FeatureTable, columns: Sequence[str]) -> None:
    """See to it that a new table has the keys that it says.

    Raises:
        StoreError: There is no key, or no column for it; or names are wrong.
    """
    check_name(table.name)
    if not table.primary_keys:
        raise StoreError(f"Feature table {table.name} has no primary key.")
    check_columns(table.name, [*columns])
    check_keys_there(table, columns)


def check_keys_there(table: FeatureTable, columns: Sequence[str]) -> None:
    """See to it that rows have all keys.

    Raises:
        StoreError: A key has no column.
    """
    missing = [key for key in table.row_keys if key not in columns]
    if missing:
        raise StoreError(
            f"Feature table {table.name}: the rows lack {len(missing)} of its keys: "
            f"{few(missing)}. {did_you_mean(missing[0], columns)}"
        )


def check_changed(
    info: FeatureTableInfo, columns: Mapping[str, str], *, new_allowed: bool = False
) -> None:
    """Compare rows to be written with the table that takes them.

    Raises:
        StoreError: A key is missing, a column is new, or one has another type.
    """
    name = info.table.name
    check_columns(name, [*columns])
    check_keys_there(info.table, [*columns])
    known = {column.lower(): column for column in info.columns}
    wrong = [
        f"{column}: seen {seen}, expected {info.columns.get(column, 'no such column')}"
        for column, seen in columns.items()
        if column.lower() in known or not new_allowed
        if info.columns.get(column) != seen
    ]
    n_more = len(wrong) - MAX_EXAMPLES
    if wrong:
        raise StoreError(
            f"Feature table {name} has other columns than the rows in {len(wrong)} cases: "
            + "; ".join(wrong[:MAX_EXAMPLES])
            + (f" and {n_more} more." if n_more > 0 else "."),
            hint="New features come by add_columns; for other types the table is overwritten.",
        )


# ---- reading ---------------------------------------------------------------------------------


def keys_first(info: FeatureTableInfo, columns: Sequence[str] | None) -> list[str]:
    """The columns to be read: always the keys, then the wanted ones or all.

    Raises:
        StoreError: The table has no such column.
    """
    keys = info.table.row_keys
    for column in columns or ():
        if column not in info.columns:
            raise StoreError(
                f"Feature table {info.table.name}, version {info.version}, has no column "
                f"{few([column])}. {did_you_mean(column, info.columns)}"
            )
    return [*dict.fromkeys([*keys, *(info.columns if columns is None else columns)])]


def version_at(
    name: str, history: Sequence[Mapping[str, Any]], at: datetime, version: int | None
) -> int:
    """The newest version that was there at a time; a time without a zone is UTC.

    Args:
        name: Of the table.
        history: One mapping a version, with ``version`` and ``timestamp`` in milliseconds.
        at: The time.
        version: Must be None: a version and a time are one too many.

    Raises:
        StoreError: The table was made later, or a version is given too.
    """
    if version is not None:
        raise StoreError(f"Feature table {name} is to be read as of a version or a time, not both.")
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    made_ms = {int(entry["version"]): int(entry["timestamp"]) for entry in history}
    there = [number for number, made in made_ms.items() if made <= at.timestamp() * 1000]
    if not there:
        first = min(made_ms)
        made_at = datetime.fromtimestamp(made_ms[first] / 1000, UTC)
        raise StoreError(
            f"Feature table {name} had no version at {at.isoformat()}: the first one that is "
            f"known, {first}, is of {made_at.isoformat()}."
        )
    return max(there)


# ---- errors ------------------------------------------------------------------------------------


def no_table(name: str, names: Iterable[str]) -> StoreError:
    """There is no such table."""
    return StoreError(
        f"There is no feature table {few([name])}. {did_you_mean(name, names)}".rstrip()
    )


def exists_already(name: str, version: int) -> StoreError:
    """There is such a table already."""
    return StoreError(
        f"Feature table {name} exists already (version {version}).",
        hint="Add to it, overwrite it, or drop it first.",
    )


def no_version(name: str, version: int, newest: int) -> StoreError:
    """There is no such version, or not any more."""
    return StoreError(
        f"Feature table {name} has no version {version}; the newest is {newest}."
        + ("" if version > newest or version < 0 else " Old versions may have been cleaned up.")
    )


def stale(name: str, expected: int, seen: int | None = None) -> TryAgain:
    """Somebody wrote to a table that was expected to stay as it was."""
    has = "another version by now" if seen is None else f"version {seen} by now"
    return TryAgain(
        f"Feature table {name} has {has}, expected version {expected}. Nothing was written.",
        hint="Run again: it starts from what is there now.",
    )


def too_busy(name: str, version: int, n_tries: int) -> TryAgain:
    """Others were faster, time and again."""
    return TryAgain(
        f"Feature table {name} was changed by others in each of {n_tries} tries to write to it "
        f"(last on version {version}). Nothing was written.",
        hint="Run again when the others are done.",
    )
