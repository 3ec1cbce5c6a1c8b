"""What goes wrong at MLflow's door is said in our words, soon, and without secrets."""

import contextlib
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from mlrecipes.errors import RecipeError, StoreError, TryAgain
from mlrecipes.stores.mlflow_client import open_client, our_errors, patient
from mlrecipes.stores.tracking import MlflowTracker, TrackingTarget, ping

# ---- when MLflow fails ---------------------------------------------------------------------


def mlflow_error(code: str) -> Exception:
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import ErrorCode

    return MlflowException("it failed", ErrorCode.Value(code))


def lower_errors() -> list[tuple[Exception, type[RecipeError]]]:
    import requests
    from alembic.util import CommandError
    from sqlalchemy.exc import OperationalError

    return [
        (requests.ConnectionError("refused"), TryAgain),
        (requests.Timeout("slow"), TryAgain),
        (requests.RequestException("odd"), StoreError),
        (OperationalError("SELECT", {}, Exception("database is locked")), TryAgain),
        (OperationalError("SELECT", {}, Exception("disk I/O error")), StoreError),
        (CommandError("Can't locate revision identified by 'abc'"), StoreError),
        (PermissionError(13, "Permission denied"), StoreError),
    ]


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("TEMPORARILY_UNAVAILABLE", TryAgain),
        ("REQUEST_LIMIT_EXCEEDED", TryAgain),
        ("RESOURCE_EXHAUSTED", TryAgain),
        ("DEADLINE_EXCEEDED", TryAgain),
        ("ABORTED", TryAgain),
        ("RESOURCE_DOES_NOT_EXIST", StoreError),
        ("RESOURCE_ALREADY_EXISTS", StoreError),
        ("INVALID_PARAMETER_VALUE", StoreError),
        ("PERMISSION_DENIED", StoreError),
        ("UNAUTHENTICATED", StoreError),
        ("INTERNAL_ERROR", StoreError),
    ],
)
def test_an_error_of_mlflow_becomes_ours(code: str, ours: type[RecipeError]) -> None:
    error = mlflow_error(code)
    with pytest.raises(ours, match="Could not log") as caught, our_errors("log", "http://a.b"):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("number", range(7))
def test_an_error_below_mlflow_becomes_ours(number: int) -> None:
    error, ours = lower_errors()[number]
    with pytest.raises(ours, match="Could not log") as caught, our_errors("log", "sqlite:////a"):
        raise error
    assert caught.value.__cause__ is error


def test_a_database_that_cannot_be_opened_is_reported_soon(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    started = time.monotonic()
    with pytest.raises(StoreError, match="unable to open database file"):
        open_client(f"sqlite:///{tmp_path}/folder.db")
    assert time.monotonic() - started < 15


def test_a_file_that_is_no_database_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database " * 20)
    with pytest.raises(StoreError, match="file is not a database"):
        open_client(f"sqlite:///{tmp_path}/text.db")


def test_a_database_of_another_mlflow_is_reported_with_the_way_to_upgrade(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/old.db"
    open_client(f"sqlite:///{tmp_path}/new.db")
    with closing(sqlite3.connect(tmp_path / "new.db")) as connection:
        connection.execute("VACUUM INTO ?", (str(tmp_path / "old.db"),))
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
        connection.commit()
    with pytest.raises(StoreError, match=f"mlflow db upgrade {uri}"):
        open_client(uri)


def test_an_error_of_ours_passes_as_it_is() -> None:
    with pytest.raises(StoreError, match=r"^as it is$"), our_errors("log", "http://a.b"):
        raise StoreError("as it is")


def test_no_message_holds_credentials() -> None:
    uri = "https://ann:geheim@mlflow.example.org"
    with pytest.raises(StoreError, match="example") as caught, our_errors("log", uri):
        raise OSError(f"no route to {uri}")
    assert "geheim" not in str(caught.value)


# ---- is anybody there? -----------------------------------------------------------------------


@contextmanager
def server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Let a socket accept connections and treat each in the way that is given."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://ann:geheim@127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def reply(status: str) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        with connection:
            connection.recv(4096)
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())

    return answer


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "404 Not Found"])
def test_any_answer_of_a_server_counts(status: str) -> None:
    with server(reply(status)) as uri:
        ping(uri, origin="experiment.tracking_uri")


def test_a_gateway_without_a_server_behind_it_does_not_count() -> None:
    with server(reply("503 Service Unavailable")) as uri, pytest.raises(TryAgain, match="503"):
        ping(uri, origin="experiment.tracking_uri")


def test_a_server_that_hangs_is_given_up_within_ten_seconds() -> None:
    kept: list[socket.socket] = []
    with server(kept.append) as uri:
        started = time.monotonic()
        with pytest.raises(TryAgain, match="timed out"):
            ping(uri, origin="experiment.tracking_uri")
        assert time.monotonic() - started < 10
    for connection in kept:
        connection.close()


def test_a_server_that_is_away_is_named_with_its_origin_and_no_credentials() -> None:
    with server(reply("200 OK")) as uri:
        pass
    with pytest.raises(TryAgain) as caught:
        ping(uri, origin="the environment variable MLFLOW_TRACKING_URI")
    address = uri.partition("@")[2]
    assert str(caught.value) == (
        f"The tracking server http://***@{address} (from the environment variable "
        "MLFLOW_TRACKING_URI) does not answer: [Errno 111] Connection refused. Nothing was run.\n"
        "  Start the server or correct the environment variable MLFLOW_TRACKING_URI. "
        "Without any tracking URI, runs are recorded in mlflow.db beside the recipe."
    )


@pytest.mark.parametrize("uri", ["sqlite:////nowhere/x.db", "databricks", "databricks://prod"])
def test_only_http_servers_are_probed(uri: str) -> None:
    ping(uri, origin="experiment.tracking_uri")


def test_a_server_that_dies_is_reported_within_fifteen_seconds(tmp_path: Path) -> None:
    with server(reply("200 OK")) as uri:
        pass
    tracker = MlflowTracker(TrackingTarget(uri, "houses", None), tmp_path / "open_runs.json")
    started = time.monotonic()
    with pytest.raises(TryAgain, match="Could not start a run"):
        tracker.start_run({})
    assert time.monotonic() - started < 15


# ---- how long to wait ------------------------------------------------------------------------


def test_uploads_may_take_longer_than_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server answers an upload when the file has reached its own store."""
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    open_client("http://127.0.0.1:9")
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "5"
    with patient():
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "120"
    assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "5"


def test_a_bound_that_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    open_client("http://127.0.0.1:9")
    with patient():
        assert os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "30"
