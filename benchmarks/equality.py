"""Whether two feature tables are the same: columns, keys and every value.

    python -m benchmarks.equality a.parquet b.parquet

It prints what differs as a list in JSON, which is empty when nothing does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.plain_pandas.aggregates import KEY

RELATIVE = 1e-9
MAX_EXAMPLES = 3


def differences(ours: Path, theirs: Path) -> list[str]:
    """What differs between two Parquet files, in words; rows in any order, NaN is no value."""
    left, right = (pd.read_parquet(path).sort_values(KEY) for path in (ours, theirs))
    odd = sorted(set(left.columns) ^ set(right.columns))
    if odd:
        return [f"columns of one side only: {', '.join(odd)}"]
    if not np.array_equal(left[KEY].to_numpy(), right[KEY].to_numpy()):
        return [f"{len(left)} and {len(right)} rows, not of the same keys"]
    return list(_different_columns(left, right))


def _different_columns(left: pd.DataFrame, right: pd.DataFrame) -> Iterator[str]:
    for name in left.columns:
        ours, theirs = left[name], right[name]
        if pd.api.types.is_numeric_dtype(ours) or pd.api.types.is_bool_dtype(ours):
            ours, theirs = (part.to_numpy("float64", na_value=np.nan) for part in (ours, theirs))
            # Symmetric, and with nothing for numbers near zero: sums that cancel must be zero.
            near = np.abs(ours - theirs) <= RELATIVE * np.maximum(np.abs(ours), np.abs(theirs))
            same = near | (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        else:
            ours, theirs = (part.astype(object).to_numpy() for part in (ours, theirs))
            same = (ours == theirs) | (pd.isna(ours) & pd.isna(theirs))
        if not same.all():
            at = np.flatnonzero(~same)[:MAX_EXAMPLES]
            keys = left[KEY].to_numpy()[at]
            seen = [f"{k}: {a} and {b}" for k, a, b in zip(keys, ours[at], theirs[at], strict=True)]
            yield f"{name} differs in {(~same).sum()} of {len(left)} rows, e.g. {'; '.join(seen)}"


if __name__ == "__main__":
    print(json.dumps(differences(Path(sys.argv[1]), Path(sys.argv[2]))))
