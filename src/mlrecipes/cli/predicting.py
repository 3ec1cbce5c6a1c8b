"""The command that scores: predict."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from mlrecipes.cli.shared import (
    cli,
    json_option,
    open_recipe,
    options_of,
    print_json,
    recipe_options,
)
from mlrecipes.predict_options import PredictOptions
from mlrecipes.talk import Talk

__all__ = ["predict"]


@cli.command()
@recipe_options
@click.option("--input", "rows", default="", help="File or folder with the rows, or their keys.")
@click.option("--output", default="", help="Folder or table that predictions are added to.")
@click.option("--model", default="", help="Such as models:/name@alias.  [default: the champion]")
@click.option("--batch-id", default="", help="Name of the batch.  [default: from rows and model]")
@click.option("--reason-codes", default="", metavar="K", help="The K main reasons of each score.")
@click.option("--engine", default="", metavar="local|spark", help="What scores.")
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for a busy workspace.")
@json_option
def predict(  # noqa: PLR0913, PLR0917 - one argument an option
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    rows: str,
    output: str,
    model: str,
    batch_id: str,
    reason_codes: str,
    engine: str,
    wait_s: float,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Score a batch with the champion; the same batch is written once.

    The rows are those of steps.ingest_scoring, the place that of steps.predict. An empty value
    means: as in the recipe.
    """
    if reason_codes and not reason_codes.isdecimal():
        raise click.UsageError(f"--reason-codes {reason_codes}: expected a whole number.")
    n_reasons = int(reason_codes) if reason_codes else None
    recipe = open_recipe(root, profile, settings)
    asked = PredictOptions(rows, output, model, batch_id, n_reasons, engine)
    talk = Talk(sys.stderr if as_json else sys.stdout)
    with talk:
        facts: dict[str, Any] = recipe.predict(asked, wait_s=wait_s, on_event=talk.hear)
    if as_json:
        print_json({"recipe": recipe.name, "profile": recipe.profile, **facts})
        return
    click.echo(f"Batch {facts['batch_id']}: {facts['rows']:,} rows {facts['became']}.")
    click.echo(f"Look: mlrecipes inspect predict{options_of(root, profile, settings)}")
