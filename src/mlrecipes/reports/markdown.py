"""Markdown whose text is text: no name from data becomes a heading, a link, a tag or a column."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mlrecipes.records import Scalar
from mlrecipes.reports.wording import clean, shown

__all__ = ["escape", "markdown_bullets", "markdown_table", "paragraph"]

MAX_TEXT = 4_000
ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
MARKUP = re.compile(r"[\\`*\[\]~$]|(?<![^\W_])_|_(?![^\W_])")
AT_START = re.compile(r"^([#+=-]|\d+(?=[.)]))")
SCHEME = re.compile(r"(?<=[A-Za-z0-9+.-]:)/(?=/)")


def escape(value: object, limit: int = MAX_TEXT) -> str:
    r"""A text on one line that Markdown shows as it is, somewhere behind the start of a line.

    >>> escape("a|b <script> `x` *y* roc_auc")
    'a&#124;b &lt;script&gt; \\`x\\` \\*y\\* roc_auc'
    >>> escape("file://a b"), escape("0.98")
    ('file:\\//a b', '0.98')
    """
    text = MARKUP.sub(lambda found: f"\\{found[0]}", clean(value, limit).strip())
    text = "".join(ENTITIES.get(char, char) for char in text)
    text = re.sub(r"\bwww\.", "www\\.", text, flags=re.IGNORECASE)
    return SCHEME.sub(r"\/", text)


def paragraph(value: object) -> str:
    r"""A text that is a paragraph of its own, and no heading, rule or list.

    >>> paragraph("# no heading\n- no list"), paragraph("1. no list")
    ('\\# no heading - no list', '1\\. no list')
    """
    return AT_START.sub(lambda found: _disarmed(found[0]), escape(value))


def _disarmed(start: str) -> str:
    """What begins a heading or a list, so that it begins nothing."""
    return f"{start}\\" if start.isdecimal() else f"\\{start}"


def markdown_bullets(texts: Sequence[str]) -> Iterator[str]:
    """One text as a paragraph, several as a list."""
    if len(texts) == 1:
        yield paragraph(texts[0])
    else:
        yield from (f"- {paragraph(text)}" for text in texts)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[Scalar]]) -> Iterator[str]:
    """A table in which every row has as many cells as the head, whatever stands in them."""
    yield _row([escape(column, 200) for column in columns])
    yield _row(["---"] * len(columns))
    for row in rows:
        cells = [escape(shown(cell)) for cell in row[: len(columns)]]
        yield _row([*cells, *[""] * (len(columns) - len(cells))])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
