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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlrecipes.errors import StoreError
from mlrecipes.ports import DatasetInput, RegisteredVersion, RunInfo

__all__ = ["MemoryRegistry", "MemoryRun", "MemoryTracker"]


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

    def end_open_runs(self, status: str) -> None:
        """End all runs that are not ended."""
        for run in self.runs.values():
            if run.status == "RUNNING":
                run.status = status


class MemoryRegistry:
    """A :class:`~mlrecipes.ports.Registry` whose models can be looked at."""

    def __init__(self) -> None:
        self.versions: dict[str, list[RegisteredVersion]] = {}
        self.tags: dict[tuple[str, str], dict[str, str]] = {}
        self.aliases: dict[tuple[str, str], str] = {}

    def register(
        self, name: str, run_id: str, artifact_path: str, tags: Mapping[str, str]
    ) -> RegisteredVersion:
        """Register a run's model, or find the version that it already is."""
        source = f"runs:/{run_id}/{artifact_path}"
        versions = self.versions.setdefault(name, [])
        known = next((version for version in versions if version.source == source), None)
        version = known or RegisteredVersion(name, str(len(versions) + 1), source)
        if known is None:
            versions.append(version)
        self.tags[name, version.version] = dict(tags)
        return version

    def set_alias(self, name: str, alias: str, version: str) -> None:
        """Let an alias point at a version that exists."""
        if version not in {known.version for known in self.versions.get(name, [])}:
            raise StoreError(f"{name} has no version {version}.")
        self.aliases[name, alias] = version
