"""MLproject: each step is an entry point, and no value can become a command."""

import re
from pathlib import Path

import pytest
import yaml

from mlrecipes.steps import ALL_STEPS

ROOT = Path(__file__).parents[2]
ENTRY_POINTS = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))["entry_points"]


def test_each_step_is_an_entry_point() -> None:
    others = {"demo", "main", "reset", "rollback", "test"}
    assert {step.name for step in ALL_STEPS} | others == set(ENTRY_POINTS)


@pytest.mark.parametrize("name", sorted(ENTRY_POINTS))
def test_no_placeholder_is_quoted(name: str) -> None:
    """MLflow quotes the values; a second pair of quotes would open them again."""
    command = ENTRY_POINTS[name]["command"]
    assert re.findall(r"""['"][^'"]*\{\w+\}""", command) == []
    assert "bash -c" not in command


@pytest.mark.parametrize("name", [step.name for step in ALL_STEPS])
def test_a_step_runs_up_to_itself_with_recipe_and_profile(name: str) -> None:
    entry = ENTRY_POINTS[name]
    own = {"features", "monitor", "predict", "promote"}
    command = name if name in own else f"run --to {name}"
    assert f"launch.py {command} " in entry["command"]
    assert {"recipe", "profile"} <= set(entry["parameters"])


def test_every_placeholder_is_a_parameter_with_a_default() -> None:
    for entry in ENTRY_POINTS.values():
        parameters = entry.get("parameters", {})
        assert set(re.findall(r"\{(\w+)\}", entry["command"])) == set(parameters)
        assert all("default" in parameter for parameter in parameters.values())


def test_the_demonstration_ends_with_monitoring_and_stops_at_a_failure() -> None:
    commands = ENTRY_POINTS["demo"]["command"].split(" && ")
    assert [command.split(" --recipe ")[0] for command in commands] == [
        "python src/launch.py run",
        "python src/launch.py predict",
        "python src/launch.py run --to monitor",
    ]
    assert len({command.split(" --recipe ")[1] for command in commands}) == 1
