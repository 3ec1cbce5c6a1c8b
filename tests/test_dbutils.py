"""The stand-in for Databricks' ``dbutils`` behaves as its documentation says."""

import io
from pathlib import Path

import pytest

from tests.dbutils import DBUtils, NotebookExit, RedactingOutput


def test_what_a_job_gives_wins_over_the_default_of_a_widget(tmp_path: Path) -> None:
    widgets = DBUtils(tmp_path, widgets={"profile": "databricks_prod"}).widgets
    widgets.dropdown("profile", "local", ["databricks_prod", "local"])
    widgets.text("applicants", "800", "How many")
    assert (widgets.get("profile"), widgets.get("applicants")) == ("databricks_prod", "800")


def test_a_widget_that_is_made_again_keeps_its_value(dbutils: DBUtils) -> None:
    dbutils.widgets.text("profile", "local")
    dbutils.widgets.text("profile", "spark")
    assert dbutils.widgets.get("profile") == "local"


def test_an_unknown_widget_is_an_error(dbutils: DBUtils) -> None:
    dbutils.widgets.text("profile", "local")
    dbutils.widgets.remove("profile")
    with pytest.raises(ValueError, match="InputWidgetNotDefined: No input widget named profile"):
        dbutils.widgets.get("profile")


def test_a_dropdown_refuses_a_default_that_is_no_choice(dbutils: DBUtils) -> None:
    with pytest.raises(ValueError, match="'prod' is not among"):
        dbutils.widgets.dropdown("profile", "prod", ["dev"])


def test_a_secret_is_plain_text_and_its_print_is_redacted(dbutils: DBUtils) -> None:
    plain = dbutils.secrets.get("mlflow", "token")
    shown = io.StringIO()
    print(f"Bearer {plain}", file=RedactingOutput(shown, dbutils.secrets))
    assert plain == "not-to-be-shown"
    assert shown.getvalue() == "Bearer [REDACTED]\n"


def test_an_unknown_secret_is_an_error_that_names_scope_and_key(dbutils: DBUtils) -> None:
    with pytest.raises(ValueError, match="scope: mlflow and key: password"):
        dbutils.secrets.get("mlflow", "password")


def test_files_are_put_listed_and_removed(dbutils: DBUtils, tmp_path: Path) -> None:
    dbutils.fs.mkdirs("/raw/new")
    dbutils.fs.put("dbfs:/raw/a.csv", "x\n1\n")
    assert [(one.path, one.size, one.isDir()) for one in dbutils.fs.ls("/raw")] == [
        ("dbfs:/raw/a.csv", 4, False),
        ("dbfs:/raw/new/", 0, True),
    ]
    assert (tmp_path / "dbfs" / "raw" / "a.csv").read_text() == "x\n1\n"
    with pytest.raises(FileExistsError, match="already exists"):
        dbutils.fs.put("/raw/a.csv", "y")
    with pytest.raises(OSError, match="not empty"):
        dbutils.fs.rm("/raw")
    assert dbutils.fs.rm("/raw", recurse=True)
    assert not dbutils.fs.rm("/raw")
    with pytest.raises(FileNotFoundError, match="No such file"):
        dbutils.fs.ls("/raw")


def test_no_path_leads_out_of_the_folder(dbutils: DBUtils) -> None:
    with pytest.raises(PermissionError, match="lies outside"):
        dbutils.fs.put("/../secret", "x")


def test_values_of_a_task_are_found_under_its_name(dbutils: DBUtils) -> None:
    values = dbutils.jobs.taskValues
    values.set("model_version", 3)
    assert values.get("train", "model_version", debugValue=1) == 3
    assert values.get("score", "model_version", default=0) == 0
    with pytest.raises(ValueError, match="model_version of score does not exist"):
        values.get("score", "model_version")


def test_exit_ends_a_notebook_whatever_it_catches(dbutils: DBUtils) -> None:
    assert not issubclass(NotebookExit, Exception)
    with pytest.raises(NotebookExit, match="nothing to do"):
        dbutils.notebook.exit("nothing to do")
