"""The log of resets is only added to, and a torn line harms no other."""

import json
from pathlib import Path

import pytest

from mlrecipes.errors import StoreError
from mlrecipes.stores.reset_log import ResetLog, ResetMarks


def test_lines_are_added_and_read_in_order(tmp_path: Path) -> None:
    log = ResetLog(tmp_path / "workspace" / "reset.log")
    log.add({"name": "a"}, {"name": "b\nc"})
    log.add({"name": "d"})
    assert [line["name"] for line in log.read()] == ["a", "b\nc", "d"]


def test_a_log_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert ResetLog(tmp_path / "reset.log").read() == []


def test_a_torn_line_harms_no_other(tmp_path: Path) -> None:
    path = tmp_path / "reset.log"
    path.write_text('{"name": "a"}\n{"name": "b')
    ResetLog(path).add({"name": "c"})
    assert [line["name"] for line in ResetLog(path).read()] == ["a", "c"]
    assert path.read_text().startswith('{"name": "a"}\n{"name": "b')


def test_a_line_that_is_no_mapping_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "reset.log").write_text('3\n{"name": "a"}\n')
    assert ResetLog(tmp_path / "reset.log").read() == [{"name": "a"}]


def test_a_log_that_cannot_be_written_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "workspace").write_text("a file")
    with pytest.raises(StoreError, match=r"reset\.log cannot be written"):
        ResetLog(tmp_path / "workspace" / "reset.log").add({"name": "a"})
    with pytest.raises(StoreError, match=r"resets\.json cannot be written"):
        ResetMarks(tmp_path / "workspace" / "resets.json").note(["runs"], "now")


def test_marks_keep_the_last_time_of_each_thing(tmp_path: Path) -> None:
    marks = ResetMarks(tmp_path / "resets.json")
    marks.note(["runs", "model"], "monday")
    marks.note(["runs"], "tuesday")
    assert (marks.at("runs"), marks.at("model"), marks.at("tables")) == ("tuesday", "monday", None)
    assert json.loads((tmp_path / "resets.json").read_text()) == {
        "model": "monday",
        "runs": "tuesday",
    }


def test_damaged_marks_are_no_marks(tmp_path: Path) -> None:
    (tmp_path / "resets.json").write_text("[1]")
    assert ResetMarks(tmp_path / "resets.json").at("runs") is None
