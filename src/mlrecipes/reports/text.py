"""A card in a terminal: the words and the small tables; charts are only in the HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlrecipes.reports.tables import numeric_columns
from mlrecipes.reports.wording import clean, shown

__all__ = ["render_facts"]

MAX_ROWS = 15
MAX_LINES = 15
MAX_CELL = 32
MAX_MESSAGE = 2_000
INDENT = "  "
GAP = "  "


def render_facts(facts: Mapping[str, Any], width: int = 100) -> str:
    """Write a card's facts, as in its JSON file, for a terminal ``width`` characters wide."""
    lines = [f"{clean(facts['title'])}: {clean(facts['status'])}"]
    lines += [clean(facts["summary"])] if facts["summary"] else []
    lines += _facts(facts["header"])
    if facts["error"]:
        lines += ["", *_wrapped(facts["error"].split("\n"), width)]
    room = width - len(INDENT)
    for section in facts["sections"]:
        inside = [line for block in section["blocks"] for line in _block(block, room)]
        lines += ["", clean(section["title"]), *(f"{INDENT}{line}" for line in inside)]
    if facts["warnings"]:
        told = _wrapped(facts["warnings"], room)
        lines += ["", "Warnings", *(f"{INDENT}{line}" for line in told)]
    return "\n".join(_cut(line, width) for line in lines)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else f"{line[: max(width - 1, 0)]}…"


def _block(block: Mapping[str, Any], width: int) -> Iterator[str]:
    match block["kind"]:
        case "Text" if block["preformatted"]:
            yield from _first([clean(line) for line in block["text"].split("\n")])
        case "Text":
            yield from _first(list(_wrapped(block["text"].split("\n"), width)))
        case "Facts":
            yield from _facts(block["items"])
        case "Table":
            yield from _table(block, width)
        case "Profile":
            yield f"{len(block['columns'])} columns, drawn in the HTML card"
        case "ProfileComparison":
            yield f"{', '.join(map(clean, block['names']))} compared in the HTML card"
        case _:
            yield f"{clean(block['caption'])} (drawn in the HTML card)"


def _facts(items: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield from (f"{clean(name)}: {shown(value)}" for name, value in items)


def _wrapped(lines: Sequence[str], width: int) -> Iterator[str]:
    """Every line cleaned, in as many lines as it takes; the further ones keep its indent."""
    for line in lines:
        text = clean(line, MAX_MESSAGE)
        words = text.lstrip()
        indent = text[: min(len(text) - len(words), max(width // 2, 0))]
        room = max(width, len(indent) + 1)
        yield from textwrap.wrap(
            words, room, initial_indent=indent, subsequent_indent=indent, drop_whitespace=True
        ) or [""]


def _first(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:MAX_LINES]
    if len(lines) > MAX_LINES:
        yield f"and {len(lines) - MAX_LINES} more lines"


# ---- tables -------------------------------------------------------------------------------


def _table(block: Mapping[str, Any], width: int) -> Iterator[str]:
    columns, rows = block["columns"], block["rows"]
    if block["caption"]:
        yield clean(block["caption"])
    head = [clean(column, MAX_CELL) for column in columns]
    body = [[clean(shown(cell), MAX_CELL) for cell in row] for row in rows[:MAX_ROWS]]
    widths = [max(len(row[i]) for row in [head, *body] if i < len(row)) for i in range(len(head))]
    n_columns = _n_fitting(widths, width)
    is_right = numeric_columns(n_columns, rows)
    for row in [head, *body]:
        cells = zip(row[:n_columns], widths, is_right, strict=False)
        aligned = (cell.rjust(size) if right else cell.ljust(size) for cell, size, right in cells)
        yield GAP.join(aligned).rstrip()
    hidden = ((len(rows) - MAX_ROWS, "row"), (len(columns) - n_columns, "column"))
    named = [f"{n} more {what}{'s' if n > 1 else ''}" for n, what in hidden if n > 0]
    if named:
        yield f"and {', '.join(named)}"


def _n_fitting(widths: Sequence[int], width: int) -> int:
    """How many columns fit side by side; the first is always shown."""
    end, n_columns = 0, 0
    for size in widths:
        end += size + (len(GAP) if n_columns else 0)
        if n_columns and end > width:
            break
        n_columns += 1
    return n_columns
