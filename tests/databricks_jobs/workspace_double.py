"""A double of a Databricks workspace on 127.0.0.1 that really runs what is submitted.

It answers the endpoints that our backend and MLflow's own client use, and refuses what
Databricks' documentation says cannot run. It shows what our side sends and does; it shows
nothing about Databricks.
"""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from databricks.sdk.service.compute import ClusterSpec

from tests.databricks_jobs.double_compute import JOB_TOKEN, Compute, JobRun

TOKEN = "token-of-the-double"  # noqa: S105 - of nothing but the double
OIDC_TOKEN = "token-for-a-workflow"  # noqa: S105 - of nothing but the double
TOKENS = {f"Bearer {token}" for token in (TOKEN, JOB_TOKEN, OIDC_TOKEN)}
SUBMIT_KEYS = {"run_name", "tasks", "environments", "timeout_seconds", "idempotency_token"}
SHELL_KEYS = {"run_name", "new_cluster", "shell_command_task", "libraries"}
COMPUTE = {"environment_key", "new_cluster", "existing_cluster_id"}
CLUSTER_KEYS = {each.name for each in fields(ClusterSpec)}
# The first runtimes without MLflow Projects, and with requirements files.
LAST_RUNTIME_OF_PROJECTS, FIRST_RUNTIME_OF_REQUIREMENTS = 12, 15
TASKS_FROM = 1000
WAIT_AT_MOST_S = 300
Answer = tuple[int, "dict[str, Any] | bytes"]


@dataclass
class Double:
    """What the double knows.

    Attributes:
        root: Folder of its volumes and of the homes of its jobs.
        mlflow: Address of an MLflow server that answers its tracking and registry endpoints.
        refusals: Part of a path to answers that are given first, one a request.
        states: What a job is said to be, look by look, instead of being run; the last one stays.
        runs_shells_on_any_runtime: Against the documentation.
        seen: Method, path and body of each request.
        headers: Of Authorization, one a request.
        agents: Who says to call, one a request.
        jobs: By number.
    """

    root: Path
    mlflow: str = ""
    refusals: dict[str, list[Answer]] = field(default_factory=dict)
    states: list[dict[str, str]] = field(default_factory=list)
    runs_shells_on_any_runtime: bool = False
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    jobs: dict[int, JobRun] = field(default_factory=dict)
    address: str = ""
    changed: threading.Condition = field(default_factory=threading.Condition)
    _by_token: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.compute = Compute(self.root, told=self.tell)
        (self.root / "wheels").mkdir(exist_ok=True)

    def calls(self, part: str) -> list[bytes]:
        return [body for _method, path, body in self.seen if part in path]

    def wait_until(self, what: Callable[[], bool]) -> None:
        """Wait for something to be so; requests and jobs wake the caller."""
        with self.changed:
            assert self.changed.wait_for(what, WAIT_AT_MOST_S), "it never came"

    def tell(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def answer(self, method: str, target: str, body: bytes) -> Answer:  # noqa: PLR0911 - a table
        url = urlsplit(target)
        path, query = unquote(url.path), parse_qs(url.query)
        self.seen.append((method, path, body))
        for part, answers in self.refusals.items():
            if part in f"{method} {path}" and answers:
                return answers.pop(0)
        if path.startswith("/api/2.0/fs/"):
            return self._files(method, path, body)
        if path.startswith(("/dbfs/", "/api/2.0/dbfs/")):
            return self._dbfs(path, body)
        if path == "/.well-known/databricks-config":
            return 200, {"oidc_endpoint": f"{self.address}/oidc"}
        if path.startswith(("/oidc/", "/github/")):
            return self._oidc(path)
        if path.startswith(("/api/2.0/mlflow", "/api/3.0/mlflow")):
            return self._passed_on(method, target, body)
        return self._jobs(method, path, query, body)

    def _jobs(self, method: str, path: str, query: Mapping[str, list[str]], body: bytes) -> Answer:
        run_id = int((query.get("run_id") or ["0"])[0])
        version, _, call = path.removeprefix("/api/").partition("/")
        match version, method, call:
            case "2.2" | "2.0", "POST", "jobs/runs/submit":
                return self._submit(json.loads(body), version)
            case "2.2" | "2.0", "GET", "jobs/runs/get":
                return 200, self._run(run_id)
            case "2.2", "GET", "jobs/runs/get-output":
                job = self.jobs.get(run_id - TASKS_FROM)
                return 200, {"error": job.error if job else ""}
            case "2.2" | "2.0", "POST", "jobs/runs/cancel":
                run_id = json.loads(body)["run_id"]
                self.compute.cancel(self.jobs.setdefault(run_id, JobRun(run_id)))
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

    def _dbfs(self, path: str, body: bytes) -> Answer:
        """MLflow's own client asks with a body even in a GET, and posts to the mount itself."""
        if path == "/api/2.0/dbfs/get-status":
            name = json.loads(body)["path"]
            if (self.root / f"dbfs{name}").exists():
                return 200, {"path": name, "is_dir": False}
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": name}
        place = self.root / path[1:]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
        return 200, {}

    def _oidc(self, path: str) -> Answer:
        """GitHub's token of a workflow, and what a workspace gives for it."""
        if path == "/github/id-token":
            return 200, {"value": "token-of-a-workflow"}
        if path == "/oidc/v1/token":
            token = {"access_token": OIDC_TOKEN, "token_type": "Bearer", "expires_in": 3600}
            return 200, token
        ends = {"authorization_endpoint": "v1/authorize", "token_endpoint": "v1/token"}
        return 200, {name: f"{self.address}/oidc/{end}" for name, end in ends.items()}

    def _passed_on(self, method: str, target: str, body: bytes) -> Answer:
        request = urllib.request.Request(  # noqa: S310 - our own server
            self.mlflow + target,
            body if body or method != "GET" else None,
            {"Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request) as response:  # noqa: S310 - our own server
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _submit(self, request: dict[str, Any], version: str) -> Answer:
        wrong = self._cannot_run(request) if version == "2.2" else self._shell_cannot_run(request)
        if wrong:
            return 400, {"error_code": "INVALID_PARAMETER_VALUE", "message": wrong}
        token = request.get("idempotency_token") or str(len(self.jobs))
        if token not in self._by_token:
            self._by_token[token] = run_id = len(self.jobs) + 1
            self.jobs[run_id] = job = JobRun(run_id)
            if not self.states:
                self.compute.start(job, request)
        return 200, {"run_id": self._by_token[token]}

    def _cannot_run(self, request: dict[str, Any]) -> str:
        (task,) = request["tasks"]
        unknown = (set(request) - SUBMIT_KEYS) | (set(task.get("new_cluster", {})) - CLUSTER_KEYS)
        specs = {each["environment_key"]: each["spec"] for each in request.get("environments", [])}
        on_serverless, libraries = "environment_key" in task, task.get("libraries", [])
        dependencies = specs.get(task.get("environment_key"), {}).get("dependencies", [])
        files = [task["spark_python_task"]["python_file"]] if "spark_python_task" in task else []
        files += [each["requirements"] for each in libraries]
        files += [line.removeprefix("-r ") for line in dependencies if line.startswith("-r ")]
        runtime = _runtime(task.get("new_cluster", {"spark_version": "99"}))
        complaints = {
            f"unknown keys: {sorted(unknown)}": unknown,
            "no task that this API knows": "spark_python_task" not in task,
            "exactly one kind of compute": len(COMPUTE & set(task)) != 1,
            "the environment is not defined": on_serverless
            and task["environment_key"] not in specs,
            "Libraries field is not supported for serverless task": on_serverless and libraries,
            "requirements.txt needs Databricks Runtime 15.0 or later": libraries
            and runtime < FIRST_RUNTIME_OF_REQUIREMENTS,
            f"not in a volume: {files}": not all(map(self._is_in_a_volume, files)),
        }
        return next((complaint for complaint, is_so in complaints.items() if is_so), "")

    def _is_in_a_volume(self, file: str) -> bool:
        return file.startswith("/Volumes/") and (self.root / file[1:]).is_file()

    def _shell_cannot_run(self, request: dict[str, Any]) -> str:
        unknown = (set(request) - SHELL_KEYS) | (set(request["new_cluster"]) - CLUSTER_KEYS)
        if unknown:
            return f"unknown keys: {sorted(unknown)}"
        too_new = _runtime(request["new_cluster"]) > LAST_RUNTIME_OF_PROJECTS
        if too_new and not self.runs_shells_on_any_runtime:
            return "shell_command_task does not run on Databricks Runtime 13 or later"
        return ""

    def _run(self, run_id: int) -> dict[str, Any]:
        job = self.jobs.get(run_id) or JobRun(run_id)
        if self.states and not job.has_ended:
            state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        else:
            state = job.state
        page = f"{self.address}/jobs/runs/{run_id}"
        tasks = [{"task_key": "project", "run_id": run_id + TASKS_FROM}]
        known = {"run_id": run_id, "job_id": run_id, "run_page_url": page}
        return known | {"state": state, "tasks": tasks}


def _runtime(cluster: Mapping[str, Any]) -> int:
    """Its major version."""
    return int(str(cluster["spark_version"]).split(".")[0])


@contextmanager
def workspace_double(root: Path, mlflow: str = "") -> Iterator[Double]:
    """Serve a double until the end of the block.

    Args:
        root: Its folder.
        mlflow: Address of the MLflow server behind it.
    """
    double = Double(root, mlflow)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _door_of(double))
    server.daemon_threads = True
    double.address = double.compute.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield double
    finally:
        for job in list(double.jobs.values()):
            if not job.has_ended:
                double.compute.cancel(job)
        server.shutdown()
        server.server_close()


def _door_of(double: Double) -> type[BaseHTTPRequestHandler]:
    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None:
            return

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().strip() or b"0", 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        def _serve(self) -> None:
            body, said = self._body(), self.headers.get("Authorization") or ""
            double.headers.append(said)
            double.agents.append(self.headers.get("User-Agent") or "")
            content: dict[str, Any] | bytes
            if self.path.startswith(("/api/", "/dbfs/")) and said not in TOKENS:
                status, content = 401, {"error_code": "UNAUTHENTICATED", "message": "who?"}
            else:
                status, content = double.answer(self.command, self.path, body)
            double.tell()
            is_empty = status == 204 or self.command == "HEAD"
            text = content if isinstance(content, bytes) else json.dumps(content).encode()
            sent = b"" if is_empty else text
            self.send_response(status)
            if status in {429, 503}:
                self.send_header("Retry-After", "7")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = do_DELETE = _serve  # noqa: N815

    return Door
