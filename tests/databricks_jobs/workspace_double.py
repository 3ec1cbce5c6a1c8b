"""A double of a Databricks workspace on 127.0.0.1 that really runs what is submitted.

It answers the endpoints that the backend uses and refuses what Databricks' documentation says
cannot run. It shows what our side sends and does; it shows nothing about Databricks.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from databricks.sdk.service.compute import ClusterSpec

TOKEN = "token-of-the-double"  # noqa: S105 - of nothing but the double
SUBMIT_KEYS = {"run_name", "tasks", "environments", "timeout_seconds", "idempotency_token"}
COMPUTE = {"environment_key", "new_cluster", "existing_cluster_id"}
CLUSTER_KEYS = {each.name for each in fields(ClusterSpec)}
Answer = tuple[int, dict[str, Any]]


@dataclass
class Double:
    """What the double knows.

    Attributes:
        root: Folder of its volumes and of the homes of its jobs.
        refusals: Part of a path to answers that are given first, one a request.
        states: What a job is said to be, look by look, instead of being run; the last one stays.
        seen: Method, path and body of each request.
    """

    root: Path
    refusals: dict[str, list[Answer]] = field(default_factory=dict)
    states: list[dict[str, str]] = field(default_factory=list)
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    jobs: dict[str, int] = field(default_factory=dict)
    ended: dict[int, dict[str, str]] = field(default_factory=dict)
    logs: dict[int, str] = field(default_factory=dict)
    address: str = ""

    def calls(self, part: str) -> list[bytes]:
        return [body for _method, path, body in self.seen if part in path]

    def answer(self, method: str, target: str, body: bytes) -> Answer:  # noqa: PLR0911 - a table
        url = urlsplit(target)
        path, query = unquote(url.path), parse_qs(url.query)
        self.seen.append((method, path, body))
        for part, answers in self.refusals.items():
            if part in f"{method} {path}" and answers:
                return answers.pop(0)
        if path.startswith("/api/2.0/fs/"):
            return self._files(method, path, body)
        run_id = int((query.get("run_id") or ["0"])[0])
        match method, path:
            case "POST", "/api/2.2/jobs/runs/submit":
                return self._submit(json.loads(body))
            case "GET", "/api/2.2/jobs/runs/get":
                return 200, self._run(run_id)
            case "GET", "/api/2.2/jobs/runs/get-output":
                return 200, {"error": self.logs.get(run_id - 1000, "")}
            case "POST", "/api/2.2/jobs/runs/cancel":
                self.states = [{"life_cycle_state": "TERMINATED", "result_state": "CANCELED"}]
                return 200, {}
        return 404, {"error_code": "ENDPOINT_NOT_FOUND", "message": path}

    def _files(self, method: str, path: str, body: bytes) -> Answer:
        kind, _, name = path.removeprefix("/api/2.0/fs/").partition("/")
        place = self.root / name
        if method == "PUT" and kind == "directories":
            place.mkdir(parents=True, exist_ok=True)
            return 204, {}
        if method == "HEAD":
            return (200 if place.is_file() else 404), {}
        if place.exists():
            return 409, {"error_code": "ALREADY_EXISTS", "message": "The file exists."}
        place.write_bytes(body)
        return 204, {}

    def _submit(self, request: dict[str, Any]) -> Answer:
        wrong = self._cannot_run(request)
        if wrong:
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": wrong}
        token = request["idempotency_token"]
        if token not in self.jobs:
            self.jobs[token] = run_id = len(self.jobs) + 1
            if not self.states:
                task = request["tasks"][0]["spark_python_task"]
                threading.Thread(target=self._execute, args=(run_id, task), daemon=True).start()
        return 200, {"run_id": self.jobs[token]}

    def _cannot_run(self, request: dict[str, Any]) -> str:
        (task,) = request["tasks"]
        unknown = (set(request) - SUBMIT_KEYS) | (set(task.get("new_cluster", {})) - CLUSTER_KEYS)
        if unknown:
            return f"unknown keys: {sorted(unknown)}"
        if "spark_python_task" not in task:
            return "shell_command_task does not run on Databricks Runtime 13 or later"
        if len(COMPUTE & set(task)) != 1:
            return "exactly one kind of compute"
        if "environment_key" in task:
            keys = [each["environment_key"] for each in request.get("environments", [])]
            if task["environment_key"] not in keys:
                return "the environment is not defined"
        file = task["spark_python_task"]["python_file"]
        if not file.startswith("/Volumes/") or not (self.root / file[1:]).is_file():
            return "python_file is not in a volume"
        return ""

    def _run(self, run_id: int) -> dict[str, Any]:
        if self.states:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        else:
            state = self.ended.get(run_id, {"life_cycle_state": "RUNNING"})
        page = f"{self.address}/jobs/runs/{run_id}"
        tasks = [{"task_key": "project", "run_id": run_id + 1000}]
        return {"run_id": run_id, "run_page_url": page, "state": state, "tasks": tasks}

    def _execute(self, run_id: int, task: dict[str, Any]) -> None:
        home = self.root / f"home-{run_id}"
        home.mkdir()
        command = [task["python_file"], *task["parameters"]]
        local = [word.replace("/Volumes/", f"{self.root}/Volumes/") for word in command]
        clean = {"PATH": os.defpath, "HOME": str(home), "LANG": "C.UTF-8", "PIP_NO_INDEX": "1"}
        done = subprocess.run(
            [sys.executable, *local],
            cwd=home,
            env=clean | {"MLFLOW_DISABLE_TELEMETRY": "true"},
            capture_output=True,
            text=True,
            check=False,
        )
        self.logs[run_id] = (done.stderr.strip().splitlines() or [""])[-1]
        result = "SUCCESS" if done.returncode == 0 else "FAILED"
        self.ended[run_id] = {"life_cycle_state": "TERMINATED", "result_state": result}


@contextmanager
def workspace_double(root: Path) -> Iterator[Double]:
    """Serve a double until the end of the block."""
    double = Double(root)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            return

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.path.startswith("/api/") and (
                self.headers.get("Authorization") != f"Bearer {TOKEN}"
            ):
                status, content = 401, {"error_code": "UNAUTHENTICATED", "message": "who?"}
            else:
                status, content = double.answer(self.command, self.path, body)
            sent = b"" if status == 204 or self.command == "HEAD" else json.dumps(content).encode()
            self.send_response(status)
            if status in {429, 503}:
                self.send_header("Retry-After", "7")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815 - names of http.server

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    double.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
