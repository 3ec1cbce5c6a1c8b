"""What is asked of Databricks' client, by calls that are recorded.

The stand-in has the signatures of databricks-feature-engineering 0.18.2, as its source says
them, and does with Spark's own catalog what little it must do for the next call.
"""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrecipes.errors import StoreError, TryAgain
from mlrecipes.feature_records import FeatureTable, Lookup
from mlrecipes.stores.databricks_features import DatabricksFeatureStore, open_databricks_store

FULL = "spark_catalog.default.applicants"
APPLICANTS = FeatureTable("applicants", ("id",), "at", "What we know", "risk team")
ROWS = pa.table(
    {
        "id": pa.array([1, 1, 2], pa.int32()),
        "at": pa.array([10, 20, 10], pa.timestamp("us", "UTC")),
        "x": [1.0, 2.0, 3.0],
    }
)


class RecordedLookup:
    def __init__(  # noqa: PLR0913
        self,
        table_name: str,
        lookup_key: str | list[str],
        *,
        feature_names: str | list[str] | None = None,
        rename_outputs: dict[str, str] | None = None,
        timestamp_lookup_key: str | None = None,
        lookback_window: Any = None,
        default_values: dict[str, Any] | None = None,
    ) -> None:
        assert (lookback_window, default_values) == (None, None)
        self.said = (
            table_name,
            lookup_key,
            feature_names,
            rename_outputs,
            timestamp_lookup_key,
        )


class RecordedSet:
    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def load_df(self) -> Any:
        return self._frame


class RecordedClient:
    def __init__(self, session: Any) -> None:
        self.session = session
        self.calls: list[tuple[Any, ...]] = []

    def create_table(  # noqa: PLR0913
        self,
        *,
        name: str,
        primary_keys: str | list[str],
        df: Any = None,
        timeseries_column: str | None = None,
        partition_columns: str | list[str] | None = None,
        schema: Any = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> None:
        assert (partition_columns, schema, tags) == (None, None, None)
        self.calls.append(("create_table", name, primary_keys, timeseries_column, description))
        df.write.format("delta").saveAsTable(name)
        self.session.sql(f"COMMENT ON TABLE {name} IS '{description}'")

    def write_table(
        self,
        *,
        name: str,
        df: Any,
        mode: str = "merge",
        checkpoint_location: str | None = None,
        trigger: dict[str, Any] | None = None,
    ) -> None:
        assert (checkpoint_location, trigger) == (None, None)
        self.calls.append(("write_table", name, mode, df.columns, df.toArrow().to_pylist()))

    def read_table(self, *, name: str) -> Any:
        self.calls.append(("read_table", name))
        return self.session.table(name)

    def drop_table(self, *, name: str) -> None:
        self.calls.append(("drop_table", name))
        self.session.sql(f"DROP TABLE {name}")

    def create_training_set(
        self,
        *,
        df: Any,
        feature_lookups: list[Any] | None = None,
        feature_spec: str | None = None,
        features: list[Any] | None = None,
        label: str | list[str] | None,
        exclude_columns: list[str] | None = None,
    ) -> RecordedSet:
        assert (feature_spec, features, label, exclude_columns) == (None, None, None, None)
        said = [lookup.said for lookup in feature_lookups or []]
        self.calls.append(("create_training_set", df.dtypes, said))
        # Rows come back in any order, with all columns that went in.
        found = df.selectExpr("*", "10D * l0_k0 AS applicant_x").orderBy(df["__row"].desc())
        return RecordedSet(found)


@pytest.fixture
def client(spark: Any) -> Any:
    spark.sql(f"DROP TABLE IF EXISTS {FULL}")
    return RecordedClient(spark)


@pytest.fixture
def store(client: RecordedClient, spark: Any) -> DatabricksFeatureStore:
    return DatabricksFeatureStore(client, spark, "spark_catalog.default", RecordedLookup)


def test_a_table_is_made_read_written_and_dropped_by_the_client(
    store: DatabricksFeatureStore, client: RecordedClient
) -> None:
    store.create(APPLICANTS, ROWS, {"built_from": "raw"})
    info = store.find("applicants")
    assert info is not None
    assert (info.table, info.properties) == (APPLICANTS, {"built_from": "raw"})
    assert store.names() == ["applicants"]
    assert store.upsert("applicants", ROWS) == info.version
    assert store.read("applicants", columns=["x"]).columns == ["id", "at", "x"]
    new = ROWS.slice(2).set_column(2, "x", pa.array([4.0]))
    store.upsert("applicants", new)
    store.add_columns(
        "applicants", ROWS.slice(0, 1).select(["id", "at"]).append_column("y", [["a"]])
    )
    assert [call[:4] for call in client.calls] == [
        ("create_table", FULL, ["id", "at"], "at"),
        ("read_table", FULL),
        ("write_table", FULL, "merge", ["id", "at", "x"]),
        ("write_table", FULL, "merge", ["id", "at", "y"]),
    ]
    assert client.calls[0][4] == "What we know"
    assert client.calls[2][4] == new.to_pylist()
    # All rows of the table, so that those without a match lose what they had.
    assert sorted(row["y"] or "" for row in client.calls[3][4]) == ["", "", "a"]
    other = ROWS.slice(0, 1)
    version = store.overwrite("applicants", other, expected_version=info.version)
    assert store.read("applicants").count() == 1
    with pytest.raises(TryAgain, match=rf"has version {version} by now, expected version 0\."):
        store.overwrite("applicants", other, expected_version=0)
    store.drop("applicants")
    assert client.calls[-1] == ("drop_table", FULL)
    with pytest.raises(StoreError, match=r"^There is no feature table 'applicants'\.$"):
        store.drop("applicants")


def test_features_are_joined_by_a_training_set(
    store: DatabricksFeatureStore, client: RecordedClient, tmp_path: Path
) -> None:
    store.create(APPLICANTS, ROWS)
    spine = pa.table({"who": [2, 1], "when": pa.array([15, 25], pa.timestamp("us")), "y": [0, 1]})
    pq.write_table(spine, tmp_path / "spine.parquet")
    keys, features = {"who": "id"}, {"x": "applicant_x"}
    timely = Lookup("applicants", keys, features, event_time="when")
    store.join(tmp_path / "spine.parquet", [timely], tmp_path / "joined.parquet")
    types = [("__row", "bigint"), ("l0_k0", "int"), ("l0_k1", "timestamp")]
    said = (FULL, ["l0_k0"], ["x"], {"x": "applicant_x"}, "l0_k1")
    assert client.calls[-1] == ("create_training_set", types, [said])
    joined = pq.read_table(tmp_path / "joined.parquet")
    assert joined == spine.append_column("applicant_x", [[20.0, 10.0]])
    # An older version, or the newest row of all: that is not for the client.
    client.calls.clear()
    old = Lookup("applicants", keys, features, version=0)
    store.join(tmp_path / "spine.parquet", [old], tmp_path / "joined.parquet")
    assert [call[0] for call in client.calls] == []
    assert pq.read_table(tmp_path / "joined.parquet")["applicant_x"].to_pylist() == [3.0, 2.0]


def test_what_the_client_raises_becomes_ours(
    store: DatabricksFeatureStore, client: RecordedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise ValueError("no grant\nat line 3")

    monkeypatch.setattr(client, "create_table", refuse)
    with pytest.raises(StoreError, match=r"^Could not create feature table applicants: no grant$"):
        store.create(APPLICANTS, ROWS)


def test_without_the_client_it_is_said_what_to_install() -> None:
    with pytest.raises(StoreError, match=r"pip install 'mlrecipes\[databricks\]'$"):
        open_databricks_store("main.credit")
