"""Release notes: what the changelog says, and what became of the model."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from mlrecipes.promotion_records import Entry, Move, State
from mlrecipes.records import to_json

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".github" / "release_notes.py"
CHANGELOG = "# Changelog\n\n## Unreleased\n- soon\n\n## [0.2.0] - 2026-12-01\n- deeper trees\n"


def notes(
    folder: Path, tag: str, rows: "list[Entry] | None" = None, changelog: str = CHANGELOG
) -> Any:
    (folder / ".github").mkdir()
    script = folder / ".github" / SCRIPT.name
    script.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    command = [sys.executable, str(script), tag]
    if rows is not None:
        (folder / "promotions.json").write_text(json.dumps(to_json(rows)), encoding="utf-8")
        command += ["--promotions", str(folder / "promotions.json")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_version_has_its_own_part(tmp_path: Path) -> None:
    assert notes(tmp_path, "v0.2.0").stdout == "- deeper trees\n"


def test_a_version_without_a_part_takes_what_is_unreleased(tmp_path: Path) -> None:
    assert notes(tmp_path, "v0.3.0").stdout == "- soon\n"


def test_a_changelog_that_says_nothing_stops_the_release(tmp_path: Path) -> None:
    done = notes(tmp_path, "v0.3.0", changelog="# Changelog\n\n## 0.1.0\n- old\n")
    assert done.returncode == 1
    assert "nothing under '## 0.3.0' or '## Unreleased'" in done.stderr


def test_the_last_decision_is_told_with_its_interval(tmp_path: Path) -> None:
    row = Entry(
        Move.PROMOTE,
        "2",
        from_version="1",
        reason="the whole interval lies above 0",
        metric="roc_auc",
        difference=0.01,
        lower=0.002,
        upper=0.018,
        challenger_value=0.77,
        champion_value=0.76,
        state=State.CLOSED,
    )
    said = notes(tmp_path, "v0.2.0", [Entry(Move.FIRST, "1"), row]).stdout
    assert "Version 2: **promote**. the whole interval lies above 0" in said
    assert "| version 1, champion till then | 0.7600 |" in said
    assert "| difference | 0.0100 (0.0020 to 0.0180) |" in said


def test_words_of_the_registry_are_no_markup(tmp_path: Path) -> None:
    row = Entry(Move.OVERRIDE, "2", reason="[ask](http://x) @all\n# big <img>")
    said = notes(tmp_path, "v0.2.0", [row]).stdout
    assert r"\[ask\]\(http://x\) \@all \# big \<img\>" in said


def test_a_model_that_nobody_decided_about_is_said_so(tmp_path: Path) -> None:
    assert "No decision about a model was made." in notes(tmp_path, "v0.2.0", []).stdout
