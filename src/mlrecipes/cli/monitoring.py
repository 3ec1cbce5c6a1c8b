"""The command that watches what was scored: monitor."""

from __future__ import annotations

import sys
from collections.abc import Mapping
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
from mlrecipes.errors import MonitorAlert, shorten
from mlrecipes.monitor_options import MonitorOptions
from mlrecipes.talk import Talk

__all__ = ["monitor"]

MAX_LISTED = 10
MAX_MESSAGE = 160


@cli.command()
@recipe_options
@click.option("--since", default="", metavar="DATE", help="First moment.  [default: newest window]")
@click.option("--until", default="", metavar="DATE", help="Where to stop.  [default: now]")
@click.option(
    "--window", default="", metavar="30d|month|quarter|batch", help="How rows are put together."
)
@click.option("--input", "rows", default="", help="File or folder with rows that were scored.")
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for a busy workspace.")
@json_option
def monitor(  # noqa: PLR0913, PLR0917 - one argument an option
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    since: str,
    until: str,
    window: str,
    rows: str,
    wait_s: float,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Compare what the champion scored with its training; exit code 4 if somebody should look.

    The rows are those of steps.monitor.batches, or of the table of predictions. An empty value
    means: as in the recipe. Nothing scored yet is no failure.
    """
    recipe = open_recipe(root, profile, settings)
    talk = Talk(sys.stderr if as_json else sys.stdout)
    with talk:
        asked = MonitorOptions(since, until, window, rows)
        facts = recipe.monitor(asked, wait_s=wait_s, on_event=talk.hear)
    if as_json:
        print_json({"recipe": recipe.name, "profile": recipe.profile, **facts})
    look = f"Look: mlrecipes inspect monitor{options_of(root, profile, settings)}"
    if facts["alerts"]:
        raise MonitorAlert(_said(facts), hint=look)
    if not as_json:
        why = facts.get("why")
        click.echo(f"{str(facts['status']).capitalize()}{f': {why}' if why else ''}.")
        click.echo(look)


def _said(facts: Mapping[str, Any]) -> str:
    """The alerts, one a line: what, since when, how big."""
    alerts = facts["alerts"]
    noun = "alert" if len(alerts) == 1 else "alerts"
    lines = [f"{len(alerts)} {noun} for {facts['model']} (version {facts['model_version']})."]
    for one in alerts[:MAX_LISTED]:
        message = shorten(one["message"], limit=MAX_MESSAGE)
        subject = shorten(one["subject"])
        lines.append(
            f"  {one['rule']} {subject}, {one['window']} (since {one['since']}): {message}"
        )
    if len(alerts) > MAX_LISTED:
        lines.append(f"  and {len(alerts) - MAX_LISTED} more, see the card.")
    return "\n".join(lines)
