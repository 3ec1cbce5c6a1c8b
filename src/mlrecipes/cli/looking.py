"""Commands that look: plan, check, inspect, get-artifact, status."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from mlrecipes.cli.shared import (
    cli,
    json_option,
    open_recipe,
    print_json,
    print_table,
    recipe_options,
)
from mlrecipes.cli.wording import count_of
from mlrecipes.errors import RecipeError
from mlrecipes.records import to_json
from mlrecipes.reports.text import render_facts
from mlrecipes.talk import seconds

__all__ = ["check", "get_artifact", "inspect", "plan", "status"]


@cli.command()
@recipe_options
@click.option(
    "--to", "--step", "-s", "step", help="Last step to plan.  [default: promote, or register]"
)
@click.option("--from", "from_step", help="Plan this step and all after it in any case.")
@json_option
def plan(
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    step: str | None,
    from_step: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Say which steps would run, and why. Nothing is run."""
    decisions = open_recipe(root, profile, settings).plan(step, from_step=from_step)
    if as_json:
        print_json(to_json(decisions))
        return
    print_table(
        ("step", "state", "why", "last time"),
        [(d.step, str(d.action), d.because, seconds(d.last_duration_s)) for d in decisions],
    )
    click.echo(count_of(decisions))


@cli.command()
@recipe_options
def check(root: Path, profile: str, settings: tuple[str, ...]) -> None:
    """Validate recipe, profile and the user's functions without running anything."""
    recipe = open_recipe(root, profile, settings)
    recipe.check()
    click.echo(f"{recipe.name} with profile {profile}: no problems.")


@cli.command()
@recipe_options
@click.option("--step", "-s", "named", help="The step; the last one that ran by default.")
@click.argument("step", required=False)
@click.option("--open", "in_browser", is_flag=True, help="Open the card in a browser.")
@json_option
def inspect(  # noqa: PLR0913, PLR0917 - one argument an option
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    named: str | None,
    step: str | None,
    in_browser: bool,  # noqa: FBT001 - click passes flags so
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Show the card of a step, and where its HTML lies."""
    card = open_recipe(root, profile, settings).inspect(named or step)
    if as_json:
        print_json(card.facts)
        return
    click.echo(render_facts(card.facts, width=shutil.get_terminal_size().columns))
    click.echo(f"Card: {card.path}")
    if in_browser:
        click.launch(str(card.path))


@cli.command("get-artifact")
@recipe_options
@click.option("--artifact", "-a", "named", help="The artifact's name.")
@click.argument("artifact", required=False)
def get_artifact(
    root: Path, profile: str, settings: tuple[str, ...], named: str | None, artifact: str | None
) -> None:
    """Print where an artifact lies, such as training_data or model."""
    name = named or artifact
    if name is None:
        raise click.UsageError("Name an artifact, such as: mlrecipes get-artifact model")
    path = open_recipe(root, profile, settings).artifact_path(name)
    if path is None:
        raise RecipeError(f"'{name}' is not there yet.", hint="Run it: mlrecipes run")
    click.echo(path)


@cli.command()
@recipe_options
@json_option
def status(root: Path, profile: str, settings: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001
    """Show the result that each step has now."""
    found = open_recipe(root, profile, settings).status()
    if as_json:
        print_json(to_json(found))
        return
    rows = [
        (name, m.summary, m.finished_at, seconds(m.duration_s)) if m else (name, "not run", "", "")
        for name, m in found.items()
    ]
    print_table(("step", "result", "finished", "took"), rows)
