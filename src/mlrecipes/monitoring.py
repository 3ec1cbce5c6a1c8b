"""Monitoring outside a run: look, and tell whom it concerns of what is new."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlrecipes.config.monitor_schema import OnAlert
from mlrecipes.errors import RecipeError, shorten
from mlrecipes.execution import Event, Listener, PortsFactory
from mlrecipes.monitor_options import MonitorOptions, with_monitor_options
from mlrecipes.planning import Project
from mlrecipes.runner import Request, run_plan
from mlrecipes.stores.alert_hooks import post_json, run_command

__all__ = ["monitor"]

STEP = "monitor"
FIRST_STEP = "ingest"


def monitor(
    project: Project,
    options: MonitorOptions,
    make_ports: PortsFactory,
    tell: Listener,
    *,
    wait_s: float = 0.0,
) -> dict[str, Any]:
    """Look at what was scored, and tell of new alerts; see :meth:`Recipe.monitor`.

    Raises:
        ConfigError: The recipe has no section ``steps.monitor``.
        RecipeError: The rows or the model cannot be read.
        TryAgain: The workspace is busy, or a server does not answer.
    """
    asked = with_monitor_options(project, options)
    run_plan(asked, Request(STEP, None, wait_s), make_ports, tell)
    facts = dict(asked.read_artifact("monitoring"))
    section = asked.config.steps.monitor
    if not facts["has_new_alerts"] or section is None:
        return facts
    told = _tell(section.on_alert, facts, project)
    if section.on_alert.retrain:
        told["retrain"] = _retrain(project, make_ports, tell, wait_s)
    for how, became in told.items():
        tell(Event("warning", STEP, f"on_alert.{how}: {became}"))
    return facts | {"told": told}


def _tell(on_alert: OnAlert, facts: Mapping[str, Any], project: Project) -> dict[str, str]:
    """Run the command and call the webhook; what fails is told and changes nothing."""
    names = ("model", "model_version", "alerts")
    content = {"recipe": project.name, "profile": project.profile}
    text = json.dumps(content | {name: facts[name] for name in names})
    told = {}
    if on_alert.command:
        told["command"] = run_command(on_alert.command, text, project.root)
    if on_alert.webhook:
        told["webhook"] = post_json(on_alert.webhook, text)
    return told


def _retrain(project: Project, make_ports: PortsFactory, tell: Listener, wait_s: float) -> str:
    """Run the recipe anew; promotion decides about the model that comes of it."""
    request = Request(project.last_step, FIRST_STEP, wait_s)
    try:
        outcomes = run_plan(project, request, make_ports, tell)
    except RecipeError as error:
        return f"failed: {shorten(error.message, limit=200)}"
    return f"done: {outcomes[-1].summary}"
