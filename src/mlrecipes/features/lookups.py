"""From the lookups that a recipe declares to columns of tables that are there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlrecipes.config.feature_schema import FeatureLookup
from mlrecipes.errors import DataError, did_you_mean, few, shorten
from mlrecipes.feature_records import FeatureTableInfo, Lookup
from mlrecipes.records import to_json

__all__ = [
    "Spine",
    "lookups_from_json",
    "lookups_json",
    "resolve_lookups",
    "without_columns",
]

KEY = "steps.ingest.feature_lookups"


@dataclass(frozen=True, slots=True)
class Spine:
    """The rows that features are looked up for.

    Attributes:
        columns: Their columns.
        hidden: Columns that no model sees: target, identifiers, ignored ones.
        needs_time: Whether tables with an event time must be asked for a moment: for
            training, because a later row would tell the future.
    """

    columns: Sequence[str]
    hidden: frozenset[str] = frozenset()
    needs_time: bool = True


def lookups_json(lookups: Sequence[Lookup]) -> list[dict[str, Any]]:
    """Lookups as plain data, for an artifact or a model."""
    plain: list[dict[str, Any]] = to_json(list(lookups))
    return plain


def lookups_from_json(data: Sequence[Mapping[str, Any]]) -> tuple[Lookup, ...]:
    """The lookups that :func:`lookups_json` took apart."""
    return tuple(Lookup(**item) for item in data)


def without_columns(lookups: Sequence[Lookup], columns: Collection[str]) -> tuple[Lookup, ...]:
    """Leave out features by the names of their columns, and lookups of which nothing is left.

    What a model carries names no protected attribute, so that scoring never fetches one.
    """
    kept = (
        replace(lookup, features={f: c for f, c in lookup.features.items() if c not in columns})
        for lookup in lookups
    )
    return tuple(lookup for lookup in kept if lookup.features)


def resolve_lookups(
    lookups: Sequence[FeatureLookup],
    tables: Mapping[str, FeatureTableInfo],
    spine: Spine,
    where: Callable[[str], str] = str,
) -> tuple[Lookup, ...]:
    """Find each declared feature in its table.

    Args:
        lookups: As declared.
        tables: The tables that are there, by name.
        spine: What the features are put beside.
        where: Says where a configuration key stands.

    Returns:
        One lookup a declaration, pinned to the tables' versions, in the order declared.

    Raises:
        DataError: A table, a feature or a key is missing; two columns of the result have one
            name; a feature would be hidden from the model; all of that at once.
    """
    problems: list[str] = []
    resolved: list[Lookup] = []
    taken = dict.fromkeys(spine.columns, "the data")
    for index, lookup in enumerate(lookups):
        key = f"{KEY}[{index}]"
        info = tables.get(lookup.table_name)
        if info is None:
            near = did_you_mean(lookup.table_name, tables) if tables else ""
            problems.append(
                f"{where(key)}: there is no feature table '{lookup.table_name}'. {near}"
            )
            continue
        found = _resolved(lookup, info)
        place = f"{where(key)}: lookup of {lookup.table_name}"
        own = [*_key_problems(lookup, info, spine), *_feature_problems(lookup, info)]
        problems.extend(f"{place} {what}" for what in own)
        problems.extend(f"{place} {what}" for what in _column_problems(found, taken, spine))
        resolved.append(found)
    if problems:
        raise DataError("\n".join(problems), hint="Look: mlrecipes inspect features")
    return tuple(resolved)


def _resolved(lookup: FeatureLookup, info: FeatureTableInfo) -> Lookup:
    names = lookup.feature_names or tuple(f for f in info.features if f not in lookup.exclude)
    return Lookup(
        table=lookup.table_name,
        keys=dict(zip(lookup.lookup_key, info.table.primary_keys, strict=False)),
        features={name: lookup.rename_outputs.get(name, name) for name in names},
        version=info.version,
        event_time=lookup.timestamp_lookup_key,
    )


def _key_problems(lookup: FeatureLookup, info: FeatureTableInfo, spine: Spine) -> Iterator[str]:
    keys = info.table.primary_keys
    if len(lookup.lookup_key) != len(keys):
        yield f"has {len(lookup.lookup_key)} lookup_key; its table has {few(keys)}."
    named = [*lookup.lookup_key, *filter(None, [lookup.timestamp_lookup_key])]
    for name in named:
        if name not in spine.columns:
            near = did_you_mean(name, spine.columns)
            yield f"needs '{shorten(name)}', which is no column of the data. {near}"
    if info.table.event_time and not lookup.timestamp_lookup_key and spine.needs_time:
        yield (
            f"needs timestamp_lookup_key: the table has the event time '{info.table.event_time}', "
            "and its newest row may tell the future."
        )
    if lookup.timestamp_lookup_key and not info.table.event_time:
        yield "has timestamp_lookup_key, but its table has no event time."


def _feature_problems(lookup: FeatureLookup, info: FeatureTableInfo) -> Iterator[str]:
    for word in ("feature_names", "exclude", "rename_outputs"):
        for name in getattr(lookup, word):
            if name not in info.features:
                near = did_you_mean(name, info.features)
                yield f"names '{shorten(name)}' in {word}, which its table has not. {near}"


def _column_problems(lookup: Lookup, taken: dict[str, str], spine: Spine) -> Iterator[str]:
    columns = list(lookup.columns)
    doubles = [column for column in columns if column in taken or columns.count(column) > 1]
    for column in dict.fromkeys(doubles):
        other = taken.get(column, "itself")
        yield f"gives '{shorten(column)}', as does {other}. Use exclude or rename_outputs."
    unused = [column for column in columns if column in spine.hidden and column not in taken]
    if unused:
        yield f"gives {few(unused)}, which no model sees (ignore_cols). Use exclude."
    taken.update(dict.fromkeys(columns, f"the lookup of {lookup.table}"))
