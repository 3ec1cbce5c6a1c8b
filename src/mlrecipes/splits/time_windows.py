"""Dividing rows by time: what is learned from lies before what is judged on.

::

      dropped  |  training  |  validation  |  test  |  dropped
          train_from  validation_from  test_from  test_until        each limit belongs to its right

``train_from`` and ``test_until`` may be left out; a null time is dropped.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlrecipes.errors import DataError, few, shorten

if TYPE_CHECKING:
    from mlrecipes.config.step_schema import Split
    from mlrecipes.splits.rows import RowRule

__all__ = ["split_by_time"]

DROPPED = -1


def split_by_time(
    moments: pd.Series, settings: Split | RowRule
) -> tuple[np.ndarray, dict[str, int]]:
    """Find the part of each row by its time.

    Args:
        moments: Dates or times, one a row, with or without a time zone.
        settings: The four limits. A limit without a time zone is read in that of the column.

    Returns:
        0, 1, 2 for training, validation, test and -1 for dropped rows, shape (n_rows,); and
        how many rows were dropped, by each reason there may be.

    Raises:
        DataError: The column holds no times, or the limits do not fit it.
    """
    times = _as_times(moments)
    is_null = np.asarray(times.isna())
    part = np.zeros(len(times), dtype=int)
    for code, key in ((1, "validation_from"), (2, "test_from")):
        part[_is_from(times, key, settings)] = code
    early = ~_is_from(times, "train_from", settings, default=True) & ~is_null
    late = _is_from(times, "test_until", settings, default=False)
    part[is_null | early | late] = DROPPED
    reasons = {
        f"{moments.name} is null": is_null,
        f"{moments.name} before train_from {settings.train_from}": early,
        f"{moments.name} from test_until {settings.test_until} on": late & ~early,
    }
    return part, {reason: int(rows.sum()) for reason, rows in reasons.items()}


def _as_times(moments: pd.Series) -> pd.Series:
    if isinstance(moments.dtype, pd.ArrowDtype):
        moments = moments.astype(object)
    if pd.api.types.is_datetime64_any_dtype(moments.dtype):
        return moments
    known = moments.dropna()
    if moments.dtype == object and all(isinstance(value, date) for value in known):
        return _from_objects(moments, known)
    raise DataError(
        f"steps.split.time_col is '{moments.name}', which holds {moments.dtype} values such as "
        f"{few(known.head(2))} and no dates.",
        hint="Parse them in steps/ingest.py: "
        f"frame['{shorten(moments.name)}'] = pandas.to_datetime(frame['{shorten(moments.name)}'])",
    )


def _from_objects(moments: pd.Series, known: pd.Series) -> pd.Series:
    zoned = {getattr(value, "tzinfo", None) is not None for value in known}
    if len(zoned) > 1:
        raise DataError(
            f"steps.split.time_col is '{moments.name}', which holds times with and without a "
            "time zone.",
            hint="Give all of them one in steps/ingest.py: pandas.to_datetime(.., utc=True)",
        )
    return pd.Series(pd.to_datetime(moments, utc=zoned == {True}))


def _is_from(
    times: pd.Series, key: str, settings: Split | RowRule, *, default: bool = False
) -> np.ndarray:
    """Say of each row whether its time is at or after a limit; False where it is null."""
    limit = getattr(settings, key)
    if limit is None:
        return np.full(len(times), default)
    return np.asarray(times >= _as_limit(limit, key, times), dtype=bool)


def _as_limit(limit: date, key: str, times: pd.Series) -> pd.Timestamp:
    moment = pd.Timestamp(limit)
    zone = times.dt.tz
    if zone is None and moment.tzinfo is not None:
        raise DataError(
            f"steps.split.{key} is {limit}, with a time zone, but the times in "
            f"'{times.name}' have none.",
            hint="Leave the zone out of recipe.yaml, or add one to the column in steps/ingest.py.",
        )
    if zone is not None and moment.tzinfo is None:
        return moment.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
    return moment
