"""Several processes at one table, and processes that are killed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.errors import TryAgain
from mlrecipes.feature_records import FeatureTable
from mlrecipes.stores.feature_tables import LocalFeatureStore

TABLE = FeatureTable("counts", ("id",))
N_PROCESSES = 3
N_WRITES = 5
spawn = multiprocessing.get_context("spawn")


def open_store(folder: Path) -> LocalFeatureStore:
    return LocalFeatureStore(folder / "features", folder / "temp")


def at_once(work: Callable[..., Any], folder: Path) -> list[Any]:
    """Let three processes begin at the same moment, and give what each of them said."""
    barrier, said = spawn.Barrier(N_PROCESSES), spawn.Queue()
    started = [
        spawn.Process(target=_after, args=(barrier, said, work, folder, number))
        for number in range(N_PROCESSES)
    ]
    for process in started:
        process.start()
    results = [said.get(timeout=120) for _ in started]
    for process in started:
        process.join()
    return [result for _, result in sorted(results, key=lambda pair: int(pair[0]))]


def _after(barrier: Any, said: Any, work: Callable[..., Any], folder: Path, number: int) -> None:
    try:
        said.put((number, work(barrier, folder, number)))
    except TryAgain as error:
        said.put((number, error.message))


def overwrite(barrier: Any, folder: Path, number: int) -> str:
    store = open_store(folder)
    store.find("counts")  # Imports are slow, and not what is raced for.
    barrier.wait()
    store.overwrite("counts", pa.table({"id": [number]}), expected_version=1)
    return "won"


def upsert(barrier: Any, folder: Path, number: int) -> str:
    store = open_store(folder)
    store.find("counts")
    barrier.wait()
    for write in range(N_WRITES):
        # One row that all of them want, and one of its own.
        rows = {"id": [0, 1 + number * N_WRITES + write], "by": [number, number]}
        store.upsert("counts", pa.table(rows))
    return "done"


def upsert_beside_a_stranger(barrier: Any, folder: Path, number: int) -> str:
    """As :func:`upsert`, but the first process knows nothing of our lock."""
    if number:
        return upsert(barrier, folder, number)
    barrier.wait()
    for write in range(N_WRITES):
        rows = pa.table({"id": [1 + write], "by": [0]})
        write_deltalake(folder / "features" / "counts", rows, mode="append")
    return "done"


def create(barrier: Any, folder: Path, number: int) -> str:
    from mlrecipes.errors import StoreError

    store = open_store(folder)
    store.names()
    barrier.wait()
    try:
        store.create(TABLE, pa.table({"id": [number]}))
    except StoreError as error:
        return error.message
    return "won"


def test_one_of_three_overwrites_wins(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    assert store.create(TABLE, pa.table({"id": [9]})) == 1
    results = at_once(overwrite, tmp_path)
    assert results.count("won") == 1
    lost = "Feature table counts has version 2 by now, expected version 1. Nothing was written."
    assert results.count(lost) == 2
    assert store.read("counts").to_pylist() == [{"id": results.index("won")}]


@pytest.mark.parametrize("work", [upsert, upsert_beside_a_stranger])
def test_all_of_three_writers_come_through(work: Callable[..., Any], tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.create(TABLE, pa.table({"id": [0], "by": [-1]}))
    assert at_once(work, tmp_path) == ["done"] * 3
    ids = store.read("counts")["id"].to_pylist()
    assert sorted(ids) == list(range(N_PROCESSES * N_WRITES + 1))


def test_one_of_three_makes_a_table(tmp_path: Path) -> None:
    results = at_once(create, tmp_path)
    assert results.count("won") == 1
    assert results.count("Feature table counts exists already (version 1).") == 2
    assert open_store(tmp_path).read("counts").to_pylist() == [{"id": results.index("won")}]


def write_for_ever(folder: Path) -> None:
    store = open_store(folder)
    for number in range(10_000):
        name = f"made_{number % 2}"
        if store.find(name) is not None:
            store.drop(name)
        store.create(FeatureTable(name, ("id",)), pa.table({"id": range(20_000)}))
        rows = {"id": range(20_000), "by": [number] * 20_000}
        store.upsert("counts", pa.table(rows))


def test_a_killed_writer_leaves_tables_that_are_whole(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.create(TABLE, pa.table({"id": range(20_000), "by": [-1] * 20_000}))
    version = 1
    for after_ms in (5, 130, 260):
        process = spawn.Process(target=write_for_ever, args=(tmp_path,))
        process.start()
        while store.find("counts").version == version:  # type: ignore[union-attr]
            time.sleep(0.01)
        time.sleep(after_ms / 1000)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        version = store.find("counts").version  # type: ignore[union-attr]
        found = store.read("counts")
        assert sorted(found["id"].to_pylist()) == list(range(20_000))
        assert len(set(found["by"].to_pylist())) == 1
        for name in ("made_0", "made_1"):
            if store.find(name) is not None:
                assert len(store.read(name)) == 20_000
                store.drop(name)
            store.create(FeatureTable(name, ("id",)), pa.table({"id": range(20_000)}))
            store.drop(name)
    assert store.names() == ["counts"]
    left = [path.name for path in (tmp_path / "features").iterdir() if path.is_dir()]
    assert left == ["counts"]


writes = st.lists(
    st.dictionaries(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 3)), max_size=5),
    max_size=4,
)


@given(writes=writes, seed=st.randoms())
@settings(max_examples=12)
def test_later_rows_win_in_any_order_and_writing_again_changes_nothing(
    writes: list[dict[int, int | None]], seed: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    store = open_store(tmp_path_factory.mktemp("laws"))
    store.create(TABLE, _rows({}))
    expected: dict[int, int | None] = {}
    for write in writes:
        items = [*write.items()]
        seed.shuffle(items)
        version = store.upsert("counts", _rows(dict(items)))
        expected |= write
        assert store.upsert("counts", _rows(write)) == version
        found = store.read("counts")
        assert len(found) == len(expected)
        assert dict(zip(*found.to_pydict().values(), strict=True)) == expected


def _rows(values: dict[int, int | None]) -> pa.Table:
    ids, by = pa.array([*values], pa.int64()), pa.array([*values.values()], pa.int64())
    return pa.table({"id": ids, "by": by})
