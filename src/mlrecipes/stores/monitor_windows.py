"""Rows that were scored, cut into windows: a file each, in one pass over rows of any number."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.config.monitor_schema import BATCH, CALENDAR, as_period
from mlrecipes.errors import DataError, did_you_mean, few, shorten
from mlrecipes.monitor_ports import Cut, Window, WindowRequest
from mlrecipes.stores.frame_writer import FrameWriter
from mlrecipes.stores.frames import FrameFile, as_pandas

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["cut_windows", "put_beside"]

ORIGIN = "1970-01-05"
"""A Monday, so that weeks begin with one; days and hours begin as in UTC."""
MODEL = ("model_name", "model_version", "run_id")
BATCH_ROWS = 1 << 16


@dataclass(frozen=True)
class _Placed:
    """Which window each row belongs to: a position in ``windows``, or -1; shape (n_rows,)."""

    place: np.ndarray
    windows: list[Window]
    n_others: int = 0
    n_untimed: int = 0


def cut_windows(rows: Path, asked: WindowRequest, folder: Path) -> Cut:
    """Write a Parquet file for each window that is asked for, and for those before.

    Raises:
        DataError: There is no such column, or it holds no moments.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    placed = _placed(rows, asked, folder)
    with ExitStack() as stack, pq.ParquetFile(rows, pre_buffer=False) as file:
        schema = file.schema_arrow.remove_metadata()
        writers = [stack.enter_context(FrameWriter(w.path, schema)) for w in placed.windows]
        start = 0
        for some in file.iter_batches(BATCH_ROWS):
            here = placed.place[start : start + some.num_rows]
            start += some.num_rows
            table = pa.Table.from_batches([some]).replace_schema_metadata(None)
            for position in sorted(set(here.tolist()) - {-1}):
                writers[position].write(table.filter(pa.array(here == position)))
    return Cut(tuple(placed.windows), placed.n_others, placed.n_untimed)


def put_beside(rows: Path, others: Path, keys: tuple[str, ...], into: Path) -> int:
    """Put columns of other rows beside rows by their keys; the last of equal keys wins.

    Raises:
        DataError: A key is missing, or has another type.
    """
    from mlrecipes.stores.frame_writer import write_frame

    left, right = FrameFile(rows), FrameFile(others)
    for table, what in ((left, "the rows that were scored"), (right, "the other table")):
        missing = [key for key in keys if key not in table.dtypes]
        if missing or not keys:
            raise DataError(
                f"{what} cannot be told apart: {few(missing or ['id_cols'])} is missing."
            )
    added = [name for name in right.dtypes if name not in left.dtypes or name in keys]
    unique = right.columns(added).drop_duplicates(subset=list(keys), keep="last")
    try:
        joined = left.columns(list(left.dtypes)).merge(
            unique, on=list(keys), how="left", indicator="__found"
        )
    except ValueError as error:
        raise DataError(f"The keys {few(keys)} cannot be compared: {shorten(error)}") from error
    n_found = int((joined.pop("__found") == "both").sum())
    write_frame(into, joined)
    return n_found


# ---- private -----------------------------------------------------------------------------------


def _placed(rows: Path, asked: WindowRequest, folder: Path) -> _Placed:
    import numpy as np
    import pyarrow.parquet as pq

    names = pq.read_schema(rows).names
    is_batch = asked.window == BATCH
    wanted = [*([asked.time_col] if asked.time_col else []), *(["batch_id"] if is_batch else [])]
    for name in wanted:
        if name not in names:
            raise DataError(
                f"The rows that were scored have no column '{shorten(name)}'.",
                hint=f"Set steps.monitor.time_col. {did_you_mean(str(name), names)}",
            )
    known = [name for name in MODEL if name in names] if asked.model else []
    frame = as_pandas(pq.read_table(rows, columns=[*dict.fromkeys([*wanted, *known])]))
    is_ours = _scored_by(frame, asked.model or {})
    n_rows = pq.read_metadata(rows).num_rows
    if asked.time_col is None:
        place = np.zeros(n_rows, dtype=int)
        window = Window("all", None, None, n_rows, folder / "window-0.parquet", is_asked=True)
        return _Placed(place, [window])
    times = _moments(frame[asked.time_col], asked.time_col)
    is_timed = times.notna().to_numpy()
    is_used = is_ours & is_timed
    if asked.until is not None:
        is_used &= (times < asked.until).to_numpy(dtype=bool)
    labels = frame["batch_id"].astype(str) if is_batch else _starts(times, asked.window)
    windows, place = _chosen(times, labels, is_used, asked, folder)
    return _Placed(place, windows, int((~is_ours).sum()), int((is_ours & ~is_timed).sum()))


def _scored_by(frame: pd.DataFrame, model: Any) -> np.ndarray:
    import numpy as np

    is_ours = np.ones(len(frame), dtype=bool)
    named = ("model_name", "model_version") if model.get("model_name") else ("run_id",)
    for column in named:
        value = model.get(column)
        if column in frame and value is not None:
            is_ours &= (frame[column].astype(str) == str(value)).to_numpy(dtype=bool)
    return is_ours


def _moments(column: pd.Series, name: str) -> pd.Series:
    """Moments in UTC; text in ISO form counts, numbers do not."""
    import pandas as pd

    try:
        if pd.api.types.is_numeric_dtype(column):
            raise ValueError("numbers")
        is_text = not pd.api.types.is_datetime64_any_dtype(column)
        times = pd.to_datetime(column, utc=True, format="ISO8601" if is_text else None)
        return times.astype("datetime64[us, UTC]")
    except (ValueError, TypeError) as error:
        raise DataError(
            f"'{shorten(name)}' holds no moments: {shorten(error, limit=80)}.",
            hint="steps.monitor.time_col needs dates, timestamps or text such as 2026-11-24.",
        ) from error


def _starts(times: pd.Series, window: str) -> pd.Series:
    """The first moment of each row's window."""
    import pandas as pd

    if window in CALENDAR:
        naive = times.dt.tz_localize(None)
        letter = window[0].upper()
        return naive.dt.to_period(letter).dt.start_time.dt.tz_localize("UTC")
    origin, period = pd.Timestamp(ORIGIN, tz="UTC"), pd.Timedelta(as_period(window))
    return origin + ((times - origin) // period) * period


def _chosen(
    times: pd.Series, labels: pd.Series, is_used: np.ndarray, asked: WindowRequest, folder: Path
) -> tuple[list[Window], np.ndarray]:
    """The windows that are asked for with those before, and the place of each row in them."""
    import numpy as np
    import pandas as pd

    used = pd.DataFrame({"label": labels[is_used], "time": times[is_used]})
    found = used.groupby("label")["time"].agg(["min", "max", "size"]).reset_index()
    if asked.window == BATCH:
        found["start"], found["end"] = found["min"], found["max"] + timedelta(microseconds=1)
        found = found.sort_values(["start", "label"])
    else:
        found["start"], found["end"] = found["label"], _ends(found["label"], asked.window)
        found = found.sort_values("start")
    n_found = len(found)
    first = n_found - 1
    if asked.since is not None:
        first = n_found - int((found["end"] > asked.since).sum())
    kept = found.iloc[max(0, first - asked.history) :] if n_found else found
    windows, place = [], np.full(len(times), -1)
    offset = n_found - len(kept)
    for position, row in enumerate(kept.itertuples(index=False)):
        place[is_used & (labels == row.label).to_numpy(dtype=bool)] = position
        name = str(row.label) if asked.window == BATCH else _name(row.start, asked.window)
        windows.append(
            Window(
                name,
                row.start.to_pydatetime(),
                row.end.to_pydatetime(),
                int(row.size),
                folder / f"window-{position}.parquet",
                is_asked=position + offset >= first,
            )
        )
    return windows, place


def _ends(starts: pd.Series, window: str) -> pd.Series:
    import pandas as pd

    if window in CALENDAR:
        return starts + pd.DateOffset(months=1 if window == "month" else 3)
    return starts + pd.Timedelta(as_period(window))


def _name(start: datetime, window: str) -> str:
    """Such as 2026-11-01, or 2026-Q4, with the hour where windows have hours."""
    if window == "quarter":
        return f"{start.year:04d}-Q{(start.month + 2) // 3}"
    has_hours = window not in CALENDAR and window.endswith("h")
    return start.strftime("%Y-%m-%d %H:%M" if has_hours else "%Y-%m-%d")
