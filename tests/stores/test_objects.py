"""A stored result is complete or it does not exist, and damage is always seen."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.errors import StoreError
from mlrecipes.records import ArtifactKind, ArtifactSpec, Manifest
from mlrecipes.stores.objects import CorruptArtifactError, ObjectStore

TABLE = ArtifactSpec("table", ArtifactKind.FRAME)
NOTE = ArtifactSpec("note", ArtifactKind.JSON)
KEY = "0123456789abcdef0123456789abcdef"


def commit(
    store: ObjectStore, frame: pd.DataFrame, key: str = KEY, profile: str = "local"
) -> Manifest:
    staging = store.stage()
    files = store.write(staging, [TABLE], {"table": frame})
    manifest = Manifest("ingest", key, {"a": 1}, files)
    store.commit(staging, manifest, profile)
    return manifest


def stored_file(tmp_path: Path) -> Path:
    return next((tmp_path / "objects").glob("*/table.parquet"))


def test_a_committed_frame_is_read_back_equal(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2], "word": ["a", None], "x": [0.5, float("nan")]})
    store = ObjectStore(tmp_path)
    manifest = commit(store, frame)
    pd.testing.assert_frame_equal(store.read(manifest, TABLE), frame)


def test_the_index_of_a_frame_is_kept(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2]}, index=[7, 3])
    store = ObjectStore(tmp_path)
    assert list(store.read(commit(store, frame), TABLE).index) == [7, 3]


def test_equal_frames_give_equal_bytes(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [0.1, 0.2]})
    one = commit(ObjectStore(tmp_path / "one"), frame)
    two = commit(ObjectStore(tmp_path / "two"), frame.copy())
    assert one.artifacts == two.artifacts


def test_the_pointer_names_the_result_of_its_profile_only(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    manifest = commit(store, pd.DataFrame({"x": [1]}), profile="local")
    assert store.current("local", "ingest") == manifest
    assert store.current("prod", "ingest") is None


def test_a_staged_result_does_not_exist_yet(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    store.write(store.stage(), [TABLE], {"table": pd.DataFrame({"x": [1]})})
    assert store.find("ingest", KEY) is None


def test_a_stray_file_of_a_step_is_not_kept(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    staging = store.stage()
    (staging / "scratch.bin").write_bytes(b"x")
    files = store.write(staging, [NOTE], {"note": {"a": 1}})
    store.commit(staging, Manifest("ingest", KEY, {}, files), "local")
    assert not list((tmp_path / "objects").rglob("scratch.bin"))


def test_a_flipped_bit_is_found_and_the_result_set_aside(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    manifest = commit(store, pd.DataFrame({"x": range(100)}))
    path = stored_file(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptArtifactError, match=r"table.parquet was changed after ingest wrote"):
        store.read(manifest, TABLE)
    assert store.find("ingest", KEY) is None
    assert list((tmp_path / "corrupt").iterdir())


def test_a_file_that_was_cut_or_removed_counts_as_no_result(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    commit(store, pd.DataFrame({"x": [1]}))
    stored_file(tmp_path).write_bytes(b"")
    assert store.find("ingest", KEY) is None
    stored_file(tmp_path).unlink()
    assert store.find("ingest", KEY) is None


@settings(max_examples=60)
@given(garbage=st.binary(max_size=60), cut=st.integers(0, 200))
def test_a_damaged_manifest_counts_as_no_result(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = ObjectStore(folder)
    commit(store, pd.DataFrame({"x": [1]}))
    manifest = next(folder.glob("objects/*/manifest.json"))
    manifest.write_bytes(manifest.read_bytes()[:cut] + garbage)
    assert store.current("local", "ingest") is None


@given(garbage=st.binary(max_size=60))
def test_a_damaged_pointer_counts_as_no_result(
    tmp_path_factory: pytest.TempPathFactory, garbage: bytes
) -> None:
    folder = tmp_path_factory.mktemp("store")
    store = ObjectStore(folder)
    commit(store, pd.DataFrame({"x": [1]}))
    (folder / "current" / "local" / "ingest").write_bytes(garbage)
    assert store.current("local", "ingest") is None


def test_a_manifest_of_a_later_version_counts_as_no_result(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    commit(store, pd.DataFrame({"x": [1]}))
    path = next(tmp_path.glob("objects/*/manifest.json"))
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 99}))
    assert store.current("local", "ingest") is None


def test_a_missing_output_is_an_error(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    with pytest.raises(StoreError, match="gave no 'table'"):
        store.write(store.stage(), [TABLE], {})


def test_a_column_of_mixed_types_is_an_error_that_says_how_to_go_on(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    frame = pd.DataFrame({"x": pd.Series(["a", 1], dtype=object)})
    with pytest.raises(StoreError, match="table cannot be written as Parquet") as caught:
        store.write(store.stage(), [TABLE], {"table": frame})
    assert caught.value.hint is not None


def test_a_table_that_its_step_has_written_at_its_place_is_taken(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    staging = store.stage()
    path = staging / "table.parquet"
    pd.DataFrame({"x": [1]}).to_parquet(path)
    (file,) = store.write(staging, [TABLE], {"table": path})["table"]
    assert (file.path, file.size_bytes) == ("table.parquet", path.stat().st_size)


@pytest.mark.parametrize("name", ["table.parquet", "other.parquet"])
def test_a_table_that_lies_elsewhere_or_nowhere_is_an_error(tmp_path: Path, name: str) -> None:
    store = ObjectStore(tmp_path)
    staging = store.stage()
    with pytest.raises(StoreError, match=r"table: expected a table at .*table.parquet, seen"):
        store.write(staging, [TABLE], {"table": staging / name})


def test_two_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    frame = pd.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(StoreError, match="more than one column named x"):
        store.write(store.stage(), [TABLE], {"table": frame})


def test_clean_keeps_what_another_profile_uses(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    manifest = commit(store, pd.DataFrame({"x": [1]}), profile="local")
    store.point("prod", manifest)
    assert store.clean("local", ["ingest"]) == ["ingest"]
    assert store.current("local", "ingest") is None
    assert store.current("prod", "ingest") == manifest


def test_clean_removes_results_that_no_profile_uses(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    commit(store, pd.DataFrame({"x": [1]}))
    store.clean("local", ["ingest"])
    assert not list((tmp_path / "objects").iterdir())


def test_what_a_killed_process_left_half_done_is_dropped(tmp_path: Path) -> None:
    store = ObjectStore(tmp_path)
    staging = store.stage()
    store.drop_staging()
    assert not staging.exists()
