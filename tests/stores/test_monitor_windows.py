"""Rows in windows: by period, by month, by batch, of one model, and with what lies beside."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlrecipes.errors import DataError
from mlrecipes.monitor_ports import Cut, WindowRequest
from mlrecipes.stores.monitor_windows import cut_windows, put_beside

DAYS = ["2026-01-30", "2026-01-31", "2026-02-01", "2026-02-27", "2026-03-02", None]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    frame = pd.DataFrame(
        {
            "id": range(6),
            "scored_at": pd.to_datetime(DAYS, utc=True),
            "batch_id": ["a", "a", "b", "b", "c", "c"],
            "model_name": "m",
            "model_version": ["1", "1", "1", "2", "1", "1"],
        }
    )
    frame.to_parquet(tmp_path / "rows.parquet", index=False)
    return tmp_path / "rows.parquet"


def ids(cut: Cut) -> list[list[int]]:
    return [pq.read_table(window.path)["id"].to_pylist() for window in cut.windows]


def test_months_are_those_of_the_calendar(rows: Path, tmp_path: Path) -> None:
    cut = cut_windows(rows, WindowRequest("scored_at", "month", history=9), tmp_path / "w")
    assert [window.name for window in cut.windows] == ["2026-01-01", "2026-02-01", "2026-03-01"]
    assert ids(cut) == [[0, 1], [2, 3], [4]]
    assert [window.is_asked for window in cut.windows] == [False, False, True]
    assert cut.windows[1].end == datetime(2026, 3, 1, tzinfo=UTC)
    assert (cut.n_others, cut.n_untimed) == (0, 1)


def test_quarters_are_those_of_the_calendar_in_utc(tmp_path: Path) -> None:
    days = ["2025-12-31T23:59:59Z", "2026-01-01", "2026-03-31T23:30:00-01:00", "2026-09-30", None]
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"id": range(5), "day": days}).to_parquet(path, index=False)
    cut = cut_windows(path, WindowRequest("day", "quarter", history=9), tmp_path / "w")
    names = [window.name for window in cut.windows]
    assert names == ["2025-Q4", "2026-Q1", "2026-Q2", "2026-Q3"]
    assert ids(cut) == [[0], [1], [2], [3]]
    ends = [(window.start, window.end) for window in cut.windows]
    assert ends[0] == (datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))
    assert ends[2] == (datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


def test_periods_begin_at_the_same_moments_whatever_rows_there_are(
    rows: Path, tmp_path: Path
) -> None:
    cut = cut_windows(rows, WindowRequest("scored_at", "1w", history=9), tmp_path / "w")
    assert [window.name for window in cut.windows] == ["2026-01-26", "2026-02-23", "2026-03-02"]
    assert {window.start.weekday() for window in cut.windows if window.start} == {0}


def test_batches_are_windows_in_the_order_of_their_moments(rows: Path, tmp_path: Path) -> None:
    cut = cut_windows(rows, WindowRequest("scored_at", "batch", history=1), tmp_path / "w")
    assert [window.name for window in cut.windows] == ["b", "c"]


def test_rows_of_other_models_are_counted_and_left_out(rows: Path, tmp_path: Path) -> None:
    model = {"model_name": "m", "model_version": "1", "run_id": "r"}
    asked = WindowRequest("scored_at", "month", history=9, model=model)
    cut = cut_windows(rows, asked, tmp_path / "w")
    assert ids(cut) == [[0, 1], [2], [4]]
    assert cut.n_others == 1


def test_since_and_until_choose_windows_and_history_comes_before(
    rows: Path, tmp_path: Path
) -> None:
    since, until = datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
    asked = WindowRequest("scored_at", "month", since, until, history=1)
    cut = cut_windows(rows, asked, tmp_path / "w")
    assert [(w.name, w.is_asked) for w in cut.windows] == [
        ("2026-01-01", False),
        ("2026-02-01", True),
    ]
    late = WindowRequest("scored_at", "month", datetime(2027, 1, 1, tzinfo=UTC))
    assert cut_windows(rows, late, tmp_path / "x").windows == ()


def test_rows_without_a_moment_are_one_window(rows: Path, tmp_path: Path) -> None:
    cut = cut_windows(rows, WindowRequest(None, "30d"), tmp_path / "w")
    assert ids(cut) == [[0, 1, 2, 3, 4, 5]]
    assert cut.windows[0].start is None


@pytest.mark.parametrize(
    ("column", "match"),
    [
        ("when", "have no column 'when'"),
        ("id", "'id' holds no moments: numbers"),
        ("batch_id", "'batch_id' holds no moments"),
    ],
)
def test_a_column_that_holds_no_moments_is_an_error(
    rows: Path, tmp_path: Path, column: str, match: str
) -> None:
    with pytest.raises(DataError, match=match):
        cut_windows(rows, WindowRequest(column, "30d"), tmp_path / "w")


def test_what_lies_beside_is_found_by_key_and_the_last_one_wins(rows: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.parquet"
    pd.DataFrame({"id": [0, 2, 0, 99], "y": [1, 2, 3, 4], "batch_id": "x"}).to_parquet(labels)
    n_found = put_beside(rows, labels, ("id",), tmp_path / "both.parquet")
    both = pd.read_parquet(tmp_path / "both.parquet")
    assert n_found == 2
    assert both["y"].fillna(0).tolist() == [3, 0, 2, 0, 0, 0]
    assert both["batch_id"].tolist() == ["a", "a", "b", "b", "c", "c"]
    pd.DataFrame({"id": ["0"], "y": [1]}).to_parquet(labels)
    with pytest.raises(DataError, match=r"keys 'id' cannot be compared"):
        put_beside(rows, labels, ("id",), tmp_path / "both.parquet")
    with pytest.raises(DataError, match="the rows that were scored cannot be told apart: 'key'"):
        put_beside(rows.rename(tmp_path / "r.parquet"), labels, ("key",), tmp_path / "b")
