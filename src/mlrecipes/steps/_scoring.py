"""From the rows of a batch to the features that a model scores, checked on the way."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlrecipes.checks.scoring_contract import Contract, Difference, compare, difference_table
from mlrecipes.config.predict_schema import Predict
from mlrecipes.errors import DataError, GateRejected, few
from mlrecipes.ports import StoredFrame
from mlrecipes.records import Scalar, Section, Table, Text
from mlrecipes.scoring_ports import BatchModel
from mlrecipes.steps._contract import Context

__all__ = ["Prepared", "contract_section", "prepare_rows"]

KEY = "steps.predict"
WRITTEN = ("prediction", "probability", "model_name", "model_version", "run_id", "batch_id")
"""Columns that batch scoring writes itself; reasons and ``scored_at`` come beside."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows that a model can score.

    Attributes:
        path: A Parquet file with all that the model needs.
        kept: The columns that go with the predictions.
        differences: Columns that are not as in training, and do not matter.
        n_repeated: How many rows have the keys of an earlier one.
        keys: By which columns rows are told apart; none if the recipe names none.
    """

    path: Path
    kept: tuple[str, ...]
    differences: tuple[Difference, ...]
    n_repeated: int
    keys: tuple[str, ...]


def prepare_rows(path: Path, model: BatchModel, context: Context) -> Prepared:
    """Hold the rows against what the model was fitted on, then look its features up.

    Raises:
        GateRejected: Columns are missing or of another type; before any feature is looked up,
            unless it is a looked-up one.
        StoreError: A feature table is missing, or a file cannot be read or written.
    """
    settings, rows = settings_of(context), context.ports.reader.stored(path)
    looked_up = {column for lookup in model.lookups for column in lookup.columns}
    needed = dict.fromkeys(name for lookup in model.lookups for name in lookup.spine_columns)
    own = {name: dtype for name, dtype in model.columns.items() if name not in looked_up}
    columns = {str(name): dtype for name, dtype in rows.dtypes.items() if name not in looked_up}
    contract = Contract(_key_types(model, context) | own, context.config.hidden_cols)
    differences = _checked(columns, contract, model, settings.extra_columns)
    kept = _kept(columns, list(needed), context)
    keys = tuple(name for name in context.config.id_cols or needed if name in columns)
    n_repeated = context.ports.scoring.n_repeated(path, keys) if keys else 0
    if n_repeated:
        warnings.warn(
            f"{n_repeated:,} of {rows.n_rows:,} rows have the same {few(keys)} as an earlier one; "
            "each is scored.",
            stacklevel=1,
        )
    if model.lookups:
        spine = dict.fromkeys([*needed, *own, *kept])
        path = _joined(rows, list(spine), model, context)
        found = {str(n): t for n, t in context.ports.reader.stored(path).dtypes.items()}
        _checked(found, Contract(model.columns, found), model, "ignore")
    return Prepared(path, kept, differences, n_repeated, keys)


def settings_of(context: Context) -> Predict:
    """The section of the recipe."""
    settings = context.config.steps.predict
    if settings is None:
        raise DataError(f"{context.where('steps')}: there is no {KEY}.")
    return settings


def contract_section(prepared: Prepared, model: BatchModel) -> Section:
    """What the rows were held against, and what differs."""
    n_columns, n_tables = len(model.columns), len(model.lookups)
    said = f"The model has {n_columns} columns, of which those of {n_tables} tables are looked up."
    blocks: list[Text | Table] = [Text(said)]
    if prepared.differences:
        blocks.append(difference_table(prepared.differences))
    return Section("Contract", tuple(blocks))


def _key_types(model: BatchModel, context: Context) -> dict[str, Any]:
    """The columns that features are looked up by, with types that their tables can compare."""
    import numpy as np
    import pandas as pd

    kinds = {"string": pd.StringDtype(), "boolean": np.dtype(bool)}
    kinds |= dict.fromkeys(("date", "timestamp", "timestamp_ntz"), np.dtype("M8[us]"))
    kinds |= dict.fromkeys(("tinyint", "smallint", "int", "bigint"), np.dtype("int64"))
    kinds |= dict.fromkeys(("float", "double"), np.dtype("float64"))
    types: dict[str, Any] = {}
    for lookup in model.lookups:
        info = context.ports.feature_backend().store.find(lookup.table)
        pairs = dict(lookup.keys)
        if lookup.event_time is not None and info is not None and info.table.event_time:
            pairs[lookup.event_time] = info.table.event_time
        for column, key in pairs.items():
            types.setdefault(column, None if info is None else kinds.get(info.columns[key]))
        for column in lookup.spine_columns:
            types.setdefault(column, None)
    return types


def _checked(
    columns: dict[str, object], contract: Contract, model: BatchModel, extra: str
) -> tuple[Difference, ...]:
    differences = compare(columns, contract)
    is_strict = extra == "stop"
    wrong = [one for one in differences if one.kind != "extra" or is_strict]
    if wrong:
        raise GateRejected(
            f"predict: the rows do not fit {model.identity.label}: {len(wrong)} of its "
            f"{len(contract.wanted)} columns differ. Nothing was scored.\n{_lines(differences)}",
            hint="Mend the rows, or score with a model that was trained on such rows: "
            "mlrecipes predict --model models:/<name>/<version>",
        )
    names = [one.column for one in differences]
    if names and extra == "warn":
        warnings.warn(
            f"{len(names)} columns of the rows are not known to the model and left out: "
            f"{few(names)}.",
            stacklevel=1,
        )
    return differences


def _lines(differences: Sequence[Difference]) -> str:
    """The table of differences as text."""
    table = difference_table(differences)
    cells: list[tuple[Scalar, ...]] = [table.columns, *table.rows]
    widths = [max(len(str(row[i])) for row in cells) for i in range(len(table.columns))]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    return "\n".join(f"  {line.rstrip()}" for line in [*lines, *filter(None, [table.caption])])


def _kept(columns: dict[str, object], needed: list[str], context: Context) -> tuple[str, ...]:
    """The columns that go with the predictions; those that we write ourselves win."""
    config, settings = context.config, settings_of(context)
    wanted = [*columns] if settings.columns == "all" else [*config.id_cols, *needed]
    taken = {*WRITTEN, "scored_at"}
    double = [name for name in wanted if name in taken]
    if double:
        warnings.warn(f"The rows have {few(double)}, which predictions replace.", stacklevel=1)
    return tuple(dict.fromkeys(n for n in wanted if n in columns and n not in taken))


def _joined(rows: StoredFrame, columns: list[str], model: BatchModel, context: Context) -> Path:
    reader, staging = context.ports.reader, context.staging
    spine = reader.narrow(rows, columns, staging / "spine.parquet")
    path = staging / "features_to_score.parquet"
    context.ports.feature_backend().store.join(spine.path, model.lookups, path)
    return path
