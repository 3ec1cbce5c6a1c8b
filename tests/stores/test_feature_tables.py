"""The contract of feature stores, on the disk by delta-rs and by Spark."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mlrecipes.errors import StoreError, TryAgain
from mlrecipes.feature_ports import FeatureStore
from mlrecipes.feature_records import FeatureTable
from mlrecipes.stores.feature_tables import LocalFeatureStore
from mlrecipes.stores.spark_feature_tables import SparkFeatureStore

APPLICANTS = FeatureTable("applicants", ("id",), None, "What we know; it's not much", "risk team")
BALANCES = FeatureTable("balances", ("id", "account"), "at")
ROWS = pa.table({"id": [1, 2, 3], "income": [10.0, None, 30.0], "job": ["cook", "baker", None]})


def noon(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


def rows_of(result: Any, by: str = "id") -> list[dict[str, Any]]:
    table = result if isinstance(result, pa.Table) else result.toArrow()
    return table.sort_by(by).to_pylist()


@pytest.fixture(params=["local", "spark"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FeatureStore]:
    if request.param == "local":
        yield LocalFeatureStore(tmp_path / "my features", tmp_path / "temp")
    else:
        yield SparkFeatureStore(request.getfixturevalue("spark"), tmp_path / "my features")


def test_a_table_keeps_its_definition_rows_and_properties(store: FeatureStore) -> None:
    assert store.names() == []
    assert store.find("applicants") is None
    version = store.create(APPLICANTS, ROWS, {"built_from": 'raw\'s \\ "2"'})
    info = store.find("applicants")
    assert info is not None
    assert info.table == APPLICANTS
    assert info.columns == {"id": "bigint", "income": "double", "job": "string"}
    assert info.features == ("income", "job")
    assert info.version == version
    assert info.properties == {"built_from": 'raw\'s \\ "2"'}
    assert store.names() == ["applicants"]
    assert rows_of(store.read("applicants")) == ROWS.to_pylist()


def test_upsert_changes_adds_and_keeps(store: FeatureStore) -> None:
    first = store.create(APPLICANTS, ROWS)
    changed = pa.table({"income": [20.0, 40.0], "id": [2, 4]})
    second = store.upsert("applicants", changed, {"day": "2"})
    assert second > first
    assert rows_of(store.read("applicants")) == [
        {"id": 1, "income": 10.0, "job": "cook"},
        {"id": 2, "income": 20.0, "job": "baker"},
        {"id": 3, "income": 30.0, "job": None},
        {"id": 4, "income": 40.0, "job": None},
    ]
    assert store.find("applicants").properties == {"day": "2"}  # type: ignore[union-attr]
    # The same rows and properties again leave no version.
    assert store.upsert("applicants", changed.slice(0), {"day": "2"}) == second
    # A column without a type takes that of the table.
    store.upsert("applicants", pa.table({"id": [2], "income": pa.nulls(1)}))
    assert rows_of(store.read("applicants", columns=["income"]))[1] == {"id": 2, "income": None}
    assert rows_of(store.read("applicants", version=first)) == ROWS.to_pylist()


def test_columns_are_added_and_filled_anew(store: FeatureStore) -> None:
    store.create(APPLICANTS, ROWS)
    one = pa.table({"id": [1, 9], "score": [0.5, 0.9]})
    version = store.add_columns("applicants", one, {"scored": "yes"})
    assert rows_of(store.read("applicants", columns=["score"])) == [
        {"id": 1, "score": 0.5},
        {"id": 2, "score": None},
        {"id": 3, "score": None},
    ]
    assert store.add_columns("applicants", one) == version
    two = pa.table({"id": [2], "score": [0.7], "rank": pa.array([1], pa.int32())})
    store.add_columns("applicants", two)
    assert rows_of(store.read("applicants", columns=["rank", "score"])) == [
        {"id": 1, "rank": None, "score": None},
        {"id": 2, "rank": 1, "score": 0.7},
        {"id": 3, "rank": None, "score": None},
    ]
    info = store.find("applicants")
    assert info is not None
    assert info.columns["rank"] == "int"
    assert (info.table, info.properties) == (APPLICANTS, {"scored": "yes"})


def test_new_columns_are_there_though_no_row_matches(store: FeatureStore) -> None:
    store.create(APPLICANTS, ROWS)
    store.add_columns("applicants", pa.table({"id": [9], "score": [0.9]}))
    assert rows_of(store.read("applicants", columns=["score"]))[0] == {"id": 1, "score": None}


def test_overwrite_replaces_what_it_expects(store: FeatureStore) -> None:
    first = store.create(APPLICANTS, ROWS, {"day": "1"})
    table_id = store.find("applicants").table_id  # type: ignore[union-attr]
    other = pa.table({"id": [7], "town": ["Ulm"]})
    second = store.overwrite("applicants", other, expected_version=first, properties={"day": "2"})
    info = store.find("applicants")
    assert info is not None
    assert info.columns == {"id": "bigint", "town": "string"}
    assert (info.version, info.table_id) == (second, table_id)
    assert (info.table, info.properties) == (APPLICANTS, {"day": "2"})
    assert rows_of(store.read("applicants")) == other.to_pylist()
    expected = rf"^Feature table applicants has version {second} by now, expected version {first}\."
    with pytest.raises(TryAgain, match=expected):
        store.overwrite("applicants", ROWS, expected_version=first)
    assert rows_of(store.read("applicants", version=first)) == ROWS.to_pylist()


def test_types_are_stored_as_spark_names_them(store: FeatureStore) -> None:
    aware = datetime(2026, 1, 2, 3, tzinfo=UTC)
    naive = aware.replace(tzinfo=None)
    columns = {
        "id": pa.array([1], pa.int32()),
        "tiny": pa.array([1], pa.int8()),
        "unsigned": pa.array([2**32 - 1], pa.uint32()),
        "real": pa.array([0.5], pa.float32()),
        "yes": [True],
        "day": [aware.date()],
        "naive": pa.array([naive], pa.timestamp("ns")),
        "aware": pa.array([aware], pa.timestamp("ms", "Asia/Tokyo")),
        "kind": pa.array(["a"]).dictionary_encode(),
        "money": pa.array([1], pa.decimal128(9, 2)),
        "nothing": pa.array([None], pa.float64()),
    }
    store.create(FeatureTable("types", ("id",)), pa.table(columns))
    info = store.find("types")
    assert info is not None
    assert info.columns == {
        "id": "int",
        "tiny": "tinyint",
        "unsigned": "bigint",
        "real": "float",
        "yes": "boolean",
        "day": "date",
        "naive": "timestamp",
        "aware": "timestamp",
        "kind": "string",
        "money": "decimal(9,2)",
        "nothing": "double",
    }
    row = rows_of(store.read("types"))[0]
    assert (row["naive"], row["aware"], row["unsigned"]) == (aware, aware, 2**32 - 1)


def test_keys_are_primary_keys_and_event_time_and_come_first(store: FeatureStore) -> None:
    days = [noon(1), noon(2), noon(2)]
    rows = pa.table({"sum": [1.0, 2.0, 3.0], "at": days, "account": list("aab"), "id": [1, 1, 1]})
    store.create(BALANCES, rows)
    changed = pa.table({"id": [1, 1], "account": list("ab"), "at": days[1:], "sum": [9.0, 3.0]})
    store.upsert("balances", changed)
    found = store.read("balances", columns=["sum"])
    assert [row["sum"] for row in rows_of(found, "sum")] == [1.0, 3.0, 9.0]
    assert list(rows_of(found, "sum")[0]) == ["id", "account", "at", "sum"]


def test_rows_that_are_not_sound_change_nothing(store: FeatureStore) -> None:
    version = store.create(APPLICANTS, ROWS)
    for rows, message in (
        ({"income": [1.0]}, r"the rows lack 1 of its keys: 'id'\. Known: 'income'\."),
        ({"id": [1, None, None]}, r"the key 'id' is null in 2 of 3 rows\. Nothing was written\."),
        (
            {"id": [1, 2, 2, 1, 3, 1]},
            r"2 keys occur more than once in 6 rows: id=1 \(3 times\); id=2 \(2 times\)\. ",
        ),
        ({"id": [1], "incme": [1.0]}, r"in 1 cases: incme: seen double, expected no such column"),
        ({"id": ["1"], "income": [1]}, r"id: seen string, expected bigint; income: seen bigint, "),
        ({"id": [1], "of day": [1]}, r"1 names of columns that Delta refuses: 'of day'"),
        ({"id": [1], "ID": [1]}, r"columns are there more than once: 'ID', 'id'"),
    ):
        with pytest.raises(StoreError, match=message):
            store.upsert("applicants", pa.table(rows))
    with pytest.raises(StoreError, match=r"1 columns with a type .* not store: 'new \(null\)'"):
        store.add_columns("applicants", pa.table({"id": [1], "new": pa.nulls(1)}))
    with pytest.raises(StoreError, match=r"rows come as list; expected are a pyarrow\.Table"):
        store.upsert("applicants", [1])
    with pytest.raises(StoreError, match=r"^Properties 'delta\.x', 'mlrecipes\.owner' are kept"):
        store.upsert("applicants", ROWS, {"mlrecipes.owner": "me", "delta.x": "1"})
    assert store.find("applicants").version == version  # type: ignore[union-attr]


def test_a_table_that_exists_is_not_made_again(store: FeatureStore) -> None:
    version = store.create(APPLICANTS, ROWS)
    message = rf"^Feature table applicants exists already \(version {version}\)\."
    with pytest.raises(StoreError, match=message):
        store.create(APPLICANTS, ROWS)
    with pytest.raises(StoreError, match=r"has no primary key\.$"):
        store.create(FeatureTable("empty", ()), ROWS)
    with pytest.raises(StoreError, match=r"lack 1 of its keys: 'ids'\. Did you mean 'id'\?"):
        store.create(FeatureTable("other", ("ids",)), ROWS)
    assert store.names() == ["applicants"]


@pytest.mark.parametrize("name", ["../away", "a/b", "", "_a", "a b", ".a", "a" * 129, "a.b"])
def test_a_path_is_no_name(store: FeatureStore, name: str) -> None:
    for call in (store.find, store.drop, store.read):
        with pytest.raises(StoreError, match="is not a name of a feature table"):
            call(name)
    with pytest.raises(StoreError, match="is not a name of a feature table"):
        store.create(FeatureTable(name, ("id",)), ROWS)


def test_versions_and_times_that_are_not_there(store: FeatureStore) -> None:
    before = datetime.now(UTC)
    version = store.create(APPLICANTS, ROWS)
    with pytest.raises(StoreError, match=rf"has no version 7; the newest is {version}\.$"):
        store.read("applicants", version=7)
    with pytest.raises(StoreError, match=r"had no version at .*: the first one that is known, 0, "):
        store.read("applicants", at=before - timedelta(hours=1))
    with pytest.raises(StoreError, match="a version or a time, not both"):
        store.read("applicants", version=0, at=before)
    with pytest.raises(StoreError, match=r"has no column 'incme'\. Did you mean 'income'\?"):
        store.read("applicants", columns=["incme"])
    with pytest.raises(StoreError, match=r"no feature table 'applicant'\. Did you mean 'appli"):
        store.read("applicant")
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(tzinfo=None)
    assert len(rows_of(store.read("applicants", at=tomorrow))) == 3


def test_a_time_gives_the_version_that_was_there(store: FeatureStore) -> None:
    store.create(APPLICANTS, ROWS)
    # Spark takes the time of a version from its file, to the millisecond.
    between = datetime.now(UTC) + timedelta(milliseconds=2)
    while datetime.now(UTC) < between + timedelta(milliseconds=2):
        pass
    store.upsert("applicants", pa.table({"id": [9]}))
    assert len(rows_of(store.read("applicants", at=between))) == 3
    assert len(rows_of(store.read("applicants"))) == 4


def test_a_dropped_table_is_gone_and_can_be_made_again(store: FeatureStore) -> None:
    store.create(APPLICANTS, ROWS)
    store.upsert("applicants", pa.table({"id": [9]}))
    first = store.find("applicants")
    store.drop("applicants")
    assert store.names() == []
    assert store.find("applicants") is None
    for call in (store.drop, store.read):
        with pytest.raises(StoreError, match=r"^There is no feature table 'applicants'\.$"):
            call("applicants")
    store.create(APPLICANTS, ROWS)
    second = store.find("applicants")
    assert first is not None
    assert second is not None
    assert second.table_id != first.table_id
    assert rows_of(store.read("applicants")) == ROWS.to_pylist()


def test_each_store_reads_and_writes_the_tables_of_the_other(spark: Any, tmp_path: Path) -> None:
    local = LocalFeatureStore(tmp_path / "shared", tmp_path / "temp")
    by_spark = SparkFeatureStore(spark, f"file://{tmp_path}/shared")
    made = {"local": local, "spark": by_spark}
    for name, store in made.items():
        other = by_spark if store is local else local
        table = FeatureTable(name, ("id",), "at", "Either", "me")
        rows = pa.table({"id": [1, 2], "at": [noon(1), noon(2)], "x": [1.0, None]})
        store.create(table, rows, {"a": "1"})
        assert other.find(name) == store.find(name)
        other.upsert(name, pa.table({"id": [1, 2], "at": [noon(1), noon(3)], "x": [5.0, 6.0]}))
        other.add_columns(name, pa.table({"id": [2], "at": [noon(3)], "y": ["new"]}), {"b": "2"})
        assert rows_of(local.read(name), "at") == rows_of(by_spark.read(name), "at")
        assert rows_of(store.read(name), "at")[2]["y"] == "new"
        info = store.find(name)
        assert info is not None
        assert (info, info.table) == (other.find(name), table)
        other.overwrite(name, rows, expected_version=info.version)
        assert store.find(name).table == table  # type: ignore[union-attr]
        assert rows_of(store.read(name), "at") == rows.to_pylist()
    assert local.names() == by_spark.names() == ["local", "spark"]


def test_a_location_in_the_cloud_is_refused(spark: Any) -> None:
    with pytest.raises(StoreError, match=r"^s3://bucket/x is no folder on a disk"):
        SparkFeatureStore(spark, "s3://bucket/x")
