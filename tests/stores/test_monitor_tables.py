"""Tables that rows are only ever added to, each once."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deltalake import DeltaTable

from mlrecipes.stores.monitor_tables import DeltaMonitorTables, SparkMonitorTables, table_schema

AT = datetime(2026, 11, 1, tzinfo=UTC)


def alert(key: str) -> dict[str, Any]:
    return {"key": key, "model_name": "m", "rule": "drift", "subject": "x", "computed_at": AT}


def test_a_row_is_added_once_and_later_ones_beside_it(tmp_path: Path) -> None:
    tables = DeltaMonitorTables(str(tmp_path / "monitoring"))
    assert tables.append("alerts", [alert("a"), alert("b"), alert("a")]) == ["a", "b", "a"]
    assert tables.append("alerts", [alert("a"), alert("b")]) == []
    assert tables.append("alerts", [alert("b"), alert("c")]) == ["c"]
    table = DeltaTable(tmp_path / "monitoring" / "alerts")
    assert sorted(table.to_pandas()["key"]) == ["a", "b", "c"]
    assert {one["operation"] for one in table.history()} == {"WRITE", "CREATE TABLE"}
    assert not (tmp_path / "monitoring" / "drift").exists()
    assert tables.append("drift", []) == []


def test_writers_at_once_leave_each_row_once(tmp_path: Path) -> None:
    place, n = str(tmp_path / "monitoring"), 4
    barrier, added = threading.Barrier(n), []

    def write() -> None:
        barrier.wait()
        added.append(len(DeltaMonitorTables(place).append("alerts", [alert("a"), alert("b")])))

    threads = [threading.Thread(target=write) for _ in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(added) == [0, 0, 0, 2]
    assert len(DeltaTable(f"{place}/alerts").to_pandas()) == 2


def test_spark_keeps_the_same_rows_in_a_schema(spark: Any) -> None:
    spark.sql("CREATE SCHEMA IF NOT EXISTS watched")
    tables = SparkMonitorTables("watched")
    assert tables.append("alerts", [alert("a"), alert("b")]) == ["a", "b"]
    assert tables.append("alerts", [alert("b"), alert("c")]) == ["c"]
    found = spark.table("watched.monitor_alerts")
    assert sorted(row["key"] for row in found.collect()) == ["a", "b", "c"]
    assert found.columns == table_schema("alerts").names
