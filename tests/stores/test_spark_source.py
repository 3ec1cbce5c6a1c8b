"""What Spark gives becomes the same frame as a file."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrecipes.errors import StoreError
from mlrecipes.ports import NoRowsError, TableQuery
from mlrecipes.records import Source
from mlrecipes.stores.datasets import FileDatasetReader
from mlrecipes.stores.frames import read_frame

Read = Callable[..., tuple[pd.DataFrame, Source]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    reader = FileDatasetReader(tmp_path, tmp_path / "downloads", lambda path: (0, ""))

    def read_back(using: str, **asked: Any) -> tuple[pd.DataFrame, Source]:
        into = tmp_path / "table.parquet"
        places = {"sql": "recipe.yaml:6", "location": "recipe.yaml:5", "version": "recipe.yaml:7"}
        dataset = reader.read_table(TableQuery(using, places=places, **asked), into)
        (source,) = dataset.sources
        return read_frame(into), source

    return read_back


def test_a_query_gives_its_rows_in_their_order_and_types(spark: Any, read: Read) -> None:
    sql = """
        SELECT id, id / 2 AS half, string(id) AS text, DATE'2026-01-31' AS day, null AS nothing,
        TIMESTAMP'2026-01-31 06:00:00Z' AS moment FROM range(0, 1000, 1, 3) ORDER BY id
    """
    frame, source = read("spark_sql", sql=sql, location="is.ignored")
    assert frame["id"].tolist() == list(range(1000))
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "id": "int64",
        "half": "float64",
        "text": "str",
        "day": "datetime64[ms]",
        "nothing": "object",
        "moment": "datetime64[us, UTC]",
    }
    assert frame["moment"][0] == pd.Timestamp(dt.datetime(2026, 1, 31, 6, tzinfo=dt.UTC))
    assert source.uri.startswith("spark://sql/")
    assert source.sha256 is None


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT 1 FROM nowhere", "run the query of recipe.yaml:6: .TABLE_OR_VIEW_NOT_FOUND"),
        ("SELEC 1", "run the query of recipe.yaml:6: .PARSE_SYNTAX_ERROR"),
        ("SELECT raise_error('no') AS x", "run the query of recipe.yaml:6: "),
        ("SELECT 1 AS a, 2 AS a", "the query of recipe.yaml:6 has more than one column 'a'"),
    ],
)
def test_an_error_of_spark_is_one_line(spark: Any, read: Read, sql: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as told:
        read("spark_sql", sql=sql)
    assert "\n" not in told.value.message


def test_a_result_without_a_row_is_no_data(spark: Any, read: Read) -> None:
    with pytest.raises(NoRowsError, match=r"0 rows read from the query of recipe.yaml:6"):
        read("spark_sql", sql="SELECT 1 AS x WHERE false")


def test_a_table_that_spark_wrote_is_read_without_it_and_by_its_name(
    spark: Any, read: Read, tmp_path: Path
) -> None:
    folder = tmp_path / "loans"
    spark.range(3).write.format("delta").save(str(folder))
    spark.range(3, 5).write.format("delta").mode("append").save(str(folder))
    assert sorted(read("delta", location="loans")[0]["id"]) == [0, 1, 2, 3, 4]
    spark.sql(f"CREATE TABLE ingested_loans USING delta LOCATION '{folder}'")
    try:
        frame, source = read("delta", location="default.ingested_loans", version=0)
        assert sorted(frame["id"]) == [0, 1, 2]
        assert source.uri == "spark://default.ingested_loans"
        assert (source.sha256 or "").endswith("@0")
        assert len(read("spark_sql", location="default.ingested_loans")[0]) == 5
        with pytest.raises(
            StoreError, match=r"yaml:7: default.ingested_loans has no version 9; the"
        ):
            read("delta", location="default.ingested_loans", version=9)
    finally:
        spark.sql("DROP TABLE ingested_loans")


def test_a_time_means_the_version_that_spark_knows_of_then(
    spark: Any, read: Read, tmp_path: Path
) -> None:
    folder = tmp_path / "rows"
    spark.range(3).write.format("delta").save(str(folder))
    spark.range(3, 5).write.format("delta").mode("append").save(str(folder))
    spark.sql(f"CREATE TABLE ingested_rows USING delta LOCATION '{folder}'")
    try:
        history = spark.sql("DESCRIBE HISTORY ingested_rows").where("version = 0")
        made_ms = history.selectExpr("unix_millis(timestamp) AS made").first()["made"]
        made = dt.datetime.fromtimestamp(made_ms / 1000, dt.UTC)
        frame, source = read("delta", location="default.ingested_rows", timestamp=made)
        assert sorted(frame["id"]) == [0, 1, 2]
        assert (source.sha256 or "").endswith("@0")
        with pytest.raises(StoreError, match="had no version at 2001-01-01"):
            read("delta", location="default.ingested_rows", timestamp="2001-01-01")
    finally:
        spark.sql("DROP TABLE ingested_rows")
