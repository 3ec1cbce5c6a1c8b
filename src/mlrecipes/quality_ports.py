"""The seam of data quality: what looks at tables, as a protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mlrecipes.quality_records import Checked, Finding, QualityResult, Suite

__all__ = ["QualityBackend", "QualityChecker", "QualityMemory"]


class QualityChecker(Protocol):
    """Looks at tables of one engine.

    A table is a path (a Parquet, CSV or CSV.gz file, or a folder of Parquet files) or what
    :meth:`hold` gave.
    """

    def check(self, table: Any, suite: Suite, others: Mapping[str, Any] | None = None) -> Checked:
        """Hold a table against a suite; what cannot be checked is a finding, no error.

        Args:
            table: The table.
            suite: What is expected.
            others: Tables by name, for foreign keys.

        Raises:
            StoreError: The table cannot be read at all.
        """
        ...

    def set_aside(
        self,
        table: Any,
        findings: Sequence[Finding],
        into: Path,
        limit: int,
        others: Mapping[str, Any] | None = None,
    ) -> tuple[int, int]:
        """Copy the rows that break any of the findings into a Parquet file.

        A column ``failed_expectations`` says which ones. Findings about a whole table have no
        rows; no file is written if there are none at all.

        Returns:
            The number of offending rows, and how many of them (at most ``limit``) were copied.
        """
        ...

    def hold(self, rows: Any, into: Path) -> Any:
        """Keep rows of the engine, so that they can be checked and then written.

        Args:
            rows: What the engine's ``query`` gave.
            into: A Parquet file that may be made for it.
        """
        ...

    def release(self, held: Any) -> Any:
        """The rows of a held table, as the store of the engine takes them."""
        ...


class QualityMemory(Protocol):
    """Remembers tables that passed, so that the same content is not looked at twice."""

    def recall(self, key: str) -> QualityResult | None:
        """What was found then; None if it was never looked at."""
        ...

    def remember(self, key: str, result: QualityResult) -> None:
        """Keep a result without critical failure."""
        ...


@dataclass(frozen=True, slots=True)
class QualityBackend:
    """What looks at files on this machine, what it remembers, and where bad rows go.

    Attributes:
        quarantine: A folder that never leaves this machine.
        docs: Renders Great Expectations' Data Docs of Parquet files, by suite, into a folder
            and gives the first page.
    """

    checker: QualityChecker
    memory: QualityMemory
    quarantine: Path
    docs: Callable[[Mapping[str, tuple[Suite, Path]]], Path]
