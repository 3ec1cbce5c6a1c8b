"""Blocks of cards as Markdown, for the model card and for reports beside a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlrecipes.model_card_records import CardBlock, Words
from mlrecipes.records import Bars, Facts, Section, Table, Text
from mlrecipes.reports.markdown import escape, markdown_bullets, markdown_table, paragraph

__all__ = ["markdown_block", "render_markdown"]


def render_markdown(title: str, summary: Sequence[str], sections: Sequence[Section]) -> str:
    """A report of sentences and sections; of blocks, those that are text or tables.

    >>> print(render_markdown("Loans", ["All is well."], []), end="")
    # Loans
    <BLANKLINE>
    All is well.
    """
    lines = [f"# {escape(title)}"]
    for sentence in summary:
        lines += ["", paragraph(sentence)]
    for section in sections:
        lines += ["", f"## {escape(section.title)}"]
        for block in section.blocks:
            if isinstance(block, Text | Facts | Table | Bars):
                lines += ["", *markdown_block(block)]
    return "\n".join(lines) + "\n"


def markdown_block(block: CardBlock | Text) -> Iterator[str]:
    """The lines of one block."""
    match block:
        case Words():
            if block.label:
                yield from (f"### {escape(block.label)}", "")
            yield from markdown_bullets(block.texts)
        case Text():
            yield paragraph(block.text)
        case Facts():
            yield from markdown_table(("fact", "value"), block.items)
        case Table():
            if block.caption:
                yield from (f"### {escape(block.caption)}", "")
            yield from markdown_table(block.columns, block.rows)
        case _:
            yield from (f"### {escape(block.caption)}", "")
            rows = list(zip(block.labels, block.values, strict=False))
            yield from markdown_table(("name", block.value_label), rows)
