"""Runs a notebook in a kernel of its own: as in Jupyter, and then once more as on Databricks."""

import base64
import json
import os
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cloudpickle
import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from traitlets.config import Config

import tests.dbutils
from tests.dbutils import DBUtils, RedactingOutput

FACTS = "facts of this notebook: "
INJECTED = """\
import base64, os, sys

import cloudpickle

os.environ["MLRECIPES_PROFILE"] = "nowhere"  # what widgets say is what counts
dbutils, redacting = cloudpickle.loads(base64.b64decode({pickled!r}))
sys.stdout = redacting(sys.stdout, dbutils.secrets)
print("a secret:", dbutils.secrets.get("mlflow", "token"))"""


@dataclass(frozen=True)
class Executed:
    """A pass through the cells of a notebook: what they showed, and what they knew at the end."""

    cells: Sequence[Any]
    facts: Mapping[str, Any]

    @property
    def text(self) -> str:
        """All that was printed, and results as text."""
        return "\n".join(
            output.get("text", "") or output.get("data", {}).get("text/plain", "")
            for output in self._outputs
        )

    def shown(self, mime: str) -> list[str]:
        """Results of a kind, such as ``text/html`` or ``image/png``."""
        kinds = [output.get("data", {}) for output in self._outputs]
        return [data[mime] for data in kinds if mime in data]

    @property
    def cards(self) -> list[str]:
        """The cards that were shown in place."""
        return [html for html in self.shown("text/html") if html.startswith("<iframe srcdoc=")]

    @property
    def _outputs(self) -> list[Any]:
        return [output for cell in self.cells for output in cell.get("outputs", [])]


def execute(path: Path, dbutils: DBUtils, facts: str) -> tuple[Executed, Executed]:
    """Run all cells, and again in the same kernel with ``dbutils`` there.

    Args:
        path: The notebook, in its project.
        dbutils: What the second pass finds under this name.
        facts: An expression of the notebook's variables that becomes JSON.

    Returns:
        The pass as in Jupyter, and the pass as on Databricks.

    Raises:
        CellExecutionError: A cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    telling = new_code_cell(f"import json; print({FACTS!r} + json.dumps({facts}, default=str))")
    cloudpickle.register_pickle_by_value(tests.dbutils)
    pickled = base64.b64encode(cloudpickle.dumps((dbutils, RedactingOutput))).decode()
    one = [*notebook.cells, telling]
    n_cells = len(one)
    again = deepcopy(one)
    for cell in again:
        cell.id = f"again-{cell.id}"
    notebook.cells = [*one, new_code_cell(INJECTED.format(pickled=pickled)), *again]
    with TemporaryDirectory() as sockets:
        # No port is opened: kernel and client meet at sockets in this folder.
        at = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            config=Config(ConnectionFileMixin=at),
        )
        client.execute(env={**os.environ, "JUPYTER_RUNTIME_DIR": sockets})
    cells = notebook.cells
    return _pass(cells[:n_cells]), _pass(cells[n_cells:])


def _pass(cells: Sequence[Any]) -> Executed:
    told = "".join(output.get("text", "") for output in cells[-1].outputs)
    return Executed(cells[:-1], json.loads(told.removeprefix(FACTS)))
