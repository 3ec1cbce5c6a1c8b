"""A folder with a Delta table a feature table: opened, locked, put there and taken away whole."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mlrecipes.errors import StoreError, TryAgain
from mlrecipes.feature_records import FeatureTableInfo
from mlrecipes.stores import feature_rules as rules
from mlrecipes.stores.failures import could_not
from mlrecipes.stores.feature_types import type_name

if TYPE_CHECKING:
    from deltalake import DeltaTable

__all__ = ["DeltaFolder", "delta_errors", "info_of"]

LOG = "_delta_log"
LOCK_WAIT_S = 120.0


class DeltaFolder:
    """The tables in a folder.

    Args:
        path: Of the folder; made when the first table is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Names of all tables, sorted."""
        if not self.path.is_dir():
            return []
        names = [path.name for path in self.path.iterdir() if (path / LOG).is_dir()]
        return sorted(name for name in names if rules.NAME.fullmatch(name))

    def has(self, name: str) -> bool:
        """Whether there is a table of this name.

        Raises:
            StoreError: The name is none.
        """
        rules.check_name(name)
        return (self.path / name / LOG).is_dir()

    def open(self, name: str, version: int | None = None) -> DeltaTable:
        """Open a table, as of its newest version or an older one.

        Args:
            name: Of the table.
            version: None for the newest.

        Raises:
            StoreError: There is no such table or version, or it is damaged.
        """
        from deltalake import DeltaTable
        from deltalake.exceptions import DeltaError

        path = self.path / name
        if not self.has(name):
            raise rules.no_table(name, self.names())
        with delta_errors(f"open feature table {name}"):
            newest = DeltaTable(path)
            if version is None or version == newest.version():
                return newest
            if 0 <= version < newest.version():
                try:
                    return DeltaTable(path, version=version)
                except DeltaError as error:
                    raise rules.no_version(name, version, newest.version()) from error
        raise rules.no_version(name, version, newest.version())

    def beside(self, name: str) -> Path:
        """A folder for a table that is made or deleted; nobody takes it for a table."""
        self.path.mkdir(parents=True, exist_ok=True)
        return self.path / f".{name}.{uuid.uuid4().hex}"

    def sweep(self, name: str) -> None:
        """Delete what killed processes left; only under the lock, when nobody is at work."""
        for path in self.path.glob(f".{name}.*"):
            if path.is_dir():
                shutil.rmtree(path)

    def put(self, building: Path, name: str) -> None:
        """Let a table that was made beside be there under its name, at once.

        Raises:
            StoreError: There is a table, or something else, of this name.
        """
        path = self.path / name
        if self.has(name):
            shutil.rmtree(building)
            raise rules.exists_already(name, int(self.open(name).version()))
        try:
            building.rename(path)
        except OSError as error:
            shutil.rmtree(building)
            raise StoreError(
                f"Could not create feature table {name}: {path} is in its way ({error.strerror})."
            ) from error

    def take_away(self, name: str) -> None:
        """Delete a table: renamed first, as half a table could not be read.

        Raises:
            StoreError: There is no such table.
        """
        if not self.has(name):
            raise rules.no_table(name, self.names())
        (self.path / name).rename(self.beside(name))
        self.sweep(name)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Be the one writer of this machine; the kernel lets go of it when the writer dies.

        Raises:
            TryAgain: Another one is at work for long.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.path / f".{name}.lock", timeout=LOCK_WAIT_S)
        try:
            lock.acquire()
        except Timeout as error:
            version = f"version {self.open(name).version()}" if self.has(name) else "not there yet"
            raise TryAgain(
                f"Feature table {name} ({version}) is written by another process for more than "
                f"{LOCK_WAIT_S:.0f} s. Nothing was written.",
                hint="Run again when it is done.",
            ) from error
        try:
            yield
        finally:
            lock.release()


@contextmanager
def delta_errors(doing: str) -> Iterator[None]:
    """Turn errors of delta-rs and Arrow into ours, but for lost races.

    Raises:
        StoreError: With the first line of the cause.
        CommitFailedError: Another writer was faster: what that means is for the caller to say.
    """
    import pyarrow as pa
    from deltalake.exceptions import CommitFailedError, DeltaError

    try:
        yield
    except CommitFailedError:
        raise
    except (DeltaError, pa.ArrowException, OSError) as error:
        raise could_not(doing, error) from error


def info_of(name: str, delta: DeltaTable) -> FeatureTableInfo:
    """What a feature table holds, in the version that is open."""
    metadata = delta.metadata()
    fields = json.loads(delta.schema().to_json())["fields"]
    columns = {field["name"]: type_name(field["type"]) for field in fields}
    info = rules.info_from(
        name, metadata.description, metadata.configuration, columns, int(delta.version())
    )
    return replace(info, n_rows=int(delta.count()))
