"""What all feature stores agree on: names, properties, and what is said when it is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from mlrecipes.errors import StoreError, TryAgain, did_you_mean, few
from mlrecipes.feature_records import FeatureTable, FeatureTableInfo
from mlrecipes.stores.feature_types import check_columns, family

__all__ = [
    "check_changed",
    "check_definition",
    "check_name",
    "check_properties",
    "definition_from",
    "exists_already",
    "in_order",
    "keys_first",
    "no_table",
    "no_version",
    "properties_of",
    "stale",
    "too_busy",
]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]{0,127}")
PRIMARY_KEYS = "mlrecipes.primary_keys"
EVENT_TIME = "mlrecipes.event_time"
OWNER = "mlrecipes.owner"
OURS = (PRIMARY_KEYS, EVENT_TIME, OWNER)


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
    """What is kept as properties of the Delta table: the definition, then the caller's own."""
    kept = {PRIMARY_KEYS: json.dumps(list(table.primary_keys))}
    if table.event_time is not None:
        kept[EVENT_TIME] = table.event_time
    if table.owner:
        kept[OWNER] = table.owner
    return kept | dict(properties or {})


def definition_from(
    name: str, description: str | None, properties: Mapping[str, str]
) -> tuple[FeatureTable, dict[str, str]]:
    """The other way: the definition of a Delta table, and the caller's own properties.

    Raises:
        StoreError: The table is no feature table: it has no primary keys.
    """
    try:
        keys = json.loads(properties[PRIMARY_KEYS])
        table = FeatureTable(
            name,
            tuple(str(key) for key in keys),
            properties.get(EVENT_TIME) or None,
            description or "",
            properties.get(OWNER, ""),
        )
    except (KeyError, ValueError, TypeError) as error:
        raise StoreError(
            f"{name} is a Delta table, but no feature table: its property {PRIMARY_KEYS} "
            "is missing or damaged."
        ) from error
    own = {
        key: value
        for key, value in sorted(properties.items())
        if key not in OURS and not key.startswith("delta.")
    }
    return table, own


def check_properties(properties: Mapping[str, str] | None) -> None:
    """See to it that nobody changes the definition, or Delta's settings, by a property.

    Raises:
        StoreError: A name is one of those.
    """
    taken = [key for key in properties or {} if key in OURS or key.startswith("delta.")]
    if taken:
        raise StoreError(f"Properties {few(sorted(taken))} are kept by the feature store itself.")


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
    if wrong:
        raise StoreError(
            f"Feature table {name} has other columns than the rows in {len(wrong)} cases: "
            + "; ".join(wrong[:5])
            + (f" and {len(wrong) - 5} more." if len(wrong) > 5 else "."),
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


def in_order(info: FeatureTableInfo, columns: Iterable[str]) -> list[str]:
    """Columns in the order in which the table has them."""
    wanted = set(columns)
    return [column for column in info.columns if column in wanted]


def comparable(one: str, other: str) -> bool:
    """Whether values of two types can be keys of the same row."""
    return family(one) == family(other)


# ---- errors ------------------------------------------------------------------------------------


def no_table(name: str, names: Iterable[str]) -> StoreError:
    """There is no such table."""
    return StoreError(f"There is no feature table {few([name])}. {did_you_mean(name, names)}")


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
