"""Putting looked-up features beside the ingested rows, and looking at what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.errors import DataError
from mlrecipes.feature_ports import FeatureStore
from mlrecipes.feature_records import FeatureTableInfo, Lookup
from mlrecipes.features.lookups import Spine, resolve_lookups
from mlrecipes.ports import StoredFrame
from mlrecipes.records import Scalar, Section, Table, Text
from mlrecipes.steps._contract import Context

__all__ = [
    "Coverage",
    "cover",
    "lookup_section",
    "lookups_of",
    "spine_columns",
]

LARGE_GAP = 0.10
N_SHOWN = 15


@dataclass(frozen=True, slots=True)
class Coverage:
    """What is known of some rows.

    Attributes:
        n_rows: Number of rows.
        found: Share of the rows that have a row in each feature table.
        missing: Share of the rows in which each feature has no value.
    """

    n_rows: int
    found: Mapping[str, float]
    missing: Mapping[str, float]


def lookups_of(
    context: Context,
    store: FeatureStore,
    columns: Sequence[str],
    built: Mapping[str, Any],
) -> tuple[tuple[Lookup, ...], list[FeatureTableInfo]]:
    """Resolve the recipe's lookups against the store, and give the tables that they read.

    Args:
        context: The step's context.
        store: Holds the feature tables.
        columns: Of the rows that features are put beside.
        built: What the features step wrote, by table: these versions are read.

    Raises:
        DataError: What is declared is not there, twice or of no use.
    """
    config = context.config
    names = [lookup.table_name for lookup in config.steps.ingest.feature_lookups]
    tables = {name: info for name in names if (info := store.find(name)) is not None}
    if missing := [name for name in names if name not in tables]:
        there = ", ".join(store.names()) or "none at all"
        raise DataError(
            f"{context.where('steps.ingest.feature_lookups')}: the feature store has no table "
            f"{', '.join(missing)}; it has {there}.",
            hint="Build them: mlrecipes features",
        )
    moved = [n for n, facts in built.items() if n in tables and _moved(tables[n], facts)]
    if moved:
        raise DataError(
            f"The feature table {moved[0]} was written by somebody else since it was built here.",
            hint="Run it again: the features step looks at the table anew.",
        )
    # A protected attribute may be looked up: evaluate compares its groups.
    spine = Spine(tuple(columns), config.hidden_cols.difference(config.protected_cols))
    found = resolve_lookups(config.steps.ingest.feature_lookups, tables, spine, context.where)
    return found, list(tables.values())


def _moved(info: FeatureTableInfo, facts: Mapping[str, Any]) -> bool:
    return (info.table_id, info.version) != (facts["table_id"], facts["version"])


def spine_columns(lookups: Sequence[Lookup]) -> list[str]:
    """The columns that rows need for their features to be looked up."""
    return list(dict.fromkeys(name for lookup in lookups for name in lookup.spine_columns))


def cover(table: StoredFrame, lookups: Sequence[Lookup]) -> Coverage:
    """Count what was found: a row of a table counts as found if any of its features is."""
    found: dict[str, float] = {}
    missing: dict[str, float] = {}
    for lookup in lookups:
        is_known = table.columns(lookup.columns).notna()
        found[lookup.table] = float(is_known.any(axis=1).mean())
        missing |= {str(name): 1 - float(share) for name, share in is_known.mean().items()}
    return Coverage(table.n_rows, found, missing)


def lookup_section(
    lookups: Sequence[Lookup], training: Coverage, scoring: Coverage | None
) -> Section:
    """Which share of the rows each feature table knows, in training and in scoring."""
    if scoring is None:
        rows = tuple((*_about(lookup), f"{training.found[lookup.table]:.1%}") for lookup in lookups)
        table = Table(("table", "version", "features", "found"), rows)
        return Section("Feature Lookups", (table,))
    gaps = {name: scoring.found[name] - training.found[name] for name in training.found}
    pairs = tuple(
        (*_about(lookup), *_shares(training.found[lookup.table], scoring.found[lookup.table]))
        for lookup in lookups
    )
    large = tuple(i for i, lookup in enumerate(lookups) if abs(gaps[lookup.table]) > LARGE_GAP)
    columns = ("table", "version", "features", "found: training", "found: scoring", "points")
    caption = f"{training.n_rows:,} rows to train on, {scoring.n_rows:,} rows to score"
    warnings = [Text(_warning(lookups[i].table, training, scoring)) for i in large]
    table, missing = Table(columns, pairs, caption, large), _missing_table(training, scoring)
    return Section("Feature Lookups", (table, *warnings, missing))


def _about(lookup: Lookup) -> tuple[Scalar, ...]:
    return lookup.table, lookup.version, len(lookup.features)


def _shares(training: float, scoring: float) -> tuple[str, str, str]:
    return f"{training:.1%}", f"{scoring:.1%}", f"{100 * (scoring - training):+.1f}"


def _warning(table: str, training: Coverage, scoring: Coverage) -> str:
    return (
        f"{table} knows {training.found[table]:.1%} of the rows to train on and "
        f"{scoring.found[table]:.1%} of the rows to score: what the model learns from its gaps "
        "does not hold there. Look at its features before you trust them."
    )


def _missing_table(training: Coverage, scoring: Coverage) -> Table:
    gaps = {name: scoring.missing[name] - share for name, share in training.missing.items()}
    widest = sorted(gaps, key=lambda name: (-abs(gaps[name]), name))[:N_SHOWN]
    rows = tuple((n, *_shares(training.missing[n], scoring.missing[n])) for n in widest)
    columns = ("feature", "missing: training", "missing: scoring", "points")
    return Table(columns, rows, "Features whose share of missing values differs most")
