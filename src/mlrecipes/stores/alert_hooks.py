"""Telling others of an alert: a program of the user, or a server."""

from __future__ import annotations

import shlex
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from mlrecipes.errors import shorten

__all__ = ["post_json", "run_command"]

COMMAND_WITHIN_S = 600.0
ANSWER_WITHIN_S = 10.0
N_SAID = 200


def run_command(command: str | Sequence[str], text: str, folder: Path) -> str:
    """Run a program without a shell, give it a text on standard input, and say what became of it.

    Args:
        command: The program and its arguments; a text is split as a shell would split it.
        text: What it reads.
        folder: Where it runs.
    """
    arguments = shlex.split(command) if isinstance(command, str) else list(command)
    try:
        done = subprocess.run(  # noqa: S603 - it is the user's own command, and no shell reads it
            arguments,
            input=text,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return f"failed: {shorten(error, limit=N_SAID)}"
    if done.returncode:
        return f"failed with exit code {done.returncode}: {shorten(done.stderr, limit=N_SAID)}"
    return "done"


def post_json(address: str, text: str) -> str:
    """Send JSON to an address, and say what became of it; the address may hold a secret."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, text.encode(), headers, method="POST")  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310
            return f"done ({answer.status})"
    except urllib.error.HTTPError as error:
        return f"failed: the server said {error.code}"
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        return f"failed: {shorten(reason, limit=N_SAID)}"
