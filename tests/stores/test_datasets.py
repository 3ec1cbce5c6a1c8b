"""Data are read as they are, or an error says which file, where, and what to do."""

import gzip
import http.server
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlrecipes.errors import StoreError, UserCodeError
from mlrecipes.ports import ReadDataset
from mlrecipes.stores.datasets import FileDatasetReader
from mlrecipes.stores.digests import sha256_of_file


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadDataset]:
    downloads = tmp_path / "downloads"
    reader = FileDatasetReader(
        tmp_path, downloads, lambda path: (path.stat().st_size, sha256_of_file(path))
    )
    return reader.read


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ---- places -------------------------------------------------------------------------------


def test_a_relative_path_starts_at_the_root(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "data" / "a.csv", "x\n1\n")
    dataset = read("./data/a.csv", "csv")
    assert dataset.frame["x"].tolist() == [1]
    assert [source.uri for source in dataset.sources] == ["data/a.csv"]


def test_a_file_outside_the_root_is_named_in_full(
    read: Callable[..., ReadDataset], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("other") / "a b.csv", "x\n1\n")
    assert read(path.as_uri(), "csv").sources[0].uri == str(path)


def test_a_list_keeps_its_order_and_files_of_one_name_do_not_meet(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "one" / "a.csv", "x\n1\n")
    write(tmp_path / "two" / "a.csv", "x\n2\n")
    assert read(["two/a.csv", "one/a.csv"], "csv").frame["x"].tolist() == [2, 1]


def test_two_folders_are_both_read(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    write(tmp_path / "one" / "b.csv", "x\n1\n")
    write(tmp_path / "two" / "a.csv", "x\n2\n")
    assert read(["one", "two"], "csv").frame["x"].tolist() == [1, 2]


def test_a_folder_gives_its_files_of_the_format_by_name(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "d" / "b.csv", "x\n2\n")
    write(tmp_path / "d" / "a.csv", "x\n1\n")
    write(tmp_path / "d" / "notes.txt", "no table")
    write(tmp_path / "d" / "deeper" / "c.csv", "x\n3\n")
    assert read("d", "csv").frame["x"].tolist() == [1, 2]


def test_auto_reads_each_file_by_its_suffix(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    pd.DataFrame({"x": [1]}).to_parquet(write(tmp_path / "a.parquet", ""))
    write(tmp_path / "b.csv.gz", gzip.compress(b"x\n2\n"))
    assert read(["a.parquet", "b.csv.gz"], "auto").frame["x"].tolist() == [1, 2]


def test_a_missing_file_gets_a_suggestion(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    write(tmp_path / "loans.csv", "x\n1\n")
    with pytest.raises(StoreError, match=r"lons.csv does not exist.*'loans.csv'") as e:
        read("lons.csv", "csv")
    assert e.value.hint == "Did you mean 'loans.csv'?"


def test_an_empty_folder_is_an_error(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    write(tmp_path / "d" / "a.txt", "")
    with pytest.raises(StoreError, match=r"holds no file for using: csv. There is: 'a.txt'"):
        read("d", "csv")


def test_a_file_of_another_format_is_refused(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1\n")
    with pytest.raises(StoreError, match="does not end as using: parquet asks"):
        read("a.csv", "parquet")


def test_an_unknown_scheme_is_refused(read: Callable[..., ReadDataset]) -> None:
    with pytest.raises(StoreError, match="cannot be read from s3:"):
        read("s3://bucket/a.csv", "csv")


# ---- CSV ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("x,y\n1,NA\n2,None\n", ["NA", "None"]),
        ("x,y\n1,a\n2,\n", ["a", None]),
        ("\ufeffx,y\n1,a\n2,b\n", ["a", "b"]),
        ('x,y\n1,"a\nb"\n2,"c,d"\n', ["a\nb", "c,d"]),
    ],
)
def test_text_is_read_as_it_stands(
    read: Callable[..., ReadDataset], tmp_path: Path, content: str, expected: list[Any]
) -> None:
    write(tmp_path / "a.csv", content)
    found = read("a.csv", "csv").frame
    assert list(found.columns) == ["x", "y"]
    assert [None if pd.isna(text) else text for text in found["y"]] == expected


def test_large_whole_numbers_stay_exact(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,empty\n9007199254740993,\n1,\n")
    frame = read("a.csv", "csv").frame
    assert frame["id"].tolist() == [9007199254740993, 1]
    assert frame["empty"].isna().all()


def test_a_line_with_too_many_fields_is_named(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x,y\n1,2\n1,2,3\n")
    with pytest.raises(StoreError, match=r"a.csv: line 3 has 3 fields; 2 are expected"):
        read("a.csv", "csv")


def test_text_that_is_not_utf8_is_named_by_its_byte(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\ncafé\n".encode("latin-1"))
    with pytest.raises(StoreError, match=r"line 2 \(byte 5\) is not UTF-8") as caught:
        read("a.csv", "csv")
    assert "iconv" in str(caught.value.hint)


@pytest.mark.parametrize("content", ["", "x,y\n"])
def test_a_file_without_rows_is_an_error(
    read: Callable[..., ReadDataset], tmp_path: Path, content: str
) -> None:
    write(tmp_path / "a.csv", content)
    with pytest.raises(
        StoreError, match=r"(0 rows read from a.csv|a.csv: the file is empty) \(\d bytes\)"
    ):
        read("a.csv", "csv")


def test_two_columns_of_one_name_are_refused(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x,x\n1,2\n")
    with pytest.raises(StoreError, match="more than one column is named 'x'"):
        read("a.csv", "csv")


def test_a_cut_off_gzip_file_is_named(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    rows = "x\n" + "\n".join(map(str, range(5000)))
    write(tmp_path / "a.csv.gz", gzip.compress(rows.encode())[:2000])
    with pytest.raises(StoreError, match=r"a.csv.gz \(2,000 bytes\) cannot be read as CSV"):
        read("a.csv.gz", "csv")


@pytest.mark.parametrize("kept", [4, 0.5, -1])
def test_a_cut_off_parquet_file_is_named(
    read: Callable[..., ReadDataset], tmp_path: Path, kept: float
) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"x": range(100)}).to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept) if 0 < kept < 1 else int(kept)])
    with pytest.raises(StoreError, match=r"a.parquet \([\d,]+ bytes\) cannot be read as Parquet"):
        read("a.parquet", "parquet")


# ---- the user's loader -----------------------------------------------------------------------


def test_a_loader_gets_path_and_format(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "")
    seen: list[tuple[str, str]] = []

    def load(path: str, using: str) -> pd.DataFrame:
        seen.append((path, using))
        return pd.DataFrame({"x": [1]})

    read("a.txt", "txt", load)
    assert seen == [(str(tmp_path / "a.txt"), "txt")]


def test_a_loader_may_take_the_path_alone(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x\n1\n")

    def load(path: str) -> pd.DataFrame:
        return pd.read_csv(path)

    assert read("a.csv", "csv", load).frame["x"].tolist() == [1]


def test_a_loader_that_fails_is_named_with_its_cause(
    read: Callable[..., ReadDataset], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1\n")

    def load(path: str, using: str) -> pd.DataFrame:
        raise KeyError("fare")

    expected = r"steps/ingest.py:load failed on .*a.csv: KeyError: 'fare'"
    with pytest.raises(UserCodeError, match=expected):
        read("a.csv", "csv", load)


def test_a_loader_must_give_a_data_frame(read: Callable[..., ReadDataset], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x\n1\n")
    with pytest.raises(UserCodeError, match=r"gave .*list.* DataFrame is expected"):
        read("a.csv", "csv", lambda path, using: [1])


# ---- the network, on this machine only --------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    served = partial(Quiet, directory=str(tmp_path / "served"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_two_addresses_with_files_of_one_name_are_both_read(
    read: Callable[..., ReadDataset], tmp_path: Path, address: str
) -> None:
    write(tmp_path / "served" / "one" / "a.csv", "x\n1\n")
    write(tmp_path / "served" / "two" / "a.csv", "x\n2\n")
    dataset = read([f"{address}/one/a.csv", f"{address}/two/a.csv"], "csv")
    assert dataset.frame["x"].tolist() == [1, 2]
    assert dataset.sources[0].uri == f"{address}/one/a.csv"


def test_a_file_that_the_server_does_not_have_is_an_error(
    read: Callable[..., ReadDataset], tmp_path: Path, address: str
) -> None:
    (tmp_path / "served").mkdir()
    with pytest.raises(StoreError, match=r"a.csv cannot be fetched: the server answered 404"):
        read(f"{address}/a.csv", "csv")
    assert not list((tmp_path / "downloads").rglob("*.part"))
