"""A batch is added to a table whole, once, whoever else writes and whoever is killed."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from mlrecipes.errors import StoreError
from mlrecipes.scoring_ports import Batch, ModelIdentity, PredictionTable
from mlrecipes.stores.prediction_tables import open_table

AT = datetime(2026, 1, 2, tzinfo=UTC)
# Writes batch "a" when the file "go" appears, as often as it is told, and says what became of it.
WRITER = """
import sys, time
from pathlib import Path
from datetime import UTC, datetime
from mlrecipes.scoring_ports import Batch, ModelIdentity
from mlrecipes.stores import prediction_tables
from mlrecipes.stores.prediction_tables import open_table

using, slowly = sys.argv[1:]
model = ModelIdentity("models:/m@champion", "x", "m", "1", "run")
table = open_table(using, "table", Path())
if slowly == "slowly":  # long enough to be killed between the first row and the last one
    def drip(batches):
        for number, batch in enumerate(batches):
            Path("writing").touch()
            time.sleep(0.02)
            yield batch
    if using == "delta":
        cast = prediction_tables._cast
        prediction_tables._cast = lambda *args: drip(cast(*args))
        prediction_tables.BATCH_ROWS = 10
    else:
        def sync(path):
            Path("writing").touch()
            time.sleep(60)
        prediction_tables._sync = sync
import deltalake  # takes a while, so not after the signal
print("ready", flush=True)
while not Path("go").exists():
    time.sleep(0.001)
print(table.append(Path("rows.parquet"), Batch("a", model, datetime.now(UTC))))
"""


def batch(batch_id: str, version: str = "1") -> Batch:
    return Batch(batch_id, ModelIdentity("models:/m@champion", "x", "m", version, "run"), AT)


def write_rows(path: Path, one: Batch, n_rows: int = 3, **columns: pa.Array) -> Path:
    facts = {
        "id": pa.array(range(n_rows), pa.int64()),
        "prediction": pa.array([0.5] * n_rows),
        "model_name": pa.array([one.model.name] * n_rows),
        "model_version": pa.array([one.model.version] * n_rows),
        "run_id": pa.array([one.model.run_id] * n_rows),
        "batch_id": pa.array([one.batch_id] * n_rows),
    }
    pq.write_table(pa.table(facts | columns), path)
    return path


def table_of(using: str, root: Path) -> PredictionTable:
    return open_table(using, "table", root)


def read(using: str, root: Path) -> pd.DataFrame:
    if using == "delta":
        return DeltaTable(root / "table").to_pandas()
    return pd.read_parquet(root / "table")


def start(using: str, root: Path, slowly: str = "") -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, using, slowly],
        cwd=root,
        env=os.environ,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("using", ["delta", "parquet"])
def test_a_batch_is_added_once(using: str, tmp_path: Path) -> None:
    table = table_of(using, tmp_path)
    added = []
    for one in (batch("a"), batch("a"), batch("b"), batch("a", "2")):
        added.append(table.append(write_rows(tmp_path / "rows.parquet", one), one))
    assert added == [True, False, True, True]
    rows = read(using, tmp_path)
    assert rows.groupby(["batch_id", "model_version"]).size().to_dict() == {
        ("a", "1"): 3,
        ("a", "2"): 3,
        ("b", "1"): 3,
    }
    table.read(batch("a", "2"), tmp_path / "again.parquet")
    assert pd.read_parquet(tmp_path / "again.parquet")["model_version"].tolist() == ["2"] * 3


@pytest.mark.parametrize("using", ["delta", "parquet"])
def test_all_batches_are_read_whatever_columns_they_have(using: str, tmp_path: Path) -> None:
    table, path = table_of(using, tmp_path), tmp_path / "rows.parquet"
    table.append(write_rows(path, batch("a")), batch("a"))
    table.append(write_rows(path, batch("b"), reason_1=pa.array(["income"] * 3)), batch("b"))
    rows = table.read_all().to_pandas().sort_values("batch_id")
    assert rows["batch_id"].tolist() == ["a"] * 3 + ["b"] * 3
    assert rows["reason_1"].fillna("none").tolist() == ["none"] * 3 + ["income"] * 3


@pytest.mark.parametrize("using", ["delta", "parquet"])
@pytest.mark.parametrize("is_there", [False, True])
def test_two_processes_at_once_write_a_batch_once(
    using: str, is_there: bool, tmp_path: Path
) -> None:
    if is_there:
        old = batch("old")
        table_of(using, tmp_path).append(write_rows(tmp_path / "old.parquet", old), old)
    write_rows(tmp_path / "rows.parquet", batch("a"), 1000)
    writers = [start(using, tmp_path) for _ in range(2)]
    (tmp_path / "go").touch()
    said = sorted(writer.communicate(timeout=60)[0].strip() for writer in writers)
    assert said == ["False", "True"]
    assert (read(using, tmp_path)["batch_id"] == "a").sum() == 1000


@pytest.mark.parametrize("using", ["delta", "parquet"])
def test_a_writer_that_is_killed_leaves_nothing_to_be_seen(using: str, tmp_path: Path) -> None:
    old = batch("old")
    table_of(using, tmp_path).append(write_rows(tmp_path / "old.parquet", old), old)
    write_rows(tmp_path / "rows.parquet", batch("a"), 100_000)
    writer = start(using, tmp_path, "slowly")
    (tmp_path / "go").touch()
    while not (tmp_path / "writing").exists():
        time.sleep(0.001)
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate(timeout=60)
    assert writer.returncode == -signal.SIGKILL
    assert read(using, tmp_path)["batch_id"].tolist() == ["old"] * 3
    table = table_of(using, tmp_path)
    assert not table.has(batch("a"))
    assert table.append(tmp_path / "rows.parquet", batch("a"))
    assert (read(using, tmp_path)["batch_id"] == "a").sum() == 100_000


def test_a_batch_that_was_overwritten_can_be_added_again(tmp_path: Path) -> None:
    table = table_of("delta", tmp_path)
    rows = {name: write_rows(tmp_path / f"{name}.parquet", batch(name)) for name in "ab"}
    table.append(rows["a"], batch("a"))
    table.overwrite(rows["b"], batch("b"))
    assert table.append(rows["a"], batch("a"))
    assert sorted(read("delta", tmp_path)["batch_id"]) == ["a"] * 3 + ["b"] * 3


def test_the_commit_names_the_batch(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.parquet", batch("a"))
    table_of("delta", tmp_path).append(rows, batch("a"))
    table = DeltaTable(tmp_path / "table")
    assert table.history()[0]["mlrecipes.batch_id"] == "a"
    assert table.transaction_version(f"mlrecipes.predict/{batch('a').key}") == 1


def test_columns_may_come_but_never_change_their_type(tmp_path: Path) -> None:
    table = table_of("delta", tmp_path)
    table.append(write_rows(tmp_path / "a.parquet", batch("a")), batch("a"))
    more = write_rows(tmp_path / "b.parquet", batch("b"), reason_1=pa.array(["x", None, "y"]))
    assert table.append(more, batch("b"))
    assert read("delta", tmp_path)["reason_1"].isna().sum() == 4
    gone = write_rows(tmp_path / "c.parquet", batch("c"), id=pa.nulls(3))
    assert table.append(gone, batch("c"))
    wrong = write_rows(tmp_path / "d.parquet", batch("d"), id=pa.array(["7", "8", "9"]))
    with pytest.raises(StoreError, match=r"1 columns have another type \('id: int64 there, string"):
        table.append(wrong, batch("d"))
    assert not table.has(batch("d"))


def test_overwriting_deletes_nothing_but_a_table(tmp_path: Path) -> None:
    table = table_of("parquet", tmp_path)
    (tmp_path / "table").mkdir()
    (tmp_path / "table" / "thesis.docx").touch()
    rows = write_rows(tmp_path / "rows.parquet", batch("a"))
    with pytest.raises(StoreError, match=r"holds more than a table \('thesis.docx'\)"):
        table.overwrite(rows, batch("a"))
    assert (tmp_path / "table" / "thesis.docx").exists()


def test_a_file_is_no_folder_for_predictions(tmp_path: Path) -> None:
    (tmp_path / "table").touch()
    rows = write_rows(tmp_path / "rows.parquet", batch("a"))
    with pytest.raises(StoreError, match="is a file; predictions go to a folder"):
        table_of("parquet", tmp_path).append(rows, batch("a"))
    with pytest.raises(StoreError, match="using: parquet writes to a folder, not to s3://b/x"):
        open_table("parquet", "s3://b/x", tmp_path)
