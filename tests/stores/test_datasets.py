"""Data are read as they are, or an error says which file, where, and what to do."""

import gzip
import hashlib
import http.server
import math
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrecipes.errors import StoreError, TryAgain, UserCodeError
from mlrecipes.records import Source
from mlrecipes.stores.datasets import FileDatasetReader
from mlrecipes.stores.digests import sha256_of_file
from mlrecipes.stores.frames import read_frame


@dataclass(frozen=True)
class Read:
    """What was read, as the next step will see it."""

    frame: pd.DataFrame
    sources: tuple[Source, ...]


@pytest.fixture
def read(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Read]:
    downloads = tmp_path / "downloads"
    reader = FileDatasetReader(
        tmp_path, downloads, lambda path: (path.stat().st_size, sha256_of_file(path))
    )

    def read_back(
        location: str | list[str], using: str, loader: Callable[..., Any] | None = None
    ) -> Read:
        into = tmp_path_factory.mktemp("staging") / "table.parquet"
        dataset = reader.read(location, using, into, loader)
        assert list(into.parent.iterdir()) == [into]
        frame = read_frame(into)
        assert [*map(str, dataset.table.dtypes.values())] == [*map(str, frame.dtypes)]
        assert dataset.table.n_rows == len(frame)
        return Read(frame, dataset.sources)

    return read_back


def write(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# ---- places -------------------------------------------------------------------------------


def test_a_relative_path_starts_at_the_root(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "data" / "a.csv", "x\n1\n")
    dataset = read("./data/a.csv", "csv")
    assert dataset.frame["x"].tolist() == [1]
    assert [source.uri for source in dataset.sources] == ["data/a.csv"]


def test_a_file_outside_the_root_is_named_in_full(
    read: Callable[..., Read], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("other") / "a b.csv", "x\n1\n")
    assert read(path.as_uri(), "csv").sources[0].uri == str(path)


def test_a_list_keeps_its_order_and_files_of_one_name_do_not_meet(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "one" / "a.csv", "x\n1\n")
    write(tmp_path / "two" / "a.csv", "x\n2\n")
    assert read(["two/a.csv", "one/a.csv"], "csv").frame["x"].tolist() == [2, 1]


def test_two_folders_are_both_read(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "one" / "b.csv", "x\n1\n")
    write(tmp_path / "two" / "a.csv", "x\n2\n")
    assert read(["one", "two"], "csv").frame["x"].tolist() == [1, 2]


def test_a_folder_gives_its_files_of_the_format_by_name(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "d" / "b.csv", "x\n2\n")
    write(tmp_path / "d" / "a.csv", "x\n1\n")
    write(tmp_path / "d" / "notes.txt", "no table")
    write(tmp_path / "d" / "deeper" / "c.csv", "x\n3\n")
    assert read("d", "csv").frame["x"].tolist() == [1, 2]


def test_auto_reads_each_file_by_its_suffix(read: Callable[..., Read], tmp_path: Path) -> None:
    pd.DataFrame({"x": [1]}).to_parquet(write(tmp_path / "a.parquet", ""))
    write(tmp_path / "b.csv.gz", gzip.compress(b"x\n2\n", mtime=0))
    assert read(["a.parquet", "b.csv.gz"], "auto").frame["x"].tolist() == [1, 2]


def test_a_missing_file_gets_a_suggestion(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "loans.csv", "x\n1\n")
    with pytest.raises(StoreError, match=r"lons.csv does not exist.*'loans.csv'") as e:
        read("lons.csv", "csv")
    assert e.value.hint == "Did you mean 'loans.csv'?"


def test_an_empty_folder_is_an_error(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "d" / "a.txt", "")
    with pytest.raises(StoreError, match=r"holds no file for using: csv. There is: 'a.txt'"):
        read("d", "csv")


def test_a_file_of_another_format_is_refused(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x\n1\n")
    with pytest.raises(StoreError, match="does not end as using: parquet asks"):
        read("a.csv", "parquet")


def test_an_unknown_scheme_is_refused(read: Callable[..., Read]) -> None:
    with pytest.raises(StoreError, match="cannot be read from s3:"):
        read("s3://bucket/a.csv", "csv")


def test_a_file_uri_with_a_space_is_read(read: Callable[..., Read], tmp_path: Path) -> None:
    path = write(tmp_path / "my data" / "a.csv", "x\n1\n")
    assert read(path.as_uri(), "csv").sources[0].uri == "my data/a.csv"


def test_an_absolute_path_inside_the_root_is_named_from_the_root(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    path = write(tmp_path / "data" / "a.csv", "x\n1\n")
    assert read(str(path), "csv").sources[0].uri == "data/a.csv"


def test_a_linked_folder_keeps_the_name_of_the_link(
    read: Callable[..., Read], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.mktemp("disk") / "a.csv", "x\n1\n")
    (tmp_path / "data").symlink_to(path.parent)
    assert read("data/a.csv", "csv").sources[0].uri == "data/a.csv"


def test_size_and_digest_of_each_file_are_told(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x\n1\n")
    (source,) = read("a.csv", "csv").sources
    assert source.size_bytes == 4
    assert source.sha256 == hashlib.sha256(b"x\n1\n").hexdigest()


def test_an_empty_list_of_files_is_an_error(read: Callable[..., Read]) -> None:
    with pytest.raises(StoreError, match=r"The location of the data is an empty list."):
        read([], "csv")


def test_hidden_files_of_a_folder_are_left_out(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "d" / ".a.csv", "x\n1\n")
    write(tmp_path / "d" / "b.csv", "x\n2\n")
    assert read("d", "csv").frame["x"].tolist() == [2]


def test_a_folder_that_holds_one_table_twice_is_an_error(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "d" / "a.csv", "x\n1\n")
    write(tmp_path / "d" / "a.csv.gz", gzip.compress(b"x\n1\n", mtime=0))
    with pytest.raises(StoreError, match=r"holds both a.csv and a.csv.gz: the same rows twice"):
        read("d", "csv")


def test_a_missing_folder_is_told_with_what_lies_beside_it(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    with pytest.raises(StoreError, match="does not exist, nor does its folder") as caught:
        read("dat/a.csv", "csv")
    assert caught.value.hint == f"In {tmp_path}: 'data'."


def test_a_format_that_this_version_does_not_read_is_named(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.delta", "x")
    with pytest.raises(StoreError, match="using: delta is not supported by this version"):
        read("a.delta", "delta")


# ---- several files ---------------------------------------------------------------------------


def test_rows_of_several_files_keep_the_index_of_their_file(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1\n2\n")
    write(tmp_path / "b.csv", "x\n3\n")
    assert read(["a.csv", "b.csv"], "csv").frame.index.tolist() == [0, 1, 0]


def test_columns_in_another_order_are_put_below_the_same_names(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x,y\n1,2\n")
    write(tmp_path / "b.csv", "y,x\n4,3\n")
    frame = read(["a.csv", "b.csv"], "csv").frame
    assert frame.to_dict("list") == {"x": [1, 3], "y": [2, 4]}


def test_files_with_different_columns_are_refused(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x,y\n1,2\n")
    write(tmp_path / "b.csv", "x\n1\n")
    expected = r"1. a.csv and 2. b.csv have different columns: 'y' is in one"
    with pytest.raises(StoreError, match=expected):
        read(["a.csv", "b.csv"], "csv")


def test_a_column_that_is_text_in_one_file_only_is_refused(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1\n")
    write(tmp_path / "b.csv", "x\none\n")
    with pytest.raises(StoreError, match=r"'x' is text in 2. b.csv and int64 in 1. a.csv"):
        read(["a.csv", "b.csv"], "csv")


def test_a_column_without_values_takes_its_type_from_the_other_file(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x,y\n1,\n")
    write(tmp_path / "b.csv", "x,y\n1,one\n")
    frame = read(["a.csv", "b.csv"], "csv").frame
    assert pd.api.types.is_string_dtype(frame["y"].dtype)
    assert frame["y"].isna().tolist() == [True, False]


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
    read: Callable[..., Read], tmp_path: Path, content: str, expected: list[Any]
) -> None:
    write(tmp_path / "a.csv", content)
    found = read("a.csv", "csv").frame
    assert list(found.columns) == ["x", "y"]
    assert [None if pd.isna(text) else text for text in found["y"]] == expected


def test_large_whole_numbers_stay_exact(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,empty\n9007199254740993,\n1,\n")
    frame = read("a.csv", "csv").frame
    assert frame["id"].tolist() == [9007199254740993, 1]
    assert frame["empty"].isna().all()


def test_a_line_with_too_many_fields_is_named(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x,y\n1,2\n1,2,3\n")
    with pytest.raises(StoreError, match=r"a.csv: line 3 has 3 fields; 2 are expected"):
        read("a.csv", "csv")


def test_text_that_is_not_utf8_is_named_by_its_byte(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\ncafé\n".encode("latin-1"))
    with pytest.raises(StoreError, match=r"line 2 \(byte 5\) is not UTF-8") as caught:
        read("a.csv", "csv")
    assert "iconv" in str(caught.value.hint)


@pytest.mark.parametrize("content", ["", "x,y\n"])
def test_a_file_without_rows_is_an_error(
    read: Callable[..., Read], tmp_path: Path, content: str
) -> None:
    write(tmp_path / "a.csv", content)
    with pytest.raises(
        StoreError, match=r"(0 rows read from a.csv|a.csv: the file is empty) \(\d bytes\)"
    ):
        read("a.csv", "csv")


def test_a_large_whole_number_stays_exact_beside_a_gap(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "id,x\n9007199254740993,1\n,2\n")
    ids = read("a.csv", "csv").frame["id"]
    assert ids[0] == 9007199254740993
    assert ids.isna().tolist() == [False, True]


def test_identifiers_beyond_64_bits_stay_text(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "id,x\n99999999999999999999,1\n7,2\n")
    assert read("a.csv", "csv").frame["id"].tolist() == ["99999999999999999999", "7"]


def test_numbers_of_any_size_with_an_exponent_are_numbers(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1.5e30\n-2\n")
    assert read("a.csv", "csv").frame["x"].tolist() == [1.5e30, -2.0]


def test_dates_become_timestamps_and_times_of_day_stay_text(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "day,time\n2020-01-31,10:00:00\n2020-02-01,23:59:59\n")
    frame = read("a.csv", "csv").frame
    assert frame["day"].tolist() == [pd.Timestamp(2020, 1, 31), pd.Timestamp(2020, 2, 1)]
    assert frame["time"].tolist() == ["10:00:00", "23:59:59"]


def test_a_column_without_a_name_is_called_as_pandas_calls_it(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", ",x\n0,1\n")
    assert list(read("a.csv", "csv").frame) == ["Unnamed: 0", "x"]


@pytest.mark.parametrize(
    ("content", "line"),
    [("x,y\n1,2\n3\n", 3), ('x,y\n1,"a\nb"\n1\n', 4), ("x,y\n\n1,2\n\n1\n", 5)],
)
def test_the_number_of_a_wrong_line_is_that_of_an_editor(
    read: Callable[..., Read], tmp_path: Path, content: str, line: int
) -> None:
    write(tmp_path / "a.csv", content)
    with pytest.raises(StoreError, match=f"line {line} has 1 fields; 2 are expected"):
        read("a.csv", "csv")


def test_a_wrong_line_of_a_packed_file_has_its_number_too(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv.gz", gzip.compress(b"x,y\n1,2\n1,2,3\n", mtime=0))
    with pytest.raises(StoreError, match="line 3 has 3 fields; 2 are expected"):
        read("a.csv.gz", "csv")


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_quote_that_is_never_closed_is_an_error(
    read: Callable[..., Read], tmp_path: Path, end: str
) -> None:
    write(tmp_path / "a.csv", f'x,y\n1,a\n2,"b\n3,c\n4,d{end}')
    with pytest.raises(StoreError, match="quote is opened and never closed; the lines from 'b'"):
        read("a.csv", "csv")


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_text_of_two_lines_may_end_the_file(
    read: Callable[..., Read], tmp_path: Path, end: str
) -> None:
    write(tmp_path / "a.csv", f'x,y\n1,"a\nb"{end}')
    assert read("a.csv", "csv").frame["y"].tolist() == ["a\nb"]


def test_another_separator_is_named(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x;y\n1;2\n")
    with pytest.raises(StoreError, match="fields are separated by ';'; a comma is expected"):
        read("a.csv", "csv")


def test_utf16_is_recognised(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x,y\n1,2\n".encode("utf-16"))
    with pytest.raises(StoreError, match="it looks like utf-16"):
        read("a.csv", "csv")


def test_two_columns_of_one_name_are_refused(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x,x\n1,2\n")
    with pytest.raises(StoreError, match="more than one column is named 'x'"):
        read("a.csv", "csv")


def test_a_cut_off_gzip_file_is_named(read: Callable[..., Read], tmp_path: Path) -> None:
    rows = "x\n" + "\n".join(map(str, range(5000)))
    write(tmp_path / "a.csv.gz", gzip.compress(rows.encode())[:2000])
    with pytest.raises(StoreError, match=r"a.csv.gz \(2,000 bytes\) cannot be read as CSV"):
        read("a.csv.gz", "csv")


@pytest.mark.parametrize("kept", [4, 0.5, -1])
def test_a_cut_off_parquet_file_is_named(
    read: Callable[..., Read], tmp_path: Path, kept: float
) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"x": range(100)}).to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * kept) if 0 < kept < 1 else int(kept)])
    with pytest.raises(StoreError, match=r"a.parquet \([\d,]+ bytes\) cannot be read as Parquet"):
        read("a.parquet", "parquet")


def test_two_columns_of_one_name_are_refused_in_parquet_too(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(StoreError, match="more than one column is named 'x'"):
        read("a.parquet", "parquet")


def test_a_parquet_file_without_rows_is_an_error(read: Callable[..., Read], tmp_path: Path) -> None:
    pd.DataFrame({"x": []}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(StoreError, match=r"0 rows read from a.parquet \([\d,]+ bytes\)"):
        read("a.parquet", "parquet")


# ---- the user's loader -----------------------------------------------------------------------


def test_a_loader_gets_path_and_format(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "")
    seen: list[tuple[str, str]] = []

    def load(path: str, using: str) -> pd.DataFrame:
        seen.append((path, using))
        return pd.DataFrame({"x": [1]})

    read("a.txt", "txt", load)
    assert seen == [(str(tmp_path / "a.txt"), "txt")]


def test_a_loader_may_take_the_path_alone(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x\n1\n")

    def load(path: str) -> pd.DataFrame:
        return pd.read_csv(path)

    assert read("a.csv", "csv", load).frame["x"].tolist() == [1]


def test_a_loader_that_fails_is_named_with_its_cause(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1\n")

    def load(path: str, using: str) -> pd.DataFrame:
        raise KeyError("fare")

    expected = r"steps/ingest.py:load failed on .*a.csv: KeyError: 'fare'"
    with pytest.raises(UserCodeError, match=expected):
        read("a.csv", "csv", load)


def test_a_loader_must_give_a_data_frame(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x\n1\n")
    with pytest.raises(UserCodeError, match=r"gave .*list.* DataFrame is expected"):
        read("a.csv", "csv", lambda path, using: [1])


def test_a_loader_that_is_not_written_yet_is_told_so(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1\n")

    def load(path: str, using: str) -> pd.DataFrame:
        raise NotImplementedError

    with pytest.raises(UserCodeError, match=r"steps/ingest.py:load is not written yet"):
        read("a.csv", "csv", load)


def test_a_loader_may_not_give_two_columns_of_one_name(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n1\n")
    double = pd.DataFrame([[1, 2]], columns=["x", "x"])
    with pytest.raises(UserCodeError, match="gave more than one column 'x'"):
        read("a.csv", "csv", lambda path, using: double)


def test_with_a_loader_a_folder_gives_the_files_that_using_names(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "d" / "a.txt", "1")
    write(tmp_path / "d" / "b.csv", "2")
    frame = read("d", "txt", lambda path: pd.DataFrame({"x": [Path(path).read_text()]})).frame
    assert frame["x"].tolist() == ["1"]


# ---- the network, on this machine only --------------------------------------------------------


class Quiet(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/status-"):
            self.send_error(int(self.path[len("/status-") :][:3]))
        elif self.path.startswith("/cut-off"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x\n1\n")
        else:
            super().do_GET()

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
    read: Callable[..., Read], tmp_path: Path, address: str
) -> None:
    write(tmp_path / "served" / "one" / "a.csv", "x\n1\n")
    write(tmp_path / "served" / "two" / "a.csv", "x\n2\n")
    dataset = read([f"{address}/one/a.csv", f"{address}/two/a.csv"], "csv")
    assert dataset.frame["x"].tolist() == [1, 2]
    assert dataset.sources[0].uri == f"{address}/one/a.csv"


def test_a_file_that_the_server_does_not_have_is_an_error(
    read: Callable[..., Read], tmp_path: Path, address: str
) -> None:
    (tmp_path / "served").mkdir()
    with pytest.raises(StoreError, match=r"a.csv cannot be fetched: the server answered 404"):
        read(f"{address}/a.csv", "csv")
    assert not list((tmp_path / "downloads").rglob("*.part"))


def test_a_server_that_is_not_there_is_to_be_tried_again(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/a.csv"
        with pytest.raises(TryAgain, match=r"a.csv cannot be fetched: ConnectionError."):
            read(url, "csv")


@pytest.mark.parametrize(
    ("path", "what"),
    [("status-503", "the server answered 503"), ("cut-off.csv", "ChunkedEncodingError")],
)
def test_a_server_in_trouble_is_to_be_tried_again(
    read: Callable[..., Read], tmp_path: Path, address: str, path: str, what: str
) -> None:
    with pytest.raises(TryAgain, match=f"cannot be fetched: {what}"):
        read(f"{address}/{path}", "csv")
    assert not [file for file in (tmp_path / "downloads").rglob("*") if file.is_file()]


def test_what_is_told_of_an_address_holds_no_secret(
    read: Callable[..., Read], tmp_path: Path, address: str
) -> None:
    write(tmp_path / "served" / "a.csv", "x\n1\n")
    url = address.replace("//", "//me:pass@") + "/a.csv?token=secret"
    uri = read(url, "csv").sources[0].uri
    assert uri.startswith(f"{address}/a.csv?query=")
    assert "secret" not in uri


def test_an_error_of_an_address_holds_no_secret(
    read: Callable[..., Read], tmp_path: Path, address: str
) -> None:
    with pytest.raises(StoreError) as caught:
        read(address.replace("//", "//me:pass@") + "/status-403?token=secret", "csv")
    assert "the server answered 403" in str(caught.value)
    assert not {"pass", "secret"} & set(re.findall(r"\w+", str(caught.value)))


def test_a_file_behind_a_query_is_read_by_the_name_in_its_path(
    read: Callable[..., Read], tmp_path: Path, address: str
) -> None:
    write(tmp_path / "served" / "a b.csv", "x\n1\n")
    assert read(f"{address}/a%20b.csv?v=2", "auto").frame["x"].tolist() == [1]


class Unreliable(Quiet):
    """Fails in the way that the path asks for."""

    def do_GET(self) -> None:
        if "around" in self.path:
            self.send_response(302)
            self.send_header("Location", self.path)
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x\n1\n")


@pytest.fixture
def unreliable() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unreliable) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_download_that_breaks_off_leaves_nothing_behind(
    read: Callable[..., Read], tmp_path: Path, unreliable: str
) -> None:
    with pytest.raises(TryAgain, match=r"cut.csv cannot be fetched: ChunkedEncodingError"):
        read(f"http://{unreliable}/cut.csv", "csv")
    assert [path for path in (tmp_path / "downloads").rglob("*") if path.is_file()] == []


def test_a_server_that_sends_us_around_in_circles_is_left(
    read: Callable[..., Read], unreliable: str
) -> None:
    with pytest.raises(StoreError, match=r"around.csv cannot be fetched: .*302|TooManyRedirects"):
        read(f"http://{unreliable}/around.csv", "csv")


@pytest.mark.parametrize("content", ["x,y\n1,\n", "x,y\n"])
def test_a_file_without_values_does_not_change_the_type_of_a_column(
    read: Callable[..., Read], tmp_path: Path, content: str
) -> None:
    write(tmp_path / "a.csv", content)
    write(tmp_path / "b.csv", "x,y\n2,text\n")
    assert str(read(["a.csv", "b.csv"], "csv").frame["y"].dtype) == "str"


# ---- types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected", "dtype"),
    [
        (["7", ""], [7.0, None], "float64"),
        (["2026-01-01", ""], [pd.Timestamp("2026-01-01"), None], "datetime64[ms]"),
        (["true", "false"], [True, False], "bool"),
        (["1", '""'], [1.0, None], "float64"),
    ],
)
def test_no_value_is_changed_by_its_type(
    read: Callable[..., Read],
    tmp_path: Path,
    values: list[str],
    expected: list[Any],
    dtype: str,
) -> None:
    write(tmp_path / "a.csv", "row,x\n" + "".join(f"{i},{v}\n" for i, v in enumerate(values)))
    found = read("a.csv", "csv").frame["x"]
    assert str(found.dtype) == dtype
    assert [None if pd.isna(value) else value for value in found] == expected


def test_the_type_of_a_column_is_decided_by_all_its_rows(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "x\n" + "1\n" * 1_000_000 + "1.5\n")
    assert read("a.csv", "csv").frame["x"].iloc[-1] == 1.5


def test_whole_numbers_with_gaps_stay_exact_in_parquet_too(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    ids = pa.table({"id": pa.array([9007199254740993, None], pa.int64())})
    pq.write_table(ids, tmp_path / "a.parquet")
    assert read("a.parquet", "parquet").frame["id"].iloc[0] == 9007199254740993


def test_a_frame_comes_back_from_parquet_as_it_was(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    frame = pd.DataFrame(
        {"n": [1, 2], "t": ["a", None], "c": pd.Categorical(["u", "v"])}, index=[7, 9]
    )
    frame.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read("a.parquet", "parquet").frame, frame)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        ("a.csv", "é,y\n1,2\n".encode("latin-1"), r"line 1 \(byte 0\).* latin1"),
        ("a.csv.gz", gzip.compress("x,y\n1,é\n".encode("latin-1"), mtime=0), r"line 2 \(byte 6\)"),
    ],
)
def test_another_encoding_is_named(
    read: Callable[..., Read], tmp_path: Path, name: str, content: bytes, place: str
) -> None:
    write(tmp_path / name, content)
    with pytest.raises(StoreError, match=place):
        read(name, "csv")


def test_a_line_with_too_few_fields_is_refused(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "x,y\n1\n2\n1,2\n")
    with pytest.raises(StoreError, match=r"line 2 has 1 fields, as have 1 more; 2 are expected"):
        read("a.csv", "csv")


def test_a_loader_with_using_auto_reads_any_file(read: Callable[..., Read], tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "7")
    frame = read("a.txt", "auto", lambda path: pd.DataFrame({"x": [Path(path).read_text()]})).frame
    assert frame["x"].tolist() == ["7"]


# ---- several Parquet files ---------------------------------------------------------------------


def read_two(
    read: Callable[..., Read], folder: Path, one: pd.DataFrame, other: pd.DataFrame
) -> pd.DataFrame:
    one.to_parquet(folder / "a.parquet")
    other.to_parquet(folder / "b.parquet")
    return read(["a.parquet", "b.parquet"], "parquet").frame


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (pd.RangeIndex(5, 9, 2), [5, 7, 0, 1]),
        (pd.Index([30, 20]), [30, 20, 0, 1]),
        (pd.Index([30, 20], name="key"), [30, 20, 0, 1]),
    ],
)
def test_numbered_rows_and_other_indexes_go_together(
    read: Callable[..., Read], tmp_path: Path, index: pd.Index, expected: list[int]
) -> None:
    one, other = pd.DataFrame({"x": [1, 2]}, index=index), pd.DataFrame({"x": [3, 4]})
    found = read_two(read, tmp_path, one, other)
    pd.testing.assert_frame_equal(found, pd.concat([one, other]))
    assert found.index.tolist() == expected


def test_indexes_of_several_levels_are_kept(read: Callable[..., Read], tmp_path: Path) -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["word", None])
    one = pd.DataFrame({"x": [1, 2]}, index=index)
    other = one.set_index(index[::-1])
    found = read_two(read, tmp_path, one, other)
    pd.testing.assert_frame_equal(found, pd.concat([one, other]))


def test_indexes_of_different_kinds_are_refused(read: Callable[..., Read], tmp_path: Path) -> None:
    one = pd.DataFrame({"x": [1]}, index=["a"])
    with pytest.raises(StoreError, match=r"1. a.parquet and of the other files have different in"):
        read_two(read, tmp_path, one, pd.DataFrame({"x": [1]}))


@pytest.mark.parametrize(
    ("one", "other", "dtype"),
    [
        (pd.Series([1], dtype="int8"), pd.Series([0.5]), "float64"),
        (pd.Series([1, None], dtype="Int64"), pd.Series([2]), "Int64"),
        (pd.Series([True, None], dtype="boolean"), pd.Series([False]), "boolean"),
        (pd.Series([True]), pd.Series([3]), "int64"),
        (pd.Series([3.5]), pd.Series([True]), "float64"),
        (pd.Series([None, None]), pd.Series([2]), "float64"),
        (pd.Series([math.nan]), pd.Series(["a"]), "str"),
        (pd.Series([math.nan]), pd.Series(pd.to_datetime(["2024-01-01"])), "datetime64[us]"),
    ],
)
def test_a_column_gets_the_type_that_holds_the_values_of_both_files(
    read: Callable[..., Read], tmp_path: Path, one: pd.Series, other: pd.Series, dtype: str
) -> None:
    found = read_two(read, tmp_path, one.to_frame("x"), other.to_frame("x"))["x"]
    assert str(found.dtype) == dtype
    assert [None if pd.isna(value) else value for value in found] == [
        None if pd.isna(value) else value for value in [*one, *other]
    ]


def test_exact_whole_numbers_stay_so_beside_a_file_with_gaps(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.csv", "id,x\n9007199254740993,1\n")
    write(tmp_path / "b.csv", "id,x\n,1\n5,1\n")
    assert read(["a.csv", "b.csv"], "csv").frame["id"].iloc[0] == 9007199254740993


def test_categories_of_all_files_are_kept(read: Callable[..., Read], tmp_path: Path) -> None:
    one = pd.DataFrame({"x": pd.Categorical(["u", "v"], categories=["v", "u", "z"])})
    other = pd.DataFrame({"x": pd.Categorical([f"c{i}" for i in range(300)])})
    found = read_two(read, tmp_path, one, other)["x"]
    assert found.tolist() == ["u", "v", *other["x"]]
    assert found.dtype.categories[:3].tolist() == ["v", "u", "z"]


@pytest.mark.parametrize("other", [pd.to_datetime(["2024-01-01"]), pd.Categorical(["a"])])
def test_types_without_a_common_one_are_refused(
    read: Callable[..., Read], tmp_path: Path, other: Any
) -> None:
    with pytest.raises(StoreError, match=r"'x' is int64 in 1. a.parquet and .* in 2. b.parquet"):
        read_two(read, tmp_path, pd.DataFrame({"x": [1]}), pd.DataFrame({"x": other}))


def test_dates_become_timestamps_and_the_index_stays(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    days = [date(2024, 1, 1), None]
    pd.DataFrame({"day": days}, index=["a", "b"]).to_parquet(tmp_path / "a.parquet")
    frame = read("a.parquet", "parquet").frame
    assert str(frame["day"].dtype) == "datetime64[ms]"
    assert (frame["day"].iloc[0], frame.index.tolist()) == (pd.Timestamp(2024, 1, 1), ["a", "b"])


def test_frames_of_a_loader_are_joined_and_keep_their_dates(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.txt", "1")
    write(tmp_path / "b.txt", "x")

    def load(path: str) -> pd.DataFrame:
        return pd.DataFrame({"word": [Path(path).read_text()], "day": [date(2024, 1, 1)]})

    frame = read(["a.txt", "b.txt"], "txt", load).frame
    assert frame["word"].tolist() == ["1", "x"]
    assert frame["day"].tolist() == [date(2024, 1, 1)] * 2


def test_a_frame_of_a_loader_that_no_file_can_hold_is_named(
    read: Callable[..., Read], tmp_path: Path
) -> None:
    write(tmp_path / "a.txt", "")
    mixed = pd.DataFrame({"x": pd.Series([1, "a"], dtype=object)})
    expected = r"The frame of 1. a.txt cannot be written as Parquet: column 'x': "
    with pytest.raises(StoreError, match=expected):
        read("a.txt", "txt", lambda path: mixed)


def test_damage_within_a_parquet_file_is_named(read: Callable[..., Read], tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pd.DataFrame({"x": range(10_000)}).to_parquet(path)
    content = bytearray(path.read_bytes())
    content[4:3000] = b"\x07" * 2996
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"a.parquet \([\d,]+ bytes\) cannot be read as Parquet"):
        read("a.parquet", "parquet")


def test_a_narrowed_table_has_the_columns_asked_for_and_numbered_rows(tmp_path: Path) -> None:
    reader = FileDatasetReader(tmp_path, tmp_path / "downloads", lambda path: (0, ""))
    path = tmp_path / "table.parquet"
    frame = pd.DataFrame({"a": [1, 2], "b": pd.Categorical(["x", None]), "c": [0.5, 1.5]})
    frame.set_axis([5, 6]).to_parquet(path)
    narrowed = reader.narrow(reader.stored(path), ["b", "a"])
    assert narrowed.path == path
    expected = frame[["b", "a"]]
    pd.testing.assert_frame_equal(narrowed.columns(["b", "a"]), expected)
    assert list(narrowed.dtypes) == ["b", "a"]
