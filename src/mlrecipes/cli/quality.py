"""Commands about data quality: quality suggest."""

from __future__ import annotations

from pathlib import Path

import click

from mlrecipes.cli.shared import cli, open_recipe, recipe_options

__all__ = ["quality", "suggest"]


@cli.group()
def quality() -> None:
    """What tables are expected to be: suites under expectations/."""


@quality.command()
@recipe_options
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The suite's file.  [default: expectations/raw.TABLE.json]",
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def suggest(
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    table: Path,
    out: Path | None,
    force: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Write a first suite from TABLE: a Parquet or CSV file, or the name of an artifact.

    Columns and types stop the recipe, all else only warns: read it, and change what you know
    better.
    """
    recipe = open_recipe(root, profile, settings)
    path = recipe.suggest_expectations(table, out, force=force)
    click.echo(f"Wrote {path}. Read it, then run: mlrecipes check")
