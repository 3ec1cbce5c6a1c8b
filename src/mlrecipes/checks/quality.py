"""What follows from findings: the one place that decides whether data may pass a door."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlrecipes.checks.expectation_text import in_words
from mlrecipes.errors import GateRejected, few
from mlrecipes.quality_records import (
    Checked,
    Expectation,
    Finding,
    Outcome,
    QualityResult,
    Severity,
    Suite,
)
from mlrecipes.records import Block, Section, Table, Text

__all__ = [
    "DataQualityWarning",
    "judged",
    "null_share_expectations",
    "quality_json",
    "quality_section",
    "rejection",
    "warning_lines",
    "with_row_count",
]

ROW_COUNT = "expect_table_row_count_to_be_between"
NOT_NULL = "expect_column_values_to_not_be_null"
MAX_LISTED = 5
SLACK = 0.05
"""A share of missing values may be so much greater than in training."""


class DataQualityWarning(UserWarning):
    """Expectations that only warn are not met."""


def with_row_count(suite: Suite, min_rows: int, severity: Severity = Severity.CRITICAL) -> Suite:
    """The suite with what every door expects: that there are rows at all."""
    said = "is at least 1 row" if min_rows == 1 else f"are at least {min_rows:,} rows"
    text = f"there {said}"
    first = Expectation(ROW_COUNT, {"min_value": min_rows}, severity, text)
    return replace(suite, expectations=(first, *suite.expectations))


def null_share_expectations(
    profile: Mapping[str, Any], columns: Iterable[str], slack: float = SLACK
) -> tuple[Expectation, ...]:
    """Expect of each column no more missing values than it had in training, and some slack.

    Args:
        profile: The training profile, as ``training_profile.json`` holds it.
        columns: Columns of the table to be checked.
        slack: To be added to the share.
    """
    known = profile["columns"]
    return tuple(
        Expectation(
            NOT_NULL,
            {"column": name, "mostly": max(0.0, round(1 - known[name]["null_share"] - slack, 6))},
            Severity.WARNING,
            f"{name} is missing in at most {known[name]['null_share'] + slack:.1%} of the rows "
            f"(training: {known[name]['null_share']:.1%})",
        )
        for name in columns
        if name in known and known[name]["null_share"] + slack < 1
    )


def judged(suite: Suite, table: str, checked: Checked) -> QualityResult:
    """What a checker found, as the result of a door."""
    return QualityResult(suite, table, checked.n_rows, checked.findings)


def rejection(results: Sequence[QualityResult], step: str) -> GateRejected | None:
    """The error that stops a step; None if nothing critical was found.

    Args:
        results: Of the tables of a door.
        step: Whose card shows the rest.
    """
    rejected = [result for result in results if result.critical]
    if not rejected:
        return None
    parts = [line for result in rejected for line in _about(result)]
    return GateRejected(
        "\n".join(parts),
        hint=f"Look: mlrecipes inspect {step}. Mend the data, or change the expectation.",
        sections=(quality_section(results),),
    )


def _about(result: QualityResult) -> list[str]:
    critical = result.critical
    noun = "expectation is" if len(critical) == 1 else "expectations are"
    lines = [
        f"{result.table}: {len(critical)} critical {noun} not met "
        f"({result.n_rows:,} rows were looked at)."
    ]
    for finding in critical[:MAX_LISTED]:
        place = result.suite.place(finding.expectation)
        lines.append(f"  {place}: {in_words(finding.expectation)}: {_seen(finding)}")
    if len(critical) > MAX_LISTED:
        lines.append(f"  and {len(critical) - MAX_LISTED} more, see the card.")
    if result.quarantine:
        all_or = (
            ""
            if result.n_quarantined == result.n_offending
            else (f", {result.n_quarantined:,} of them")
        )
        said = f"  The offending rows ({result.n_offending:,}{all_or}) are in {result.quarantine}"
        lines.append(said)
    return lines


def _seen(finding: Finding) -> str:
    """What was found, with counts first.

    >>> expectation = Expectation("expect_column_values_to_not_be_null", {"column": "a"})
    >>> _seen(Finding(expectation, False, n_rows=200, n_unexpected=3, examples=("missing",)))
    "3 of 200 rows (1.5%) are not so, such as 'missing'."
    """
    if finding.problem:
        return f"could not be checked: {finding.problem.rstrip('.')}."
    if finding.n_unexpected is None:
        return f"seen: {str(finding.observed).rstrip('.')}."
    share = finding.n_unexpected / max(1, finding.n_considered)
    such = f", such as {few(dict.fromkeys(finding.examples))}" if finding.examples else ""
    counts = f"{finding.n_unexpected:,} of {finding.n_considered:,} rows"
    return f"{counts} ({100 * share:.3g}%) are not so{such}."


def warning_lines(results: Iterable[QualityResult]) -> list[str]:
    """One line a table with expectations that only warn and are not met."""
    return [
        f"{result.table}: {len(found)} of {len(result.findings)} expectations are not met: "
        f"{in_words(found[0].expectation)}: {_seen(found[0])}"
        + (f" And {len(found) - 1} more, see the card." if len(found) > 1 else "")
        for result in results
        if (found := result.warnings)
    ]


def quality_json(results: Iterable[QualityResult]) -> dict[str, Any]:
    """All results of a step by suite, as Great Expectations writes them."""
    return {result.suite.name: result.to_json() for result in results}


# ---- the card ----------------------------------------------------------------------------------


def quality_section(results: Sequence[QualityResult]) -> Section:
    """What was looked at, and all that is not as expected."""
    rows = tuple(
        (
            result.table,
            result.n_rows,
            len(result.findings),
            sum(finding.is_met for finding in result.findings),
            len(result.critical),
            len(result.warnings),
        )
        for result in results
    )
    bad = tuple(i for i, result in enumerate(results) if result.critical)
    columns = ("table", "rows", "expectations", "met", "critical", "warnings")
    blocks: list[Block] = [Table(columns, rows, emphasis=bad)]
    failures = [_failures(result) for result in results if result.critical or result.warnings]
    blocks.extend(failures)
    blocks.extend(
        Text(f"{one.table}: the offending rows are in {one.quarantine}, on this machine only.")
        for one in results
        if one.quarantine
    )
    return Section("Data Quality", tuple(blocks))


def _failures(result: QualityResult) -> Table:
    found = sorted(
        (one for one in result.findings if one.outcome is not Outcome.MET),
        key=lambda one: not one.is_critical,
    )
    rows = tuple(
        (
            str(one.expectation.severity),
            in_words(one.expectation),
            _seen(one),
            result.suite.place(one.expectation),
        )
        for one in found
    )
    emphasis = tuple(i for i, one in enumerate(found) if one.is_critical)
    columns = ("severity", "expected", "seen", "where")
    return Table(columns, rows, f"{result.table}: what is not as expected", emphasis)
