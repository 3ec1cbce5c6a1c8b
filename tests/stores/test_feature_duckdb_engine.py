"""SQL over files on DuckDB: types, streams, spilling, and errors that are short."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrecipes.errors import StoreError
from mlrecipes.feature_records import Slices
from mlrecipes.stores.duckdb_engine import DuckDbEngine

CSV = """\
id,code,flag,day,at,amount,empty,big,clock
1,007,true,2020-01-02,2020-01-02 03:04:05,1.5,,99999999999999999999,10:11:12
,x,false,,,,,,
"""


@pytest.fixture
def engine(tmp_path: Path) -> DuckDbEngine:
    return DuckDbEngine(tmp_path / "spill", threads=2, memory_limit="80MB")


def test_types_of_a_csv_file(engine: DuckDbEngine, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(CSV)
    table = engine.query("SELECT * FROM rows", {"rows": tmp_path / "rows.csv"}).read_all()
    assert {field.name: str(field.type) for field in table.schema} == {
        "id": "int64",
        "code": "string",
        "flag": "string",
        "day": "date32[day]",
        "at": "timestamp[us]",
        "amount": "double",
        "empty": "string",
        "big": "double",
        "clock": "string",
    }
    assert table["code"].to_pylist() == ["007", "x"]
    assert table["empty"].to_pylist() == [None, None]


def test_a_value_of_another_type_in_a_late_row_makes_the_column_text(
    engine: DuckDbEngine, tmp_path: Path
) -> None:
    with gzip.open(tmp_path / "late.csv.gz", "wt") as file:
        file.write("a\n" + "1\n" * 30_000 + "x\n")
    rows = engine.query("SELECT max(a) AS a FROM t", {"t": tmp_path / "late.csv.gz"}).read_all()
    assert rows.to_pylist() == [{"a": "x"}]


def test_names_with_wildcards_and_quotes_stand_for_themselves(
    engine: DuckDbEngine, tmp_path: Path
) -> None:
    folder = tmp_path / "it's [one] *"
    folder.mkdir()
    for part in (0, 1):
        pq.write_table(pa.table({"a": [part]}), folder / f"part-{part}.parquet")
    (folder / "_SUCCESS").touch()
    rows = engine.query('SELECT sum(a)::BIGINT AS a FROM "the parts"', {"the parts": folder})
    assert rows.read_all().to_pylist() == [{"a": 1}]


def test_a_sort_of_more_than_the_memory_spills(engine: DuckDbEngine, tmp_path: Path) -> None:
    sql = "SELECT i, md5(i::VARCHAR) AS m FROM range(1200000) t(i) ORDER BY m"
    first = next(iter(engine.query(sql, {})))
    assert first["m"][0].as_py().startswith("0000")


def test_times_are_utc(
    engine: DuckDbEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    rows = engine.query("SELECT TIMESTAMP '2020-01-01'::TIMESTAMPTZ AS t", {}).read_all()
    assert str(rows.schema.field("t").type) == "timestamp[us, tz=UTC]"
    assert str(rows["t"][0]) == "2020-01-01 00:00:00+00:00"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT nope FROM t", r"^Could not run the query: .*nope"),
        ("SELECT * FROM other", r"^Could not run the query: .*other does not exist!$"),
        ("SELECT * FROM tmp_path", r"^Could not run the query: .*tmp_path does not exist!$"),
        ("SELEC 1", r"^Could not run the query: Parser Error"),
        ("CREATE TABLE x (a INT)", r"^Could not .*: expected one SELECT, seen CREATE\.$"),
        ("SELECT 1; SELECT 2", r"^Could not .*, seen SELECT, SELECT\.$"),
    ],
)
def test_errors_of_a_query_are_short(
    engine: DuckDbEngine, tmp_path: Path, sql: str, message: str
) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(StoreError, match=message):
        engine.query(sql, {"t": tmp_path / "t.parquet"})


def test_an_error_while_rows_are_read_is_ours_too(engine: DuckDbEngine) -> None:
    sql = "SELECT CASE WHEN i = 900000 THEN error('boom') ELSE 'a' END FROM range(1000000) t(i)"
    with pytest.raises(StoreError, match=r"^Could not run the query: .*boom$"):
        for _ in engine.query(sql, {}):
            pass


def test_files_that_are_no_tables(engine: DuckDbEngine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a")
    (tmp_path / "none.csv").touch()
    (tmp_path / "bad.parquet").write_text("no Parquet")
    (tmp_path / "folder").mkdir()
    for name, message in {
        "missing.csv": r"missing\.csv does not exist\.$",
        "notes.txt": r"notes\.txt is no table",
        "none.csv": r"none\.csv: the file is empty \(0 bytes\)\.$",
        "bad.parquet": r"^Could not read the tables: .*bad\.parquet",
        "folder": r"folder: the folder holds no Parquet file\.$",
    }.items():
        with pytest.raises(StoreError, match=message):
            engine.query("SELECT * FROM t", {"t": tmp_path / name})


def test_a_query_over_slices_gives_the_rows_of_the_whole(tmp_path: Path) -> None:
    rows = pa.table({"k": [1, 2, None, 3, 2, 7], "v": [1, 2, 3, 4, 5, 6]})
    pq.write_table(rows, tmp_path / "t.parquet")
    engine, tables = DuckDbEngine(tmp_path / "tmp"), {"t": tmp_path / "t.parquet"}
    sql = "SELECT k, CAST(SUM(v) AS BIGINT) AS s FROM t GROUP BY k"
    whole = engine.query(sql, tables).read_all().sort_by("k")
    sliced = engine.query(sql, tables, Slices("k", 4)).read_all().sort_by("k")
    assert sliced == whole


def test_yes_and_no_in_a_csv_file_stay_text(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\nY,Yes\nN,No\n")
    rows = DuckDbEngine(tmp_path / "tmp").query("SELECT * FROM t", {"t": tmp_path / "t.csv"})
    assert rows.read_all().to_pydict() == {"a": ["Y", "N"], "b": ["Yes", "No"]}
