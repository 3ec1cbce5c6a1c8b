"""One door to MLflow: explicit URIs, a safe first touch of SQLite, our own errors.

Nothing here sets anything global of MLflow but bounds for its retries.
"""

from __future__ import annotations

import importlib
import logging
import os
import sqlite3
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from filelock import FileLock, Timeout

from mlrecipes.errors import RecipeError, StoreError, TryAgain, shorten
from mlrecipes.stores.destinations import local_database, masked

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = [
    "error_code",
    "open_client",
    "our_errors",
    "patient",
    "ping",
    "quiet",
    "without_progress_bars",
]

PING_TIMEOUT_S = 4.0
PING_PAUSE_S = 0.5
PING_LIMIT_S = 9.5
FIRST_TOUCH_WAIT_S = 120.0
MAX_REASON_LENGTH = 300

# MLflow's defaults keep silent for four minutes when a server dies: 7 retries that wait twice
# as long each time. These end after 5 s when it refuses, after 20 s when it hangs.
TIMEOUT_NAME = "MLFLOW_HTTP_REQUEST_TIMEOUT"
HTTP_BOUNDS = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", TIMEOUT_NAME: "5"}
# A server answers an upload only when the file lies in its own store, which may be far away.
UPLOAD_TIMEOUT = "120"

PROGRESS_BARS = "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR"

# Codes that say "not now"; all others say that something is wrong.
TRANSIENT_CODES = frozenset(
    {
        "ABORTED",
        "DEADLINE_EXCEEDED",
        "REQUEST_LIMIT_EXCEEDED",
        "RESOURCE_EXHAUSTED",
        "TEMPORARILY_UNAVAILABLE",
    }
)
AUTH_CODES = frozenset({"CUSTOMER_UNAUTHORIZED", "PERMISSION_DENIED", "UNAUTHENTICATED"})


def open_client(tracking_uri: str, registry_uri: str | None = None) -> MlflowClient:
    """Connect to a tracking server or a local database, which is made if it is not there.

    Processes that touch a fresh SQLite database at once can break it for good, so the first
    touch happens under a lock file beside it.

    Raises:
        TryAgain: The server does not answer, or another process holds the database for long.
        StoreError: The database or the server cannot be used.
    """
    uris = [tracking_uri] if registry_uri is None else [tracking_uri, registry_uri]
    if any(uri.startswith(("http:", "https:")) for uri in uris):
        for name, value in HTTP_BOUNDS.items():
            os.environ.setdefault(name, value)
    with our_errors("open the tracking store", tracking_uri), ExitStack() as locks:
        # MLflow's tables use a word that SQLAlchemy 2.1 will drop: nothing for our users' cards.
        locks.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="The ``noload`` loader strategy")
        from mlflow import MlflowClient

        databases = sorted({path for path in map(local_database, uris) if path is not None})
        if databases:
            # Takes two seconds: imported here, so that nobody waits for it at the lock.
            importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
        locks.enter_context(quiet("mlflow.store.db.utils"))
        for database in databases:
            _hold(database, locks)
        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=registry_uri or tracking_uri)
        if registry_uri is not None and local_database(registry_uri) is not None:
            client.search_registered_models(max_results=1)
        return client


@contextmanager
def patient() -> Iterator[None]:
    """Wait longer for each answer while files are sent; a bound the user has set stays."""
    ours = HTTP_BOUNDS[TIMEOUT_NAME]
    if os.environ.get(TIMEOUT_NAME) != ours:
        yield
        return
    os.environ[TIMEOUT_NAME] = UPLOAD_TIMEOUT
    try:
        yield
    finally:
        os.environ[TIMEOUT_NAME] = ours


def _hold(database: Path, locks: ExitStack) -> None:
    database.parent.mkdir(parents=True, exist_ok=True)
    try:
        locks.enter_context(FileLock(f"{database}.lock", timeout=FIRST_TOUCH_WAIT_S))
    except Timeout as error:
        raise TryAgain(
            f"{database} is held by another process since {FIRST_TOUCH_WAIT_S:.0f} s.",
            hint=f"Run again. If no other process uses it, remove {database}.lock.",
        ) from error
    # MLflow would try for 100 s to open a file that cannot be opened.
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA schema_version")


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Let a logger say no more than warnings while something usual happens."""
    logger = logging.getLogger(name)
    before = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def without_progress_bars() -> Iterator[None]:
    """Copy artifacts without MLflow's bars between our lines, unless the user asks for them."""
    if PROGRESS_BARS in os.environ:
        yield
        return
    os.environ[PROGRESS_BARS] = "false"
    try:
        yield
    finally:
        os.environ.pop(PROGRESS_BARS, None)


@contextmanager
def our_errors(doing: str, uri: str) -> Iterator[None]:
    """Turn errors of MLflow and what lies below it into ours.

    Args:
        doing: What is tried, to follow "Could not".
        uri: Of the tracking server or the registry.

    Raises:
        TryAgain: The server does not answer or is overloaded, the database is busy.
        StoreError: All else.
    """
    from alembic.util import CommandError
    from mlflow.exceptions import MlflowException
    from requests import RequestException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with without_progress_bars():
            yield
    except (
        MlflowException,
        RequestException,
        SQLAlchemyError,
        sqlite3.Error,
        CommandError,
        OSError,
    ) as error:
        raise _translate(error, doing, uri) from error


def _translate(error: Exception, doing: str, uri: str) -> RecipeError:
    shown = masked(uri)
    if _is_silence(error):
        return TryAgain(
            f"Could not {doing}: {shown} does not answer.",
            hint="Run again when it answers: the steps that are done are kept.",
        )
    secret = urlsplit(uri).netloc.rpartition("@")[0]
    reason = str(error).replace(secret, "***") if secret else str(error)
    said = f"Could not {doing} ({shown}): {shorten(reason, limit=MAX_REASON_LENGTH)}"
    if error_code(error) in TRANSIENT_CODES or "database is locked" in reason:
        return TryAgain(said, hint="Run again in a while: the steps that are done are kept.")
    if error_code(error) in AUTH_CODES:
        return StoreError(said, hint="Check your credentials and your rights on the server.")
    if "Can't locate revision" in reason or ("schema" in reason and local_database(uri)):
        return StoreError(
            said,
            hint="Another version of MLflow made this database. Back it up, "
            f"then: mlflow db upgrade {shown}",
        )
    return StoreError(said)


def _is_silence(error: Exception) -> bool:
    from requests import ConnectionError as NoConnection
    from requests import Timeout as TookTooLong

    if isinstance(error, (NoConnection, TookTooLong)):
        return True
    # MLflow wraps what requests raised, without a code of its own.
    text = str(error)
    return "Max retries exceeded" in text or "failed with timeout exception" in text


def error_code(error: Exception) -> str:
    """MLflow's code for an error, such as RESOURCE_DOES_NOT_EXIST; empty if it has none."""
    return str(getattr(error, "error_code", "") or "")


# ---- is anybody there? -------------------------------------------------------------------


def ping(tracking_uri: str, *, origin: str) -> None:
    """Ask a tracking server whether it is there, before any work is done for it.

    Any answer counts, even a refusal: what it means is for the real request to find out.

    Args:
        tracking_uri: Probed if it begins with ``http``; all others are taken as there.
        origin: Where the URI was found, for the message.

    Raises:
        TryAgain: Nobody answers within ten seconds.
    """
    if not tracking_uri.startswith(("http://", "https://")):
        return
    reasons: list[str] = ["no answer in time"]
    answered = threading.Event()

    def probe() -> None:
        for pause_s in (PING_PAUSE_S, 0.0):
            reason = _why_silent(tracking_uri)
            if reason is None:
                answered.set()
                return
            reasons.append(reason)
            time.sleep(pause_s)

    # In a thread, because looking up a name knows no timeout.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PING_LIMIT_S)
    if not answered.is_set():
        raise TryAgain(
            f"The tracking server {masked(tracking_uri)} (from {origin}) does not answer: "
            f"{shorten(reasons[-1], limit=MAX_REASON_LENGTH)}. Nothing was run.",
            hint=f"Start the server or correct {origin}. Without any tracking URI, "
            "runs are recorded in mlflow.db beside the recipe.",
        )


def _why_silent(uri: str) -> str | None:
    parts = urlsplit(uri)
    bare = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    request = urllib.request.Request(f"{bare.rstrip('/')}/health")  # noqa: S310 (http only)
    try:
        with urllib.request.urlopen(request, timeout=PING_TIMEOUT_S):  # noqa: S310 (http only)
            return None
    except urllib.error.HTTPError as error:
        is_away = error.code in {502, 503, 504}
        error.close()
        return f"HTTP {error.code}" if is_away else None
    except urllib.error.URLError as error:
        # Somebody is there; whether to trust the certificate is for MLflow's settings to say.
        return None if "CERTIFICATE_VERIFY_FAILED" in str(error.reason) else str(error.reason)
    except (OSError, ValueError) as error:
        return str(error) or type(error).__name__
