"""Conditions on rows, as in ``steps.ingest.filter``: one SQL expression, the same everywhere.

It may hold comparisons, ``and``, ``or``, ``not``, ``in``, ``between``, ``like``, ``is null``,
numbers, texts, sums, casts, ``CASE`` and those functions of one row that feature tables may use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mlrecipes.errors import Problem, shorten
from mlrecipes.features.sql import FUNCTIONS, WRITTEN_IN, not_portable

if TYPE_CHECKING:
    from mlrecipes.config.schema import RecipeConfig

__all__ = ["Condition", "filter_problems", "parse_condition"]

MAX_LENGTH = 2_000
MAX_SHOWN = 80
DIALECTS = (WRITTEN_IN, "spark")
ALLOWED: tuple[Any, ...] = (
    *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Tuple),
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE),
    *(exp.Is, exp.In, exp.Between, exp.Like, exp.Neg, exp.Add, exp.Sub, exp.Mul),
    *(exp.Div, exp.Mod, exp.DataType, exp.DataTypeParam, *FUNCTIONS.values()),
)
NOT_OF_ONE_ROW: tuple[Any, ...] = (exp.AggFunc, exp.RowNumber)


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that means the same in each dialect.

    Attributes:
        texts: By dialect: ``duckdb`` and ``spark``.
        columns: Those that it names, in the order in which they occur.
    """

    texts: Mapping[str, str]
    columns: tuple[str, ...]


def parse_condition(text: str) -> Condition:
    """Check a condition and translate it.

    Raises:
        ValueError: It is no condition, or engines do not compute it alike; the message
            continues the name of its key.

    >>> parse_condition("area > 30 and town in ('Ulm', 'Bonn')").texts["spark"]
    "`area` > 30 AND `town` IN ('Ulm', 'Bonn')"
    >>> parse_condition("count(*) > 1")
    Traceback (most recent call last):
    ValueError: uses COUNT(*), which is not of one row.
    """
    try:
        return _translated(_parsed(text), text)
    except RecursionError as error:
        raise ValueError(f"is '{_short(text)}', which is nested too deeply.") from error


def filter_problems(
    config: RecipeConfig, find: Callable[[str], tuple[str, int | None]]
) -> Iterator[Problem]:
    """Find what is wrong with the filters of a recipe."""
    steps = config.steps
    for name, section in (("ingest", steps.ingest), ("ingest_scoring", steps.ingest_scoring)):
        if section is None or section.filter is None:
            continue
        try:
            parse_condition(section.filter)
        except ValueError as error:
            key = f"steps.{name}.filter"
            yield Problem(*find(key), key, str(error))


def _translated(tree: exp.Expr, text: str) -> Condition:
    for problem in _problems(tree):
        raise ValueError(problem)
    columns = dict.fromkeys(column.name for column in tree.find_all(exp.Column, bfs=False))
    if not columns:
        raise ValueError(f"is '{_short(text)}', which names no column.")
    for identifier in tree.find_all(exp.Identifier):
        identifier.set(arg_key="quoted", value=True)
    texts = {name: tree.sql(dialect=name, comments=False) for name in DIALECTS}
    return Condition(texts, tuple(columns))


def _parsed(text: str) -> exp.Expr:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is a condition of {len(text):,} characters; {MAX_LENGTH:,} are allowed.")
    try:
        select = f"SELECT 1 FROM t WHERE {text}"  # noqa: S608 - parsed, never run
        trees = sqlglot.parse(select, dialect=WRITTEN_IN)
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        what = found[0].get("description") or "it cannot be parsed"
        raise ValueError(f"is '{_short(text)}', which is no SQL condition: {what}") from error
    args = trees[0].args if len(trees) == 1 and trees[0] is not None else {}
    if sorted(key for key, value in args.items() if value) != ["expressions", "from_", "where"]:
        raise ValueError(f"is '{_short(text)}'; one SQL condition is expected.")
    condition: exp.Expr = args["where"].this.copy()
    return condition


def _problems(tree: exp.Expr) -> Iterator[str]:
    for node in tree.walk():
        said = _short(node.sql(dialect=WRITTEN_IN))
        if isinstance(node, NOT_OF_ONE_ROW):
            yield f"uses {said}, which is not of one row."
        elif not isinstance(node, ALLOWED) and not isinstance(node, exp.Func):
            yield f"holds '{said}' ({node.key}), which a condition on rows may not."
        elif isinstance(node, exp.Column) and node.table:
            yield f"names {said}; a column's name alone is expected."
        elif isinstance(node, exp.Like) and "\\" in node.expression.sql():
            yield f"has a backslash in {said}, on which engines differ."
    for what, hint in not_portable(tree):
        yield f"{what} {hint}".strip()


def _short(text: str) -> str:
    return shorten(" ".join(text.split()), limit=MAX_SHOWN)
