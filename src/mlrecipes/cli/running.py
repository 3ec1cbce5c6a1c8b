"""Commands that make something: run, features."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import click

from mlrecipes.cli.shared import (
    cli,
    json_option,
    open_recipe,
    options_of,
    print_json,
    recipe_options,
    show_error,
)
from mlrecipes.cli.wording import steps_are
from mlrecipes.errors import DataError, GateRejected, StoreError, UserCodeError
from mlrecipes.execution import Event
from mlrecipes.recipe import Recipe
from mlrecipes.records import Action, to_json
from mlrecipes.runner import StepOutcome
from mlrecipes.talk import Talk

__all__ = ["features", "run", "run_and_tell"]


@cli.command()
@recipe_options
@click.option(
    "--to", "--step", "-s", "step", help="Last step to run.  [default: promote, or register]"
)
@click.option("--from", "from_step", help="Run this step and all after it in any case.")
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for a busy workspace.")
@json_option
def run(  # noqa: PLR0913, PLR0917 - one argument an option
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    step: str | None,
    from_step: str | None,
    wait_s: float,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Run a step and all that it needs, as far as anything changed."""
    recipe = open_recipe(root, profile, settings)
    options = options_of(root, profile, settings)
    again = f"run{f' --to {step}' if step else ''}{options}"
    run_and_tell(
        recipe,
        lambda hear: recipe.run(step, from_step=from_step, wait_s=wait_s, on_event=hear),
        again=again,
        options=options,
        as_json=as_json,
    )


@cli.command()
@recipe_options
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for a busy workspace.")
@json_option
def features(
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    wait_s: float,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Build feature tables, as far as anything changed: of the recipe's sets, or of some.

    A --set without an equals sign names a set, a folder below features/; without one, all
    sets of the recipe are built.
    """
    sets = tuple(text for text in settings if text and "=" not in text)
    settings = tuple(text for text in settings if "=" in text)
    recipe = open_recipe(root, profile, settings)
    options = options_of(root, profile, settings)
    run_and_tell(
        recipe,
        lambda hear: recipe.build_features(sets, wait_s=wait_s, on_event=hear),
        again=f"features{''.join(f' --set {shlex.quote(name)}' for name in sets)}{options}",
        options=options,
        as_json=as_json,
    )


def run_and_tell(
    recipe: Recipe,
    start: Callable[[Callable[[Event], None]], tuple[StepOutcome, ...]],
    *,
    again: str,
    options: str,
    as_json: bool,
) -> None:
    """Run steps, tell what becomes of them, and which command goes on after a failure."""
    talk = Talk(sys.stderr if as_json else sys.stdout)
    try:
        with talk:
            outcomes = start(talk.hear)
    except (UserCodeError, DataError, StoreError, GateRejected) as error:
        show_error(error)
        click.echo(f"What was done is kept. Go on with: mlrecipes {again}", err=True)
        raise click.exceptions.Exit(error.exit_code) from error
    if as_json:
        steps = to_json(list(outcomes))
        print_json({"recipe": recipe.name, "profile": recipe.profile, "steps": steps})
        return
    if all(outcome.action is Action.CACHED for outcome in outcomes):
        click.echo(f"Nothing to do: {steps_are(len(outcomes))} up to date.")
    else:
        click.echo(f"Look: mlrecipes inspect {outcomes[-1].step}{options}")
