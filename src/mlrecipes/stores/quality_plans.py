"""Expectations as SQL of DuckDB: what to count, and which rows are not as expected.

A test proves for each type here that DuckDB and Great Expectations on pandas agree. What is not
here, Great Expectations runs itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlrecipes.errors import did_you_mean, few
from mlrecipes.quality_records import EXISTS_ELSEWHERE, UNEXPECTED_ROWS, Expectation
from mlrecipes.stores.duckdb_engine import quoted
from mlrecipes.stores.quality_sql import condition_of, is_nan, is_same_type, kind_of, literal

__all__ = ["BATCH", "Plan", "PlanError", "plan_of", "wants_great_expectations"]

BATCH = "batch_rows"
"""The view of the table under check."""
BETWEEN_KEYS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})


class PlanError(Exception):
    """An expectation cannot be checked on this table; the text says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one expectation is looked at.

    Attributes:
        known: Condition of the rows that have something to look at.
        bad: Condition of the rows that are not as expected; None for what has no rows.
        counted: Whether ``bad`` is counted by a query of its own, ``count_query``.
        count_query: Gives the number of bad rows.
        value: An aggregate of the whole table, which ``accepts`` judges.
        needs: Whether a table without known rows makes it impossible to check.
    """

    known: str = "true"
    bad: str | None = None
    count_query: str | None = None
    value: str | None = None
    accepts: Callable[[Any], bool] | None = None
    shown: tuple[str, ...] = ()
    counts_missing: bool = False
    needs: bool = True


Columns = Mapping[str, str]
"""Name to DuckDB's type."""


def wants_great_expectations(expectation: Expectation) -> bool:
    """Whether there is no translation, so that Great Expectations must look itself."""
    return expectation.type not in _PLANNERS or any(
        key in expectation.kwargs for key in ("row_condition", "condition_parser", "parse_strings")
    )


def plan_of(expectation: Expectation, columns: Columns, others: Mapping[str, Columns]) -> Plan:
    """Translate an expectation.

    Args:
        expectation: Of a type that is translated.
        columns: The table's columns.
        others: Columns of the tables that foreign keys may name; a view each.

    Raises:
        PlanError: It cannot be checked on this table.
    """
    for name in expectation.columns:
        if name not in columns and expectation.type != "expect_column_to_exist":
            hint = did_you_mean(name, columns)
            near = f" {hint}" if hint.startswith("Did") else ""
            raise PlanError(f"there is no column '{name}'.{near}")
    low, high = expectation.kwargs.get("min_value"), expectation.kwargs.get("max_value")
    if low is not None and high is not None and low > high:
        raise PlanError("min_value cannot be greater than max_value.")
    return _PLANNERS[expectation.type](expectation, columns, others)


def _known(name: str, columns: Columns) -> str:
    """Not missing; NaN is missing, as it is in pandas."""
    column = quoted(name)
    if kind_of(columns[name]) == "float":
        return f"({column} IS NOT NULL AND NOT {is_nan(column)})"
    return f"({column} IS NOT NULL)"


# ---- of the whole table --------------------------------------------------------------------


def _row_count(expectation: Expectation, _columns: Columns, _others: Any) -> Plan:
    kwargs = expectation.kwargs
    if "value" in kwargs:
        wanted = kwargs["value"]
        return Plan(value="count(*)", accepts=lambda n: n == wanted, needs=False)
    return Plan(value="count(*)", accepts=_between(kwargs), needs=False)


def _column_exists(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    name = expectation.kwargs["column"]
    if name in columns:
        return Plan(value="true", accepts=bool, needs=False)
    hint = did_you_mean(name, columns)
    near = f" {hint}" if hint.startswith("Did") else ""
    return Plan(value=literal(f"no column '{name}'.{near}"), accepts=lambda _: False, needs=False)


def _columns_match(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    wanted = set(expectation.kwargs["column_set"] or ())
    is_exact = expectation.kwargs.get("exact_match", True) is not False
    missing, extra = sorted(wanted - set(columns)), sorted(set(columns) - wanted)
    is_met = not missing and not (is_exact and extra)
    words = []
    if missing:
        near = [did_you_mean(name, extra) for name in missing[:1] if extra]
        hint = f" {near[0]}" if near and near[0].startswith("Did") else ""
        words.append(f"{len(missing)} missing: {few(missing)}.{hint}")
    if is_exact and extra:
        words.append(f"{len(extra)} more than expected: {few(extra)}.")
    said = " ".join(words) or f"{len(columns)} columns"
    return Plan(value=literal(said), accepts=lambda _: is_met, needs=False)


def _type(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    kwargs, name = expectation.kwargs, expectation.kwargs["column"]
    wanted = kwargs.get("type_list") or [kwargs.get("type_")]
    is_met = any(is_same_type(columns[name], str(one)) for one in wanted)
    return Plan(_known(name, columns), value=literal(columns[name]), accepts=lambda _: is_met)


# ---- of one column -------------------------------------------------------------------------


def _not_null(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    name = expectation.kwargs["column"]
    return Plan(bad=f"NOT {_known(name, columns)}", shown=(name,))


def _of_values(name: str, columns: Columns, bad: str, count_query: str | None = None) -> Plan:
    known = _known(name, columns)
    return Plan(known, f"({known} AND {bad})", count_query, shown=(name,), counts_missing=True)


def _values_between(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    kwargs, name = expectation.kwargs, expectation.kwargs["column"]
    parts = []
    for key, sign, strict in (("min_value", ">", "strict_min"), ("max_value", "<", "strict_max")):
        bound = kwargs.get(key)
        if bound is not None:
            said = _comparable(bound, columns[name], name)
            parts.append(f"{quoted(name)} {sign}{'' if kwargs.get(strict) else '='} {said}")
    if not parts:
        raise PlanError("min_value or max_value is needed.")
    return _of_values(name, columns, f"NOT ({' AND '.join(parts)})")


def _comparable(value: Any, duckdb_type: str, name: str) -> str:
    kind = kind_of(duckdb_type)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and kind in {"whole", "float", "decimal"}:
        return literal(value)
    if isinstance(value, str) and kind in {"date", "timestamp"}:
        return f"CAST({literal(value)} AS {duckdb_type})"
    if isinstance(value, str) and kind == "text":
        return literal(value)
    raise PlanError(f"column '{name}' is {duckdb_type}, which {value!r} cannot be compared with.")


def _in_set(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    name = expectation.kwargs["column"]
    inside = _is_in(name, columns, expectation.kwargs["value_set"])
    return _of_values(name, columns, f"NOT {inside}")


def _not_in_set(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    name = expectation.kwargs["column"]
    return _of_values(name, columns, _is_in(name, columns, expectation.kwargs["value_set"]))


def _is_in(name: str, columns: Columns, values: Sequence[Any]) -> str:
    """A text never equals a number, as in pandas."""
    comparable = []
    for value in values or ():
        try:
            comparable.append(_comparable(value, columns[name], name))
        except PlanError:
            if isinstance(value, bool) and kind_of(columns[name]) == "bool":
                comparable.append(literal(value))
    return f"({quoted(name)} IN ({', '.join(comparable)}))" if comparable else "false"


def _unique(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    name = expectation.kwargs["column"]
    column, known = quoted(name), _known(name, columns)
    groups = f"FROM {BATCH} WHERE {known} GROUP BY {column} HAVING count(*) > 1"
    bad = f"{column} IN (SELECT {column} {groups})"
    return _of_values(name, columns, bad, f"SELECT sum(n) FROM (SELECT count(*) AS n {groups})")


def _regex(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    name = expectation.kwargs["column"]
    _must_be_text(name, columns)
    matches = f"regexp_matches({quoted(name)}, {literal(expectation.kwargs['regex'])})"
    return _of_values(name, columns, f"NOT {matches}")


def _lengths(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    name, kwargs = expectation.kwargs["column"], expectation.kwargs
    _must_be_text(name, columns)
    parts = []
    for key, sign, strict in (("min_value", ">", "strict_min"), ("max_value", "<", "strict_max")):
        if kwargs.get(key) is not None:
            equal = "" if kwargs.get(strict) else "="
            parts.append(f"length({quoted(name)}) {sign}{equal} {literal(kwargs[key])}")
    if not parts:
        raise PlanError("min_value or max_value is needed.")
    return _of_values(name, columns, f"NOT ({' AND '.join(parts)})")


def _must_be_text(name: str, columns: Columns) -> None:
    if kind_of(columns[name]) != "text":
        raise PlanError(f"column '{name}' is {columns[name]}, and text is expected.")


def _aggregate(function: str) -> Callable[[Expectation, Columns, Any], Plan]:
    def planned(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
        name = expectation.kwargs["column"]
        known = _known(name, columns)
        value = f"{function.format(quoted(name))} FILTER (WHERE {known})"
        return Plan(known, value=value, accepts=_between(expectation.kwargs))

    return planned


def _between(kwargs: Mapping[str, Any]) -> Callable[[Any], bool]:
    low, high = kwargs.get("min_value"), kwargs.get("max_value")

    def accepts(value: Any) -> bool:
        if value is None or value != value:  # noqa: PLR0124 - NaN lies between nothing
            return False
        above = low is None or (value > low if kwargs.get("strict_min") else value >= low)
        below = high is None or (value < high if kwargs.get("strict_max") else value <= high)
        return bool(above and below)

    return accepts


# ---- of several columns ----------------------------------------------------------------------


def _compound_unique(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    names = expectation.kwargs["column_list"]
    ignored = expectation.kwargs.get("ignore_row_if", "all_values_are_missing")
    known = _rows_kept([_known(name, columns) for name in names], ignored)
    listed = ", ".join(quoted(name) for name in names)
    groups = f"FROM {BATCH} WHERE {known} GROUP BY {listed} HAVING count(*) > 1"
    same = " AND ".join(
        f"d.{quoted(name)} IS NOT DISTINCT FROM {BATCH}.{quoted(name)}" for name in names
    )
    bad = f"({known} AND EXISTS (SELECT 1 FROM (SELECT {listed} {groups}) AS d WHERE {same}))"
    count = f"SELECT sum(n) FROM (SELECT count(*) AS n {groups})"
    return Plan(known, bad, count, shown=tuple(names), counts_missing=True)


def _pair(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    first, second = expectation.kwargs["column_A"], expectation.kwargs["column_B"]
    ignored = expectation.kwargs.get("ignore_row_if", "both_values_are_missing")
    both = [_known(first, columns), _known(second, columns)]
    kept = {"both_values_are_missing": "all_values_are_missing"}.get(ignored, ignored)
    kept = {"either_value_is_missing": "any_value_is_missing"}.get(kept, kept)
    sign = ">=" if expectation.kwargs.get("or_equal") else ">"
    is_greater = f"({both[0]} AND {both[1]} AND {quoted(first)} {sign} {quoted(second)})"
    known = _rows_kept(both, kept)
    return Plan(
        known, f"({known} AND NOT {is_greater})", shown=(first, second), counts_missing=True
    )


def _rows_kept(known: Sequence[str], ignored: str) -> str:
    if ignored == "never":
        return "true"
    word = {"all_values_are_missing": " OR ", "any_value_is_missing": " AND "}.get(ignored)
    if word is None:
        raise PlanError(f"ignore_row_if is '{ignored}', which is not known.")
    return f"({word.join(known)})"


def _unexpected_rows(expectation: Expectation, columns: Columns, _others: Any) -> Plan:
    condition, names = condition_of(expectation.kwargs["unexpected_rows_query"], BATCH)
    missing = [name for name in names if name not in columns]
    if missing:
        hint = did_you_mean(missing[0], columns)
        near = f" {hint}" if hint.startswith("Did") else ""
        raise PlanError(f"there is no column '{missing[0]}'.{near}")
    return Plan(bad=f"coalesce(({condition}), false)", shown=tuple(names))


def _exists_elsewhere(
    expectation: Expectation, columns: Columns, others: Mapping[str, Columns]
) -> Plan:
    name, wanted = expectation.kwargs["column"], expectation.kwargs["other_column"]
    tables = expectation.kwargs["other_table"]
    tables = [tables] if isinstance(tables, str) else list(tables)
    for table in tables:
        if table not in others:
            raise PlanError(f"the table '{table}', which it refers to, is not at hand.")
        if wanted not in others[table]:
            raise PlanError(f"the table '{table}' has no column '{wanted}'.")
    column = quoted(name)
    there = " UNION ALL ".join(f"SELECT {quoted(wanted)} AS k FROM {quoted(t)}" for t in tables)
    missing = f"NOT EXISTS (SELECT 1 FROM ({there}) AS o WHERE o.k = {BATCH}.{column})"
    known = _known(name, columns)
    count = f"SELECT count(*) FROM {BATCH} WHERE {known} AND {missing}"
    return _of_values(name, columns, missing, count)


_PLANNERS: dict[str, Callable[[Expectation, Columns, Mapping[str, Columns]], Plan]] = {
    EXISTS_ELSEWHERE: _exists_elsewhere,
    UNEXPECTED_ROWS: _unexpected_rows,
    "expect_column_max_to_be_between": _aggregate("max({})"),
    "expect_column_mean_to_be_between": _aggregate("avg({})"),
    "expect_column_median_to_be_between": _aggregate("median({})"),
    "expect_column_min_to_be_between": _aggregate("min({})"),
    "expect_column_pair_values_a_to_be_greater_than_b": _pair,
    "expect_column_sum_to_be_between": _aggregate("sum({})"),
    "expect_column_to_exist": _column_exists,
    "expect_column_value_lengths_to_be_between": _lengths,
    "expect_column_values_to_be_between": _values_between,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_values_to_be_in_type_list": _type,
    "expect_column_values_to_be_of_type": _type,
    "expect_column_values_to_be_unique": _unique,
    "expect_column_values_to_match_regex": _regex,
    "expect_column_values_to_not_be_in_set": _not_in_set,
    "expect_column_values_to_not_be_null": _not_null,
    "expect_compound_columns_to_be_unique": _compound_unique,
    "expect_table_columns_to_match_set": _columns_match,
    "expect_table_row_count_to_be_between": _row_count,
    "expect_table_row_count_to_equal": _row_count,
}
