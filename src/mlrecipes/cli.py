"""The command line. The only module that prints, and the only one that ends the process."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import click

from mlrecipes import __version__
from mlrecipes.errors import DataError, GateRejected, RecipeError, StoreError, UserCodeError
from mlrecipes.execution import Event
from mlrecipes.recipe import Recipe
from mlrecipes.records import Action, Decision, to_json
from mlrecipes.reports.text import render_facts
from mlrecipes.reset import counted
from mlrecipes.reset_text import reset_lines
from mlrecipes.runner import StepOutcome
from mlrecipes.talk import Talk, seconds

__all__ = ["main"]

TERMINATED = 128 + signal.SIGTERM
INTERRUPTED = 128 + signal.SIGINT
CONFIRMED = {"yes", "true"}
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _TerminatedError(BaseException):
    """SIGTERM arrived; not an Exception, so that nothing on the way takes it for a failure."""


def _recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
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


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, message="%(version)s")
def cli() -> None:
    """Run a recipe: a recipe.yaml, a profile and plain functions become a registered model.

    Exit codes: 0 done, 1 a step failed, 2 configuration, 3 a gate rejected the model,
    75 busy or a server is away (try again), 130 and 143 stopped by a signal.
    """


@cli.command()
@_recipe_options
@click.option("--to", "--step", "-s", "step", help="Last step to run.  [default: register]")
@click.option("--from", "from_step", help="Run this step and all after it in any case.")
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for a busy workspace.")
@_json_option
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
    recipe = _open(root, profile, settings)
    options = _options(root, profile, settings)
    again = f"run{f' --to {step}' if step else ''}{options}"
    _run_and_tell(
        recipe,
        lambda hear: recipe.run(step, from_step=from_step, wait_s=wait_s, on_event=hear),
        again=again,
        options=options,
        as_json=as_json,
    )


@cli.command()
@_recipe_options
@click.option("--wait", "wait_s", default=0.0, help="Seconds to wait for a busy workspace.")
@_json_option
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
    recipe = _open(root, profile, settings)
    options = _options(root, profile, settings)
    _run_and_tell(
        recipe,
        lambda hear: recipe.build_features(sets, wait_s=wait_s, on_event=hear),
        again=f"features{''.join(f' --set {shlex.quote(name)}' for name in sets)}{options}",
        options=options,
        as_json=as_json,
    )


def _run_and_tell(
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
        _show_error(error)
        click.echo(f"What was done is kept. Go on with: mlrecipes {again}", err=True)
        raise click.exceptions.Exit(error.exit_code) from error
    if as_json:
        steps = to_json(list(outcomes))
        _print_json({"recipe": recipe.name, "profile": recipe.profile, "steps": steps})
        return
    if all(outcome.action is Action.CACHED for outcome in outcomes):
        click.echo(f"Nothing to do: {_steps(len(outcomes))} up to date.")
    else:
        click.echo(f"Look: mlrecipes inspect {outcomes[-1].step}{options}")


@cli.command()
@_recipe_options
@click.option("--to", "--step", "-s", "step", help="Last step to plan.  [default: register]")
@click.option("--from", "from_step", help="Plan this step and all after it in any case.")
@_json_option
def plan(
    root: Path,
    profile: str,
    settings: tuple[str, ...],
    step: str | None,
    from_step: str | None,
    as_json: bool,  # noqa: FBT001 - click passes flags so
) -> None:
    """Say which steps would run, and why. Nothing is run."""
    decisions = _open(root, profile, settings).plan(step, from_step=from_step)
    if as_json:
        _print_json(to_json(decisions))
        return
    _print_table(
        ("step", "state", "why", "last time"),
        [(d.step, str(d.action), d.because, seconds(d.last_duration_s)) for d in decisions],
    )
    click.echo(_count(decisions))


@cli.command()
@_recipe_options
def check(root: Path, profile: str, settings: tuple[str, ...]) -> None:
    """Validate recipe, profile and the user's functions without running anything."""
    recipe = _open(root, profile, settings)
    recipe.check()
    click.echo(f"{recipe.name} with profile {profile}: no problems.")


@cli.command()
@_recipe_options
@click.option("--step", "-s", "named", help="The step; the last one that ran by default.")
@click.argument("step", required=False)
@click.option("--open", "in_browser", is_flag=True, help="Open the card in a browser.")
@_json_option
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
    card = _open(root, profile, settings).inspect(named or step)
    if as_json:
        _print_json(card.facts)
        return
    click.echo(render_facts(card.facts, width=shutil.get_terminal_size().columns))
    click.echo(f"Card: {card.path}")
    if in_browser:
        click.launch(str(card.path))


@cli.command("get-artifact")
@_recipe_options
@click.option("--artifact", "-a", "named", help="The artifact's name.")
@click.argument("artifact", required=False)
def get_artifact(
    root: Path, profile: str, settings: tuple[str, ...], named: str | None, artifact: str | None
) -> None:
    """Print where an artifact lies, such as training_data or model."""
    name = named or artifact
    if name is None:
        raise click.UsageError("Name an artifact, such as: mlrecipes get-artifact model")
    path = _open(root, profile, settings).artifact_path(name)
    if path is None:
        raise RecipeError(f"'{name}' is not there yet.", hint="Run it: mlrecipes run")
    click.echo(path)


@cli.command()
@_recipe_options
@click.option("--step", "-s", "step", help="Forget this step only.")
def clean(root: Path, profile: str, settings: tuple[str, ...], step: str | None) -> None:
    """Forget results, so that the steps run again. Runs and registered models stay."""
    cleaned = _open(root, profile, settings).clean(step)
    click.echo(f"Forgotten: {', '.join(cleaned)}." if cleaned else "There was nothing to forget.")


@cli.command()
@_recipe_options
@_json_option
def status(root: Path, profile: str, settings: tuple[str, ...], as_json: bool) -> None:  # noqa: FBT001
    """Show the result that each step has now."""
    found = _open(root, profile, settings).status()
    if as_json:
        _print_json(to_json(found))
        return
    rows = [
        (name, m.summary, m.finished_at, seconds(m.duration_s)) if m else (name, "not run", "", "")
        for name, m in found.items()
    ]
    _print_table(("step", "result", "finished", "took"), rows)


@cli.command()
@_recipe_options
@click.option("--yes", "-y", is_flag=True, help="Do it; else it is only listed.")
@click.option("--confirm", default="", hidden=True, help="The word yes or true: as --yes.")
@click.option("--model-name", default="", help="The registered model, for a protected profile.")
@_json_option
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
    recipe = _open(root, profile, settings)
    is_meant = yes or confirm in CONFIRMED
    plan = recipe.reset(model_name or None) if is_meant else recipe.plan_reset()
    name = " --model-name NAME" if recipe.protections() else ""
    command = f"mlrecipes reset{_options(root, profile, settings)} --yes{name}"
    if as_json:
        facts = {"recipe": recipe.name, "profile": profile, "is_done": is_meant}
        _print_json(facts | {"command": command, **to_json(plan)})
        return
    for line in reset_lines(plan, is_done=is_meant):
        click.echo(line)
    if plan.goes:
        did = f"Deleted {counted(plan.goes)}. The next run begins anew: mlrecipes run"
        again = _options(root, profile, settings)
        click.echo(f"{did}{again}" if is_meant else f"Nothing was deleted. Do it: {command}")


def main() -> NoReturn:
    """Run the command line; each error becomes a message and its exit code."""
    sys.exit(_run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    try:
        with _terminated_by_signal():
            code = cli.main(arguments, prog_name="mlrecipes", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped. What was done is kept: the next run goes on from there.", err=True)
        return INTERRUPTED
    except _TerminatedError:
        return TERMINATED
    except RecipeError as error:
        _show_error(error)
        return error.exit_code
    return code if isinstance(code, int) else 0


def _show_error(error: RecipeError) -> None:
    click.echo(f"Error: {error}", err=True)


@contextmanager
def _terminated_by_signal() -> Iterator[None]:
    """Let SIGTERM unwind the stack, so that the run is ended and no half result stays."""

    def stop(_signal: int, _frame: object) -> NoReturn:
        raise _TerminatedError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _open(root: Path, profile: str, settings: tuple[str, ...]) -> Recipe:
    folder = root.parent if root.name == "recipe.yaml" else root
    return Recipe(profile, folder, _overrides(settings))


def _overrides(settings: tuple[str, ...]) -> Mapping[str, str]:
    pairs = [text.partition("=") for text in settings]
    for name, equals, _value in pairs:
        if not equals or not name:
            raise click.UsageError(f"--set {name}: expected NAME=VALUE.")
    return {name: value for name, _equals, value in pairs}


def _options(root: Path, profile: str, settings: tuple[str, ...]) -> str:
    """The options that a next command needs to mean the same recipe."""
    recipe = "" if root == Path() else f" --recipe {shlex.quote(str(root))}"
    named = "" if profile == "local" else f" -p {profile}"
    given = (text for text in settings if not text.endswith("="))
    return recipe + named + "".join(f" --set {shlex.quote(text)}" for text in given)


def _print_json(content: Any) -> None:
    click.echo(json.dumps(content, indent=1, default=str))


def _print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Columns as wide as their longest cell; the last one is not padded."""
    table = [columns, *rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    for row in table:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def _count(decisions: list[Decision]) -> str:
    n_cached = sum(decision.action is Action.CACHED for decision in decisions)
    n_to_run = len(decisions) - n_cached
    if n_to_run == 0:
        return f"Nothing to do: {_steps(n_cached)} up to date."
    known = [d.last_duration_s for d in decisions if d.action is not Action.CACHED]
    took = sum(duration for duration in known if duration is not None)
    estimate = f" (about {seconds(took)} last time)" if took else ""
    return f"{n_to_run} to run{estimate}, {n_cached} kept. Run it: mlrecipes run"


def _steps(n_steps: int) -> str:
    return "1 step is" if n_steps == 1 else f"all {n_steps} steps are"
