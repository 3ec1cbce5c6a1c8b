"""An entry point and its parameters as a list of arguments: no value meets a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

from mlrecipes.databricks_jobs.settings import is_secret_name
from mlrecipes.errors import StoreError, did_you_mean, few, shorten

__all__ = ["command_of"]

PLACEHOLDER = re.compile(r"\{(\w+)\}")
SHELL = re.compile(r"[;&|<>`$()]")


def command_of(entry_point: Any, given: Mapping[str, Any]) -> list[str]:
    """Fill in the command of an entry point, argument by argument.

    Args:
        entry_point: MLflow's, with ``name``, ``command`` and ``parameters``.
        given: Parameters of ``-P``.

    Raises:
        StoreError: A parameter is unknown, missing or a secret, or the command needs a shell.
    """
    declared = entry_point.parameters
    for name in given:
        if name not in declared:
            raise StoreError(
                f"'{shorten(name)}' is no parameter of the entry point '{entry_point.name}'.",
                hint=did_you_mean(name, declared),
            )
        if is_secret_name(name):
            raise StoreError(
                f"The parameter '{shorten(name)}' looks like a secret; a job would show it.",
                hint="Let the project read it from a secret scope.",
            )
    values = {name: given.get(name, parameter.default) for name, parameter in declared.items()}
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise StoreError(f"No value for parameters without default: {few(missing)}.")
    texts = {n: str(declared[n].compute_value(value, None, 0)) for n, value in values.items()}
    if SHELL.search(PLACEHOLDER.sub("", entry_point.command)):
        raise StoreError(
            f"The command of '{entry_point.name}' needs a shell: {shorten(entry_point.command)}",
            hint="Write one program with its arguments; put the rest into it.",
        )
    return [
        PLACEHOLDER.sub(lambda found: texts[found.group(1)], word)
        for word in shlex.split(entry_point.command)
    ]
