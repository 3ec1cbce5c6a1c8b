"""What notebooks use of Databricks' ``dbutils``, on this machine.

It does what Databricks' documentation says of these calls, and no more: anything else is an
AttributeError. Paths lie below one folder; ``dbfs:/`` and ``/`` are that folder.
"""

import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REDACTED = "[REDACTED]"


class NotebookExit(BaseException):
    """Ends a notebook early, with what it says; no ``except Exception`` catches it."""


class Widgets:
    """Parameters of a notebook: what a job or a person gave wins over the default."""

    def __init__(self, given: Mapping[str, str]) -> None:
        self._given = dict(given)
        self._values: dict[str, str] = {}

    def text(self, name: str, defaultValue: str, label: str | None = None) -> None:  # noqa: N803
        _ = label
        self._values.setdefault(name, self._given.get(name, defaultValue))

    def dropdown(
        self,
        name: str,
        defaultValue: str,  # noqa: N803
        choices: Iterable[str],
        label: str | None = None,
    ) -> None:
        listed = list(choices)
        if defaultValue not in listed:
            raise ValueError(f"The default value {defaultValue!r} is not among {listed}.")
        self.text(name, defaultValue, label)

    def get(self, name: str) -> str:
        if name in self._values:
            return self._values[name]
        if name in self._given:
            return self._given[name]
        raise ValueError(f"InputWidgetNotDefined: No input widget named {name} is defined.")

    def remove(self, name: str) -> None:
        self._values.pop(name, None)


class Secrets:
    """Secrets by scope and key. The value is plain text; what a notebook prints is redacted."""

    def __init__(self, scopes: Mapping[str, Mapping[str, str]]) -> None:
        self._scopes = {scope: dict(keys) for scope, keys in scopes.items()}

    def get(self, scope: str, key: str) -> str:
        try:
            return self._scopes[scope][key]
        except KeyError:
            raise ValueError(f"Secret does not exist with scope: {scope} and key: {key}") from None

    def redacted(self, text: str) -> str:
        """The text as a notebook shows it."""
        for value in (value for keys in self._scopes.values() for value in keys.values()):
            text = text.replace(value, REDACTED)
        return text


@dataclass(frozen=True)
class FileInfo:
    path: str
    name: str
    size: int

    def isDir(self) -> bool:  # noqa: N802
        return self.name.endswith("/")


class Files:
    """Files below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def ls(self, path: str) -> list[FileInfo]:
        place = self._place(path)
        if not place.exists():
            raise FileNotFoundError(f"No such file or directory {path}")
        found = sorted(place.iterdir()) if place.is_dir() else [place]
        return [self._info(one) for one in found]

    def put(self, file: str, contents: str, overwrite: bool = False) -> bool:
        place = self._place(file)
        if place.exists() and not overwrite:
            raise FileExistsError(f"{file} already exists")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(contents, encoding="utf-8")
        return True

    def mkdirs(self, path: str) -> bool:
        self._place(path).mkdir(parents=True, exist_ok=True)
        return True

    def rm(self, path: str, recurse: bool = False) -> bool:
        place = self._place(path)
        if not place.exists():
            return False
        if place.is_dir() and any(place.iterdir()) and not recurse:
            raise OSError(f"{path} is not empty")
        shutil.rmtree(place) if place.is_dir() else place.unlink()
        return True

    def _place(self, path: str) -> Path:
        place = (self._root / path.removeprefix("dbfs:").lstrip("/")).resolve()
        if not place.is_relative_to(self._root):
            raise PermissionError(f"{path} lies outside")
        return place

    def _info(self, place: Path) -> FileInfo:
        slash = "/" if place.is_dir() else ""
        path = f"dbfs:/{place.relative_to(self._root).as_posix()}{slash}"
        return FileInfo(path, f"{place.name}{slash}", 0 if slash else place.stat().st_size)


class TaskValues:
    """Values that tasks of a job leave for later ones."""

    def __init__(self, task: str) -> None:
        self._task = task
        self._values: dict[tuple[str, str], Any] = {}

    def set(self, key: str, value: Any) -> None:
        self._values[self._task, key] = value

    def get(
        self,
        taskKey: str,  # noqa: N803
        key: str,
        default: Any = None,
        debugValue: Any = None,  # noqa: N803
    ) -> Any:
        """In a job, the value or the default; the debug value counts outside of jobs only."""
        _ = debugValue
        if (taskKey, key) in self._values:
            return self._values[taskKey, key]
        if default is None:
            raise ValueError(f"Task value {key} of {taskKey} does not exist.")
        return default


@dataclass(frozen=True)
class Jobs:
    taskValues: TaskValues  # noqa: N815


class Notebook:
    def exit(self, value: str) -> None:
        raise NotebookExit(value)


class DBUtils:
    """A stand-in for ``dbutils``.

    Args:
        root: The folder that ``dbfs:/`` is.
        widgets: Parameters that a job gives.
        secrets: Values by key, by scope.
        task: The name of the task that runs.
    """

    def __init__(
        self,
        root: Path,
        *,
        widgets: Mapping[str, str] | None = None,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        task: str = "task",
    ) -> None:
        self.widgets = Widgets(widgets or {})
        self.secrets = Secrets(secrets or {})
        self.fs = Files(root)
        self.jobs = Jobs(TaskValues(task))
        self.notebook = Notebook()


class RedactingOutput:
    """An output that shows what a notebook on Databricks would show."""

    def __init__(self, output: Any, secrets: Secrets) -> None:
        self._output, self._secrets = output, secrets

    def write(self, text: str) -> int:
        self._output.write(self._secrets.redacted(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._output, name)
