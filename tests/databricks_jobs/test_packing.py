import io
import subprocess
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from mlflow.projects._project_spec import EntryPoint

from mlrecipes.databricks_jobs.command import command_of
from mlrecipes.databricks_jobs.packing import pack_project
from mlrecipes.errors import StoreError


def project(root: Path, files: dict[str, str]) -> Path:
    """A git repository that tracks these files and an empty MLproject."""
    root.mkdir(exist_ok=True)
    for name, text in ({"MLproject": "name: p\n"} | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)  # noqa: S607
    subprocess.run(["git", "add", "-f", "."], cwd=root, check=True)  # noqa: S607
    return root


def names(content: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return tar.getnames()


def test_only_tracked_files_are_packed(tmp_path: Path) -> None:
    root = project(tmp_path / "p", {"a.py": "1", "data/rows.csv": "1", "steps/b.py": "2"})
    (root / ".env").write_text("TOKEN=1")
    (root / "mlflow.db").write_text("1")
    assert names(pack_project(root, max_mb=1).content) == ["MLproject", "a.py", "steps/b.py"]


def test_the_digest_depends_on_content_alone(tmp_path: Path) -> None:
    one = project(tmp_path / "one", {"a.py": "1", "b.py": "2"})
    two = project(tmp_path / "two", {"b.py": "2", "a.py": "1"})
    assert pack_project(one, max_mb=1) == pack_project(two, max_mb=1)
    (two / "a.py").write_text("3")
    assert pack_project(one, max_mb=1).digest != pack_project(two, max_mb=1).digest


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "A=1"),
        ("deploy/server.pem", "x"),
        (".databrickscfg", "x"),
        ("notes.txt", "dapi" + "0" * 32),
        ("notes.txt", "-----BEGIN RSA " + "PRIVATE KEY-----"),
    ],
)
def test_a_tracked_secret_stops_everything(tmp_path: Path, name: str, text: str) -> None:
    root = project(tmp_path / "p", {name: text})
    with pytest.raises(StoreError, match="look like secrets, so nothing was uploaded"):
        pack_project(root, max_mb=1)


def test_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    root = project(tmp_path / "p", {})
    (root / "out").symlink_to("../elsewhere")
    subprocess.run(["git", "add", "."], cwd=root, check=True)  # noqa: S607
    with pytest.raises(StoreError, match="a link out of the project"):
        pack_project(root, max_mb=1)


def test_too_much_names_the_largest(tmp_path: Path) -> None:
    root = project(tmp_path / "p", {"big.csv": "x" * 1_100_000})
    with pytest.raises(StoreError, match=r"take 1\.1 MB, but max_archive_mb is 1.*'big\.csv'"):
        pack_project(root, max_mb=1)


def test_a_folder_without_git_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is in no git repository"):
        pack_project(tmp_path, max_mb=1)


def entry(command: str = "python a.py --x {x}") -> EntryPoint:
    return EntryPoint("train", {"x": {"type": "string", "default": ""}}, command)


@pytest.mark.parametrize("value", ["", "two words", "$(touch x)", "'; rm -rf /", "{x}"])
def test_a_value_is_one_argument(value: str) -> None:
    assert command_of(entry(), {"x": value}) == ["python", "a.py", "--x", value]


@pytest.mark.parametrize(
    ("command", "given", "message"),
    [
        ("python a.py", {"xx": "1"}, "'xx' is no parameter of the entry point 'train'"),
        ("python a.py && python b.py", {}, "needs a shell"),
    ],
)
def test_what_cannot_run_is_refused(command: str, given: dict[str, str], message: str) -> None:
    with pytest.raises(StoreError, match=message):
        command_of(entry(command), given)


def test_a_secret_is_no_parameter() -> None:
    point = SimpleNamespace(name="e", command="a", parameters={"api_token": None})
    with pytest.raises(StoreError, match="'api_token' looks like a secret"):
        command_of(point, {"api_token": "1"})
