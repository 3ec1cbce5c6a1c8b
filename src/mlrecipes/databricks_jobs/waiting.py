"""Wait for a job: every way in which it may end, and what to do about it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mlrecipes.errors import StoreError, TryAgain, shorten

if TYPE_CHECKING:
    from databricks.sdk.clock import Clock
    from databricks.sdk.service.jobs import Run

__all__ = ["Jobs", "Outcome", "cancel", "wait_for"]

_log = logging.getLogger(__name__)

TELL_EVERY_S = 30
# Jobs end at their own timeout; only one that the service forgot is cancelled from here.
GRACE_S = 300
MAX_SILENT_LOOKS = 5
ENDS = {"TERMINATED", "SKIPPED", "INTERNAL_ERROR"}


class Jobs(Protocol):
    """What waiting needs of a workspace."""

    def look(self, run_id: int) -> Run:
        """How a job stands."""
        ...

    def cancel(self, run_id: int) -> None:
        """Ask for the end of a job."""
        ...

    def error_of(self, run: Run) -> str:
        """What the task of a job said when it failed."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended.

    Attributes:
        result: Such as ``SUCCESS``, ``FAILED`` or ``INTERNAL_ERROR``.
        error: What it said; empty after success.
        page: Link to it.
    """

    result: str
    error: str
    page: str

    @property
    def succeeded(self) -> bool:
        """Only SUCCESS is success."""
        return self.result == "SUCCESS"


def wait_for(jobs: Jobs, run_id: int, clock: Clock, *, timeout_s: int, poll_s: int) -> Outcome:
    """Look until a job ended; say how it stands at most every 30 s.

    Raises:
        TryAgain: The workspace was away for several looks; the job may still run.
        StoreError: The job outlived its own timeout; it was cancelled.
    """
    started = clock.time()
    told, n_away, n_without_result = started - TELL_EVERY_S, 0, 0
    while clock.time() - started < timeout_s + GRACE_S:
        try:
            run = jobs.look(run_id)
            n_away = 0
        except TryAgain:
            n_away += 1
            if n_away == MAX_SILENT_LOOKS:
                raise
            clock.sleep(poll_s)
            continue
        life, result = _state(run)
        if life in ENDS:
            n_without_result += 1
            if result or life != "TERMINATED" or n_without_result == MAX_SILENT_LOOKS:
                return _outcome(jobs, run, life, result)
        elif clock.time() - told >= TELL_EVERY_S:
            told = clock.time()
            _log.info("Job run %s: %s for %d s", run_id, life, told - started)
        clock.sleep(poll_s)
    cancel(jobs, run_id)
    raise StoreError(f"Job run {run_id} did not end within {timeout_s} s and was cancelled.")


def cancel(jobs: Jobs, run_id: int) -> None:
    """Ask for the end of a job; a workspace that refuses is told, not raised."""
    try:
        jobs.cancel(run_id)
    except (StoreError, TryAgain) as error:
        _log.error("Job run %s may still run: %s", run_id, error)
    else:
        _log.info("Job run %s: cancellation asked for", run_id)


def _state(run: Run) -> tuple[str, str]:
    """Its two states as text; one that this SDK does not know yet is 'unknown'."""
    state = run.state
    life = state.life_cycle_state if state else None
    result = state.result_state if state else None
    return (life.value if life else "unknown"), (result.value if result else "")


def _outcome(jobs: Jobs, run: Run, life: str, result: str) -> Outcome:
    name = result or ("no result" if life == "TERMINATED" else life)
    page = run.run_page_url or ""
    if life == "TERMINATED" and result == "SUCCESS":
        return Outcome("SUCCESS", "", page)
    said = run.state.state_message if run.state and run.state.state_message else ""
    parts = [shorten(said, limit=600), jobs.error_of(run)]
    name = life if name == "SUCCESS" else name
    return Outcome(name, " ".join(part for part in parts if part), page)
