"""Slices as people write them: a column's name, or a condition on columns.

A condition is parsed, never run: only what stands in the list below may occur in it.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from mlrecipes.errors import shorten

__all__ = ["SliceText", "read_slice"]

MAX_LENGTH = 500
MAX_DEPTH = 25
MAX_SHOWN = 80
COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
MEMBERSHIPS = (ast.In, ast.NotIn)
SUMS = (ast.Add, ast.Sub, ast.Mult, ast.Div)
QUOTED = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|`([^`]+)`")
NAME_IN_BACKTICKS = re.compile(r"`([^`]+)`")
EXAMPLE = "write a column's name or a condition such as AMT_CREDIT > 1e6 and REGION == 'x'"


@dataclass(frozen=True, slots=True)
class SliceText:
    """A slice that can be understood; whether the data have its columns is not known yet.

    Attributes:
        text: As written, without blanks around it.
        columns: The columns that it needs, in the order in which they occur.
        condition: The parsed condition, names of columns in place; None for a column's name,
            which means one group of rows a value.
    """

    text: str
    columns: tuple[str, ...]
    condition: ast.expr | None = field(default=None, compare=False, repr=False)


def read_slice(text: str) -> SliceText:
    """Parse a slice.

    Raises:
        ValueError: It cannot be understood; the message continues the name of its key.

    >>> read_slice("AMT_CREDIT > 1e6 and `home town` in ['x', 'y']").columns
    ('AMT_CREDIT', 'home town')
    >>> read_slice("__import__('os')")
    Traceback (most recent call last):
    ValueError: is '__import__('os')', a slice with a call, which no slice may have: write a ...
    """
    text = text.strip()
    if len(text) > MAX_LENGTH:
        raise ValueError(f"is a slice of {len(text):,} characters; {MAX_LENGTH} are allowed")
    in_backticks = NAME_IN_BACKTICKS.fullmatch(text)
    if in_backticks or text.isidentifier():
        return SliceText(text, (in_backticks[1] if in_backticks else text,))
    condition = _parsed(text)
    _check_truth(condition, text, MAX_DEPTH)
    columns = dict.fromkeys(node.id for node in _in_order(condition) if isinstance(node, ast.Name))
    if not columns:
        raise _refused(text, "that names no column")
    return SliceText(text, tuple(columns), condition)


def _parsed(text: str) -> ast.expr:
    """The condition as a tree, with the columns' own names where backticks stood."""
    stand_ins: dict[str, str] = {}

    def stand_in(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        name = f"column_in_backticks_{len(stand_ins)}"
        stand_ins[name] = found[1]
        return f" {name} "

    try:
        with warnings.catch_warnings(action="ignore"):  # such as an escape that is none
            tree = ast.parse(QUOTED.sub(stand_in, text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        reason = exc.msg if isinstance(exc, SyntaxError) else "it cannot be parsed"
        raise ValueError(
            f"is '{shorten(text, limit=MAX_SHOWN)}', which is no slice ({reason}): {EXAMPLE}; "
            "a column whose name has blanks or signs stands in backticks"
        ) from exc
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = stand_ins.get(node.id, node.id)
    return tree


def _in_order(node: ast.expr) -> Iterator[ast.AST]:
    """A node and all below it, from left to right."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _in_order(child)


def _check_truth(node: ast.expr, text: str, depth: int) -> None:
    """Refuse all that is not and, or, not, or a comparison."""
    if depth == 0:
        raise _refused(text, "nested too deeply")
    match node:
        case ast.BoolOp(values=values):
            for value in values:
                _check_truth(value, text, depth - 1)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            _check_truth(operand, text, depth - 1)
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            _check_value(left, text, depth - 1)
            for operator, right in zip(ops, comparators, strict=True):
                _check_comparison(operator, right, text, depth - 1)
        case ast.Name(id=name):
            raise _refused(text, f"where '{shorten(name)}' is compared with nothing")
        case _:
            raise _refused(text, f"with {_kind(node)}, which no slice may have")


def _check_comparison(operator: ast.cmpop, right: ast.expr, text: str, depth: int) -> None:
    if isinstance(operator, MEMBERSHIPS):
        if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
            raise _refused(text, "where 'in' is not followed by a list such as ['x', 'y']")
        for element in right.elts:
            _check_value(element, text, depth)
            if any(isinstance(node, ast.Name) for node in ast.walk(element)):
                raise _refused(text, "with a column in a list of values")
    elif isinstance(operator, COMPARISONS):
        _check_value(right, text, depth)
    else:
        raise _refused(text, "with 'is', which no slice may have; use ==")


def _check_value(node: ast.expr, text: str, depth: int) -> None:
    """Refuse all that is not a column, a number, a text, or a sum of such."""
    if depth == 0:
        raise _refused(text, "nested too deeply")
    match node:
        case ast.Name():
            pass
        case ast.Constant(value=bool() | int() | float() | str()):
            pass
        case ast.BinOp(left=left, op=operator, right=right) if isinstance(operator, SUMS):
            _check_value(left, text, depth - 1)
            _check_value(right, text, depth - 1)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check_value(operand, text, depth - 1)
        case _:
            raise _refused(text, f"with {_kind(node)}, which no slice may have")


KINDS: Mapping[type[ast.expr], str] = {
    ast.Call: "a call",
    ast.Attribute: "a dot",
    ast.Subscript: "square brackets",
    ast.BoolOp: "a condition in the place of a value",
    ast.Compare: "a condition in the place of a value",
}


def _kind(node: ast.expr) -> str:
    """What a part of a condition is, for people."""
    if isinstance(node, ast.Constant):
        return f"the value {shorten(repr(node.value))}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        return "& or | (use and, or)"
    return KINDS.get(type(node), f"a part of the kind {type(node).__name__}")


def _refused(text: str, reason: str) -> ValueError:
    return ValueError(f"is '{shorten(text, limit=MAX_SHOWN)}', a slice {reason}: {EXAMPLE}")
