"""Features beside a spine: as a plain pandas reading has it, and never from the future."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlrecipes.errors import StoreError
from mlrecipes.feature_ports import FeatureStore
from mlrecipes.feature_records import FeatureTable, FeatureTableInfo, Lookup
from mlrecipes.stores.feature_joins import join_tables
from mlrecipes.stores.feature_tables import LocalFeatureStore
from mlrecipes.stores.spark_feature_tables import SparkFeatureStore

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int | None) -> datetime | None:
    return None if number is None else START + timedelta(days=number)


@pytest.fixture(params=["local", "spark"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FeatureStore]:
    if request.param == "local":
        yield LocalFeatureStore(tmp_path / "features", tmp_path / "temp")
    else:
        yield SparkFeatureStore(request.getfixturevalue("spark"), tmp_path / "features")


def joined(store: FeatureStore, spine: pa.Table, lookups: list[Lookup], folder: Path) -> pa.Table:
    pq.write_table(spine, folder / "spine.parquet")
    store.join(folder / "spine.parquet", lookups, folder / "joined.parquet")
    return pq.read_table(folder / "joined.parquet", page_checksum_verification=True)


def test_features_stand_beside_the_rows_of_the_spine(store: FeatureStore, tmp_path: Path) -> None:
    people = pa.table({"id": [1, 2, 3], "town": ["Ulm", "Bonn", "Kiel"], "age": [30, None, 50]})
    store.create(FeatureTable("people", ("id",)), people)
    past = pa.table(
        {
            "id": [1, 1, 1, 2],
            "account": list("aaba"),
            "at": [day(1), day(5), day(1), day(9)],
            "sum": [1.0, 5.0, 7.0, 9.0],
        }
    )
    first = store.create(FeatureTable("sums", ("id", "account"), "at"), past)
    late = pa.table({"id": [2], "account": ["a"], "at": [day(2)], "sum": [2.0]})
    store.upsert("sums", late)
    spine = pa.table(
        {
            "who": pa.array([3, 1, 1, 2, 1, 7, None, 1], pa.int32()),
            "which": pa.array(list("aabaaaaa")).dictionary_encode(),
            "when": pa.array(
                [day(9), day(5), day(5), day(8), day(4), day(4), day(4), None],
                pa.timestamp("ns"),
            ),
            "target": [0, 1, 0, 1, 0, 1, 0, 1],
        }
    )
    keys = {"who": "id", "which": "account"}
    lookups = [
        Lookup("people", {"who": "id"}, {"town": "town", "age": "age_now"}),
        Lookup("sums", keys, {"sum": "sum_then"}, event_time="when"),
        Lookup("sums", keys, {"sum": "sum_first"}, version=first, event_time="when"),
        Lookup("sums", keys, {"sum": "sum_newest"}),
    ]
    result = joined(store, spine, lookups, tmp_path)
    assert result.select(spine.column_names) == spine
    assert result.drop(spine.column_names).to_pydict() == {
        "town": ["Kiel", "Ulm", "Ulm", "Bonn", "Ulm", None, None, "Ulm"],
        "age_now": [50, 30, 30, None, 30, None, None, 30],
        "sum_then": [None, 5.0, 7.0, 2.0, 1.0, None, None, None],
        "sum_first": [None, 5.0, 7.0, None, 1.0, None, None, None],
        "sum_newest": [None, 5.0, 7.0, 9.0, 5.0, None, None, 5.0],
    }
    before = (tmp_path / "joined.parquet").read_bytes()
    joined(store, spine, lookups, tmp_path)
    assert (tmp_path / "joined.parquet").read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*.tmp")) == []


def test_a_day_is_known_from_its_midnight(store: FeatureStore, tmp_path: Path) -> None:
    rows = pa.table({"id": [1, 1], "at": [day(1).date(), day(2).date()], "x": [1, 2]})  # type: ignore[union-attr]
    store.create(FeatureTable("days", ("id",), "at"), rows)
    when = [day(1), START + timedelta(hours=47), day(2)]
    spine = pa.table({"id": [1, 1, 1], "when": when})
    lookups = [Lookup("days", {"id": "id"}, {"x": "x"}, event_time="when")]
    assert joined(store, spine, lookups, tmp_path)["x"].to_pylist() == [1, 1, 2]


def test_a_spine_without_rows_has_the_columns(store: FeatureStore, tmp_path: Path) -> None:
    store.create(FeatureTable("people", ("id",)), pa.table({"id": [1], "x": [1.5]}))
    spine = pa.table({"id": pa.array([], pa.int64())})
    result = joined(store, spine, [Lookup("people", {"id": "id"}, {"x": "y"})], tmp_path)
    assert result.schema == pa.schema({"id": pa.int64(), "y": pa.float64()})


def test_what_cannot_be_joined_is_said(store: FeatureStore, tmp_path: Path) -> None:
    rows = pa.table({"id": [1], "at": [day(1)], "income": [1.5]})
    version = store.create(FeatureTable("people", ("id",), "at"), rows)
    spine = pa.table({"who": [1], "name": ["x"], "income": [0], "when": [day(1)]})
    who = {"who": "id"}
    for lookup, message in (
        (Lookup("peple", who, {}), r"^There is no feature table 'peple'\. Did you mean 'people'"),
        (Lookup("people", who, {}, version=9), rf"no version 9; the newest is {version}\.$"),
        (Lookup("people", who, {"incme": "i"}), r"has no column 'incme'\. Did you mean 'income'\?"),
        (Lookup("people", {"woh": "id"}, {}), r"'woh' to look up people by\. Did you mean 'who'\?"),
        (Lookup("people", {"who": "ID"}, {}), r"is looked up by 'ID'; its primary keys are 'id'\."),
        (
            Lookup("people", {"name": "id"}, {}),
            r"'name' is string and cannot be compared with 'id'",
        ),
        (
            Lookup("people", who, {}, event_time="who"),
            r"'who' is bigint and cannot be compared with",
        ),
        (Lookup("people", who, {}, event_time="wen"), r"no column 'wen' .* Did you mean 'when'\?"),
        (Lookup("people", who, {"income": "income"}), r"result more than once: 'income'\."),
    ):
        with pytest.raises(StoreError, match=message):
            joined(store, spine, [lookup], tmp_path)
    with pytest.raises(StoreError, match=r"nowhere\.parquet cannot be read as Parquet"):
        store.join(tmp_path / "nowhere.parquet", [], tmp_path / "joined.parquet")
    assert not (tmp_path / "joined.parquet").exists()


def test_rows_of_many_parts_stay_in_order(tmp_path: Path) -> None:
    """More rows than are written at a time, and more columns than are taken at a time."""
    n_rows = 150_000
    ids = pa.array(range(n_rows))
    features = {f"x{i}": ids for i in range(90)}
    rows = pa.table({"id": ids, **features})
    info = FeatureTableInfo(
        FeatureTable("many", ("id",)), dict.fromkeys(rows.column_names, "bigint"), 0, ""
    )
    spine, path = tmp_path / "spine.parquet", tmp_path / "joined.parquet"
    pq.write_table(pa.table({"id": pa.array(range(n_rows - 1, -1, -1))}), spine)
    lookup = Lookup("many", {"id": "id"}, {name: name for name in features})
    join_tables(spine, [(lookup, info, ds.dataset(rows))], path, tmp_path / "temp")
    result = pq.read_table(path)
    assert all(result[name].equals(result["id"]) for name in features)
    assert list((tmp_path / "temp").iterdir()) == []
    groups = pq.ParquetFile(tmp_path / "joined.parquet").metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [
        65_536,
        65_536,
        18_928,
    ]


days = st.one_of(st.none(), st.integers(0, 12))
keys = st.integers(0, 3)


@given(
    table=st.dictionaries(st.tuples(keys, st.integers(0, 12)), st.integers(), max_size=20),
    spine=st.lists(st.tuples(st.one_of(st.none(), keys), days), max_size=20),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_the_newest_row_that_was_known_is_taken(
    table: dict[tuple[int, int], int], spine: list[tuple[int | None, int | None]]
) -> None:
    rows = pd.DataFrame([(key, at, at) for key, at in table], columns=["id", "at", "seen"])
    with TemporaryDirectory() as folder:
        result = _by_join(rows, spine, Path(folder))
    for (key, at), seen in zip(spine, result, strict=True):
        past = rows[(rows["id"] == key) & (rows["at"] <= (-1 if at is None else at))]
        assert seen == (None if past.empty else past["at"].max())


def _by_join(rows: pd.DataFrame, spine: list[Any], folder: Path) -> list[int | None]:
    """The days that are seen, by the join itself over Arrow: a Delta table adds no more."""
    moment = pa.timestamp("us", "UTC")
    table = pa.table(
        {
            "id": pa.array(rows["id"], pa.int64()),
            "at": pa.array([day(int(at)) for at in rows["at"]], moment),
            "seen": pa.array(rows["seen"], pa.int64()),
        }
    )
    asked = pa.table(
        {
            "who": pa.array([who for who, _ in spine], pa.int64()),
            "when": pa.array([day(at) for _, at in spine], moment),
        }
    )
    pq.write_table(asked, folder / "spine.parquet")
    columns = {"id": "bigint", "at": "timestamp", "seen": "bigint"}
    info = FeatureTableInfo(FeatureTable("t", ("id",), "at"), columns, 0, "")
    lookup = Lookup("t", {"who": "id"}, {"seen": "seen"}, event_time="when")
    path = folder / "joined.parquet"
    join_tables(folder / "spine.parquet", [(lookup, info, ds.dataset(table))], path, folder)
    result: list[int | None] = pq.read_table(path)["seen"].to_pylist()
    return result
