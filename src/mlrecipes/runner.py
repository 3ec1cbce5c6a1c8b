"""Running a plan: step by step, because each output decides about the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mlrecipes.dag.plan import decide
from mlrecipes.errors import GraphError
from mlrecipes.execution import Event, Executor, Listener, PortsFactory, input_parts
from mlrecipes.planning import Project
from mlrecipes.records import Action, Decision, Manifest
from mlrecipes.stores.lock import workspace_lock
from mlrecipes.stores.objects import CorruptArtifactError

__all__ = ["Event", "Request", "StepOutcome", "run_plan"]

MAX_REPAIRS = 6


@dataclass(frozen=True, slots=True)
class Request:
    """What to run.

    Attributes:
        target: The last step.
        from_step: Run this step and all after it in any case.
        wait_s: Seconds to wait for a busy workspace.
    """

    target: str
    from_step: str | None = None
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of a step in this run: it ran, or an earlier result was kept."""

    step: str
    action: Action
    because: str
    summary: str
    duration_s: float


def run_plan(
    project: Project, request: Request, make_ports: PortsFactory, tell: Listener
) -> list[StepOutcome]:
    """Run what is stale up to the target, under the workspace's lock.

    A step that fails or is killed leaves the workspace as it was before it, and the next
    run begins with it.

    Raises:
        GraphError: The target or ``from_step`` is no step, or they are in the wrong order.
        ConfigError: Something is wrong with the recipe; found before anything runs.
        TryAgain: The workspace is busy, or a server does not answer.
        GateRejected: The model did not pass; nothing was registered.
        RecipeError: A step failed; the results of the steps before it are kept.
    """
    project.check(request.target)
    _check_order(project, request)
    outcomes: dict[str, StepOutcome] = {}
    with workspace_lock(project.workspace, wait_s=request.wait_s):
        executor = Executor(project, make_ports, tell)
        executor.end_left_runs()
        for _attempt in range(MAX_REPAIRS):
            try:
                _run_all(project, request, executor, outcomes, tell)
                break
            except CorruptArtifactError as error:
                tell(Event("repaired", error.step, error.message))
                outcomes.pop(error.step, None)
        else:
            _run_all(project, request, executor, outcomes, tell)
    return [outcomes[name] for name in project.graph.up_to(request.target)]


def _check_order(project: Project, request: Request) -> None:
    start = request.from_step
    if start is not None and request.target not in project.graph.downstream(start):
        raise GraphError(f"{start} does not come before {request.target}, so nothing would run.")


def _run_all(
    project: Project,
    request: Request,
    executor: Executor,
    outcomes: dict[str, StepOutcome],
    tell: Callable[[Event], None],
) -> None:
    wanted = project.wanted(request.target, request.from_step)
    known = project.known()
    start = request.from_step
    forced = set(project.graph.downstream(start)) - set(outcomes) if start else set()
    results: dict[str, Manifest] = {}
    for name in project.graph.up_to(request.target):
        inputs = input_parts(project, name, results)
        decision, found = decide(project.graph.step(name), wanted, known, inputs)
        if name in forced:
            decision, found = replace(decision, action=Action.RUN, because="asked for"), None
        if found is None:
            own = {**wanted.parts[name], **inputs}
            found = executor.execute(project.steps[name], decision, own, results)
        elif name not in outcomes:
            if found != known.current.get(name) or not executor.shows(name):
                executor.use_again(found)
            tell(Event("cached", name, found.summary))
        project.store.share(project.profile, found)
        results[name] = found
        outcomes.setdefault(name, _outcome(decision, found))


def _outcome(decision: Decision, manifest: Manifest) -> StepOutcome:
    return StepOutcome(
        decision.step, decision.action, decision.because, manifest.summary, manifest.duration_s
    )
