"""Looked-up features on their way from the store to the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlrecipes.errors import DataError, few
from mlrecipes.feature_records import Lookup

__all__ = ["check_used"]

N_ROWS = 20
N_DONORS = 1_000
SEED = 42


def check_used(transformer: Any, features: Any, lookups: Sequence[Lookup]) -> None:
    """Check that each looked-up feature can reach the model.

    Each is changed in some rows, and the transformer's output must change with it; all of
    them in one call. A column with a single value is left alone: nothing can be told of it.

    Args:
        transformer: Fitted; None lets every column through.
        features: The training part without hidden columns, one row a row.
        lookups: What was looked up.

    Raises:
        DataError: The output does not depend on some of the features.
    """
    looked_up = [column for lookup in lookups for column in lookup.columns]
    columns = [column for column in looked_up if column in features.columns]
    if transformer is None or not columns:
        return
    unused = _unused(transformer, features, columns)
    if unused:
        n = len(unused)
        raise DataError(
            f"{n} looked-up {'feature never reaches' if n == 1 else 'features never reach'} the "
            f"model, because the transformer's output does not depend on them: {few(unused)}.",
            hint="Use them in steps/transform.py, or leave them out: "
            "steps.ingest.feature_lookups[…].exclude",
        )


def _unused(transformer: Any, features: Any, columns: list[str]) -> list[str]:
    import pandas as pd

    rows = features.sample(min(N_ROWS, len(features)), random_state=SEED).reset_index(drop=True)
    changed = {
        column: other
        for column in columns
        if (other := _other_values(rows[column], features[column])) is not None
    }
    values = transformer.transform(_stacked(rows, changed))
    output = pd.DataFrame(values.toarray() if hasattr(values, "toarray") else values)
    parts = [
        output.iloc[start : start + len(rows)].reset_index(drop=True)
        for start in range(0, len(output), len(rows))
    ]
    before, *after = parts
    return [column for column, part in zip(changed, after, strict=True) if part.equals(before)]


def _stacked(rows: Any, changed: Mapping[str, Any]) -> Any:
    """The rows as they are, then once more for each column with that column changed."""
    import numpy as np
    import pandas as pd

    n_rows = len(rows)
    positions = np.tile(np.arange(n_rows), 1 + len(changed))
    columns = {name: rows[name].array.take(positions) for name in rows.columns}
    for block, (name, other) in enumerate(changed.items(), start=1):
        columns[name][block * n_rows : (block + 1) * n_rows] = other
    return pd.DataFrame(columns)


def _other_values(values: Any, column: Any) -> Any:
    """For each row another value of the same column; None if the column has only one."""
    import pandas as pd

    donors = column.drop_duplicates().head(N_DONORS).reset_index(drop=True)
    if len(donors) == 1:
        return None
    codes = pd.Series(pd.factorize(pd.concat([donors, values]), use_na_sentinel=False)[0])
    own = codes.iloc[len(donors) :].to_numpy()
    # Donors are numbered 0, 1, … in their order; a value that is none of them takes the first.
    step = 1 + pd.RangeIndex(len(own)) % (len(donors) - 1)
    picked = donors.take([(int(o) + int(s)) % len(donors) for o, s in zip(own, step, strict=True)])
    return picked.to_numpy() if column.dtype == object else picked.array
