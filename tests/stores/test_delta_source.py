"""Delta tables are read as of a version, and say why they cannot be."""

import datetime as dt
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from mlrecipes.errors import StoreError
from mlrecipes.ports import NoRowsError, TableQuery
from mlrecipes.records import Source
from mlrecipes.stores.datasets import FileDatasetReader
from mlrecipes.stores.delta_source import delta_change
from mlrecipes.stores.frames import read_frame

Read = Callable[..., tuple[pd.DataFrame, Source]]
PLACES = {"location": "recipe.yaml:5", "version": "recipe.yaml:6", "timestamp": "recipe.yaml:7"}


@pytest.fixture
def read(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Read:
    reader = FileDatasetReader(tmp_path, tmp_path / "downloads", lambda path: (0, ""))

    def read_back(location: Any = "loans", **asked: Any) -> tuple[pd.DataFrame, Source]:
        into = tmp_path_factory.mktemp("staging") / "table.parquet"
        query = TableQuery("delta", location, places=PLACES, engine="local", **asked)
        dataset = reader.read_table(query, into)
        assert list(into.parent.iterdir()) == [into]
        (source,) = dataset.sources
        return read_frame(into), source

    return read_back


@pytest.fixture
def loans(tmp_path: Path) -> Path:
    """A table with two versions: one row, then two."""
    for number in (1, 2):
        write_deltalake(tmp_path / "loans", pa.table({"id": [number]}), mode="append")
    return tmp_path / "loans"


def made_at(table: Path, version: int) -> dt.datetime:
    made = {entry["version"]: entry["timestamp"] for entry in DeltaTable(table).history()}
    return dt.datetime.fromtimestamp(made[version] / 1000, dt.UTC)


@pytest.mark.parametrize("form", ["{}", "file://{}", "loans", "./loans"])
def test_a_folder_is_named_in_any_way(read: Read, loans: Path, form: str) -> None:
    frame, source = read(form.format(loans))
    assert sorted(frame["id"]) == [1, 2]
    table_id = DeltaTable(loans).metadata().id
    assert source == Source("delta-table://loans", None, f"{table_id}@1")


def test_types_are_those_of_a_parquet_file(read: Read, tmp_path: Path) -> None:
    day = dt.date(2026, 1, 31)
    rows = pa.table(
        {
            "whole": pa.array([1, None], pa.int32()),
            "text": ["a", None],
            "day": [day, None],
            "moment": pa.array(
                [dt.datetime(2026, 1, 31, 6, tzinfo=dt.UTC), None], pa.timestamp("us", "UTC")
            ),
            "truth": [True, None],
            "nothing": pa.nulls(2, pa.float64()),
            "void": pa.nulls(2),
        }
    )
    write_deltalake(tmp_path / "loans", rows)
    frame, _ = read()
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "whole": "float64",
        "text": "str",
        "day": "datetime64[ms]",
        "moment": "datetime64[us, UTC]",
        "truth": "object",
        "nothing": "float64",
        "void": "object",
    }
    assert frame["day"][0] == pd.Timestamp(day)
    assert frame.loc[1].isna().all()


def test_partitions_and_many_small_files_are_one_table(read: Read, tmp_path: Path) -> None:
    for number in range(20):
        rows = pa.table({"part": [number % 3, number % 3], "id": [2 * number, 2 * number + 1]})
        write_deltalake(tmp_path / "loans", rows, mode="append", partition_by=["part"])
    frame, _ = read()
    assert sorted(frame["id"]) == list(range(40))
    assert (frame["part"] == frame["id"] // 2 % 3).all()
    assert read()[0].equals(frame)


def test_a_column_that_came_later_is_null_before(read: Read, loans: Path) -> None:
    rows = pa.table({"id": [3], "rate": [0.5]})
    write_deltalake(loans, rows, mode="append", schema_mode="merge")
    frame, _ = read()
    assert frame.sort_values("id")["rate"].isna().tolist() == [True, True, False]


def test_a_version_is_read_as_it_was(read: Read, loans: Path) -> None:
    frame, source = read(version=0)
    assert frame["id"].tolist() == [1]
    assert source.uri == "delta-table://loans#version=0"


@pytest.mark.parametrize("form", [dt.datetime, str])
def test_a_time_means_the_version_that_was_there(read: Read, loans: Path, form: type) -> None:
    at = made_at(loans, 1)
    frame, source = read(timestamp=at if form is dt.datetime else at.isoformat())
    assert len(frame) == 2
    assert source.uri == "delta-table://loans#version=1"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"version": 7}, "recipe.yaml:6: loans has no version 7; the newest is 1[.]"),
        ({"version": -1}, "recipe.yaml:6: loans has no version -1; the newest is 1[.]"),
        (
            {"timestamp": "2001-01-01"},
            "yaml:7: loans had no version at 2001-01-01T.* is known, 0, is of 20",
        ),
        (
            {"timestamp": "2999-01-01"},
            "yaml:7: 2999-01-01.* later than the newest version of loans, 1,",
        ),
        ({"timestamp": "yesterday"}, "recipe.yaml:7: timestamp is 'yesterday', which is no time"),
        ({"location": "loan"}, "yaml:5: there is no Delta table loan. Tables beside it: 'loans'"),
        ({"location": "plain"}, "recipe.yaml:5: plain is no Delta table: it has no _delta_log"),
        (
            {"location": ["loans", "loans"]},
            "yaml:5: using: delta reads one table; location names 2",
        ),
    ],
)
def test_what_is_not_there_is_told(
    read: Read, loans: Path, asked: dict[str, Any], message: str
) -> None:
    (loans.parent / "plain").mkdir()
    with pytest.raises(StoreError, match=message) as told:
        read(**asked)
    assert told.value.hint


def test_an_empty_table_is_no_data(read: Read, loans: Path) -> None:
    DeltaTable(loans).delete()
    with pytest.raises(NoRowsError, match=r"^0 rows read from loans, version 2 .recipe.yaml:5.[.]"):
        read()


def test_a_damaged_table_is_told_in_one_line(read: Read, loans: Path) -> None:
    for file in loans.glob("*.parquet"):
        os.truncate(file, 10)
    with pytest.raises(StoreError, match=r"Could not read loans .recipe.yaml:5.: ") as told:
        read()
    assert "\n" not in told.value.message


def test_a_plan_sees_a_new_version_unless_one_is_pinned(read: Read, loans: Path) -> None:
    newest, pinned = read()[1], read(version=1)[1]
    assert delta_change(newest, loans.parent) is None
    write_deltalake(loans, pa.table({"id": [3]}), mode="append")
    assert delta_change(newest, loans.parent) == "input loans changed: version 1 -> 2"
    assert delta_change(pinned, loans.parent) is None


def test_a_plan_sees_a_table_that_was_replaced_or_is_gone(read: Read, loans: Path) -> None:
    pinned = read(version=1)[1]
    loans.rename(loans.with_name("old"))
    assert delta_change(pinned, loans.parent) == "input loans is gone"
    write_deltalake(loans, pa.table({"id": [3]}))
    write_deltalake(loans, pa.table({"id": [3]}), mode="append")
    assert delta_change(pinned, loans.parent) == "input loans changed: it is another table"
