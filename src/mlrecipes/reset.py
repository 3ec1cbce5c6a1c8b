"""Deleting what a recipe made: look, decide, note the intent, then delete step by step.

::

    look -> plan_reset -> log "planned" -> mark -> delete, log "deleted" -> delete, log ...

What there is to delete is found anew each time, so the same command goes on after a failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from mlrecipes.errors import RecipeError, StoreError, TryAgain
from mlrecipes.planning import Project
from mlrecipes.reset_look import Cleaners, look, scope_of
from mlrecipes.reset_plan import RENAMED, Goes, Kind, ResetPlan, plan_reset
from mlrecipes.stores.destinations import masked
from mlrecipes.stores.feature_backends import place_of_tables
from mlrecipes.stores.lock import workspace_lock
from mlrecipes.stores.reset_log import ResetLog

__all__ = ["Reset", "counted"]

LOG = "reset.log"
PLANNED, DELETED, FAILED = "planned", "deleted", "failed"
MAX_NAME_LENGTH = 200
RUN_KINDS = {Kind.RUN, Kind.PROJECT_RUN, Kind.EXPERIMENT}
MODEL_KINDS = {Kind.ALIAS, Kind.VERSION, Kind.MODEL}


class Reset:
    """The reset of a recipe with a profile.

    Args:
        project: The recipe.
        cleaners: What it reaches.
        user: Who resets, for the log.
        tables: Names of the feature tables that the recipe defines or looks up.
        active_run_id: The run that this reset is recorded in; it is never deleted.
        now: The time, in UTC.
    """

    def __init__(
        self,
        project: Project,
        cleaners: Cleaners,
        *,
        user: str,
        tables: Iterable[str] = (),
        active_run_id: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._project = project
        self._cleaners = cleaners
        self._user = user
        self._tables = tuple(tables)
        self._active_run_id = active_run_id
        self._now = now
        self._log = ResetLog(project.workspace / LOG)

    def plan(self) -> ResetPlan:
        """Say what would go and what would stay. Nothing is changed.

        Raises:
            StoreError: A store refuses.
            TryAgain: A server does not answer.
        """
        scope = scope_of(
            self._project,
            tables=self._tables,
            left=self._left_experiments().items(),
            active_run_id=self._active_run_id,
        )
        return plan_reset(look(scope, self._cleaners))

    def carry_out(self) -> ResetPlan:
        """Delete what is there, one by one, under the workspace's lock.

        Returns:
            What was deleted, and what stays.

        Raises:
            StoreError: Something cannot be deleted; what was deleted before it is told, and
                the same call goes on from there.
            TryAgain: The workspace is busy, or a server does not answer.
        """
        with workspace_lock(self._project.workspace):
            plan = self.plan()
            if plan.goes:
                self._log.add(*(self._line(part, PLANNED) for part in plan.goes))
                self._mark(plan)
            for n_done, part in enumerate(plan.goes):
                try:
                    self._delete(part)
                except RecipeError as error:
                    self._log.add(self._line(part, FAILED) | {"reason": error.message})
                    raise _stopped(error, plan.goes[:n_done], plan.goes[n_done:]) from error
                self._log.add(self._line(part, DELETED))
        return plan

    # -- private ---------------------------------------------------------------------------

    def _mark(self, plan: ResetPlan) -> None:
        """Make the results that depend on what goes stale, before the first of it is gone."""
        kinds = {part.kind for part in plan.goes}
        marks = [self._project.runs_mark] if kinds & RUN_KINDS else []
        marks += [self._project.model_mark] if kinds & MODEL_KINDS else []
        if marks:
            self._project.resets.note(marks, self._at_utc())

    def _delete(self, part: Goes) -> None:
        runs, models = self._cleaners.runs, self._cleaners.models
        match part.kind:
            case Kind.ALIAS:
                models.delete_alias(part.of, part.name)
            case Kind.VERSION:
                models.delete_version(part.of, part.name)
            case Kind.MODEL:
                models.delete_model(part.name)
            case Kind.RUN | Kind.PROJECT_RUN:
                runs.delete_run(part.name)
            case Kind.EXPERIMENT:
                self._delete_experiment(part)
            case Kind.TABLE:
                if self._cleaners.features is not None:
                    self._cleaners.features.drop(part.name)

    def _delete_experiment(self, part: Goes) -> None:
        """Rename it first: a deleted experiment keeps its name from the next run."""
        if part.detail != RENAMED:
            suffix = f" (reset {self._now():%Y-%m-%dT%H%M%SZ})"
            new_name = f"{part.name[:MAX_NAME_LENGTH]}{suffix}"
            self._cleaners.runs.rename_experiment(part.of, new_name)
            self._log.add(self._line(part, RENAMED) | {"new_name": new_name})
        self._cleaners.runs.delete_experiment(part.of)

    def _left_experiments(self) -> dict[str, bool]:
        """Experiments that a reset meant to delete and did not; True for those renamed."""
        left: dict[str, bool] = {}
        here = self._place(Kind.EXPERIMENT)
        for line in self._log.read():
            if (line.get("what"), line.get("where")) != (Kind.EXPERIMENT, here):
                continue
            experiment_id, outcome = str(line.get("id")), line.get("outcome")
            if outcome == DELETED:
                left.pop(experiment_id, None)
            else:
                left[experiment_id] = left.get(experiment_id, False) or outcome == RENAMED
        return left

    def _line(self, part: Goes, outcome: str) -> dict[str, str]:
        """A line of the log; no secret comes into it."""
        return {
            "at_utc": self._at_utc(),
            "user": self._user,
            "profile": self._project.profile,
            "what": part.kind,
            "name": part.name,
            "id": part.of,
            "detail": part.detail,
            "where": self._place(part.kind),
            "outcome": outcome,
        }

    def _place(self, kind: Kind) -> str:
        """Where such things lie, without credentials."""
        project, to = self._project, self._project.destinations
        if kind is Kind.TABLE:
            settings = project.config.feature_store
            return masked(place_of_tables(settings, project.root, project.workspace))
        return masked(to.registry_uri if kind in MODEL_KINDS else to.tracking_uri)

    def _at_utc(self) -> str:
        return self._now().isoformat(timespec="seconds")


def counted(parts: Iterable[Goes]) -> str:
    """Count things by their kind, in their order.

    >>> counted([Goes(Kind.VERSION, "1"), Goes(Kind.VERSION, "2"), Goes(Kind.MODEL, "houses")])
    '2 versions, 1 model'
    """
    kinds = Counter(part.kind for part in parts)
    plural = {Kind.ALIAS: "aliases"}
    words = [
        f"{n:,} {kind if n == 1 else plural.get(kind, f'{kind}s')}" for kind, n in kinds.items()
    ]
    return ", ".join(words) or "nothing"


def _stopped(error: RecipeError, done: tuple[Goes, ...], left: tuple[Goes, ...]) -> RecipeError:
    kind = TryAgain if isinstance(error, TryAgain) else StoreError
    return kind(
        f"{error.message}\n  Deleted: {counted(done)}. Left: {counted(left)}.",
        hint="The same command goes on from here; .mlrecipes/reset.log tells each step.",
    )
