"""The few calls to a workspace, by Databricks' own SDK: it authenticates and tries again.

What is refused with 429 or 503 is repeated by the SDK after the time that the answer names, for
at most five minutes a call.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mlrecipes._version import __version__
from mlrecipes.databricks_jobs.request import Job
from mlrecipes.errors import StoreError, TryAgain, shorten

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.clock import Clock
    from databricks.sdk.service.jobs import Run

__all__ = ["Workspace", "open_workspace"]

RETRY_WITHIN_S = 300
MAX_TEXT = 600
MAX_ERROR_LINES = 25
MAX_ERROR_LINE = 240


def open_workspace(host: str | None, profile: str | None, clock: Clock) -> Workspace:
    """Authenticate as the SDK is set up: OIDC, a profile, environment variables.

    Raises:
        StoreError: It finds nothing to authenticate with.
    """
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.config import Config

    try:
        config = Config(
            host=host,
            profile=profile,
            clock=clock,
            retry_timeout_seconds=RETRY_WITHIN_S,
            disable_experimental_files_api_client=True,  # one request a file
            product="mlrecipes",
            product_version=__version__,
        )
        return Workspace(WorkspaceClient(config=config))
    except ValueError as error:
        raise StoreError(
            f"Databricks' SDK cannot authenticate: {shorten(error, limit=MAX_TEXT)}",
            hint="Run: databricks auth login, or set DATABRICKS_HOST and DATABRICKS_AUTH_TYPE",
        ) from error


class Workspace:
    """Files in volumes, and jobs.

    Args:
        client: Of the SDK.
    """

    def __init__(self, client: WorkspaceClient) -> None:
        self._client = client

    def upload_once(self, path: str, content: bytes) -> bool:
        """Put a file into a volume unless it is there; whether it was put."""
        from databricks.sdk.errors import AlreadyExists, NotFound, ResourceConflict

        with _calls(f"upload to {path}"):
            try:
                self._client.files.get_metadata(path)
            except NotFound:
                self._client.files.create_directory(path.rpartition("/")[0])
            else:
                return False
            try:
                self._client.files.upload(path, io.BytesIO(content), overwrite=False)
            except (AlreadyExists, ResourceConflict):
                return False  # somebody was faster; the name is the digest of the content
            return True

    def submit(self, job: Job) -> int:
        """Start a job; a second submission of the same run gives the first one's number."""
        from databricks.sdk.service.jobs import JobEnvironment, SubmitTask

        environments = [JobEnvironment.from_dict(each) for each in job.environments]
        with _calls("submit the job"):
            submitted = self._client.jobs.submit(
                run_name=job.name,
                tasks=[SubmitTask.from_dict(job.task)],
                environments=environments or None,
                timeout_seconds=job.timeout_s,
                idempotency_token=job.idempotency_token,
            )
        return int(submitted.run_id)

    def look(self, run_id: int) -> Run:
        """How a job stands."""
        with _calls(f"look at job run {run_id}"):
            return self._client.jobs.get_run(run_id)

    def cancel(self, run_id: int) -> None:
        """Ask for the end of a job."""
        with _calls(f"cancel job run {run_id}"):
            self._client.jobs.cancel_run(run_id)

    def error_of(self, run: Run) -> str:
        """What the task of a job said when it failed, line by line; empty if it cannot be read."""
        from databricks.sdk.errors.base import DatabricksError

        if not run.tasks or run.tasks[0].run_id is None:
            return ""
        try:
            output = self._client.jobs.get_run_output(run.tasks[0].run_id)
        except (DatabricksError, OSError):
            return ""
        lines = (output.error or "").splitlines()
        if len(lines) > MAX_ERROR_LINES:
            lines = [lines[0], *lines[1 - MAX_ERROR_LINES :]]
        return "\n".join(shorten(line, limit=MAX_ERROR_LINE) for line in lines)


@contextmanager
def _calls(what: str) -> Iterator[None]:
    """Translate errors of the SDK; what may pass by itself becomes :class:`TryAgain`."""
    from databricks.sdk.errors import InternalError, TemporarilyUnavailable, TooManyRequests
    from databricks.sdk.errors.base import DatabricksError

    try:
        yield
    except OSError as error:  # the SDK's own errors are of this kind too
        said = shorten(error, limit=MAX_TEXT)
        passing = (InternalError, TooManyRequests, TemporarilyUnavailable)
        if isinstance(error, DatabricksError) and not isinstance(error, passing):
            raise StoreError(f"Databricks refuses to {what}: {said}") from error
        raise TryAgain(f"Databricks does not answer: could not {what}: {said}") from error
