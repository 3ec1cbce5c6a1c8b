"""Looking at a table: what each column holds, in numbers that a card can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import shorten
from mlrecipes.records import ColumnProfile, Histogram, Profile, Scalar, Table

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlrecipes.ports import StoredFrame

__all__ = ["preview_table", "profile_column", "profile_frame", "profile_stored", "schema_table"]

N_BINS = 20
N_TOP = 5
N_PREVIEW = 5
QUANTILES = (0, 0.25, 0.5, 0.75, 1)
HALF = 0.5
CELLS_AT_ONCE = 1 << 22
"""So many values of a stored table are in memory at once, and at least one column."""


def profile_frame(frame: pd.DataFrame) -> Profile:
    """Profile all columns, each from all its rows."""
    columns = ((name, frame.iloc[:, i]) for i, name in enumerate(frame.columns))
    return _profile(columns)


def profile_stored(stored: StoredFrame) -> Profile:
    """Profile a table that lies in a file; only a few columns are in memory at once."""
    return _profile(_columns_of(stored))


def profile_column(name: str, column: pd.Series) -> ColumnProfile:
    """Profile one column."""
    import pandas as pd

    is_numeric = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    facts = _number_facts(column) if is_numeric else _category_facts(column)
    return ColumnProfile(name=name, dtype=str(column.dtype), n_rows=len(column), **facts)


def schema_table(frame: pd.DataFrame | StoredFrame) -> Table:
    """Names and types of the columns."""
    return Table(("column", "type"), tuple((str(n), str(t)) for n, t in frame.dtypes.items()))


def preview_table(frame: pd.DataFrame | StoredFrame, n_rows: int = N_PREVIEW) -> Table:
    """The first rows, values shortened."""
    head = frame.head(n_rows)
    rows = tuple(tuple(_cell(value) for value in row) for row in head.itertuples(index=False))
    return Table(tuple(str(column) for column in head.columns), rows)


def _profile(columns: Iterable[tuple[Any, pd.Series]]) -> Profile:
    return Profile(tuple(profile_column(str(name), column) for name, column in columns))


def _columns_of(stored: StoredFrame) -> Iterator[tuple[Any, pd.Series]]:
    names = list(stored.dtypes)
    n_at_once = max(1, CELLS_AT_ONCE // max(1, stored.n_rows))
    for start in range(0, len(names), n_at_once):
        frame = stored.columns(names[start : start + n_at_once])
        yield from ((name, frame[name]) for name in frame.columns)


# ---- numbers ---------------------------------------------------------------------------------


def _number_facts(column: pd.Series) -> dict[str, Any]:
    """All facts from one sort, which costs less than to look for each of them."""
    import numpy as np

    known = _sorted_known(column)
    counts = {"n_missing": len(column) - known.size, "n_distinct": _n_distinct(known)}
    values = known.astype(float, copy=False)
    if values.size and not np.isfinite(values[[0, -1]]).all():
        values = values[np.isfinite(values)]
    return counts | _shape(values)


def _sorted_known(column: pd.Series) -> np.ndarray:
    """The values without the missing ones, sorted; shape (n_known,)."""
    import numpy as np

    if not isinstance(column.dtype, np.dtype):
        column = column.dropna()
        kind = getattr(column.dtype, "numpy_dtype", np.dtype(float))
        values = column.to_numpy(dtype=kind if kind.kind in "iuf" else float)
    else:
        values = column.to_numpy()
    values = np.sort(values)
    return values[: np.searchsorted(values, np.nan)] if values.dtype.kind == "f" else values


def _shape(values: np.ndarray) -> dict[str, Any]:
    """What finite numbers look like that are sorted already."""
    import numpy as np

    if values.size == 0:
        return {}
    with np.errstate(all="ignore"):
        mean, std = float(values.mean()), float(values.std())
        quantiles = _quantiles(values)
    return {
        "mean": mean if np.isfinite(mean) else None,
        "std": std if np.isfinite(std) else None,
        "quantiles": quantiles if np.isfinite(quantiles).all() else (),
        "histogram": _histogram(values),
    }


def _quantiles(values: np.ndarray) -> tuple[float, ...]:
    """As ``numpy.quantile``, which would first have to find places that are known here."""
    import numpy as np

    places = np.array(QUANTILES) * (values.size - 1)
    below = np.floor(places).astype(int)
    low, high = values[below], values[np.minimum(below + 1, values.size - 1)]
    share, distance = places - below, high - low
    near_low, near_high = low + distance * share, high - distance * (1 - share)
    return tuple(map(float, np.where(share < HALF, near_low, near_high)))


def _histogram(values: np.ndarray) -> Histogram | None:
    """Counts between edges; None where floats cannot tell the edges apart, or overflow."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            n_bins = min(N_BINS, _n_distinct(values))
            edges = np.histogram_bin_edges(values[[0, -1]], bins=n_bins)
    except ValueError:  # such as 64-bit identifiers that lie close together
        return None
    if not np.isfinite(edges).all():
        return None
    ends = [*np.searchsorted(values, edges[:-1]), values.size]
    return Histogram(tuple(map(float, edges)), tuple(map(int, np.diff(ends))))


def _n_distinct(values: np.ndarray) -> int:
    """Of sorted values."""
    import numpy as np

    return int(np.count_nonzero(values[1:] != values[:-1])) + bool(values.size)


# ---- everything else -------------------------------------------------------------------------


def _category_facts(column: pd.Series) -> dict[str, Any]:
    try:
        counts = column.value_counts()
    except TypeError:  # cells that cannot be hashed, such as lists
        counts = column.dropna().map(repr).value_counts()
    return {
        "n_missing": len(column) - int(counts.sum()),
        "n_distinct": int((counts > 0).sum()),
        "top_values": tuple((shorten(v), int(n)) for v, n in counts.head(N_TOP).items()),
    }


def _cell(value: Any) -> Scalar:
    if isinstance(value, bool | int | float):
        return value
    if hasattr(value, "item") and not hasattr(value, "isoformat"):
        try:
            return _cell(value.item())
        except (ValueError, TypeError):
            return shorten(value)
    return shorten(value)
