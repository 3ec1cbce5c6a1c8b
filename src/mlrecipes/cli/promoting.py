"""Commands about who serves: promote, rollback, promotions."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlrecipes.cli.shared import (
    cli,
    json_option,
    open_recipe,
    options_of,
    print_json,
    print_table,
    recipe_options,
)
from mlrecipes.errors import shorten
from mlrecipes.promotion_records import Entry, Move, State
from mlrecipes.records import to_json
from mlrecipes.talk import Talk

__all__ = ["promote", "promotions", "rollback"]

MAX_REASON = 60


@cli.command()
@recipe_options
@click.option("--version", "number", default="", help="The version; the challenger by default.")
@click.option("--override", default="", help="Why it is promoted whatever the verdict.")
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for a busy workspace.")
@json_option
def promote(  # noqa: PLR0913, PLR0917 - one argument an option
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    number: str,
    override: str,
    wait_s: float,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Compare a version with the champion on the same rows, anew, and promote the better.

    Nothing is trained. Exit code 3 if the version is blocked. An override promotes it all the
    same, and is written to the ledger with its reason.
    """
    recipe, options = open_recipe(root, profile, settings), options_of(root, profile, settings)
    talk = Talk(sys.stderr if as_json else sys.stdout)
    with talk:
        decided = recipe.promote(
            number or None, override=override or None, wait_s=wait_s, on_event=talk.hear
        )
    if as_json:
        print_json(decided)
    else:
        click.echo(f"Look: mlrecipes inspect promote{options}")


@cli.command()
@recipe_options
@click.option("--to", "number", default="", help="The version; the champion before by default.")
@click.option("--reason", default="", help="Why; written to the ledger.  [required]")
@json_option
def rollback(
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    number: str,
    reason: str,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Make an earlier version the champion again, at once: the one before by default."""
    recipe, options = open_recipe(root, profile, settings), options_of(root, profile, settings)
    row = recipe.rollback(reason, number or None)
    if as_json:
        print_json(to_json(row))
        return
    click.echo(f"Version {row.to_version} is champion again, after version {row.from_version}.")
    click.echo(f"Look: mlrecipes promotions{options}")


@cli.command()
@recipe_options
@json_option
def promotions(
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """List each decision about each version: who, when, on what, and why."""
    rows = open_recipe(root, profile, settings).promotions()
    if as_json:
        print_json(to_json(list(rows)))
        return
    print_table(
        ("no.", "when", "who", "what", "from", "to", "difference", "reason"),
        [_cells(row) for row in rows],
    )
    n_overrides = sum(row.move is Move.OVERRIDE and row.state is State.CLOSED for row in rows)
    click.echo(f"{len(rows)} rows, {n_overrides} of them overrides.")


def _cells(row: Entry) -> tuple[str, ...]:
    what = str(row.move) if row.moves else row.verdict
    state = "" if row.state is State.CLOSED else f" ({row.state})"
    return (
        str(row.number),
        row.at_utc,
        shorten(row.who, limit=20),
        f"{what}{state}",
        row.from_version or "–",
        row.to_version,
        row.shown_difference,
        shorten(row.reason, limit=MAX_REASON),
    )
