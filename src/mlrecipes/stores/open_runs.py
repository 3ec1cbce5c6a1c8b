"""A note of the runs that are open, so that what a killed process left can be ended."""

from __future__ import annotations

import json
from pathlib import Path

from mlrecipes.errors import StoreError
from mlrecipes.stores.replacing import replace_text

__all__ = ["OpenRuns"]


class OpenRuns:
    """The open runs of one server. One process writes at a time: it holds the workspace.

    Args:
        path: The JSON file, ``{server: [run id, ...]}``; gone while no run is open.
        uri: The server, without credentials: they do not belong into a file.
    """

    def __init__(self, path: Path, uri: str) -> None:
        self._path = path
        self._uri = uri

    def read(self) -> list[str]:
        """The runs of our server; none if the file is missing or damaged."""
        return self._load().get(self._uri, [])

    def add(self, run_id: str) -> None:
        """Note an open run; it is on the disk when this returns.

        Raises:
            StoreError: The file cannot be written.
        """
        self._save([*self.read(), run_id])

    def remove(self, *run_ids: str) -> None:
        """Forget runs; those that are not noted do not matter.

        Raises:
            StoreError: The file cannot be written.
        """
        known = self.read()
        left = [run_id for run_id in known if run_id not in run_ids]
        if left != known:
            self._save(left)

    def _load(self) -> dict[str, list[str]]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {str(uri): [str(run_id) for run_id in ids] for uri, ids in content.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _save(self, run_ids: list[str]) -> None:
        content = {**self._load(), self._uri: run_ids}
        content = {uri: ids for uri, ids in content.items() if ids}
        try:
            if not content:
                self._path.unlink(missing_ok=True)
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replace_text(self._path, json.dumps(content))
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error.strerror}.") from error
