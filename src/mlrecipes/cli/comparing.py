"""The command that compares two checkouts: compare."""

from __future__ import annotations

from pathlib import Path

import click

from mlrecipes.cli.shared import cli, json_option, open_recipe, print_json, recipe_options
from mlrecipes.errors import StoreError
from mlrecipes.records import to_json
from mlrecipes.reports.markdown_blocks import render_markdown

__all__ = ["compare"]


@cli.command()
@recipe_options
@click.argument("base", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write the report there."
)
@json_option
def compare(
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    base: Path,
    markdown: Path | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Compare the last model here with that of BASE, another checkout of the recipe.

    Gates, metrics, what changed and drift, as Markdown such as a pull request shows.
    """
    here, there = (open_recipe(folder, profile, settings) for folder in (root, base))
    found = here.compare(there)
    if markdown is not None:
        text = render_markdown(found.title, found.summary, found.sections)
        try:
            markdown.write_text(text, encoding="utf-8")
        except OSError as error:
            raise StoreError(f"{markdown} cannot be written: {error.strerror}.") from error
    if as_json:
        print_json(to_json(found))
        return
    for sentence in found.summary:
        click.echo(sentence)
    if markdown is not None:
        click.echo(f"Wrote {markdown}.")
