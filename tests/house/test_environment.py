"""The environment that `mlflow run` builds is the one that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def declared() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    texts = [
        *project["project"]["dependencies"],
        *project["project"]["optional-dependencies"]["spark"],
        *project["dependency-groups"]["test"],
    ]
    return [Requirement(text) for text in texts]


def locked() -> dict[str, str]:
    """Distribution to exact version, of the lines that hold for this Python."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    pins = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        requirement = Requirement(line.split(" --hash")[0].strip())
        marker = requirement.marker
        if marker is None or marker.evaluate(default_environment()):
            (pin,) = requirement.specifier
            assert pin.operator == "=="
            pins[requirement.name.lower()] = pin.version
    return pins


@pytest.mark.parametrize("requirement", declared(), ids=lambda requirement: requirement.name)
def test_each_requirement_is_locked_to_a_version_that_it_allows(requirement: Requirement) -> None:
    assert locked()[requirement.name.lower()] in requirement.specifier


def test_every_locked_distribution_carries_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line for line in lines if "--hash=sha256:" not in line] == []


def test_the_lock_names_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"https?://|--index-url|--find-links", text) == []


def test_the_environment_is_the_lock_on_the_python_that_the_project_requires() -> None:
    conda = yaml.safe_load((ROOT / "conda.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"pip": ["-r requirements.lock"]} in conda["dependencies"]
    least = project["requires-python"].removeprefix(">=")
    assert f"python={least}" in conda["dependencies"]


def test_the_running_environment_is_the_locked_one() -> None:
    from importlib.metadata import version

    pins = locked()
    names = ["mlflow", "lightgbm", "pandas", "scikit-learn", "pyarrow", "duckdb", "pydantic"]
    assert {name: version(name) for name in names} == {name: pins[name] for name in names}
