"""Columns and rows that are not wanted are not read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import write_deltalake

from mlrecipes.errors import DataError, StoreError
from mlrecipes.features.condition import parse_condition
from mlrecipes.ports import NoRowsError, ReadDataset, TableQuery
from mlrecipes.selection import Selection
from mlrecipes.stores.datasets import FileDatasetReader
from mlrecipes.stores.spark_source import chosen

FRAME = pd.DataFrame(
    {
        "id": range(100),
        "area": [i % 10 for i in range(100)],
        "town": ["Ulm", "Bonn"] * 50,
        "unread": [f"text {i}" for i in range(100)],
    }
)
Read = Callable[..., ReadDataset]


def wanted(*columns: str, where: str | None = None) -> Selection:
    places = {"columns": "recipe.yaml:6", "filter": "recipe.yaml:7"}
    if where is None:
        return Selection(columns, places=places)
    condition = parse_condition(where)
    return Selection(columns, condition.texts, condition.columns, places)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    reader = FileDatasetReader(tmp_path, tmp_path / "downloads", lambda path: (0, ""))
    into = tmp_path / "staging" / "table.parquet"
    into.parent.mkdir()

    def read_back(using: str, selection: Selection, location: Any = None, **more: Any) -> Any:
        if using in {"delta", "spark_sql"}:
            asked = TableQuery(using, location, selection=selection, **more)
            dataset = reader.read_table(asked, into)
        else:
            dataset = reader.read(location, using, into, selection=selection, **more)
        assert list(into.parent.iterdir()) == [into]
        return dataset

    return read_back


def write(using: str, folder: Path) -> str:
    """The rows as a file or a table, and its name."""
    if using == "csv":
        FRAME.to_csv(folder / "rows.csv", index=False)
    elif using == "parquet":
        FRAME.set_index(FRAME.index + 1000).to_parquet(folder / "rows.parquet", row_group_size=30)
    else:
        write_deltalake(folder / "rows.delta", pa.Table.from_pandas(FRAME, preserve_index=False))
    return f"rows.{using}"


def damage(path: Path, column: str) -> None:
    """Overwrite a column of a Parquet file."""
    metadata = pq.read_metadata(path)
    place = metadata.schema.names.index(column)
    with path.open("r+b") as file:
        for group in range(metadata.num_row_groups):
            chunk = metadata.row_group(group).column(place)
            file.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
            file.write(b"\xff" * chunk.total_compressed_size)


@pytest.mark.parametrize("using", ["csv", "parquet", "delta"])
def test_a_filter_leaves_the_same_rows_as_pandas_numbered_from_0(
    read: Read, tmp_path: Path, using: str
) -> None:
    location = write(using, tmp_path)
    dataset = read(using, wanted(where="area > 6 and town = 'Ulm'"), location)
    kept = FRAME[(FRAME["area"] > 6) & (FRAME["town"] == "Ulm")].reset_index(drop=True)
    pd.testing.assert_frame_equal(dataset.table.columns(list(FRAME)), kept)
    assert dataset.n_seen == 100


@pytest.mark.parametrize("using", ["csv", "parquet", "delta"])
def test_columns_come_as_they_are_named_and_the_filter_may_need_others(
    read: Read, tmp_path: Path, using: str
) -> None:
    location = write(using, tmp_path)
    table = read(using, wanted("town", "id", where="area = 3"), location).table
    kept = FRAME.loc[FRAME["area"] == 3, ["town", "id"]].reset_index(drop=True)
    assert list(table.dtypes) == ["town", "id"]
    pd.testing.assert_frame_equal(table.columns(["town", "id"]), kept)


@pytest.mark.parametrize("using", ["parquet", "delta"])
def test_a_column_that_nobody_needs_is_not_touched(read: Read, tmp_path: Path, using: str) -> None:
    location = write(using, tmp_path)
    (path,) = [p for p in tmp_path.rglob("*.parquet") if "_delta_log" not in p.parts]
    damage(path, "unread")
    table = read(using, wanted("id", where="town = 'Ulm'"), location).table
    assert table.columns(["id"])["id"].tolist() == list(range(0, 100, 2))
    with pytest.raises(StoreError):
        read(using, wanted("unread"), location)


def test_several_files_are_filtered_one_by_one(read: Read, tmp_path: Path) -> None:
    FRAME.head(50).to_parquet(tmp_path / "a.parquet")
    FRAME.tail(50).to_csv(tmp_path / "b.csv", index=False)
    dataset = read("auto", wanted("id", where="area = 0"), ["a.parquet", "b.csv"])
    frame = dataset.table.columns(["id"])
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"id": range(0, 100, 10)}))
    assert dataset.n_seen == 100


def test_the_frame_of_a_loader_is_filtered_too(read: Read, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("")
    selection = wanted("id", where="area = 0")
    dataset = read("custom", selection, "a.txt", loader=lambda path, using: FRAME)
    assert dataset.table.columns(["id"])["id"].tolist() == list(range(0, 100, 10))


@pytest.mark.parametrize("using", ["csv", "delta"])
def test_no_row_is_told_with_the_filter(read: Read, tmp_path: Path, using: str) -> None:
    location = write(using, tmp_path)
    with pytest.raises(NoRowsError, match=r"0 of 100 rows .* meet the filter .recipe.yaml:7."):
        read(using, wanted(where="area > 10"), location)


@pytest.mark.parametrize("using", ["csv", "parquet", "delta"])
def test_a_column_that_is_not_there_is_told(read: Read, tmp_path: Path, using: str) -> None:
    location = write(using, tmp_path)
    message = r"^recipe.yaml:7: filter names 'aera', which is not among the 4 columns of the data"
    with pytest.raises(DataError, match=message) as told:
        read(using, wanted("id", where="aera > 1"), location)
    assert told.value.hint == "Did you mean 'area'?"


def test_a_value_that_does_not_fit_is_told_in_one_line(read: Read, tmp_path: Path) -> None:
    location = write("csv", tmp_path)
    with pytest.raises(StoreError, match=r"apply the filter of recipe.yaml:7: ") as told:
        read("csv", wanted(where="town > 5"), location)
    assert "\n" not in told.value.message


# ---- Spark -----------------------------------------------------------------------------------


@pytest.fixture
def lake(spark: Any, tmp_path: Path) -> str:
    """An address of a folder of Parquet files that only Spark can read."""
    spark.createDataFrame(FRAME).repartition(3).write.parquet(f"file:{tmp_path}/files")
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    hadoop.set("fs.viewfs.mounttable.lake.link./rows", f"file:{tmp_path}/files")
    return "viewfs://lake/rows"


def test_parquet_files_at_an_address_are_read_by_spark(read: Read, lake: str) -> None:
    selection = wanted("id", "town", where="area = 3 and town = 'Bonn'")
    dataset = read("parquet", selection, lake)
    frame = dataset.table.columns(["id", "town"]).sort_values("id")
    assert frame["id"].tolist() == list(range(3, 100, 10))
    assert [source.uri for source in dataset.sources] == [f"spark://{lake}"]
    with pytest.raises(DataError, match="filter names 'aera'"):
        read("parquet", wanted(where="aera > 1"), lake)
    with pytest.raises(StoreError, match="Could not read 'viewfs://lake/rows/none': "):
        read("parquet", wanted("id"), f"{lake}/none")
    with pytest.raises(StoreError, match=r"addresses that Spark reads beside 'a[.]parquet'"):
        read("parquet", wanted("id"), [lake, "a.parquet"])


def test_spark_scans_only_what_is_wanted(spark: Any, read: Read, tmp_path: Path) -> None:
    write("delta", tmp_path)
    write("parquet", tmp_path)
    selection = wanted("id", where="area > 6 and town = 'Ulm'")
    table = f"delta.`{tmp_path}/rows.delta`"
    for source in (f"FROM {table} VERSION AS OF 0", f"FROM parquet.`{tmp_path}/rows.parquet`"):
        frame = chosen(spark.sql(f"{source} SELECT *"), selection)
        plan = frame._jdf.queryExecution().executedPlan().toString()
        assert "ReadSchema: struct<id:bigint,area:bigint,town:string>" in plan
        assert "GreaterThan(area,6), EqualTo(town,Ulm)]" in plan
    dataset = read("spark_sql", selection, sql=f"FROM {table} SELECT *")
    assert sorted(dataset.table.columns(["id"])["id"]) == list(range(8, 100, 10))
    assert dataset.n_seen is None
