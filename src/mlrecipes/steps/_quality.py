"""Doors: tables are held against their suites, and bad ones do not pass.

::

    raw.<table>, features.<table>     in the features step
    training                          what ingest hands on
    scoring, predictions              in batch scoring
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mlrecipes.checks.quality import (
    DataQualityWarning,
    judged,
    null_share_expectations,
    quality_json,
    quality_section,
    rejection,
    warning_lines,
    with_row_count,
)
from mlrecipes.checks.suites import load_suites
from mlrecipes.quality_ports import QualityChecker
from mlrecipes.quality_records import (
    EXISTS_ELSEWHERE,
    Expectation,
    QualityResult,
    Severity,
    Suite,
)
from mlrecipes.records import Section, Source
from mlrecipes.steps._contract import Context

__all__ = [
    "Doors",
    "TableAtDoor",
    "open_doors",
    "predictions_suite",
    "referred_tables",
    "scoring_suite",
    "training_suite",
]


@dataclass(frozen=True, slots=True)
class TableAtDoor:
    """A table that wants to pass.

    Attributes:
        suite: What is expected of it.
        table: A path, or what the checker held.
        others: Tables by name, for foreign keys.
        content: What its content follows from; a table that passed is not looked at again.
            None looks at it in any case.
    """

    suite: Suite
    table: Any
    others: Mapping[str, Any] = field(default_factory=dict)
    content: Any = None


@dataclass(frozen=True)
class Doors:
    """The doors of one step: what passed so far, and the error if something did not.

    Attributes:
        context: Of the step.
        step: Its name.
        suites: All suites of the recipe by name.
        results: What was found, in order.
    """

    context: Context
    step: str
    suites: Mapping[str, Suite]
    results: list[QualityResult] = field(default_factory=list)

    def pass_through(
        self, tables: Sequence[TableAtDoor], checker: QualityChecker | None = None
    ) -> None:
        """Let tables pass, or stop the step: all of them are looked at first.

        Args:
            tables: The tables.
            checker: Of the engine that holds them; by default that of files.

        Raises:
            GateRejected: A critical expectation is not met, or could not be checked. The
                offending rows were set aside.
            StoreError: A table cannot be read.
        """
        quality = self.context.ports.quality
        looks = checker or quality.checker
        for one in tables:
            key = _key(one)
            before = quality.memory.recall(key) if key else None
            if before is not None:
                self.results.append(replace(before, suite=one.suite))
                continue
            result = self._look(one, looks)
            if key and not result.critical:
                quality.memory.remember(key, result)
            self.results.append(result)
        self._render_docs(tables)
        error = rejection(self.results, self.step)
        if error is not None:
            raise error

    def is_known(self, one: TableAtDoor) -> bool:
        """Whether a table passed before, with the same content and expectations."""
        key = _key(one)
        return key is not None and self.context.ports.quality.memory.recall(key) is not None

    def tell(self) -> None:
        """Warn of what is not as expected, one line a table."""
        for line in warning_lines(self.results):
            warnings.warn(line, DataQualityWarning, stacklevel=2)

    @property
    def sections(self) -> tuple[Section, ...]:
        """For the step's card; nothing if nobody wrote a suite and nothing was found."""
        told = [one for one in self.results if one.suite.file or one.warnings or one.critical]
        return (quality_section(told),) if told else ()

    @property
    def facts(self) -> dict[str, Any]:
        """All results as JSON."""
        return quality_json(self.results)

    # -- private ---------------------------------------------------------------------------

    def _look(self, one: TableAtDoor, checker: QualityChecker) -> QualityResult:
        result = judged(one.suite, one.suite.name, checker.check(one.table, one.suite, one.others))
        if not result.critical:
            return result
        settings, folder = self.context.config.quality, self.context.ports.quality.quarantine
        into = folder / f"{one.suite.name}.parquet"
        into.unlink(missing_ok=True)
        n_offending, n_kept = checker.set_aside(
            one.table, result.critical, into, settings.max_quarantined_rows, one.others
        )
        if n_offending:
            shown = _relative(into, self.context.project.root)
            result = replace(
                result, quarantine=shown, n_offending=n_offending, n_quarantined=n_kept
            )
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(result.to_json(), indent=1, default=str)
        (folder / f"{one.suite.name}.json").write_text(text, encoding="utf-8")
        return result

    def _render_docs(self, tables: Sequence[TableAtDoor]) -> None:
        """Data Docs, if the recipe asks; they are no reason to stop."""
        if not self.context.config.quality.data_docs:
            return
        files = {
            one.suite.name: (one.suite, one.table)
            for one in tables
            if isinstance(one.table, Path) and one.table.suffix == ".parquet"
        }
        if files:
            self.context.ports.quality.docs(files)


def open_doors(context: Context, step: str) -> Doors:
    """The doors of a step.

    Raises:
        ConfigError: A suite is wrong; all problems at once.
    """
    suites = load_suites(context.project.root, context.config.quality.folder)
    return Doors(context, step, suites)


def training_suite(doors: Doors) -> Suite:
    """What is expected of the table that ingest hands on.

    Too few rows stop the step only where the recipe has a suite: others ran before.
    """
    min_rows = doors.context.config.quality.min_rows.training
    suite = doors.suites.get("training")
    if suite is not None:
        return with_row_count(suite, min_rows)
    few = with_row_count(Suite("training", ()), min_rows, Severity.WARNING)
    return with_row_count(few, 1)


def scoring_suite(doors: Doors, profile: Mapping[str, Any] | None, columns: Sequence[str]) -> Suite:
    """What is expected of rows to score, after the lookup.

    Args:
        doors: Of the step.
        profile: The model's ``training_profile.json``; None if it has none.
        columns: Of the rows to score.
    """
    suite = doors.suites.get("scoring", Suite("scoring", ()))
    shares = null_share_expectations(profile, columns) if profile else ()
    wider = replace(suite, expectations=(*suite.expectations, *shares))
    return with_row_count(wider, doors.context.config.quality.min_rows.scoring)


def predictions_suite(doors: Doors, n_rows: int) -> Suite:
    """What is expected of predictions: one a row that was scored, and what the recipe says."""
    suite = doors.suites.get("predictions", Suite("predictions", ()))
    text = f"there is one prediction for each of the {n_rows:,} rows"
    kwargs = {"value": n_rows}
    counted = Expectation("expect_table_row_count_to_equal", kwargs, description=text)
    return replace(suite, expectations=(counted, *suite.expectations))


def _key(one: TableAtDoor) -> str | None:
    """Names the content of a table together with what was expected of it."""
    if one.content is None:
        return None
    expected = [expectation.config for expectation in one.suite.expectations]
    others = {name: str(path) for name, path in sorted(one.others.items())}
    text = json.dumps([one.content, expected, others], default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    return [value.uri, value.sha256] if isinstance(value, Source) else str(value)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def referred_tables(expectations: Sequence[Expectation]) -> list[str]:
    """The tables that foreign keys name."""
    named = [one.kwargs["other_table"] for one in expectations if one.type == EXISTS_ELSEWHERE]
    listed = [[one] if isinstance(one, str) else list(one) for one in named]
    return list(dict.fromkeys(name for names in listed for name in names))
