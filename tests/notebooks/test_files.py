"""The notebooks as files: without outputs or places of a machine, and opened in the same way."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.dbutils import DBUtils

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[Any]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in notebook["cells"] if cell["cell_type"] == kind]


def source(cell: Any) -> str:
    return "".join(cell["source"])


def test_there_are_five_in_an_order() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "1_step_by_step",
        "2_features",
        "3_model_comparison",
        "4_monitoring",
        "5_sba_loans",
    ]


@each
def test_a_notebook_is_valid_and_runs_on_python_3(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@each
def test_nothing_of_a_run_is_kept(path: Path) -> None:
    for cell in cells(path, "code"):
        assert (cell["outputs"], cell["execution_count"], cell["metadata"]) == ([], None, {})


@each
def test_no_place_of_a_machine_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"/(?:home|root|tmp|Users|work|opt|mnt)/|[A-Z]:\\\\|https?://", text) == []


@each
def test_it_begins_with_what_is_learned_and_how_it_is_opened(path: Path) -> None:
    first = json.loads(path.read_text(encoding="utf-8"))["cells"][0]
    assert first["cell_type"] == "markdown"
    assert source(first).startswith(f"# {path.stem[0]}. ")
    assert "You learn" in source(first)
    assert "**Jupyter**" in source(first)
    assert "**Databricks**" in source(first)


def test_all_find_the_project_and_their_parameters_in_the_same_way() -> None:
    beginnings = {tuple(source(cell) for cell in cells(path, "code")[:2]) for path in NOTEBOOKS}
    assert len(beginnings) == 1


@each
def test_only_the_public_names_of_the_engine_are_imported(path: Path) -> None:
    code = "\n".join(source(cell) for cell in cells(path, "code"))
    assert re.findall(r"(?:from|import) mlrecipes.*", code) == ["from mlrecipes import Recipe"]


def begun(path: Path, monkeypatch: pytest.MonkeyPatch, **there: Any) -> dict[str, Any]:
    """The variables of a notebook after its first two cells."""
    monkeypatch.chdir(path.parent)
    monkeypatch.setattr(sys, "path", list(sys.path))
    variables = dict(there)
    for cell in cells(path, "code")[:2]:
        exec(source(cell), variables)  # noqa: S102 - our own notebook
    return variables


@each
def test_widgets_choose_profile_and_applicants(
    path: Path, dbutils: DBUtils, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLRECIPES_PROFILE", "nowhere")
    untouched = begun(path, monkeypatch, dbutils=dbutils)
    assert (untouched["profile"], untouched["applicants"]) == ("databricks_dev", "")
    dbutils.widgets.remove("profile")
    dbutils.widgets.dropdown("profile", "spark", ["local", "spark"])
    assert begun(path, monkeypatch, dbutils=dbutils)["profile"] == "spark"


@each
def test_without_widgets_the_environment_chooses(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLRECIPES_PROFILE", raising=False)
    monkeypatch.setenv("APPLICANTS", "800")
    found = begun(path, monkeypatch)
    assert (found["profile"], found["values"]) == ("local", {"APPLICANTS": "800"})
    assert found["ROOT"] == ROOT
