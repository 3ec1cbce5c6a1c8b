"""Frames on the disk: written in slices, read in groups of columns, the same frame again."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrecipes.checks import profile
from mlrecipes.stores import frame_writer, frames
from mlrecipes.stores.frame_writer import FrameWriter, write_frame
from mlrecipes.stores.frames import FrameFile, read_frame


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let frames of a few rows be written and read in many pieces."""
    monkeypatch.setattr(frame_writer, "CELLS_IN_GROUP", 30)
    monkeypatch.setattr(frames, "CELLS_READ_AT_ONCE", 1)


def frame_of_all_kinds() -> pd.DataFrame:
    n_rows = 25
    return pd.DataFrame(
        {
            "n": np.arange(n_rows),
            "x": np.where(np.arange(n_rows) % 3, 0.5, np.nan),
            "id": pd.array([2**60 + 1, *[None] * (n_rows - 1)], dtype="Int64"),
            "word": ["a", None, "c", "d", "e"] * 5,
            "kind": pd.Categorical(["u", "v"] * 12 + ["v"], categories=["w", "v", "u"]),
            "at": pd.date_range("2024-01-01", periods=n_rows, tz="Europe/Berlin"),
            "flag": [True, None, False, True, False] * 5,
            "some": [[1, 2], None, [3], [], [4]] * 5,
        },
        index=pd.MultiIndex.from_product([range(5), list("abcde")], names=["p", None]),
    )


@pytest.mark.usefixtures("small_groups")
def test_a_frame_in_many_pieces_comes_back_whole(tmp_path: Path) -> None:
    frame = frame_of_all_kinds()
    write_frame(tmp_path / "t.parquet", frame)
    assert pq.read_metadata(tmp_path / "t.parquet").num_row_groups > 5
    found = read_frame(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(found.drop(columns="some"), frame.drop(columns="some"))
    assert found["some"].map(lambda cell: cell if cell is None else list(cell)).tolist() == (
        frame["some"].tolist()
    )


@pytest.mark.usefixtures("small_groups")
def test_names_that_are_no_text_come_back(tmp_path: Path) -> None:
    frame = pd.DataFrame(np.ones((40, 3)), columns=[0, 1, 2])
    frame.index = pd.Index(range(50, 10, -1), name=7)
    write_frame(tmp_path / "t.parquet", frame)
    pd.testing.assert_frame_equal(read_frame(tmp_path / "t.parquet"), frame)


def test_a_frame_without_rows_comes_back(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [0.5], "t": ["a"]}).head(0)
    write_frame(tmp_path / "t.parquet", frame)
    pd.testing.assert_frame_equal(read_frame(tmp_path / "t.parquet"), frame)


@pytest.mark.usefixtures("small_groups")
def test_types_are_known_without_reading_the_values(tmp_path: Path) -> None:
    table = pa.table(
        {
            "whole": [1, 2, None],
            "exact": [2**53 + 1, None, 1],
            "flag": [True, None, False],
            "full": [1, 2, 3],
        }
    )
    with FrameWriter(tmp_path / "t.parquet", table.schema) as writer:
        writer.write(table)
    file = FrameFile(tmp_path / "t.parquet")
    assert [*map(str, file.dtypes.values())] == ["float64", "Int64", "object", "int64"]
    assert dict(file.dtypes) == dict(read_frame(tmp_path / "t.parquet").dtypes)


def test_some_columns_are_read_in_the_order_asked_for(tmp_path: Path) -> None:
    frame = frame_of_all_kinds()
    write_frame(tmp_path / "t.parquet", frame)
    file = FrameFile(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(file.columns(["word", "n"]), frame[["word", "n"]])


@pytest.mark.parametrize("n_rows", [0, 1, 7])
def test_the_first_rows_are_read(tmp_path: Path, n_rows: int) -> None:
    frame = frame_of_all_kinds()[["n", "word"]]
    write_frame(tmp_path / "t.parquet", frame)
    pd.testing.assert_frame_equal(
        FrameFile(tmp_path / "t.parquet").head(n_rows), frame.head(n_rows)
    )


@pytest.mark.usefixtures("small_groups")
def test_bytes_do_not_depend_on_how_rows_come(tmp_path: Path) -> None:
    table = pa.table({"x": range(100), "y": [0.5] * 100})
    for name, sizes in {"one": [100], "many": [7] * 15}.items():
        with FrameWriter(tmp_path / name, table.schema) as writer:
            start = 0
            for size in sizes:
                writer.write(table.slice(start, size))
                start += size
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


def test_much_text_is_not_kept_waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_writer, "TEXT_BYTES_IN_GROUP", 1000)
    table = pa.table({"t": ["x" * 100] * 30})
    with FrameWriter(tmp_path / "t.parquet", table.schema) as writer:
        for start in range(0, 30, 5):
            writer.write(table.slice(start, 5))
    assert pq.read_metadata(tmp_path / "t.parquet").num_row_groups > 1
    assert pq.read_table(tmp_path / "t.parquet").equals(table)


def test_a_stored_frame_is_profiled_as_the_frame_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profile, "CELLS_AT_ONCE", 60)
    frame = frame_of_all_kinds().drop(columns="some")
    write_frame(tmp_path / "t.parquet", frame)
    stored = FrameFile(tmp_path / "t.parquet")
    assert profile.profile_stored(stored) == profile.profile_frame(frame)
    assert profile.schema_table(stored) == profile.schema_table(frame)
    assert str(profile.preview_table(stored)) == str(profile.preview_table(frame))
