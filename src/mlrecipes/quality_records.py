"""Data quality as plain data: what is expected of a table, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = [
    "EXISTS_ELSEWHERE",
    "UNEXPECTED_ROWS",
    "Checked",
    "Expectation",
    "Finding",
    "Outcome",
    "QualityResult",
    "Severity",
    "Suite",
]

EXISTS_ELSEWHERE = "expect_column_values_to_exist_in_other_table"
"""The one type of our own: a foreign key, for which a batch alone is not enough."""
UNEXPECTED_ROWS = "unexpected_rows_expectation"
PERCENT = 100


class Severity(StrEnum):
    """What follows if an expectation is not met."""

    CRITICAL = "critical"
    """The step stops."""
    WARNING = "warning"
    """The card says so."""


class Outcome(StrEnum):
    """What was found."""

    MET = "met"
    NOT_MET = "not met"
    UNCHECKED = "could not be checked"
    """There was nothing to look at, or it failed to look: never a pass."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation as Great Expectations writes it, and where it stands.

    Attributes:
        type: Such as ``expect_column_values_to_be_between``.
        kwargs: What the type needs, such as the column.
        description: In words, for people.
        line: Of the suite's file; None for one that no file holds.
    """

    type: str
    kwargs: Mapping[str, Any]
    severity: Severity = Severity.CRITICAL
    description: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)
    line: int | None = None

    @property
    def mostly(self) -> float:
        """The share of rows that must be as expected.

        Great Expectations knows no such share for a query, so there it stands in ``meta``.
        """
        holder = self.meta if self.type == UNEXPECTED_ROWS else self.kwargs
        return float(holder.get("mostly", 1.0))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its arguments name."""
        named = [self.kwargs.get(key) for key in ("column", "column_A", "column_B")]
        listed = self.kwargs.get("column_list") or ()
        return tuple(name for name in (*named, *listed) if isinstance(name, str))

    @property
    def config(self) -> dict[str, Any]:
        """As it stands in a suite of Great Expectations."""
        return {
            "type": self.type,
            "kwargs": dict(self.kwargs),
            "severity": str(self.severity),
            "meta": dict(self.meta),
            "description": self.description,
        }


@dataclass(frozen=True, slots=True)
class Suite:
    """What is expected of one table.

    Attributes:
        name: ``raw.<table>``, ``features.<table>``, ``training``, ``scoring``, ``predictions``.
        file: Relative to the recipe's root, such as ``expectations/training.json``.
        digest: SHA-256 of the file; empty for a suite that no file holds.
    """

    name: str
    expectations: tuple[Expectation, ...]
    file: str = ""
    digest: str = ""

    def place(self, expectation: Expectation) -> str:
        """Where an expectation stands, as ``expectations/training.json:12``."""
        if not self.file:
            return "recipe.yaml: quality"
        return self.file if expectation.line is None else f"{self.file}:{expectation.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one expectation.

    Attributes:
        is_met: Whether the data are as expected; never so without a value to look at.
        n_rows: Rows that were looked at.
        n_missing: Of these, rows without a value; None where that has no meaning.
        n_unexpected: Rows that are not as expected; None for what is said of a whole table.
        observed: What the whole table or column shows, such as a mean.
        examples: A few values that are not as expected, already masked unless asked for.
        problem: Why it could not be checked; empty if it was.
    """

    expectation: Expectation
    is_met: bool
    n_rows: int = 0
    n_missing: int | None = None
    n_unexpected: int | None = None
    observed: Any = None
    examples: tuple[str, ...] = ()
    problem: str = ""

    @property
    def outcome(self) -> Outcome:
        """In one word."""
        if self.problem:
            return Outcome.UNCHECKED
        return Outcome.MET if self.is_met else Outcome.NOT_MET

    @property
    def is_critical(self) -> bool:
        """Whether the step must stop."""
        return self.outcome is not Outcome.MET and (self.expectation.severity is Severity.CRITICAL)

    @property
    def n_considered(self) -> int:
        """Rows that could be right or wrong."""
        return self.n_rows - (self.n_missing or 0)

    def to_json(self) -> dict[str, Any]:
        """As Great Expectations writes a result."""
        return {
            "success": self.is_met,
            "expectation_config": self.expectation.config,
            "result": self._result(),
            "meta": {"line": self.expectation.line},
            "exception_info": {
                "raised_exception": bool(self.problem),
                "exception_message": self.problem or None,
                "exception_traceback": None,
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Finding:
        """Build the record that :meth:`to_json` took apart."""
        config, result = data["expectation_config"], data["result"]
        return cls(
            Expectation(
                config["type"],
                config["kwargs"],
                Severity(config["severity"]),
                config["description"],
                config["meta"],
                data["meta"]["line"],
            ),
            is_met=data["success"],
            n_rows=result["element_count"],
            n_missing=result.get("missing_count"),
            n_unexpected=result.get("unexpected_count"),
            observed=result.get("observed_value"),
            examples=tuple(result.get("partial_unexpected_list", ())),
            problem=data["exception_info"]["exception_message"] or "",
        )

    def _result(self) -> dict[str, Any]:
        result: dict[str, Any] = {"element_count": self.n_rows}
        if self.n_missing is not None:
            result |= {
                "missing_count": self.n_missing,
                "missing_percent": _percent(self.n_missing, self.n_rows),
            }
        if self.n_unexpected is not None:
            result |= {
                "unexpected_count": self.n_unexpected,
                "unexpected_percent": _percent(self.n_unexpected, self.n_considered),
                "unexpected_percent_total": _percent(self.n_unexpected, self.n_rows),
                "unexpected_percent_nonmissing": _percent(self.n_unexpected, self.n_considered),
                "partial_unexpected_list": list(self.examples),
            }
        if self.observed is not None:
            result["observed_value"] = self.observed
        return result


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checker found in one table."""

    n_rows: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class QualityResult:
    """What was found in one table, and what became of its bad rows.

    Attributes:
        suite: What was expected.
        table: What the table is called in messages.
        quarantine: File with the offending rows, if any were set aside.
        n_offending: Rows that break a critical expectation.
        n_quarantined: How many of them are in the file.
    """

    suite: Suite
    table: str
    n_rows: int
    findings: tuple[Finding, ...]
    quarantine: str = ""
    n_offending: int = 0
    n_quarantined: int = 0

    @property
    def critical(self) -> tuple[Finding, ...]:
        """What stops the step."""
        return tuple(finding for finding in self.findings if finding.is_critical)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What goes on the card only."""
        return tuple(
            one for one in self.findings if one.outcome is not Outcome.MET and not one.is_critical
        )

    def to_json(self) -> dict[str, Any]:
        """As Great Expectations writes the result of a suite."""
        n_met = sum(finding.is_met for finding in self.findings)
        n_all = len(self.findings)
        return {
            "success": n_met == n_all,
            "suite_name": self.suite.name,
            "results": [finding.to_json() for finding in self.findings],
            "statistics": {
                "evaluated_expectations": n_all,
                "successful_expectations": n_met,
                "unsuccessful_expectations": n_all - n_met,
                "success_percent": _percent(n_met, n_all),
            },
            "meta": {
                "table": self.table,
                "n_rows": self.n_rows,
                "suite_file": self.suite.file,
                "suite_sha256": self.suite.digest,
                "rejected": bool(self.critical),
                "quarantine": self.quarantine,
                "n_offending": self.n_offending,
                "n_quarantined": self.n_quarantined,
            },
        }


def _percent(part: int, whole: int) -> float | None:
    return None if whole == 0 else PERCENT * part / whole
