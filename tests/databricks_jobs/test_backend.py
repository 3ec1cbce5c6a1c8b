"""The backend against a double of a workspace; nothing here ran on Databricks."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from databricks.sdk.clock import Clock

from mlrecipes._version import __version__
from mlrecipes.databricks_jobs.request import Job
from mlrecipes.databricks_jobs.waiting import wait_for
from mlrecipes.databricks_jobs.workspace import Workspace, open_workspace
from mlrecipes.errors import StoreError, TryAgain
from tests.databricks_jobs.workspace_double import OIDC_TOKEN, TOKEN, Double, workspace_double

SCRIPT = "/Volumes/main/ml/jobs/run.py"
BUSY = (429, {"error_code": "RESOURCE_EXHAUSTED", "message": "slow down"})
AWAY = (500, {"error_code": "INTERNAL_ERROR", "message": "oops"})


class InstantClock(Clock):
    """Sleeping only moves its hands."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


@pytest.fixture
def double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    monkeypatch.setenv("DATABRICKS_TOKEN", TOKEN)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "none"))
    with workspace_double(tmp_path) as double:
        yield double


@pytest.fixture
def clock() -> InstantClock:
    return InstantClock()


@pytest.fixture
def workspace(double: Double, clock: InstantClock) -> Workspace:
    return open_workspace(double.address, None, clock)


def job(**task: object) -> Job:
    file = {"python_file": SCRIPT, "parameters": []}
    given = {"task_key": "t", "spark_python_task": file, "existing_cluster_id": "c"} | task
    return Job("name", given, (), 60, "mlrecipes-1", "digest")


def ended(life: str, result: str = "", message: str = "") -> dict[str, str]:
    state = {"life_cycle_state": life, "result_state": result, "state_message": message}
    return {name: text for name, text in state.items() if text}


@pytest.mark.parametrize(
    ("states", "result"),
    [
        ([ended("PENDING")] * 30 + [ended("TERMINATED", "SUCCESS")], "SUCCESS"),
        ([ended("TERMINATED", "FAILED", "boom")], "FAILED"),
        ([ended("TERMINATED", "TIMEDOUT", "boom")], "TIMEDOUT"),
        ([ended("TERMINATED", "CANCELED", "boom")], "CANCELED"),
        ([ended("TERMINATED", "SUCCESS_WITH_FAILURES", "boom")], "SUCCESS_WITH_FAILURES"),
        ([ended("INTERNAL_ERROR", "", "boom")], "INTERNAL_ERROR"),
        ([ended("INTERNAL_ERROR", "FAILED", "boom")], "FAILED"),
        ([ended("SKIPPED", "", "boom")], "SKIPPED"),
        ([ended("TERMINATED", "", "boom")], "no result"),
        ([ended("TERMINATED"), ended("TERMINATED", "SUCCESS")], "SUCCESS"),
    ],
)
def test_only_success_is_success(
    double: Double,
    workspace: Workspace,
    clock: InstantClock,
    states: list[dict[str, str]],
    result: str,
) -> None:
    double.states = states
    outcome = wait_for(workspace, 1, clock, timeout_s=600, poll_s=10)
    assert (outcome.result, outcome.succeeded) == (result, result == "SUCCESS")
    assert outcome.error == ("" if outcome.succeeded else "boom")
    assert outcome.page == f"{double.address}/jobs/runs/1"


def test_progress_is_told_at_most_every_30_seconds(
    double: Double, workspace: Workspace, clock: InstantClock, caplog: pytest.LogCaptureFixture
) -> None:
    double.states = [*([ended("PENDING")] * 12), ended("TERMINATED", "SUCCESS")]
    with caplog.at_level("INFO", "mlrecipes.databricks_jobs.waiting"):
        wait_for(workspace, 1, clock, timeout_s=600, poll_s=10)
    assert len([line for line in caplog.messages if "PENDING" in line]) == 4


def test_a_job_that_never_ends_is_cancelled(
    double: Double, workspace: Workspace, clock: InstantClock
) -> None:
    double.states = [ended("PENDING")]
    with pytest.raises(StoreError, match="did not end within 60 s and was cancelled"):
        wait_for(workspace, 1, clock, timeout_s=60, poll_s=10)
    assert double.calls("runs/cancel") == [b'{"run_id": 1}']


def test_throttling_is_waited_out_as_the_workspace_says(
    double: Double, workspace: Workspace, clock: InstantClock
) -> None:
    double.refusals = {"runs/get": [BUSY, (503, BUSY[1])]}
    double.states = [ended("TERMINATED", "SUCCESS")]
    assert wait_for(workspace, 1, clock, timeout_s=60, poll_s=10).succeeded
    assert [int(seconds) for seconds in clock.slept] == [7, 7]


def test_throttling_without_end_is_given_up(double: Double, workspace: Workspace) -> None:
    double.refusals = {"runs/get": [BUSY] * 100}
    with pytest.raises(TryAgain, match="does not answer: could not look at job run 1"):
        workspace.look(1)


def test_a_short_outage_while_waiting_is_no_failure(
    double: Double, workspace: Workspace, clock: InstantClock
) -> None:
    double.refusals = {"runs/get": [AWAY] * 4}
    double.states = [ended("TERMINATED", "SUCCESS")]
    assert wait_for(workspace, 1, clock, timeout_s=60, poll_s=10).succeeded


def test_a_refused_submission_says_so(double: Double, workspace: Workspace) -> None:
    denied = (403, {"error_code": "PERMISSION_DENIED", "message": "no right to run jobs"})
    double.refusals = {"runs/submit": [denied]}
    with pytest.raises(StoreError, match="refuses to submit the job: no right to run jobs"):
        workspace.submit(job())


def test_the_same_content_is_uploaded_once(double: Double, workspace: Workspace) -> None:
    assert workspace.upload_once(SCRIPT, b"1")
    assert not workspace.upload_once(SCRIPT, b"1")
    double.refusals = {"HEAD /api/2.0/fs/files": [(404, {})]}  # somebody else is faster
    assert not workspace.upload_once(SCRIPT, b"1")
    assert (double.root / SCRIPT[1:]).read_bytes() == b"1"


def test_a_submission_that_is_repeated_starts_one_job(double: Double, workspace: Workspace) -> None:
    double.states = [ended("PENDING")]
    workspace.upload_once(SCRIPT, b"")
    double.refusals = {"runs/submit": [BUSY]}
    assert [workspace.submit(job()), workspace.submit(job())] == [1, 1]


def test_a_workflow_of_github_signs_in_by_its_own_token(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_AUTH_TYPE", "github-oidc")
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "client")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{double.address}/github/id-token?v=1")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of the request")
    workspace = open_workspace(double.address, None, InstantClock())
    workspace.upload_once(SCRIPT, b"")
    assert double.headers[-1] == f"Bearer {OIDC_TOKEN}"  # though DATABRICKS_TOKEN is there
    assert f"Bearer {TOKEN}" not in double.headers
    (exchange,) = set(double.calls("/oidc/v1/token"))
    assert b"client_id=client" in exchange
    assert b"subject_token=token-of-a-workflow" in exchange


def test_the_version_is_told(double: Double, workspace: Workspace) -> None:
    workspace.upload_once(SCRIPT, b"")
    assert f"mlrecipes/{__version__}" in double.agents[-1]


def test_the_double_refuses_what_cannot_run(double: Double, workspace: Workspace) -> None:
    workspace.upload_once(SCRIPT, b"")
    with pytest.raises(StoreError, match="exactly one kind of compute"):
        workspace.submit(job(environment_key="e"))
    packages = {"libraries": [{"requirements": SCRIPT}]}
    old = {"existing_cluster_id": None, "new_cluster": {"spark_version": "14.3.x"}}
    with pytest.raises(StoreError, match="needs Databricks Runtime 15"):
        workspace.submit(job(**packages, **old))
    elsewhere = job(environment_key="e", existing_cluster_id=None, **packages)
    with pytest.raises(StoreError, match="not supported for serverless"):
        workspace.submit(replace(elsewhere, environments=({"environment_key": "e", "spec": {}},)))
    with pytest.raises(StoreError, match="not in a volume"):
        workspace.submit(job(spark_python_task={"python_file": "dbfs:/x.py"}))
    assert double.jobs == {}
