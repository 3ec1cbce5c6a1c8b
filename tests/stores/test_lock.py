"""One writer a workspace; the lock dies with its holder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlrecipes.errors import TryAgain
from mlrecipes.stores.lock import workspace_lock

HOLD = """
import sys, time
from pathlib import Path
from mlrecipes.stores.lock import workspace_lock
with workspace_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def hold(folder: Path) -> "subprocess.Popen[str]":
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_told_who_holds_the_workspace(tmp_path: Path) -> None:
    process = hold(tmp_path)
    try:
        with (
            pytest.raises(TryAgain, match=f"process {process.pid} of .* since ") as caught,
            workspace_lock(tmp_path),
        ):
            pass
        assert caught.value.exit_code == 75
    finally:
        process.kill()
        process.communicate()


def test_a_killed_holder_leaves_no_lock_behind(tmp_path: Path) -> None:
    process = hold(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with workspace_lock(tmp_path):
        assert (tmp_path / "lock.json").exists()


def test_the_lock_can_be_taken_again_after_it_was_given_back(tmp_path: Path) -> None:
    with workspace_lock(tmp_path):
        pass
    with workspace_lock(tmp_path):
        pass
    assert not (tmp_path / "lock.json").exists()
