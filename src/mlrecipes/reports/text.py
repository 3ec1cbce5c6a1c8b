"""A card in a terminal: the words and the small tables; charts are only in the HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlrecipes.reports.wording import clean, shown

__all__ = ["render_facts"]

MAX_ROWS = 15
MAX_COLUMNS = 6
MAX_CELL = 32


def render_facts(facts: Mapping[str, Any], width: int = 100) -> str:
    """Write a card's facts, as in its JSON file, for a terminal ``width`` characters wide."""
    lines = [f"{clean(facts['title'])}: {clean(facts['status'])}"]
    lines += [clean(facts["summary"])] if facts["summary"] else []
    lines += [f"{clean(name)}: {shown(value)}" for name, value in facts["header"]]
    if facts["error"]:
        lines += ["", *(clean(line) for line in facts["error"].split("\n"))]
    for section in facts["sections"]:
        body = [line for block in section["blocks"] for line in _block(block)]
        lines += ["", clean(section["title"]), *(f"  {line}" for line in body)]
    if facts["warnings"]:
        lines += ["", "Warnings", *(f"  {clean(text)}" for text in facts["warnings"])]
    return "\n".join(line if len(line) <= width else f"{line[: width - 1]}…" for line in lines)


def _block(block: Mapping[str, Any]) -> Iterator[str]:
    match block["kind"]:
        case "Text":
            yield from _lines(block["text"].split("\n"))
        case "Facts":
            yield from (f"{clean(name)}: {shown(value)}" for name, value in block["items"])
        case "Table":
            yield from _table(block["columns"], block["rows"])
        case "Profile":
            yield f"{len(block['columns'])} columns, drawn in the HTML card"
        case "ProfileComparison":
            yield f"{', '.join(map(clean, block['names']))} compared in the HTML card"
        case _:
            yield f"{clean(block['caption'])} (drawn in the HTML card)"


def _lines(lines: Sequence[str]) -> Iterator[str]:
    yield from (clean(line) for line in lines[:MAX_ROWS])
    if len(lines) > MAX_ROWS:
        yield f"and {len(lines) - MAX_ROWS} more lines"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    head = [clean(column, MAX_CELL) for column in columns[:MAX_COLUMNS]]
    body = [[clean(shown(c), MAX_CELL) for c in row[:MAX_COLUMNS]] for row in rows[:MAX_ROWS]]
    widths = [max(len(row[i]) for row in [head, *body]) for i in range(len(head))]
    for row in [head, *body]:
        yield "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
    hidden = [
        f"{n_more} more {what}"
        for n_more, what in (
            (len(rows) - MAX_ROWS, "rows"),
            (len(columns) - MAX_COLUMNS, "columns"),
        )
        if n_more > 0
    ]
    if hidden:
        yield f"and {', '.join(hidden)}"
