"""SQL over files on Spark: the same types and values as on DuckDB."""

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrecipes.errors import StoreError
from mlrecipes.stores.duckdb_engine import DuckDbEngine
from mlrecipes.stores.feature_rows import columns_of, open_rows
from mlrecipes.stores.spark import SparkEngine, open_session
from mlrecipes.stores.spark_rows import frame_columns, to_frame

CSV = """\
id,code,flag,yn,day,at,amount,empty,big,clock,said
1,007,true,Y,2020-01-02,2020-01-02 03:04:05,1.5,,99999999999999999999,10:11:12,"a ""b"",
c"
,x,false,N,,,,,,,
"""


def test_both_engines_read_the_same_from_files(spark: Any, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "some rows.csv.gz", "wt") as file:
        file.write(CSV)
    (tmp_path / "parts").mkdir()
    for part in (0, 1):
        pq.write_table(pa.table({"id": [part], "p": [0.5]}), tmp_path / f"parts/{part}.parquet")
    tables = {"rows": tmp_path / "some rows.csv.gz", "parts": tmp_path / "parts"}
    sql = "SELECT rows.*, p FROM rows LEFT JOIN parts ON rows.id = parts.id ORDER BY code"
    by_duckdb = open_rows("t", DuckDbEngine(tmp_path / "temp").query(sql, tables))
    by_spark = to_frame(spark, "t", SparkEngine(spark).query(sql, tables))
    assert frame_columns(by_spark) == columns_of(by_duckdb)
    assert by_spark.toArrow().to_pylist() == by_duckdb.read_all().to_pylist()


def test_errors_of_spark_are_short(spark: Any, tmp_path: Path) -> None:
    engine = SparkEngine(spark)
    with pytest.raises(StoreError, match=r"^Could not run the query: \[UNRESOLVED_COLUMN.{0,230}$"):
        engine.query("SELECT nope FROM VALUES (1) AS t(a)", {})
    (tmp_path / "bad.parquet").write_text("no Parquet")
    with pytest.raises(StoreError, match=r"^Could not read the tables: "):
        engine.query("SELECT 1", {"t": tmp_path / "bad.parquet"})


def test_a_session_that_is_there_is_joined(spark: Any) -> None:
    assert open_session() is spark
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("spark.driver.host") == "127.0.0.1"


@pytest.mark.usefixtures("spark")  # fetches the jars
def test_a_java_that_ends_before_it_answers_is_started_again(tmp_path: Path) -> None:
    java, seen = tmp_path / "bin" / "java", tmp_path / "seen"
    java.parent.mkdir()
    real = Path(shutil.which("java") or "no java").resolve()
    java.write_text(
        f'#!/bin/sh\n[ -e "{seen}" ] || {{ touch "{seen}"; exit 1; }}\nexec "{real}" "$@"\n'
    )
    java.chmod(0o755)
    program = "from mlrecipes.stores.spark import open_session; print(open_session().version)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"JAVA_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert seen.exists()
    assert done.stdout.startswith("4.")
