"""What docs/databricks.md tells people to type is there."""

import re
from pathlib import Path

from tests.bundle.commands import call_problems
from tests.bundle.loading import load_bundle, read_files
from tests.bundle.workflows import commands_of

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "databricks.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    words
    for block in re.findall(r"```bash\n(.*?)```", TEXT, flags=re.DOTALL)
    if "--json '{" not in block
    for words in commands_of(block)
]


def test_jobs_and_their_parameters_are_in_the_bundle() -> None:
    runs = [words for words in COMMANDS if words[:3] == ["databricks", "bundle", "run"]]
    assert {words[3] for words in runs} == {"setup", "external_features", "training", "scoring"}
    for words in runs:
        target = words[words.index("-t") + 1]
        job = load_bundle(read_files(ROOT), target).resources("jobs")[words[3]]
        given = words[words.index("--params") + 1] if "--params" in words else ""
        names = {text.split("=")[0] for text in given.split(",") if text}
        assert names <= {parameter["name"] for parameter in job["parameters"]}


def test_variables_are_in_the_bundle() -> None:
    declared = load_bundle(read_files(ROOT), "dev").content["variables"]
    given = [words[n + 1] for words in COMMANDS for n, word in enumerate(words) if word == "--var"]
    assert given
    assert {text.split("=")[0] for text in given} <= set(declared)


def test_calls_of_the_command_line_are_commands() -> None:
    calls = [words[2:] for words in COMMANDS if words[1:2] == ["src/launch.py"]]
    assert calls
    assert [what for words in calls for what in call_problems(words, ROOT)] == []


def test_the_demo_changes_one_line_of_the_recipe() -> None:
    ((old, new),) = re.findall(r"sed -i 's/(.*)/(.*)/' recipe.yaml", TEXT)
    recipe = (ROOT / "recipe.yaml").read_text(encoding="utf-8")
    changed = [line.strip() for line in recipe.replace(old, new).splitlines() if new in line]
    assert changed == ["max_depth: {{ MAX_DEPTH | default(8) }}"]


def test_links_lead_to_files() -> None:
    links = re.findall(r"\]\((?!https:|#)([^)]+)\)", TEXT)
    assert links
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
