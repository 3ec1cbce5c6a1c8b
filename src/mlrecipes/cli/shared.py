"""What all commands share: the group, the options of a recipe, and how things are printed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from mlrecipes import __version__
from mlrecipes.errors import RecipeError
from mlrecipes.recipe import Recipe

__all__ = [
    "cli",
    "json_option",
    "open_recipe",
    "options_of",
    "print_json",
    "print_table",
    "recipe_options",
    "show_error",
]

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name a recipe and its profile."""
    for option in (
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="NAME=VALUE",
            help="Value for a variable of the profile; an empty value changes nothing.",
        ),
        click.option(
            "--profile",
            "-p",
            default="local",
            show_default=True,
            envvar=["MLRECIPES_PROFILE", "MLFLOW_RECIPES_PROFILE"],
            help="Name of a file in profiles/.",
        ),
        click.option(
            "--recipe",
            "root",
            default=".",
            type=click.Path(path_type=Path),
            help="A folder with a recipe.yaml, or one below it.",
        ),
    ):
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Run a recipe: a recipe.yaml, a profile and plain functions become a registered model.

    Exit codes: 0 done, 1 a step failed, 2 configuration, 3 a gate rejected the model or the data,
    4 monitoring has an alert, 75 busy or a server is away (try again), 130 and 143 stopped by a
    signal.
    """


def open_recipe(root: Path, profile: str, settings: tuple[str, ...]) -> Recipe:
    """Open the recipe that the options of a command name."""
    folder = root.parent if root.name == "recipe.yaml" else root
    return Recipe(profile, folder, _overrides(settings))


def _overrides(settings: tuple[str, ...]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in settings]
    for name, equals, _value in pairs:
        if not equals or not name:
            raise click.UsageError(f"--set {name}: expected NAME=VALUE.")
    return {name: value for name, _equals, value in pairs}


def options_of(root: Path, profile: str, settings: tuple[str, ...]) -> str:
    """The options that a next command needs to mean the same recipe."""
    recipe = "" if root == Path() else f" --recipe {shlex.quote(str(root))}"
    named = "" if profile == "local" else f" -p {profile}"
    given = (text for text in settings if not text.endswith("="))
    return recipe + named + "".join(f" --set {shlex.quote(text)}" for text in given)


def show_error(error: RecipeError) -> None:
    """Print an error where errors go."""
    click.echo(f"Error: {error}", err=True)


def print_json(content: Any) -> None:
    """Print records or plain data as JSON."""
    click.echo(json.dumps(content, indent=1, default=str))


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as their longest cell; the last one is not padded."""
    table = [columns, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())
