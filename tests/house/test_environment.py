"""The environment that `mlflow run` builds is the one that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


LOCK, DATABRICKS_LOCK = "requirements.lock", "requirements.databricks.lock"
every_lock = pytest.mark.parametrize("lock", [LOCK, DATABRICKS_LOCK])


def declared() -> list[tuple[str, Requirement]]:
    """What pyproject.toml asks for, each with the lock that must hold it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    always = project["project"]["dependencies"]
    extras = project["project"]["optional-dependencies"]
    texts = {
        LOCK: [*always, *extras["spark"], *project["dependency-groups"]["test"]],
        DATABRICKS_LOCK: [*always, *extras["databricks"]],
    }
    return [(lock, Requirement(text)) for lock in texts for text in texts[lock]]


def lines_of(lock: str) -> list[str]:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def locked(lock: str) -> dict[str, str]:
    """Distribution to exact version, of the lines that hold for this Python."""
    pins = {}
    for line in lines_of(lock):
        requirement = Requirement(line.split(" --hash")[0].strip())
        marker = requirement.marker
        if marker is None or marker.evaluate(default_environment()):
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            pins[requirement.name.lower()] = pin.version
    return pins


@pytest.mark.parametrize(("lock", "requirement"), declared(), ids=str)
def test_each_requirement_is_locked_to_a_version_that_it_allows(
    lock: str, requirement: Requirement
) -> None:
    assert locked(lock)[requirement.name.lower()] in requirement.specifier


@every_lock
def test_every_locked_distribution_carries_hashes(lock: str) -> None:
    assert [line for line in lines_of(lock) if "--hash=sha256:" not in line] == []


@every_lock
def test_the_lock_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert re.findall(r"https?://|--index-url|--find-links", text) == []


def test_databricks_keeps_its_own_spark() -> None:
    assert {"pyspark", "delta-spark"}.isdisjoint(locked(DATABRICKS_LOCK))


def test_the_databricks_lock_comes_from_the_command_that_pyproject_names() -> None:
    comments = re.findall(r"^# +(.*)$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    command = " ".join(comments[comments.index(next(c for c in comments if "uv pip" in c)) :][:2])
    (line,) = re.findall(r"^# +(uv .*)$", (ROOT / DATABRICKS_LOCK).read_text(), re.MULTILINE)
    assert command.replace(" -q ", " ") == line


def test_the_environment_is_the_lock_on_the_python_that_the_project_requires() -> None:
    conda = yaml.safe_load((ROOT / "conda.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"pip": ["-r requirements.lock"]} in conda["dependencies"]
    least = project["requires-python"].removeprefix(">=")
    assert f"python={least}" in conda["dependencies"]


def test_the_running_environment_is_the_locked_one() -> None:
    from importlib.metadata import version

    pins = locked(LOCK)
    names = ["mlflow", "lightgbm", "pandas", "scikit-learn", "pyarrow", "duckdb", "pydantic"]
    assert {name: version(name) for name in names} == {name: pins[name] for name in names}
