"""Servers that tests start: on this machine only, and stopped by their own process group."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

START_WITHIN_S = 120
Server = subprocess.Popen[bytes]


@contextmanager
def mlflow_server(
    arguments: Sequence[str], sign_of_life: str, folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[str, Server]]:
    """Run a command of MLflow that serves, until the end of the block; its log lies in the folder.

    Args:
        arguments: Without address, such as ``("server", "--workers", "1")``.
        sign_of_life: Path that answers as soon as it is up.
        folder: Where it runs.
        environment: Of its process.

    Yields:
        Its address and its process.
    """
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    place = ["--host", "127.0.0.1", "--port", str(port)]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *arguments, *place],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        started = time.monotonic()
        while not _answers(f"{address}{sign_of_life}"):
            assert process.poll() is None, "the server ended"
            assert time.monotonic() - started < START_WITHIN_S
            time.sleep(0.2)
        yield address, process
    except BaseException:
        sys.stderr.write((folder / "server.log").read_text()[-3000:])
        raise
    finally:
        stop(process)


def post(url: str, content: Any) -> Any:
    """Send JSON to a server of ours and give what it answers.

    Raises:
        urllib.error.HTTPError: It refuses.
    """
    body, headers = json.dumps(content).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - our own server
        return json.load(response)


def stop(server: Server) -> None:
    """Stop the group that was started for the server and its workers."""
    if server.poll() is None:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own server
            return True
    except OSError:
        return False
