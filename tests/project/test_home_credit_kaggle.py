"""The user's own download: which file a table is in, and which files are not the originals."""

from __future__ import annotations

import gzip
import hashlib
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from steps.home_credit.kaggle import (
    TABLES,
    differing_files,
    find_table,
    missing_tables,
    warn_about_differences,
)
from steps.home_credit.synthetic import GENERATOR_VERSION
from steps.ingest import find_applications, find_folder, find_scoring_applications


def test_the_eight_published_tables_are_known() -> None:
    assert len(TABLES) == 8
    assert TABLES["application_train"].n_rows == 307_511
    assert all(len(table.sha256) == 64 for table in TABLES.values())


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_a_table_is_found_in_each_format(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"bureau{suffix}").write_bytes(b"")
    assert find_table(tmp_path, "bureau") == tmp_path / f"bureau{suffix}"


def test_a_missing_table_names_folder_names_looked_for_and_content(tmp_path: Path) -> None:
    for letter in "abcdefg":
        (tmp_path / f"{letter}.txt").write_text("")
    with pytest.raises(FileNotFoundError, match=r"'bureau'.*bureau\.csv, bureau\.csv\.gz") as error:
        find_table(tmp_path, "bureau")
    assert str(tmp_path) in str(error.value)
    assert "has a.txt, b.txt, c.txt, d.txt, e.txt and 2 more" in str(error.value)


def test_an_empty_folder_is_called_empty(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="the folder is empty"):
        find_table(tmp_path, "bureau")


def test_a_changed_csv_is_listed_with_both_digests(tmp_path: Path) -> None:
    (tmp_path / "bureau.csv").write_bytes(b"SK_ID_CURR\n1\n")
    (file,) = differing_files(tmp_path)
    assert file.path == tmp_path / "bureau.csv"
    assert file.seen_sha256 == hashlib.sha256(b"SK_ID_CURR\n1\n").hexdigest()
    assert file.published_sha256 == TABLES["bureau"].sha256


def test_the_content_of_a_gzipped_csv_is_hashed(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bureau.csv.gz", "wb") as stream:
        stream.write(b"SK_ID_CURR\n1\n")
    (file,) = differing_files(tmp_path)
    assert file.seen_sha256 == hashlib.sha256(b"SK_ID_CURR\n1\n").hexdigest()


def test_a_parquet_file_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "bureau.parquet").write_bytes(b"anything")
    assert differing_files(tmp_path) == []


def test_each_differing_file_and_missing_table_gives_one_warning(tmp_path: Path) -> None:
    (tmp_path / "application_train.csv").write_bytes(b"TARGET\n0\n")
    (tmp_path / "bureau.csv").write_bytes(b"SK_ID_CURR\n1\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_about_differences(tmp_path)
    texts = [str(warning.message) for warning in caught]
    assert sum("is not the published file" in text for text in texts) == 2
    assert sum("has no file for the table" in text for text in texts) == 6
    assert TABLES["bureau"].sha256[:12] in texts[1]
    assert "the run goes on with this file" in texts[1]


def test_missing_tables_are_in_the_published_order(tmp_path: Path) -> None:
    (tmp_path / "bureau.csv").write_bytes(b"")
    assert missing_tables(tmp_path) == [name for name in TABLES if name != "bureau"]


def test_a_kaggle_folder_needs_application_train_only(tmp_path: Path) -> None:
    (tmp_path / "application_train.csv").write_bytes(b"TARGET\n0\n")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = find_applications(str(tmp_path), applicants=100, seed=1, cache=tmp_path / "cache")
    assert any("'installments_payments'" in str(warning.message) for warning in caught)
    assert path == tmp_path / "application_train.csv"


def test_a_kaggle_folder_without_application_train_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bureau.csv").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="application_train"):
        find_applications(str(tmp_path), applicants=100, seed=1, cache=tmp_path / "cache")


def test_a_relative_data_folder_is_relative_to_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kaggle").mkdir()
    (tmp_path / "kaggle" / "application_train.parquet").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = find_applications("kaggle", applicants=100, seed=1, cache=tmp_path / "cache")
    assert path.resolve() == tmp_path / "kaggle" / "application_train.parquet"


def test_a_data_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"is not a folder\. Expected the folder of your"):
        find_applications(str(tmp_path / "none"), applicants=100, seed=1, cache=tmp_path)


@pytest.mark.parametrize("applicants", [99, 307_512, 100.0, "200", True])
def test_a_bad_number_of_applicants_is_refused(tmp_path: Path, applicants: int) -> None:
    with pytest.raises(ValueError, match="expected a whole number from 100 to 307511"):
        find_applications("synthetic", applicants=applicants, seed=1, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_empty_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="data is '', expected 'synthetic' or the folder"):
        find_applications("", applicants=100, seed=1, cache=tmp_path)


def test_synthetic_tables_are_made_once(tmp_path: Path) -> None:
    first = find_applications("synthetic", applicants=100, seed=1, cache=tmp_path)
    made_at = first.stat().st_mtime_ns
    second = find_applications("synthetic", applicants=100, seed=1, cache=tmp_path)
    assert second == first
    assert second.stat().st_mtime_ns == made_at
    assert len(pd.read_parquet(first)) == 100


def test_scoring_applications_lie_beside_and_have_no_target(tmp_path: Path) -> None:
    train = find_applications("synthetic", applicants=100, seed=1, cache=tmp_path)
    scoring = find_scoring_applications("synthetic", applicants=100, seed=1, cache=tmp_path)
    assert scoring.parent == train.parent
    assert "TARGET" not in pd.read_parquet(scoring)


def test_the_cache_folder_carries_the_version_of_the_generator(tmp_path: Path) -> None:
    folder = find_folder("synthetic", applicants=100, seed=3, cache=tmp_path)
    assert folder.name == f"home_credit_100_3_v{GENERATOR_VERSION}"


def test_what_a_killed_run_left_is_not_taken_for_tables(tmp_path: Path) -> None:
    left = tmp_path / f".home_credit_100_1_v{GENERATOR_VERSION}_killed"
    left.mkdir()
    (left / "application_train.parquet").write_bytes(b"half a fi")
    path = find_applications("synthetic", applicants=100, seed=1, cache=tmp_path)
    assert path.parent != left
    assert len(pd.read_parquet(path)) == 100
    assert len(list(path.parent.iterdir())) == 8


def test_a_run_killed_while_writing_leaves_no_finished_folder(tmp_path: Path) -> None:
    """And the next run clears away what it left, whatever tables that one makes."""
    process = _start_writing(tmp_path)
    process.kill()
    process.wait()
    assert process.returncode == -signal.SIGKILL
    assert list(tmp_path.glob(".home_credit_100000_1_*/bureau.parquet"))
    assert list(tmp_path.glob("home_credit_*")) == []
    folder = find_folder("synthetic", applicants=100, seed=7, cache=tmp_path)
    assert list(tmp_path.iterdir()) == [folder]


def test_the_unfinished_folder_of_a_living_run_stays(tmp_path: Path) -> None:
    with _start_writing(tmp_path) as process:
        find_folder("synthetic", applicants=100, seed=7, cache=tmp_path)
        assert list(tmp_path.glob(".home_credit_100000_1_*/bureau.parquet"))
        process.kill()


def test_leftovers_go_even_when_the_tables_are_there_already(tmp_path: Path) -> None:
    folder = find_folder("synthetic", applicants=100, seed=7, cache=tmp_path)
    (tmp_path / ".home_credit_200_1_v1_killed").mkdir()
    (tmp_path / ".home_credit_300_1_v1_killed.lock").touch()
    find_folder("synthetic", applicants=100, seed=7, cache=tmp_path)
    assert list(tmp_path.iterdir()) == [folder]


def test_two_runs_at_once_make_the_same_tables(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(find_folder, "synthetic", 300, 1, tmp_path) for _ in range(2)]
        first, second = [run.result() for run in runs]
    assert first == second
    assert list(tmp_path.iterdir()) == [first]


def _start_writing(cache: Path) -> subprocess.Popen[bytes]:
    """Another process in the middle of writing many tables into the cache."""
    code = (
        "from pathlib import Path; from steps.ingest import find_folder; "
        f"find_folder('synthetic', 100_000, 1, Path({str(cache)!r}))"
    )
    root = Path(__file__).parents[2]
    process = subprocess.Popen([sys.executable, "-c", code], cwd=root)
    deadline = time.monotonic() + 30
    while not list(cache.glob(".*/bureau.parquet")) and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def test_no_unfinished_folder_is_left_behind(tmp_path: Path) -> None:
    path = find_applications("synthetic", applicants=100, seed=1, cache=tmp_path)
    assert list(tmp_path.iterdir()) == [path.parent]
