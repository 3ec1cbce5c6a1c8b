"""Rows that are divided from file to file go where a split of the whole table puts them."""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.errors import DataError, StoreError
from mlrecipes.splits import split_frame
from mlrecipes.splits.parts import PART_NAMES
from mlrecipes.splits.rows import assign, rule_of
from mlrecipes.stores.frame_writer import write_frame
from mlrecipes.stores.frames import read_frame
from mlrecipes.stores.row_division import FileRowDivider
from mlrecipes.stores.spark_division import assign_on_spark
from mlrecipes.tasks import task_for
from tests.strategies import split_by, split_ratios, tables

METHODS = ["group", "hash", "time"]
SHARED = Path(__file__).parents[3] / "shared" / "data"


def write(path: Path, frame: pd.DataFrame, rows_in_group: int) -> None:
    write_frame(path, frame)
    table = pq.read_table(path)
    pq.write_table(table, path, row_group_size=rows_in_group, write_page_checksum=True)


def divided(
    path: Path, split: Any, target_col: str = "target", *, on_spark: bool = False
) -> tuple[list[Path], dict[str, int]]:
    """The files of the three parts, and how many rows are in none, by reason."""
    rule = rule_of(split, target_col, seed=1)
    divider = FileRowDivider()
    ask = partial(assign, rule=rule)
    said = list(divider.assign(path, rule.columns, ask, on_spark=on_spark))
    files = [path.with_name(f"{name}-{on_spark}.parquet") for name in PART_NAMES]
    divider.divide(path, [part for part, _, _ in said], files)
    reasons = {why: sum(n[why] for _, n, _ in said) for _, n, _ in said for why in n}
    return files, {why: n for why, n in reasons.items() if n}


def assert_as_whole(
    files: Sequence[Path], n_dropped: dict[str, int], path: Path, split: Any, target: str = "target"
) -> None:
    """What is read back is what pandas would have written of the whole table's parts."""
    task = task_for("classification/v1")
    whole = split_frame(read_frame(path), split, target_col=target, task=task, seed=1)
    assert n_dropped == whole.n_dropped
    for file, frame in zip(files, whole.named().values(), strict=True):
        write_frame(file.with_name("as_pandas.parquet"), frame)
        pd.testing.assert_frame_equal(
            read_frame(file), read_frame(file.with_name("as_pandas.parquet")), check_exact=True
        )


@pytest.mark.parametrize("using", METHODS)
@given(frame=tables(), ratios=split_ratios(), n_rows=st.integers(1, 50))
@settings(max_examples=10)
def test_any_table_is_divided_as_a_whole_would_be(
    using: str, frame: pd.DataFrame, ratios: tuple[float, ...], n_rows: int
) -> None:
    split = split_by(using, ratios)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        write(path, frame, n_rows)
        assert_as_whole(*divided(path, split), path, split)


def rich(n_rows: int = 500) -> pd.DataFrame:
    """Columns of all types that are ingested, with gaps in some parts only."""
    random = np.random.default_rng(0)
    text = np.where(random.random(n_rows) < 0.1, None, random.choice(["Ulm", "Öde", "a'b"], n_rows))
    moments = pd.date_range("2020-01-01", periods=n_rows, freq="18h")
    frame = pd.DataFrame(
        {
            "key": random.permutation(n_rows) * 3 + 2**61,
            "group": pd.array(random.integers(0, 60, n_rows), dtype="Int64"),
            "stratum": pd.array(text, dtype="str"),
            "moment": moments.where(random.random(n_rows) < 0.95),
            "zoned": moments.tz_localize("Europe/Berlin"),
            "whole": random.integers(0, 9, n_rows).astype(np.int32),
            "float32": random.random(n_rows).astype(np.float32),
            "truth": random.random(n_rows) < 0.5,
            "gapped_truth": np.where(random.random(n_rows) < 0.1, None, True),
            "code": pd.Categorical(random.choice(["x", "y", "z"], n_rows)),
            "bytes": [b"%d" % i for i in range(n_rows)],
            "nothing": pd.array([None] * n_rows, dtype=object),
            "list": [[i, i + 1] for i in range(n_rows)],
            "target": np.where(random.random(n_rows) < 0.1, np.nan, random.integers(0, 2, n_rows)),
        }
    )
    frame.loc[:5, "group"] = None
    return frame


@pytest.mark.parametrize("using", METHODS)
def test_columns_of_all_types_stay_as_they_are(tmp_path: Path, using: str) -> None:
    path, split = tmp_path / "table.parquet", split_by(using)
    write(path, rich().set_index(rich().index + 1000), 64)
    assert_as_whole(*divided(path, split), path, split)


def test_one_gap_makes_whole_numbers_floating_point_in_every_part(tmp_path: Path) -> None:
    path, split = tmp_path / "table.parquet", split_by("hash")
    whole = pa.array([None, *range(99)], pa.int64())
    table = pa.table({"key": range(100), "small": whole, "target": [0, 1] * 50})
    large = pa.array([None, *(2**60 + i for i in range(99))], pa.int64())
    pq.write_table(table.append_column("large", large), path, row_group_size=30)
    files, n_dropped = divided(path, split)
    assert_as_whole(files, n_dropped, path, split)
    kinds = {tuple(map(str, read_frame(file)[["small", "large"]].dtypes)) for file in files}
    assert kinds == {("float64", "Int64")}


@pytest.mark.parametrize("using", METHODS)
def test_plain_columns_give_the_very_same_files(tmp_path: Path, using: str) -> None:
    path, split = tmp_path / "table.parquet", split_by(using)
    objects = ["gapped_truth", "code", "bytes", "nothing", "list"]
    write_frame(path, rich().drop(columns=objects))
    task = task_for("classification/v1")
    whole = split_frame(read_frame(path), split, target_col="target", task=task, seed=1)
    files, _ = divided(path, split)
    for file, frame in zip(files, whole.named().values(), strict=True):
        write_frame(tmp_path / "as_pandas.parquet", frame)
        assert file.read_bytes() == (tmp_path / "as_pandas.parquet").read_bytes()


# ---- Spark -----------------------------------------------------------------------------------


@pytest.mark.parametrize("using", METHODS)
def test_spark_gives_the_very_same_files(spark: Any, tmp_path: Path, using: str) -> None:
    path, split = tmp_path / "table.parquet", split_by(using)
    write(path, rich(), 120)
    here, there = divided(path, split), divided(path, split, on_spark=True)
    assert there[1] == here[1]
    assert [file.read_bytes() for file in there[0]] == [file.read_bytes() for file in here[0]]
    assert_as_whole(*there, path, split)


def test_what_a_worker_finds_wrong_is_told_as_here(spark: Any, tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write(path, rich(), 250)
    split = split_by("time", time_col="stratum")
    with pytest.raises(DataError) as here:
        divided(path, split)
    with pytest.raises(DataError) as there:
        divided(path, split, on_spark=True)
    assert (there.value.message, there.value.hint) == (here.value.message, here.value.hint)


def test_workers_that_do_not_see_the_file_are_told(spark: Any, tmp_path: Path) -> None:
    """A file that is another one there: here a link, which leads elsewhere while they look."""
    (tmp_path / "a").write_text("here")
    path = tmp_path / "table.parquet"
    path.symlink_to("a")
    path_there = _LeadsElsewhere(path)
    with pytest.raises(StoreError, match=r"Spark's workers do not see .*table.parquet as it is"):
        list(assign_on_spark(path_there, 1, ["key"], partial(assign, rule=None)))


class _LeadsElsewhere(type(Path())):  # type: ignore[misc]
    """A path that means another place to others."""

    def absolute(self) -> Path:
        return Path("/nowhere") / self.name


@pytest.mark.skipif(not SHARED.is_dir(), reason="needs ../shared/data")
def test_real_rows_are_divided_alike(tmp_path: Path) -> None:
    found = sorted(SHARED.rglob("application_train*"))
    if not found:
        pytest.skip("needs application_train")
    frame = pd.read_csv(found[0], nrows=5000)
    path = tmp_path / "table.parquet"
    split = split_by("hash", key_cols=["SK_ID_CURR"])
    write(path, frame, 1200)
    assert_as_whole(*divided(path, split, "TARGET"), path, split, "TARGET")
