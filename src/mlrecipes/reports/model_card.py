"""A model card as Markdown and as one offline HTML page; equal views give equal bytes."""

from __future__ import annotations

from collections.abc import Iterator

from mlrecipes.model_card_records import ModelCardFiles, ModelCardView
from mlrecipes.reports.html import render_page
from mlrecipes.reports.markdown import escape, paragraph
from mlrecipes.reports.markdown_blocks import markdown_block

__all__ = ["render_model_card"]


def render_model_card(view: ModelCardView) -> ModelCardFiles:
    """Draw a card. All its text is escaped.

    >>> files = render_model_card(ModelCardView("loans", "3", "credit", "local", "VALIDATED"))
    >>> files.markdown.splitlines()[0]
    '# Model card: loans, version 3'
    """
    return ModelCardFiles(
        markdown="\n".join(_markdown(view)) + "\n",
        html=render_page("model_card.html", view=view),
        description="\n\n".join(paragraph(sentence) for sentence in view.summary),
    )


def _markdown(view: ModelCardView) -> Iterator[str]:
    yield f"# {escape(view.title)}"
    if view.warnings:
        yield ""
        yield from (f"> **{escape(warning)}**\n>" for warning in view.warnings[:-1])
        yield f"> **{escape(view.warnings[-1])}**"
    for part in view.parts:
        yield from ("", f"## {escape(part.title)}")
        for block in part.blocks:
            yield ""
            yield from markdown_block(block)
