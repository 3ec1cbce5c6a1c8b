"""Queries of feature tables: filled in, checked to mean the same everywhere, and translated.

They are written in DuckDB's SQL and translated to Spark's by sqlglot. The translation of some
functions is silently wrong, so only those are allowed that were seen to give equal results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jinja2
import sqlglot
from jinja2.sandbox import ImmutableSandboxedEnvironment
from sqlglot import exp
from sqlglot.errors import SqlglotError

from mlrecipes.errors import ConfigError, Problem, did_you_mean, shorten
from mlrecipes.features.definition import FOLDER, FeatureDefinition

__all__ = ["FeatureQuery", "not_portable", "parse_query"]

WRITTEN_IN = "duckdb"
MAX_EXCERPT = 80

FUNCTIONS: dict[str, type[exp.Expression]] = {
    "ABS": exp.Abs,
    "AVG": exp.Avg,
    "CASE": exp.Case,
    "CAST": exp.Cast,
    "COALESCE": exp.Coalesce,
    "COUNT": exp.Count,
    "EXP": exp.Exp,
    "FLOOR": exp.Floor,
    "GREATEST": exp.Greatest,
    "IF": exp.If,
    "LEAST": exp.Least,
    "LOWER": exp.Lower,
    "MAX": exp.Max,
    "MAX_BY": exp.ArgMax,
    "MIN": exp.Min,
    "MIN_BY": exp.ArgMin,
    "NULLIF": exp.Nullif,
    "ROW_NUMBER": exp.RowNumber,
    "SIGN": exp.Sign,
    "SQRT": exp.Sqrt,
    "STDDEV_SAMP": exp.StddevSamp,
    "SUM": exp.Sum,
    "TRIM": exp.Trim,
    "UPPER": exp.Upper,
}
"""Functions that DuckDB and Spark compute alike; a test runs each of them on both."""

CONNECTIVES = (exp.And, exp.Or, exp.Xor)
"""Operators that sqlglot counts as functions."""

TYPES = frozenset({"BIGINT", "BOOLEAN", "DATE", "DOUBLE", "INT", "TEXT", "TIMESTAMP", "VARCHAR"})
WHOLE_TYPES = frozenset({"BIGINT", "INT"})


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """A query that means the same in each dialect.

    Attributes:
        tables: The raw tables that it reads, sorted.
        texts: The query by dialect: ``duckdb`` and ``spark``.
    """

    tables: tuple[str, ...]
    texts: dict[str, str]


def parse_query(definition: FeatureDefinition, root: Path) -> FeatureQuery:
    """Fill in a definition's templates, check the query and translate it.

    Args:
        definition: The feature table.
        root: The recipe's root.

    Raises:
        ConfigError: The template or the SQL is wrong, or uses something that engines do not
            compute alike; all problems at once.
    """
    sql = _filled_in(definition, root)
    tree = _parsed(definition, sql)
    words = list(dict.fromkeys(not_portable(tree)))
    if words:
        raise ConfigError([Problem(definition.file, None, "", *pair) for pair in words])
    own = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
    tables = {table.name for table in tree.find_all(exp.Table)}
    trees = {"duckdb": _without_filters(tree), "spark": tree}
    texts = {dialect: said.sql(dialect=dialect, pretty=True) for dialect, said in trees.items()}
    return FeatureQuery(tuple(sorted(t for t in tables if t.lower() not in own)), texts)


def _without_filters(tree: exp.Query) -> exp.Query:
    """Say ``SUM(CASE WHEN c THEN x END)`` for ``SUM(x) FILTER (WHERE c)``: less work for DuckDB.

    Both are the same for aggregates that skip what is missing; ``max_by`` looks at two columns.
    """
    plain = tree.copy()
    for node in list(plain.find_all(exp.Filter)):
        aggregate, value = node.this, node.this.this
        if isinstance(aggregate, exp.ArgMax | exp.ArgMin) or isinstance(value, exp.Distinct):
            continue
        kept = exp.Literal.number(1) if isinstance(value, exp.Star) else value
        condition = exp.If(this=node.expression.this.copy(), true=kept.copy())
        aggregate.set("this", exp.Case(ifs=[condition]))
        node.replace(aggregate)
    return plain


def _filled_in(definition: FeatureDefinition, root: Path) -> str:
    environment = ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(root / FOLDER),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.from_string(definition.body).render()
    except jinja2.TemplateSyntaxError as error:
        file = definition.file if error.name is None else f"{FOLDER}/{error.name}"
        raise ConfigError([Problem(file, error.lineno, "", f"{error.message}.")]) from error
    except jinja2.TemplateNotFound as error:
        what = f"there is no file {FOLDER}/{error.name} to import."
        raise ConfigError([Problem(definition.file, None, "", what)]) from error
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise ConfigError([Problem(definition.file, None, "", f"{error}.")]) from error


def _parsed(definition: FeatureDefinition, sql: str) -> exp.Query:
    try:
        trees = [tree for tree in sqlglot.parse(sql, dialect=WRITTEN_IN) if tree is not None]
    except SqlglotError as error:
        found = getattr(error, "errors", None) or [{}]
        line, what = found[0].get("line"), found[0].get("description") or str(error)
        text = sql.splitlines()[line - 1].strip() if line else ""
        is_as_written = bool(text) and text in definition.body
        place = line if is_as_written and "{%" not in definition.body else None
        near = f" near: {shorten(text, limit=MAX_EXCERPT)}" if text else ""
        problem = Problem(definition.file, place, "", f"{what.rstrip('.')}{near}")
        raise ConfigError([problem]) from error
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        what = f"holds {len(trees)} statements; one SELECT is expected."
        if len(trees) == 1:
            what = f"holds a statement {trees[0].key.upper()}; one SELECT is expected."
        raise ConfigError([Problem(definition.file, None, "", what)])
    return trees[0]


def not_portable(tree: exp.Expr) -> Iterator[tuple[str, str]]:
    """What engines compute differently, and what to write instead."""
    for node in tree.walk():
        if isinstance(node, exp.Func) and not isinstance(node, CONNECTIVES):
            yield from _about_function(node)
        if isinstance(node, exp.Cast):
            yield from _about_cast(node)
        if isinstance(node, exp.Div | exp.Mod | exp.IntDiv) and not _is_never_zero(node.expression):
            where = shorten(node.sql(dialect=WRITTEN_IN), limit=MAX_EXCERPT)
            yield (
                f"divides by what may be zero, on which engines differ: {where}.",
                f"Write NULLIF({shorten(node.expression.sql(dialect=WRITTEN_IN))}, 0).",
            )
        if isinstance(node, exp.Table) and (node.db or isinstance(node.this, exp.Func)):
            name = shorten(node.sql(dialect=WRITTEN_IN), limit=MAX_EXCERPT)
            yield f"reads from {name}.", "Name a raw table; where it lies is said elsewhere."


def _about_function(node: exp.Func) -> Iterator[tuple[str, str]]:
    if isinstance(node, tuple(FUNCTIONS.values())):
        return
    name = (node.name if isinstance(node, exp.Anonymous) else node.sql_name()).upper()
    yield (
        f"uses {name}, which is not known to give the same on every engine.",
        did_you_mean(name, FUNCTIONS),
    )


def _about_cast(node: exp.Cast) -> Iterator[tuple[str, str]]:
    kind = node.to.this.name if isinstance(node.to.this, exp.DataType.Type) else str(node.to)
    if kind not in TYPES:
        yield f"casts to {kind}.", f"Cast to one of {', '.join(sorted(TYPES))}."
    elif kind in WHOLE_TYPES and isinstance(node.this, exp.Div | exp.Avg):
        where = shorten(node.sql(dialect=WRITTEN_IN), limit=MAX_EXCERPT)
        yield f"rounds by a cast, on which engines differ: {where}.", "Put FLOOR(…) inside."


def _is_never_zero(node: exp.Expression) -> bool:
    """A NULLIF(…, 0), a number that is not zero, or a product or a positive root of such."""
    inner = node.unnest()
    if isinstance(inner, exp.Nullif):
        return inner.expression.is_number and float(inner.expression.name) == 0
    if isinstance(inner, exp.Cast):
        return _is_never_zero(inner.this)
    if isinstance(inner, exp.Mul):
        return _is_never_zero(inner.this) and _is_never_zero(inner.expression)
    return inner.is_number and float(inner.name) != 0
