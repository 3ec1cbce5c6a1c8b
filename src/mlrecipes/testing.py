"""The outside world in memory: for the tests of steps, ours and yours.

>>> tracker = MemoryTracker()
>>> run = tracker.start_run({"mlflow.source.type": "RECIPE"})
>>> tracker.log(run.run_id, metrics={"val_roc_auc": 0.75})
>>> tracker.runs[run.run_id].metrics
{'val_roc_auc': 0.75}
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlrecipes.cleaning import FoundExperiment, FoundModel, FoundRun, RecipeMark
from mlrecipes.errors import StoreError
from mlrecipes.feature_records import FeatureTable, FeatureTableInfo
from mlrecipes.ports import DatasetInput, RegisteredVersion, RunInfo, RunRecord
from mlrecipes.promotion_ports import FetchedModel, VersionFacts
from mlrecipes.promotion_records import Entry

__all__ = [
    "MemoryFeatureStore",
    "MemoryPromotions",
    "MemoryRegistry",
    "MemoryRun",
    "MemoryRunArchive",
    "MemoryTracker",
]

SPARK_NAMES = {"int64": "bigint", "int32": "int", "bool": "boolean", "date32[day]": "date"}


@dataclass
class MemoryRun:
    """All that was recorded of a run."""

    tags: dict[str, str]
    status: str = "RUNNING"
    params: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)
    inputs: list[DatasetInput] = field(default_factory=list)
    artifacts: dict[str, str] = field(default_factory=dict)
    experiment_tags: dict[str, str] = field(default_factory=dict)


class MemoryTracker:
    """A :class:`~mlrecipes.ports.Tracker` whose runs can be looked at."""

    def __init__(self) -> None:
        self.runs: dict[str, MemoryRun] = {}
        self._numbers = itertools.count(1)

    def start_run(self, tags: Mapping[str, str]) -> RunInfo:
        """Open a run; its id tells how many came before."""
        run_id = f"run-{next(self._numbers)}"
        self.runs[run_id] = MemoryRun(dict(tags))
        return RunInfo(run_id, "0", "RUNNING", "memory:")

    def log(
        self,
        run_id: str,
        *,
        params: Mapping[str, Any] | None = None,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Record values."""
        run = self.runs[run_id]
        run.params |= params or {}
        run.metrics |= metrics or {}
        run.tags |= tags or {}

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        """Record which tables a run used."""
        self.runs[run_id].inputs.extend(datasets)

    def log_directory(self, run_id: str, path: Path, artifact_path: str) -> None:
        """Record the names of a folder's files."""
        for file in sorted(path.rglob("*")):
            if file.is_file():
                name = f"{artifact_path}/{file.relative_to(path).as_posix()}"
                self.runs[run_id].artifacts[name] = str(file)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Record a text."""
        self.runs[run_id].artifacts[artifact_file] = text

    def set_experiment_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Record tags of the run's experiment."""
        self.runs[run_id].experiment_tags |= tags

    def find_run(self, run_id: str) -> RunInfo | None:
        """Look a run up."""
        run = self.runs.get(run_id)
        return None if run is None else RunInfo(run_id, "0", run.status, "memory:")

    def read_run(self, run_id: str) -> RunRecord | None:
        """What was recorded of a run, which nobody started at no time."""
        run = self.runs.get(run_id)
        if run is None:
            return None
        params = {name: str(value) for name, value in run.params.items()}
        return RunRecord(run_id, "", "", dict(run.tags), params, dict(run.metrics))

    def end_open_runs(self, status: str) -> None:
        """End all runs that are not ended."""
        for run in self.runs.values():
            if run.status == "RUNNING":
                run.status = status


class MemoryRegistry:
    """A :class:`~mlrecipes.ports.Registry` whose models can be looked at and deleted.

    Args:
        refuses: Methods that fail, such as ``delete_version``.
    """

    def __init__(self, refuses: Sequence[str] = ()) -> None:
        self.refuses = set(refuses)
        self.versions: dict[str, list[RegisteredVersion]] = {}
        self.tags: dict[tuple[str, str], dict[str, str]] = {}
        self.aliases: dict[tuple[str, str], str] = {}
        self.descriptions: dict[tuple[str, str], str] = {}

    def register(
        self, name: str, run_id: str, artifact_path: str, tags: Mapping[str, str]
    ) -> RegisteredVersion:
        """Register a run's model, or find the version that it already is."""
        source = f"runs:/{run_id}/{artifact_path}"
        versions = self.versions.setdefault(name, [])
        known = next((version for version in versions if version.source == source), None)
        version = known or RegisteredVersion(name, str(len(versions) + 1), source, run_id)
        if known is None:
            versions.append(version)
        self.tags[name, version.version] = dict(tags)
        return version

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let an alias point at a version that exists."""
        if version not in {known.version for known in self.versions.get(name, [])}:
            raise StoreError(f"{name} has no version {version}.")
        self.aliases[name, alias] = version

    def describe(self, name: str, version: str, text: str) -> None:
        """Keep the description of a version."""
        self.descriptions[name, version] = text

    def version_before(self, name: str, version: str) -> RegisteredVersion | None:
        """The newest version that is older than this one."""
        older = [one for one in self.versions[name] if int(one.version) < int(version)]
        return max(older, key=lambda one: int(one.version), default=None)

    def find(self, name: str) -> FoundModel | None:
        """Look a model up."""
        if name not in self.versions:
            return None
        aliases = {alias: version for (of, alias), version in self.aliases.items() if of == name}
        return FoundModel(name, tuple(one.version for one in self.versions[name]), aliases)

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias."""
        _refuse("delete_alias", self.refuses)
        self.aliases.pop((name, alias), None)

    def delete_version(self, name: str, version: str) -> None:
        """Delete a version."""
        _refuse("delete_version", self.refuses)
        self.versions[name] = [one for one in self.versions[name] if one.version != version]

    def delete_model(self, name: str) -> None:
        """Delete a model."""
        _refuse("delete_model", self.refuses)
        self.versions.pop(name, None)


class MemoryPromotions:
    """A :class:`~mlrecipes.promotion_ports.PromotionRegistry` over a registry in memory.

    Args:
        registry: Its versions, tags and aliases.
        user: Who acts.
    """

    def __init__(self, registry: MemoryRegistry, user: str = "ann") -> None:
        self.registry = registry
        self.user = user
        self.rows: dict[str, list[dict[str, str]]] = {}
        self.models: dict[tuple[str, str], FetchedModel] = {}

    def aliases(self, name: str) -> Mapping[str, str]:
        """Alias to version."""
        found = self.registry.find(name)
        return found.aliases if found else {}

    def version(self, name: str, version: str) -> VersionFacts:
        """Look a version up."""
        for one in self.registry.versions.get(name, []):
            if one.version == version:
                tags = dict(self.registry.tags.get((name, version), {}))
                return VersionFacts(name, version, one.source, tags=tags)
        raise StoreError(f"{name} has no version {version}.")

    def newest(self, name: str) -> str | None:
        """The highest version."""
        versions = self.registry.versions.get(name, [])
        return versions[-1].version if versions else None

    def point(self, name: str, alias: str, version: str | None) -> None:
        """Let an alias point at a version, or take it away."""
        if version is None:
            self.registry.delete_alias(name, alias)
        else:
            self.registry.set_alias(name, alias, version)

    def tag(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        self.version(name, version)
        self.registry.tags.setdefault((name, version), {}).update(tags)

    def append(self, name: str, entry: Entry, about: VersionFacts) -> int:
        """Write a row, and give its number."""
        rows = self.rows.setdefault(name, [])
        rows.append(entry.to_tags())
        return len(rows)

    def entries(self, name: str) -> Sequence[Entry]:
        """All rows."""
        found = (Entry.from_tags(i, row) for i, row in enumerate(self.rows.get(name, []), 1))
        return tuple(entry for entry in found if entry is not None)

    def amend(self, name: str, number: int, values: Mapping[str, str]) -> None:
        """Set fields of a row."""
        self.rows[name][number - 1].update(values)

    def fetch(self, name: str, version: str, folder: Path) -> FetchedModel:
        """The model that a test has put there."""
        self.version(name, version)
        if (name, version) not in self.models:
            raise StoreError(f"{name} version {version} cannot be loaded as a model of a recipe.")
        return self.models[name, version]


class MemoryRunArchive:
    """A :class:`~mlrecipes.cleaning.RunCleaner` over runs that a test writes down.

    As in MLflow, what is deleted is still there, and a deleted experiment keeps its name.

    Args:
        experiments: Those that there are.
        runs: The runs in them.
        refuses: Methods that fail, such as ``delete_run``.
    """

    def __init__(
        self,
        experiments: Sequence[FoundExperiment] = (),
        runs: Sequence[FoundRun] = (),
        refuses: Sequence[str] = (),
    ) -> None:
        self.names = {one.experiment_id: one.name for one in experiments}
        self.deleted: set[str] = set()
        self.refuses = set(refuses)
        self._experiments = {one.experiment_id: one for one in experiments}
        self._runs = {one.run_id: one for one in runs}

    def experiments(self, name: str | None = None) -> list[FoundExperiment]:
        """All that are not deleted, or the one of this name."""
        found = [self.experiment(experiment_id) for experiment_id in self.names]
        return [one for one in found if one is not None and name in {None, one.name}]

    def experiment(self, experiment_id: str) -> FoundExperiment | None:
        """Look one up."""
        if experiment_id in self.deleted or experiment_id not in self.names:
            return None
        return replace(self._experiments[experiment_id], name=self.names[experiment_id])

    def runs(
        self,
        experiment_ids: Sequence[str],
        *,
        mark: RecipeMark | None = None,
        parent_id: str | None = None,
        are_deleted: bool = False,
    ) -> list[FoundRun]:
        """Find runs."""
        return [
            run
            for run in sorted(self._runs.values(), key=lambda run: run.run_id)
            if run.experiment_id in experiment_ids
            and (run.run_id in self.deleted) is are_deleted
            and mark in {None, run.mark}
            and parent_id in {None, run.parent_id}
        ]

    def run(self, run_id: str) -> FoundRun | None:
        """Look a run up."""
        return None if run_id in self.deleted else self._runs.get(run_id)

    def delete_run(self, run_id: str) -> None:
        """Delete a run."""
        _refuse("delete_run", self.refuses)
        self.deleted.add(run_id)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Rename an experiment that is not deleted."""
        _refuse("rename_experiment", self.refuses)
        if experiment_id in self.deleted:
            raise StoreError("A deleted experiment cannot be renamed.")
        self.names[experiment_id] = name

    def delete_experiment(self, experiment_id: str) -> None:
        """Delete an experiment."""
        _refuse("delete_experiment", self.refuses)
        self.deleted.add(experiment_id)


class MemoryFeatureStore:
    """Feature tables in memory: the part of a feature store that makes, finds and drops them."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self._tables: dict[str, FeatureTableInfo] = {}
        self._numbers = itertools.count(1)

    def names(self) -> list[str]:
        """Names of all tables."""
        return sorted(self._tables)

    def find(self, name: str) -> FeatureTableInfo | None:
        """Look a table up."""
        return self._tables.get(name)

    def create(
        self, table: FeatureTable, rows: Any, properties: Mapping[str, str] | None = None
    ) -> int:
        """Keep a ``pyarrow.Table`` whose keys are there, never null and unique."""
        if table.name in self._tables:
            raise StoreError(f"There is a feature table {table.name} already.")
        keys = list(table.row_keys)
        missing = [key for key in keys if key not in rows.column_names]
        if missing or any(rows[key].null_count for key in keys):
            raise StoreError(f"{table.name}: keys are missing or null.")
        if rows.group_by(keys).aggregate([]).num_rows != rows.num_rows:
            raise StoreError(f"{table.name}: keys are not unique.")
        types = {field.name: str(field.type) for field in rows.schema}
        columns = {name: SPARK_NAMES.get(kind, kind) for name, kind in types.items()}
        table_id = f"table-{next(self._numbers)}"
        info = FeatureTableInfo(table, columns, 0, table_id, dict(properties or {}))
        self._tables[table.name], self.rows[table.name] = info, rows
        return info.version

    def drop(self, name: str) -> None:
        """Delete a table."""
        if self._tables.pop(name, None) is None:
            raise StoreError(f"There is no feature table {name}.")
        del self.rows[name]


def _refuse(method: str, refused: set[str]) -> None:
    if method in refused:
        raise StoreError(f"Could not {method.replace('_', ' ')}: not allowed.")
