"""The part that runs in the job."""

import hashlib
import io
import json
import os
import sys
import tarfile
from pathlib import Path

import pytest

from mlrecipes.databricks_jobs.on_compute import ORIGIN_FILE, main


def job(folder: Path, files: dict[str, str], *command: str) -> None:
    """Run a command as the job of a project with these files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    archive = folder / "project.tar.gz"
    archive.write_bytes(buffer.getvalue())
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    place = ["--archive", str(archive), "--digest", digest, "--origin", "{}", "--env", "WORD=a=b"]
    main([*place, "--", *command])


TELL = """\
import json, os, pathlib, sys
import beside
assert __name__ == "__main__"
told = dict(pid=os.getpid(), argv=sys.argv[1:], cwd=os.listdir(), word=os.environ["WORD"])
pathlib.Path(sys.argv[1]).write_text(json.dumps(told))
"""


def test_a_script_runs_in_the_process_of_the_task_as_its_program(tmp_path: Path) -> None:
    before = Path.cwd(), list(sys.path), list(sys.argv)
    files = {"src/tell.py": TELL, "src/beside.py": "", "data.txt": ""}
    out = tmp_path / "told.json"
    job(tmp_path, files, "python", "src/tell.py", str(out), "--x", "two words")

    told = json.loads(out.read_text())
    assert told["pid"] == os.getpid()
    assert told["argv"] == [str(out), "--x", "two words"]
    assert sorted(told["cwd"]) == [ORIGIN_FILE, "data.txt", "src"]
    assert told["word"] == "a=b"
    assert (Path.cwd(), sys.path, sys.argv) == before
    sys.modules.pop("beside")


@pytest.mark.parametrize("code", ["0", "None", ""])
def test_exit_code_0_is_success(tmp_path: Path, code: str) -> None:
    job(tmp_path, {"a.py": f"import sys; sys.exit({code})"}, "python", "a.py")


def test_another_exit_code_fails_the_job_with_the_last_lines(tmp_path: Path) -> None:
    text = "import sys\nfor i in range(30):\n    print('line', i, file=sys.stderr)\nsys.exit(3)\n"
    with pytest.raises(RuntimeError, match=r"ended with exit code 3\.\nline 10\n") as caught:
        job(tmp_path, {"a.py": text}, "python", "a.py")
    assert str(caught.value).endswith("line 28\nline 29")
    assert caught.value.__cause__ is None


def test_an_exit_with_words_is_a_failure_with_these_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"exit code 1\.\nno such file"):
        job(tmp_path, {"a.py": "raise SystemExit('no such file')"}, "python", "a.py")


def test_an_error_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="TARGET"):
        job(tmp_path, {"a.py": "{}['TARGET']"}, "python", "a.py")


def test_a_module_runs_in_a_process_of_its_own_and_its_last_lines_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import os, sys\nprint(os.environ['WORD'], file=sys.stderr)\nsys.exit(5)\n"
    with pytest.raises(RuntimeError, match=r"exit code 5\.\na=b"):
        job(tmp_path, {"a.py": text}, "python", "-m", "a")
    assert capsys.readouterr().err == "a=b\n"


def test_another_archive_than_the_packed_one_is_not_run(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"other")
    with pytest.raises(RuntimeError, match="is not the one that was packed"):
        main(
            [
                "--archive",
                str(tmp_path / "x"),
                "--digest",
                "0",
                "--origin",
                "{}",
                "--",
                "python",
                "a.py",
            ]
        )
