"""What a command may ask of monitoring, over what the recipe says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlrecipes.config.monitor_schema import Monitor
from mlrecipes.errors import ConfigError, Problem
from mlrecipes.planning import Project

__all__ = ["MonitorOptions", "with_monitor_options"]

COMMAND_LINE = "mlrecipes monitor"


@dataclass(frozen=True, slots=True)
class MonitorOptions:
    """Empty values change nothing.

    Attributes:
        since: The first moment that is looked at, such as ``2026-11-01``.
        until: Where to stop, and as of when labels are old enough.
        window: A period such as ``7d``, ``month``, ``quarter`` or ``batch``.
        input: A file or folder with rows that were scored, relative to the current directory.
    """

    since: str = ""
    until: str = ""
    window: str = ""
    input: str = ""


def with_monitor_options(project: Project, options: MonitorOptions) -> Project:
    """The project with a recipe that says what the options say.

    Raises:
        ConfigError: The recipe has no ``steps.monitor``, or a value is none that is allowed.
    """
    from pydantic import ValidationError

    steps = project.config.steps
    if steps.monitor is None:
        what, hint = "is missing.", "Add it: steps: {monitor: {}}"
        raise ConfigError(
            [Problem(*project.loaded.places.find("steps"), "steps.monitor", what, hint)]
        )
    known: dict[str, Any] = steps.monitor.model_dump(exclude_unset=True, by_alias=True)
    given = {"since": options.since, "until": options.until, "window": options.window}
    known |= {name: value for name, value in given.items() if value}
    if options.input:
        is_path = "://" not in options.input
        place = Path(options.input).expanduser().absolute() if is_path else options.input
        known["batches"] = {"using": "auto", "location": str(place)}
    try:
        monitor = Monitor.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        key, what = ".".join(map(str, first["loc"])), f"must be {first['msg']}."
        raise ConfigError([Problem(COMMAND_LINE, None, key, what)]) from error
    config = project.config.model_copy(
        update={"steps": steps.model_copy(update={"monitor": monitor})}
    )
    return replace(project, loaded=replace(project.loaded, config=config))
