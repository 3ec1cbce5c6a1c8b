"""Why a stored result is not what a run would make now: what was read has changed since."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlrecipes.config.feature_schema import FeatureStoreSettings
from mlrecipes.feature_records import TABLE_URI
from mlrecipes.ports import DELTA_URI
from mlrecipes.records import Manifest, Source
from mlrecipes.stores.delta_source import delta_change
from mlrecipes.stores.digests import DigestMemory
from mlrecipes.stores.feature_backends import local_table

__all__ = ["CACHE", "Doubts"]

CACHE = "cache"
"""Folder of a workspace for what functions of the recipe made or fetched."""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What can be seen from here of all that results were made from.

    Attributes:
        root: The recipe's folder; paths of sources begin there.
        workspace: The folder of the results.
        digests: Digests of files outside the workspace.
        tables: Where feature tables lie; None if that is no folder here.
        recorded: Steps whose results name runs of the tracking store.
        database: The tracking store, if it is a file.
    """

    root: Path
    workspace: Path
    digests: DigestMemory
    tables: FeatureStoreSettings | None
    recorded: frozenset[str]
    database: Path | None

    def about(self, manifest: Manifest) -> str | None:
        """Why not to trust a result, in words; None if nothing speaks against it."""
        for source in manifest.sources:
            if (change := self._change(source)) is not None:
                return change
        is_recorded = manifest.step in self.recorded
        if is_recorded and self.database is not None and not self.database.exists():
            return f"the tracking store {self.database.name} is gone"
        return None

    def _change(self, source: Source) -> str | None:
        """Why what was read is not what it was; what lies elsewhere is not looked at."""
        if source.uri.startswith(TABLE_URI):
            return self._table_change(source)
        if source.uri.startswith(DELTA_URI):
            return delta_change(source, self.root)
        if source.sha256 is None or "://" in source.uri:
            return None
        path = self.root / source.uri
        try:
            _size, sha256 = self.digests.digest(path)
        except OSError:
            # What a function of the recipe made or fetched, it makes again when it is needed.
            is_cached = path.is_relative_to(self.workspace / CACHE)
            return None if is_cached else f"input {source.uri} is gone"
        return None if sha256 == source.sha256 else f"input {source.uri} changed"

    def _table_change(self, source: Source) -> str | None:
        if self.tables is None:
            return None
        name = source.uri.removeprefix(TABLE_URI)
        now = local_table(self.tables, self.root, self.workspace, name)
        if now is None:
            return f"feature table {name} is gone"
        return None if now.content_id == source.sha256 else f"feature table {name} changed"
