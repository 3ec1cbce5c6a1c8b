"""Feature tables in Unity Catalog, by Databricks' own client.

Written against the signatures of databricks-feature-engineering 0.18.2 and tested by recorded
calls; it was never run on a workspace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import StoreError
from mlrecipes.feature_records import FeatureTable, FeatureTableInfo, Lookup
from mlrecipes.stores import feature_rules as rules
from mlrecipes.stores import spark_delta
from mlrecipes.stores.failures import could_not
from mlrecipes.stores.joined_rows import ROW, check_lookups, spine_keys
from mlrecipes.stores.spark import open_session, spark_errors
from mlrecipes.stores.spark_joins import join_frames, write_frames
from mlrecipes.stores.spark_rows import checked, frame_columns, ticked, to_frame

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

__all__ = ["DatabricksFeatureStore", "open_databricks_store"]


def open_databricks_store(schema: str) -> DatabricksFeatureStore:
    """Connect to the feature tables of a schema, in the workspace where this runs.

    Args:
        schema: Such as ``main.credit``.

    Raises:
        StoreError: The client is not installed, or finds no workspace.
    """
    try:
        from databricks.feature_engineering import FeatureEngineeringClient, FeatureLookup
    except ImportError as error:
        raise StoreError(
            "Databricks' client for feature tables is not installed.",
            hint="Install it: pip install 'mlrecipes[databricks]'",
        ) from error
    session = open_session()
    with _client_errors("connect to Databricks"):
        client = FeatureEngineeringClient()
    return DatabricksFeatureStore(client, session, schema, FeatureLookup)


class DatabricksFeatureStore:
    """A :class:`~mlrecipes.feature_ports.FeatureStore` in Unity Catalog.

    Args:
        client: A ``FeatureEngineeringClient``.
        session: Of Spark, that sees the catalog.
        schema: With its catalog, such as ``main.credit``.
        new_lookup: The client's ``FeatureLookup``.
    """

    def __init__(
        self, client: Any, session: SparkSession, schema: str, new_lookup: Callable[..., Any]
    ) -> None:
        self._client = client
        self._session = session
        self._schema = schema
        self._new_lookup = new_lookup

    def names(self) -> list[str]:
        """Names of all feature tables, sorted."""
        with spark_errors(f"list the feature tables of {self._schema}"):
            rows = self._session.sql(f"SHOW TABLES IN {_quoted(self._schema)}").collect()
            stored = [row["tableName"] for row in rows if not row["isTemporary"]]
            names = [name for name in stored if rules.NAME.fullmatch(name)]
            return sorted(name for name in names if self._is_feature_table(name))

    def find(self, name: str) -> FeatureTableInfo | None:
        """What a table holds now; None if there is none of this name.

        Raises:
            StoreError: The name is none, or the table is no feature table.
        """
        rules.check_name(name)
        with spark_errors(f"look for feature table {name}"):
            if not self._session.catalog.tableExists(self._full(name)):
                return None
        return spark_delta.info_of(self._session, self._ref(name), name)

    def create(
        self, table: FeatureTable, rows: Any, properties: Mapping[str, str] | None = None
    ) -> int:
        """Make a table with its first rows, and give its version.

        Raises:
            StoreError: It exists; or keys are missing, null or not unique.
        """
        rules.check_new(self, table, properties)
        frame = to_frame(self._session, table.name, rows)
        rules.check_definition(table, frame.columns)
        with (
            checked(table.name, frame, table.row_keys) as sound,
            _client_errors(f"create feature table {table.name}"),
        ):
            self._client.create_table(
                name=self._full(table.name),
                primary_keys=[*table.row_keys],
                df=sound,
                timeseries_column=table.event_time,
                description=table.description,
            )
        kept = rules.properties_of(table, properties)
        return self._set(table.name, kept)

    def upsert(self, name: str, rows: Any, properties: Mapping[str, str] | None = None) -> int:
        """Change rows whose keys are there and add the others.

        Raises:
            StoreError: There is no such table; keys are missing, null or not unique; or a
                column is new or has another type.
        """
        with self._sound(name, rows, properties, new_allowed=False) as (info, sound):
            if spark_delta.has_news(self._session, self._ref(name), info, sound):
                self._write(name, sound)
        return self._set(name, properties)

    def add_columns(self, name: str, rows: Any, properties: Mapping[str, str] | None = None) -> int:
        """Add columns to the rows that are there; rows without a match get null.

        Raises:
            StoreError: As for :meth:`upsert`; new columns are welcome here.
        """
        with self._sound(name, rows, properties, new_allowed=True) as (info, sound):
            keys = [*info.table.row_keys]
            # The client's merge would insert keys that are not there, and leave old values.
            there = spark_delta.read(self._session, self._ref(name), info, columns=())
            self._write(name, there.join(sound, keys, "left"))
        return self._set(name, properties)

    def overwrite(
        self,
        name: str,
        rows: Any,
        *,
        expected_version: int,
        properties: Mapping[str, str] | None = None,
    ) -> int:
        """Replace all rows and columns of a table, if it still has the expected version.

        By Spark: the client can do no more than merge.

        Raises:
            StoreError: As for :meth:`create`, but the table must exist.
            TryAgain: The table has another version by now.
        """
        rules.check_properties(properties)
        info = rules.existing(self, name)
        frame = to_frame(self._session, name, rows)
        rules.check_definition(info.table, frame.columns)
        with checked(name, frame, info.table.row_keys) as sound:
            now = rules.existing(self, name)
            spark_delta.replace(self._session, self._ref(name), now, sound, expected_version)
        return self._set(name, properties)

    def read(
        self,
        name: str,
        *,
        columns: Sequence[str] | None = None,
        version: int | None = None,
        at: datetime | None = None,
    ) -> DataFrame:
        """Read a table as it is, as of a version, or as of a time (UTC); keys come first.

        Raises:
            StoreError: There is no such table, column, version, or none at that time.
        """
        info = rules.existing(self, name)
        if version is not None or at is not None:
            return spark_delta.read(self._session, self._ref(name), info, columns, version, at)
        wanted = rules.keys_first(info, columns)
        with _client_errors(f"read feature table {name}"), spark_errors(f"read {name}"):
            frame: DataFrame = self._client.read_table(name=self._full(name))
            return frame.select([frame[ticked(column)] for column in wanted])

    def join(self, spine: Path, lookups: Sequence[Lookup], path: Path) -> None:
        """Put looked-up features beside the rows of a Parquet file, in the same order.

        The client knows the newest versions alone, and looks up times by a time alone: for all
        else Spark does the join.

        Raises:
            StoreError: A table, version or column is missing; or a column would be there twice.
        """
        infos = [(lookup, rules.existing(self, lookup.table)) for lookup in lookups]
        if not all(_client_can(lookup, info) for lookup, info in infos):
            frames = [
                (lookup, info, self.read(lookup.table, version=lookup.version))
                for lookup, info in infos
            ]
            tables = [
                (lookup, rules.as_of(info, frame_columns(frame), lookup.version), frame)
                for lookup, info, frame in frames
            ]
            join_frames(self._session, spine, tables, path)
            return
        check_lookups(spine, infos)
        with _client_errors("join the feature tables"), spark_errors("join the feature tables"):
            write_frames(spine, [self._training_set(spine, infos)] if infos else [], path)

    def drop(self, name: str) -> None:
        """Delete a table with all its versions.

        Raises:
            StoreError: There is no such table.
        """
        rules.existing(self, name)
        with _client_errors(f"drop feature table {name}"):
            self._client.drop_table(name=self._full(name))

    def _training_set(
        self, spine: Path, infos: Sequence[tuple[Lookup, FeatureTableInfo]]
    ) -> DataFrame:
        """The features in the order of the spine, as the client finds them."""
        of_spine: list[tuple[str, str]] = []
        types: list[str] = []
        wanted: list[Any] = []
        names: list[str] = []
        for position, (lookup, info) in enumerate(infos):
            column_of = {key: column for column, key in lookup.keys.items()}
            pairs = [(column_of[key], key) for key in info.table.primary_keys]
            if info.table.event_time is not None:
                pairs.append((str(lookup.event_time), info.table.event_time))
            renamed = [f"l{position}_k{i}" for i in range(len(pairs))]
            of_spine += [(column, name) for (column, _), name in zip(pairs, renamed, strict=True)]
            types += [info.columns[key] for _, key in pairs]
            has_time = info.table.event_time is not None
            wanted.append(
                self._new_lookup(
                    self._full(lookup.table),
                    renamed[:-1] if has_time else renamed,
                    feature_names=[*lookup.features],
                    rename_outputs={old: new for old, new in lookup.features.items() if old != new},
                    timestamp_lookup_key=renamed[-1] if has_time else None,
                )
            )
            names += lookup.features.values()
        keys = self._session.createDataFrame(spine_keys(spine, of_spine).read_all())
        # The client wants the very types of its tables.
        cast = [
            keys[name].cast(to).alias(name) for (_, name), to in zip(of_spine, types, strict=True)
        ]
        training_set = self._client.create_training_set(
            df=keys.select(ROW, *cast), feature_lookups=wanted, label=None
        )
        frame: DataFrame = (
            training_set.load_df().orderBy(ROW).select([ticked(name) for name in names])
        )
        return frame

    @contextmanager
    def _sound(
        self, name: str, rows: Any, properties: Mapping[str, str] | None, *, new_allowed: bool
    ) -> Iterator[tuple[FeatureTableInfo, DataFrame]]:
        rules.check_properties(properties)
        info = rules.existing(self, name)
        frame = to_frame(self._session, name, rows, info.columns)
        rules.check_changed(info, frame_columns(frame), new_allowed=new_allowed)
        with checked(name, frame, info.table.row_keys) as sound:
            yield info, sound

    def _write(self, name: str, frame: DataFrame) -> None:
        with _client_errors(f"write to feature table {name}"):
            self._client.write_table(name=self._full(name), df=frame, mode="merge")

    def _set(self, name: str, properties: Mapping[str, str] | None) -> int:
        spark_delta.set_properties(self._session, self._ref(name), name, properties)
        return rules.existing(self, name).version

    def _is_feature_table(self, name: str) -> bool:
        shown = self._session.sql(f"SHOW TBLPROPERTIES {self._ref(name)}")
        return any(row[0] == rules.PRIMARY_KEYS for row in shown.collect())

    def _full(self, name: str) -> str:
        return f"{self._schema}.{name}"

    def _ref(self, name: str) -> str:
        return _quoted(self._full(name))


def _client_can(lookup: Lookup, info: FeatureTableInfo) -> bool:
    has_time = info.table.event_time is not None
    return (
        lookup.version in {None, info.version}
        and bool(lookup.features)
        and (lookup.event_time is not None or not has_time)
    )


def _quoted(name: str) -> str:
    """A name of several parts as Spark SQL takes it.

    >>> _quoted("main.credit.applicants")
    '`main`.`credit`.`applicants`'
    """
    return ".".join(ticked(part) for part in name.split("."))


@contextmanager
def _client_errors(doing: str) -> Iterator[None]:
    """Turn what the client raises, which is anything, into ours.

    Raises:
        StoreError: With the first line of the cause.
    """
    try:
        yield
    except StoreError:
        raise
    except Exception as error:
        raise could_not(doing, error) from error
