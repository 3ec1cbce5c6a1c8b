"""What looks at files on this machine, as the recipe's ``quality`` section asks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mlrecipes.config.quality_schema import Quality
from mlrecipes.quality_ports import QualityBackend
from mlrecipes.quality_records import Finding, QualityResult, Suite
from mlrecipes.stores.quality_duckdb import DuckDbChecker
from mlrecipes.stores.replacing import replace_text

__all__ = ["FileMemory", "open_quality"]


class FileMemory:
    """A :class:`~mlrecipes.quality_ports.QualityMemory`: one JSON file a table that passed.

    A file that cannot be read is a table that was never looked at.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, key: str) -> QualityResult | None:
        """What was found then."""
        try:
            data = json.loads((self._folder / f"{key}.json").read_text(encoding="utf-8"))
            findings = tuple(Finding.from_json(one) for one in data["results"])
            meta = data["meta"]
            suite = Suite(
                data["suite_name"],
                tuple(one.expectation for one in findings),
                meta["suite_file"],
                meta["suite_sha256"],
            )
            return QualityResult(suite, meta["table"], meta["n_rows"], findings)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def remember(self, key: str, result: QualityResult) -> None:
        """Keep a result."""
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result.to_json(), indent=1, default=str)
        replace_text(self._folder / f"{key}.json", text)


def open_quality(
    settings: Quality, *, temporary: Path, memory: Path, quarantine: Path, docs: Path
) -> QualityBackend:
    """Open the checker of files.

    Args:
        settings: The recipe's ``quality``.
        temporary: Where work goes that does not fit into memory.
        memory: Folder of what passed.
        quarantine: Folder of offending rows.
        docs: Folder of Data Docs.
    """

    def render(tables: Mapping[str, tuple[Suite, Path]]) -> Path:
        from mlrecipes.stores.frames import read_frame
        from mlrecipes.stores.quality_gx import build_docs

        results = [
            (name, read_frame(path), suite.expectations) for name, (suite, path) in tables.items()
        ]
        return build_docs(results, docs)

    checker = DuckDbChecker(temporary, shows_values=settings.shows_values)
    return QualityBackend(checker, FileMemory(memory), quarantine, render)
