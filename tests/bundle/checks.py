"""What must hold of a bundle; each check tells the places where it does not."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from tests.bundle.commands import command_problems
from tests.bundle.loading import IN_A_REQUIREMENT, Bundle, load_bundle, targets_of
from tests.bundle.names import name_problems

# Kind of a resource to the module and class of databricks-bundles that knows its keys.
CLASSES = {
    "jobs": ("jobs", "Job"),
    "schemas": ("schemas", "Schema"),
    "volumes": ("volumes", "Volume"),
    "experiments": ("experiments", "MlflowExperiment"),
    "registered_models": ("registered_models", "RegisteredModel"),
}
TOP = {"bundle", "include", "sync", "variables", "resources", "target", "workspace"}
OF_A_TARGET = {"default", "mode", "presets", "workspace", "run_as", "permissions"}
LISTS = {"environment_key": "environments", "job_cluster_key": "job_clusters"}
COMPUTE = {"environment_key", "job_cluster_key", "existing_cluster_id", "new_cluster"}


def problems_of(files: dict[str, str], root: Path) -> list[str]:
    """All that is wrong with the bundle, in any target."""
    found = []
    for target in targets_of(files):
        bundle = load_bundle(files, target)
        found += [f"{target}: {what}" for what in bundle.problems]
        for check in CHECKS:
            found += [f"{target}: {what}" for what in check(bundle, root)]
    return list(dict.fromkeys(found))


def keys_are_known(bundle: Bundle, _root: Path) -> Iterator[str]:
    """Databricks' own classes read each resource; they refuse keys and types they do not know."""
    for name in bundle.content.keys() - TOP:
        yield f"{name} is not a key"
    for name in bundle.content["target"].keys() - OF_A_TARGET:
        yield f"targets.{name} is not a key"
    for kind, resources in bundle.content["resources"].items():
        if kind not in CLASSES:
            yield f"resources.{kind} is not a kind"
            continue
        module, name = CLASSES[kind]
        known: Any = getattr(importlib.import_module(f"databricks.bundles.{module}"), name)
        for key, content in resources.items():
            try:
                known.from_dict(content)
            except (ValueError, TypeError) as error:
                yield f"{kind}.{key}: {error}"


def tasks_have_an_order(bundle: Bundle, _root: Path) -> Iterator[str]:
    """Each task waits for tasks that are there, and none for itself."""
    for key, job in bundle.resources("jobs").items():
        waits = {
            task.get("task_key"): [before["task_key"] for before in task.get("depends_on", [])]
            for task in job.get("tasks", [])
        }
        for name, before in waits.items():
            for other in before:
                if other not in waits:
                    yield f"jobs.{key}.{name}: depends on {other}, which is no task"
        try:
            TopologicalSorter(waits).prepare()
        except CycleError as error:
            yield f"jobs.{key}: tasks wait for each other: {' -> '.join(error.args[1])}"


def tasks_do_one_thing(bundle: Bundle, _root: Path) -> Iterator[str]:
    """A task has one type, ends in time and runs on one compute that its job has."""
    for place, key, task in bundle.tasks():
        types = [name for name in task if name.endswith("_task")]
        if len(types) != 1:
            yield f"{place}: {len(types)} task types, but 1 is expected: {types}"
        if "timeout_seconds" not in task:
            yield f"{place}: no timeout_seconds"
        compute = COMPUTE & task.keys()
        if len(compute) != 1:
            yield f"{place}: {len(compute)} kinds of compute, but 1 is expected"
        job = bundle.resources("jobs")[key]
        for name, parts in (
            ("environment_key", "environments"),
            ("job_cluster_key", "job_clusters"),
        ):
            if name in task and task[name] not in {part.get(name) for part in job.get(parts, [])}:
                yield f"{place}: {name} {task[name]} is not in {parts}"
        if "environment_key" in task and task.get("disable_auto_optimization") is not True:
            yield f"{place}: Databricks would try it again: disable_auto_optimization is not true"


def parameters_are_there(bundle: Bundle, _root: Path) -> Iterator[str]:
    """A task takes parameters that its job has, and the job has none that no task takes."""
    for key, job in bundle.resources("jobs").items():
        declared = {parameter["name"] for parameter in job.get("parameters", [])}
        said = [text for task in job.get("tasks", []) for text in _words(task)]
        taken = {
            text.split("{{job.parameters.")[1].split("}}")[0]
            for text in said
            if "{{job.parameters." in text
        }
        for name in sorted(taken ^ declared):
            what = "is not a parameter of the job" if name in taken else "is taken by no task"
            yield f"jobs.{key}: {name} {what}"


def paths_exist(bundle: Bundle, root: Path) -> Iterator[str]:
    """Each file that is named lies in this repository."""
    for place, key, task in bundle.tasks():
        named = [task.get("spark_python_task", {}).get("python_file", "")]
        named += [library.get("requirements", "") for library in task.get("libraries", [])]
        for environment in bundle.resources("jobs")[key].get("environments", []):
            lines = environment.get("spec", {}).get("dependencies", [])
            named += [
                line.removeprefix(IN_A_REQUIREMENT)
                for line in lines
                if line.startswith(IN_A_REQUIREMENT)
            ]
        for path in filter(None, named):
            if not (root / path).is_file():
                yield f"{place}: {path} is no file"


CHECKS: tuple[Callable[[Bundle, Path], Iterator[str]], ...] = (
    keys_are_known,
    tasks_have_an_order,
    tasks_do_one_thing,
    parameters_are_there,
    paths_exist,
    command_problems,
    name_problems,
)


def _words(task: dict[str, Any]) -> list[str]:
    words: list[str] = task.get("spark_python_task", {}).get("parameters", [])
    return words
