"""Suites looked at by SQL: all that can be counted together is counted in one scan of the table.

The queries are DuckDB's; who runs them on another engine translates each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mlrecipes.errors import MAX_EXAMPLES, StoreError, shorten
from mlrecipes.quality_records import Checked, Expectation, Finding
from mlrecipes.stores.duckdb_engine import quoted
from mlrecipes.stores.quality_plans import (
    BATCH,
    Columns,
    Plan,
    PlanError,
    plan_of,
    wants_great_expectations,
)
from mlrecipes.stores.quality_sql import literal, mask

__all__ = ["FAILED_COLUMN", "look_at", "named_tables", "offending_rows"]

FAILED_COLUMN = "failed_expectations"
NOT_NULL = "expect_column_values_to_not_be_null"
"""What is missing makes no example."""
Query = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a query of DuckDB's SQL over the views; raises StoreError where it fails."""


def look_at(
    expectations: Sequence[Expectation],
    columns: Columns,
    others: Mapping[str, Columns],
    query: Query,
    by_great_expectations: Callable[[Sequence[Expectation]], Sequence[Finding]],
    *,
    shows_values: bool,
) -> Checked:
    """Hold the view ``batch_rows`` against a suite.

    Args:
        expectations: Of one suite.
        columns: Of the view, with DuckDB's names of types.
        others: Columns of the views that foreign keys may name.
        query: Runs a query, and gives its rows.
        by_great_expectations: Looks at those without a translation; a finding for each.
        shows_values: Whether examples are shown as they are, not masked.

    Raises:
        StoreError: The rows cannot be counted.
    """
    look = _Look(query, columns, others, shows_values)
    rest = {i: one for i, one in enumerate(expectations) if wants_great_expectations(one)}
    found = look.at({i: one for i, one in enumerate(expectations) if i not in rest})
    if rest:
        found |= dict(zip(rest, by_great_expectations(list(rest.values())), strict=True))
    return Checked(look.n_rows, tuple(found[i] for i in range(len(expectations))))


def named_tables(expectations: Iterable[Expectation]) -> set[str]:
    """Tables that foreign keys refer to."""
    named = [one.kwargs.get("other_table") for one in expectations]
    return {name for one in named if one for name in ([one] if isinstance(one, str) else list(one))}


def offending_rows(
    findings: Iterable[Finding], columns: Columns, others: Mapping[str, Columns]
) -> tuple[str, str] | None:
    """Queries of the rows that break any of the findings: their number, and the rows.

    The rows have a column more, ``failed_expectations``, which tells which they break. None if no
    finding is about rows.
    """
    pairs = []
    for finding in findings:
        plan = _plan_or_reason(finding.expectation, columns, others)
        if isinstance(plan, Plan) and plan.bad is not None:
            pairs.append((f"({plan.known} AND {plan.bad})", _label(finding.expectation)))
    if not pairs:
        return None
    said = ", ".join(f"CASE WHEN {bad} THEN {literal(label)} END" for bad, label in pairs)
    where = " OR ".join(bad for bad, _label in pairs)
    rows = _select(f"*, concat_ws('; ', {said}) AS {FAILED_COLUMN}", where)
    return _select("count(*)", where), rows


def _select(selected: str, where: str = "true") -> str:
    """A query of the table under check; names and values in its parts are quoted already."""
    return f"SELECT {selected} FROM {BATCH} WHERE {where}"  # noqa: S608 - see above


def _plan_or_reason(
    expectation: Expectation, columns: Columns, others: Mapping[str, Columns]
) -> Plan | str:
    """The plan, or why there is none."""
    try:
        return plan_of(expectation, columns, others)
    except (PlanError, ValueError, TypeError, KeyError) as error:
        return shorten(error, limit=300)


def _label(expectation: Expectation) -> str:
    columns = ", ".join(expectation.columns)
    return expectation.description or f"{expectation.type} {columns}".strip()


class _Look:
    """One look at the expectations of one table."""

    def __init__(
        self,
        query: Query,
        columns: Columns,
        others: Mapping[str, Columns],
        shows_values: bool,  # noqa: FBT001 - passed on as it came
    ) -> None:
        self._query = query
        self._columns = columns
        self._others = others
        self._shows_values = shows_values
        self.n_rows = 0

    def at(self, expectations: Mapping[int, Expectation]) -> dict[int, Finding]:
        plans = {
            i: _plan_or_reason(one, self._columns, self._others) for i, one in expectations.items()
        }
        asked = ["count(*)", *(sql for plan in plans.values() for sql in _counts(plan))]
        values = self._values(list(dict.fromkeys(asked)))
        self.n_rows = int(values["count(*)"])
        return {i: self._finding(expectations[i], plan, values) for i, plan in plans.items()}

    def _values(self, asked: list[str]) -> dict[str, Any]:
        """All of them from one scan; each from its own if one of them is in the way."""
        try:
            return dict(zip(asked, self._row(", ".join(asked)), strict=True))
        except StoreError:
            values = {}
            for sql in asked:
                try:
                    values[sql] = self._row(sql)[0]
                except StoreError as error:
                    if sql == "count(*)":
                        raise
                    values[sql] = error
            return values

    def _row(self, selected: str) -> tuple[Any, ...]:
        return tuple(self._query(_select(selected))[0])

    def _finding(
        self, expectation: Expectation, plan: Plan | str, values: Mapping[str, Any]
    ) -> Finding:
        if isinstance(plan, str):
            return Finding(expectation, is_met=False, n_rows=self.n_rows, problem=plan)
        got = [values[sql] for sql in _counts(plan)]
        failure = next((one for one in got if isinstance(one, StoreError)), None)
        if failure is not None:
            return Finding(expectation, is_met=False, n_rows=self.n_rows, problem=failure.message)
        n_known = int(got[0])
        if plan.needs and n_known == 0:
            problem = "there are no rows." if self.n_rows == 0 else "there are no values."
            return Finding(
                expectation,
                is_met=False,
                n_rows=self.n_rows,
                n_missing=self.n_rows if plan.counts_missing else None,
                problem=problem,
            )
        if plan.accepts is not None:
            observed = _plain(got[1])
            is_met = plan.accepts(got[1])
            return Finding(expectation, is_met=is_met, n_rows=self.n_rows, observed=observed)
        return self._about_rows(expectation, plan, n_known, got)

    def _about_rows(
        self, expectation: Expectation, plan: Plan, n_known: int, got: Sequence[Any]
    ) -> Finding:
        try:
            n_bad = int(self._query(plan.count_query)[0][0] or 0) if plan.count_query else got[1]
            is_met = (n_known - n_bad) / n_known >= expectation.mostly
            is_silent = n_bad == 0 or is_met or expectation.type == NOT_NULL
            examples = () if is_silent else self._examples(plan)
        except StoreError as error:
            return Finding(expectation, is_met=False, n_rows=self.n_rows, problem=error.message)
        return Finding(
            expectation,
            is_met=is_met,
            n_rows=self.n_rows,
            n_missing=self.n_rows - n_known if plan.counts_missing else None,
            n_unexpected=int(n_bad),
            examples=examples,
        )

    def _examples(self, plan: Plan) -> tuple[str, ...]:
        shown = ", ".join(quoted(name) for name in plan.shown) or "1"
        sql = f"{_select(shown, f'{plan.known} AND {plan.bad}')} LIMIT {MAX_EXAMPLES}"
        return tuple(_example(plan.shown, row, self._shows_values) for row in self._query(sql))


def _counts(plan: Plan | str) -> tuple[str, ...]:
    """What the one scan must count for a plan: known rows first."""
    if isinstance(plan, str):
        return ()
    known = "count(*)" if plan.known == "true" else f"coalesce(count_if({plan.known}), 0)"
    if plan.accepts is not None:
        # A word about the table needs no column; any_value keeps it one row.
        value = plan.value or "NULL"
        is_word = value.startswith("'") or value == "true"
        return known, f"coalesce(any_value({value}), {value})" if is_word else value
    if plan.count_query:
        return (known,)
    return known, f"coalesce(count_if({plan.bad}), 0)"


def _example(names: Sequence[str], row: Sequence[Any], shows_values: bool) -> str:  # noqa: FBT001
    said = [shorten("missing" if v is None else v) if shows_values else mask(v) for v in row]
    if len(names) == 1:
        return shorten(said[0])
    return ", ".join(f"{name}={shorten(text)}" for name, text in zip(names, said, strict=True))


def _plain(value: Any) -> Any:
    """What JSON can hold."""
    if value is None or isinstance(value, str | bool | int):
        return value
    try:
        number = float(value)
    except (TypeError, ValueError):
        return str(value)
    return number if number - number == 0 else str(number)
