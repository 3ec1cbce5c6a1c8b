"""The bundle as one target sees it: files included, target merged in, references resolved.

It does what ``databricks bundle validate`` does first, without a workspace. A reference that
leads nowhere is a problem, never an error, so that all are found at once.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

MAIN = "databricks.yml"
SERVERLESS, CLUSTER = "resources/compute/serverless.yml", "resources/compute/cluster.yml"
# By what the parts of a list are told apart when a target says more about them.
KEYS = {
    "tasks": "task_key",
    "job_clusters": "job_cluster_key",
    "environments": "environment_key",
    "parameters": "name",
}
# What Databricks fills in.
GIVEN = {
    "workspace.file_path": "/Workspace/files",
    "workspace.root_path": "/Workspace",
    "workspace.current_user.userName": "00000000-0000-0000-0000-000000000000",
}
REFERENCE = re.compile(r"\$\{([^}]*)\}")
PATHS = {"python_file", "requirements"}
IN_A_REQUIREMENT = "-r "


@dataclass
class Bundle:
    """A bundle for one target.

    Attributes:
        files: Each YAML file below the root that could belong to it, with its text.
        target: Name of the target.
        content: All files merged, with the target's own words; references are resolved.
        problems: What was wrong on the way here, each as place and what.
    """

    files: Mapping[str, str]
    target: str
    content: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a kind, such as jobs, by key."""
        found: dict[str, dict[str, Any]] = self.content.get("resources", {}).get(kind, {})
        return found

    def tasks(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Place, key of the job, and content of each task."""
        for key, job in self.resources("jobs").items():
            for task in job.get("tasks", []):
                yield f"jobs.{key}.{task.get('task_key')}", key, task


def read_files(root: Path) -> dict[str, str]:
    """The files that can belong to a bundle, by path below the root."""
    paths = [root / MAIN, *sorted((root / "resources").rglob("*.yml"))]
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in paths}


def on_cluster(files: Mapping[str, str]) -> dict[str, str]:
    """The same files with the one line changed that moves all tasks to a shared cluster."""
    return {**files, MAIN: files[MAIN].replace(f"- {SERVERLESS}", f"- {CLUSTER}")}


def targets_of(files: Mapping[str, str]) -> list[str]:
    """Names of the targets."""
    return sorted(yaml.safe_load(files[MAIN])["targets"])


def load_bundle(files: Mapping[str, str], target: str) -> Bundle:
    """Put a target's bundle together."""
    bundle = Bundle(files, target)
    main = _content(bundle, MAIN)
    targets: dict[str, Any] = {}
    for path in [MAIN, *_included(bundle, main)]:
        content = main if path == MAIN else _content(bundle, path)
        targets = merge(targets, content.pop("targets", {}))
        _refuse_twice(bundle, path, content)
        bundle.content = merge(bundle.content, content)
    own = targets.get(target, {})
    values = own.pop("variables", {})
    bundle.content["target"] = {name: own[name] for name in own if name != "resources"}
    bundle.content = merge(bundle.content, {"resources": own.get("resources", {})})
    known = GIVEN | {"bundle.target": target, "bundle.name": bundle.content["bundle"]["name"]}
    known |= _variables(bundle, values)
    for name in ("workspace", "target", "resources"):
        bundle.content[name] = _resolved(bundle, bundle.content.get(name, {}), known, name)
    return bundle


def merge(base: Any, over: Any, name: str = "") -> Any:
    """What two places say about the same; the second one wins.

    >>> merge({"tasks": [{"task_key": "a", "x": 1}]}, {"tasks": [{"task_key": "a", "y": 2}]})
    {'tasks': [{'task_key': 'a', 'x': 1, 'y': 2}]}
    """
    if isinstance(base, dict) and isinstance(over, dict):
        both = {key: merge(base[key], over[key], key) for key in base if key in over}
        return {**base, **over, **both}
    if isinstance(base, list) and isinstance(over, list):
        key = KEYS.get(name)
        if key is None or not all(isinstance(part, dict) for part in [*base, *over]):
            return [*base, *over]
        parts = {part[key]: part for part in base}
        for part in over:
            parts[part[key]] = merge(parts.get(part[key], {}), part)
        return list(parts.values())
    return over


# ---- private -----------------------------------------------------------------------------------


class _Strict(yaml.CSafeLoader):
    """YAML in which a key that stands twice is an error, as it is for Databricks."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _value in node.value]
        if len(set(keys)) < len(keys):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise yaml.constructor.ConstructorError(None, None, f"{twice} twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _content(bundle: Bundle, path: str) -> dict[str, Any]:
    content = yaml.load(bundle.files[path], Loader=_Strict)  # noqa: S506 - a safe loader
    at_root: dict[str, Any] = _at_root(content, posixpath.dirname(path))
    return at_root


def _at_root(value: Any, folder: str, name: str = "") -> Any:
    """The same with paths as seen from the root; they are written as seen from their file."""
    if isinstance(value, dict):
        return {key: _at_root(inner, folder, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_at_root(inner, folder, name) for inner in value]
    if not isinstance(value, str) or value.startswith(("/", "${")):
        return value
    if name in PATHS:
        return posixpath.normpath(posixpath.join(folder, value))
    if name == "dependencies" and value.startswith(IN_A_REQUIREMENT):
        path = posixpath.join(folder, value.removeprefix(IN_A_REQUIREMENT))
        return IN_A_REQUIREMENT + posixpath.normpath(path)
    return value


def _included(bundle: Bundle, main: dict[str, Any]) -> Iterator[str]:
    for pattern in main.get("include", []):
        depth = pattern.count("/")
        found = [path for path in bundle.files if fnmatch(path, pattern)]
        found = [path for path in found if path.count("/") == depth]
        if not found:
            bundle.problems.append(f"{MAIN}: include: no file is {pattern}")
        yield from found


def _refuse_twice(bundle: Bundle, path: str, content: dict[str, Any]) -> None:
    for kind, resources in content.get("resources", {}).items():
        for key in resources:
            if key in bundle.resources(kind):
                bundle.problems.append(f"{path}: {kind}.{key} is defined elsewhere too")


def _variables(bundle: Bundle, values: dict[str, Any]) -> dict[str, Any]:
    declared = bundle.content.get("variables", {})
    for name in values:
        if name not in declared:
            bundle.problems.append(f"targets.{bundle.target}: variable {name} is not declared")
    known = {}
    for name, about in declared.items():
        value = values.get(name, about.get("default"))
        if value is None:
            bundle.problems.append(f"targets.{bundle.target}: variable {name} has no value")
        known[f"var.{name}"] = _resolved(bundle, value, GIVEN, f"variables.{name}")
    return known


def _resolved(bundle: Bundle, value: Any, known: Mapping[str, Any], place: str) -> Any:
    if isinstance(value, dict):
        return {
            key: _resolved(bundle, inner, known, f"{place}.{key}") for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_resolved(bundle, inner, known, f"{place}[{n}]") for n, inner in enumerate(value)]
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        return _looked_up(bundle, whole[1], known, place)
    return REFERENCE.sub(lambda hit: str(_looked_up(bundle, hit[1], known, place)), value)


def _looked_up(bundle: Bundle, name: str, known: Mapping[str, Any], place: str) -> Any:
    if name in known:
        return known[name]
    found: Any = bundle.content if name.startswith("resources.") else {}
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    if found is None:
        bundle.problems.append(f"{place}: ${{{name}}} is nothing")
        return ""
    return _resolved(bundle, found, known, place)
