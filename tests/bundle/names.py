"""Whether bundle, profiles and the backend's configuration mean the same places."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.bundle.commands import profile_of
from tests.bundle.loading import Bundle

# Variables of a profile that name a folder in a volume.
VOLUMES = ("DATA", "RESULTS")


def name_problems(bundle: Bundle, root: Path) -> Iterator[str]:
    """What the profile names is what the bundle makes."""
    profile = {
        command.removeprefix("--profile=")
        for _place, _key, task in bundle.tasks()
        for command in task.get("spark_python_task", {}).get("parameters", [])
        if command.startswith("--profile=")
    }
    if len(profile) != 1:
        yield f"tasks use the profiles {sorted(profile)}, but one is expected"
        return
    (name,) = profile
    values = profile_of(root, name)
    if values is None:
        yield f"profiles/{name}.yaml is no file"
        return
    said = {variable: values.get(variable) for variable in ("SCHEMA", "MODEL_NAME", "EXPERIMENT")}
    made = {
        "SCHEMA": _schemas(bundle),
        "MODEL_NAME": _full_names(bundle, "registered_models"),
        "EXPERIMENT": {one.get("name") for one in bundle.resources("experiments").values()},
    }
    for variable, value in said.items():
        if value not in made[variable]:
            yield f"{variable} of profile {name} is {value}, but the bundle makes {made[variable]}"
    if (place := str(values.get("PREDICTIONS"))).rpartition(".")[0] not in made["SCHEMA"]:
        yield f"PREDICTIONS of profile {name} is {place}, in none of the bundle's schemas"
    folders = [(variable, values[variable]) for variable in VOLUMES if variable in values]
    backend = root / "profiles" / f"{name}.jobs.json"
    if backend.is_file():
        folders.append((backend.name, json.loads(backend.read_text(encoding="utf-8"))["volume"]))
    volumes = {full.replace(".", "/") for full in _full_names(bundle, "volumes")}
    for variable, folder in folders:
        if "/".join(str(folder).removeprefix("/Volumes/").split("/")[:3]) not in volumes:
            yield f"{variable} of profile {name} is {folder}, in none of the bundle's volumes"


def _schemas(bundle: Bundle) -> set[str]:
    found = bundle.resources("schemas").values()
    return {f"{one.get('catalog_name')}.{one.get('name')}" for one in found}


def _full_names(bundle: Bundle, kind: str) -> set[str]:
    return {
        f"{one.get('catalog_name')}.{one.get('schema_name')}.{one.get('name')}"
        for one in bundle.resources(kind).values()
    }
