"""Looking at a table: what each column holds, in numbers that a card can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlrecipes.errors import shorten
from mlrecipes.records import ColumnProfile, Histogram, Profile, Scalar, Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["preview_table", "profile_column", "profile_frame", "schema_table"]

N_BINS = 20
N_TOP = 5
N_PREVIEW = 5
N_LOOKED_AT = 5_000
MAX_ROWS = 200_000
SEED = 42


def profile_frame(frame: pd.DataFrame) -> Profile:
    """Profile all columns; above 200,000 rows, histograms and quantiles come from a sample."""
    sampled = frame.sample(MAX_ROWS, random_state=SEED) if len(frame) > MAX_ROWS else frame
    return Profile(
        tuple(
            profile_column(str(name), frame.iloc[:, position], sampled.iloc[:, position])
            for position, name in enumerate(frame.columns)
        )
    )


def profile_column(name: str, column: pd.Series, sampled: pd.Series | None = None) -> ColumnProfile:
    """Profile one column; counts come from all rows, shapes from the sample."""
    import pandas as pd

    looked_at = column if sampled is None else sampled
    is_numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    shape = _numeric_shape(looked_at) if is_numeric else _category_shape(column)
    return ColumnProfile(
        name=name,
        dtype=str(column.dtype),
        n_rows=len(column),
        n_missing=int(column.isna().sum()),
        n_distinct=_n_distinct(column),
        **shape,
    )


def schema_table(frame: pd.DataFrame) -> Table:
    """Names and types of the columns."""
    return Table(("column", "type"), tuple((str(n), str(t)) for n, t in frame.dtypes.items()))


def preview_table(frame: pd.DataFrame, n_rows: int = N_PREVIEW) -> Table:
    """The first rows, values shortened."""
    head = frame.head(n_rows)
    rows = tuple(tuple(_cell(value) for value in row) for row in head.itertuples(index=False))
    return Table(tuple(str(column) for column in frame.columns), rows)


def _numeric_shape(column: pd.Series) -> dict[str, Any]:
    import numpy as np

    values = column.dropna().to_numpy(dtype=float, na_value=np.nan)
    values = values[np.isfinite(values)]
    if values.size == 0:
        return {}
    with np.errstate(all="ignore"):
        mean, std = float(values.mean()), float(values.std())
        quantiles = tuple(float(q) for q in np.quantile(values, [0, 0.25, 0.5, 0.75, 1]))
    return {
        "mean": mean if np.isfinite(mean) else None,
        "std": std if np.isfinite(std) else None,
        "quantiles": quantiles if np.isfinite(quantiles).all() else (),
        "histogram": _histogram(values),
    }


def _histogram(values: Any) -> Histogram | None:
    """Counts between edges; None where floats cannot tell the edges apart, or overflow."""
    import numpy as np

    spread = values[:: max(1, values.size // N_LOOKED_AT)]
    n_bins = min(N_BINS, max(1, np.unique(spread).size))
    try:
        with np.errstate(all="ignore"):
            counts, edges = np.histogram(values, bins=n_bins)
    except ValueError:  # such as 64-bit identifiers that lie close together
        return None
    if not np.isfinite(edges).all():
        return None
    return Histogram(tuple(map(float, edges)), tuple(map(int, counts)))


def _category_shape(column: pd.Series) -> dict[str, Any]:
    try:
        counts = column.value_counts().head(N_TOP)
    except TypeError:  # cells that cannot be hashed, such as lists
        counts = column.dropna().map(repr).value_counts().head(N_TOP)
    return {"top_values": tuple((shorten(value), int(n)) for value, n in counts.items())}


def _n_distinct(column: pd.Series) -> int:
    try:
        return int(column.nunique())
    except TypeError:
        return int(column.dropna().map(repr).nunique())


def _cell(value: Any) -> Scalar:
    if isinstance(value, bool | int | float):
        return value
    if hasattr(value, "item") and not hasattr(value, "isoformat"):
        try:
            return _cell(value.item())
        except (ValueError, TypeError):
            return shorten(value)
    return shorten(value)
