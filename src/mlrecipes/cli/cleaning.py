"""Commands that take away: clean, reset."""

from __future__ import annotations

from pathlib import Path

import click

from mlrecipes.cli.shared import (
    cli,
    json_option,
    open_recipe,
    options_of,
    print_json,
    recipe_options,
)
from mlrecipes.records import to_json
from mlrecipes.reset import counted
from mlrecipes.reset_text import reset_lines

__all__ = ["clean", "reset"]

CONFIRMED = {"yes", "true"}


@cli.command()
@recipe_options
@click.option("--step", "-s", "step", help="Forget this step only.")
def clean(root: Path, profile: str, settings: tuple[str, ...], step: str | None) -> None:
    """Forget results, so that the steps run again. Runs and registered models stay."""
    cleaned = open_recipe(root, profile, settings).clean(step)
    click.echo(f"Forgotten: {', '.join(cleaned)}." if cleaned else "There was nothing to forget.")


@cli.command()
@recipe_options
@click.option("--yes", "-y", is_flag=True, help="Do it; else it is only listed.")
@click.option("--confirm", default="", hidden=True, help="The word yes or true: as --yes.")
@click.option("--model-name", default="", help="The registered model, for a protected profile.")
@json_option
def reset(  # noqa: PLR0913, PLR0917 - one argument an option
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    yes: bool,  # noqa: FBT001 - click passes flags so
    confirm: str,
    model_name: str,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """List what the recipe made elsewhere: runs, model, feature tables. Delete it with --yes.

    Only what was made with this profile goes. The next run begins anew: it trains, and
    registers version 1. Stored results and the log .mlrecipes/reset.log stay.
    """
    recipe = open_recipe(root, profile, settings)
    is_meant = yes or confirm in CONFIRMED
    plan = recipe.reset(model_name or None) if is_meant else recipe.plan_reset()
    name = " --model-name NAME" if recipe.protections() else ""
    command = f"mlrecipes reset{options_of(root, profile, settings)} --yes{name}"
    if as_json:
        facts = {"recipe": recipe.name, "profile": profile, "is_done": is_meant}
        print_json(facts | {"command": command, **to_json(plan)})
        return
    for line in reset_lines(plan, is_done=is_meant):
        click.echo(line)
    if plan.goes:
        did = f"Deleted {counted(plan.goes)}. The next run begins anew: mlrecipes run"
        again = options_of(root, profile, settings)
        click.echo(f"{did}{again}" if is_meant else f"Nothing was deleted. Do it: {command}")
