"""A CSV file is read a block at a time, and no border of a block changes what is read."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlrecipes.errors import StoreError
from mlrecipes.stores.csv_files import write_csv_as_parquet
from mlrecipes.stores.csv_types import decide_types

KINDS = {
    "nothing": [""],
    "whole": ["0", "1", "-7", "00123", " 4", "0x1F", "9007199254740993"],
    "number": ["1.5", ".5", "1e30", "nan", "-inf", " 2.5 "],
    "boolean": ["true", "FALSE", "1", "0"],
    "date": ["2020-01-31", " 2021-12-31"],
    "time": ["10:00", "23:59:59", "25:00"],
    "moment": ["2020-01-31 10:00", "2020-01-31T10:00:00.5", "2020-01-31"],
    "zoned": ["2020-01-31T10:00:00Z", "2020-01-31 10:00:00.25+02:00"],
    "identifier": ["99999999999999999999", "7"],
    "text": ["a", "NA", "é", '"x,y"', '"a\nb"', '"say ""b"""', " "],
}


@st.composite
def files(draw: st.DrawFn) -> str:
    """CSV files whose columns may change their kind on the way."""
    n_rows = draw(st.integers(1, 30))
    columns = [[str(row) for row in range(n_rows)]]
    for _ in range(draw(st.integers(1, 3))):
        first, then = draw(st.sampled_from([*KINDS])), draw(st.sampled_from([*KINDS]))
        border = draw(st.integers(0, n_rows))
        kinds = [first if row < border else then for row in range(n_rows)]
        gaps = draw(st.booleans())
        columns.append(
            [draw(st.sampled_from([*KINDS[kind], *([""] if gaps else [])])) for kind in kinds]
        )
    names = ",".join(f"c{i}" for i in range(len(columns)))
    lines = [names, *(",".join(row) for row in zip(*columns, strict=True))]
    return "\n".join(lines) + draw(st.sampled_from(["\n", ""]))


def converted(folder: Path, content: str, *block_bytes: int) -> pa.Table:
    (folder / "a.csv").write_text(content, encoding="utf-8", newline="")
    write_csv_as_parquet(folder / "a.csv", folder / "a.parquet", *block_bytes)
    return pq.read_table(folder / "a.parquet")


def arrows_own(folder: Path, name: str | None = None) -> pa.Table:
    """What Arrow reads of the whole file, all types decided by it; one column as text."""
    parse = arrow_csv.ParseOptions(newlines_in_values=True)
    convert = arrow_csv.ConvertOptions(
        null_values=[""],
        strings_can_be_null=True,
        column_types={name: pa.string()} if name else None,
    )
    return arrow_csv.read_csv(folder / "a.csv", parse_options=parse, convert_options=convert)


def shown(values: Any) -> str:
    """Types and values; nan is like nan."""
    return f"{values.type} {values.to_pylist()}"


@given(files(), st.integers(128, 256))
@settings(max_examples=200)
def test_small_blocks_give_what_one_block_gives(
    tmp_path_factory: pytest.TempPathFactory, content: str, block_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    whole = converted(folder, content)
    parts = converted(folder, content, block_bytes, block_bytes)
    assert [*map(shown, parts.columns)] == [*map(shown, whole.columns)]


@given(files())
@settings(max_examples=100)
def test_values_are_those_that_arrow_reads(
    tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    found = converted(folder, content, 128, 128)
    for name in found.column_names:
        is_text = pa.types.is_string(found[name].type)
        own = arrows_own(folder, name if is_text else None)[name]
        assert shown(found[name]) == shown(own.cast(found[name].type))


@pytest.mark.parametrize("last", ["1.5", "x", "true", "2020-01-01", "99999999999999999999", ""])
def test_the_last_row_of_many_may_change_a_type(tmp_path: Path, last: str) -> None:
    content = "c,x\n" + "1,1\n" * 500 + f"1,{last}\n"
    whole = converted(tmp_path, content)["x"]
    assert shown(converted(tmp_path, content, 64, 64)["x"]) == shown(whole)


def test_many_columns_may_change_their_types(tmp_path: Path) -> None:
    names = [f"c{i}" for i in range(12)]
    content = "\n".join([",".join(names), *[",".join("1" * 12)] * 200, ",".join(["1.5"] * 12)])
    found = converted(tmp_path, content, 256, 256)
    assert found.schema.types == [pa.float64()] * 12
    assert found["c11"].to_pylist() == [1.0] * 200 + [1.5]


def test_a_column_that_begins_with_gaps_has_the_type_of_what_follows(tmp_path: Path) -> None:
    found = converted(tmp_path, "r,x\n" + "1,\n" * 300 + "1,7\n", 64, 64)
    assert found["x"].type == pa.int64()


def test_a_row_that_does_not_end_is_named_with_its_line(tmp_path: Path) -> None:
    content = 'x,y\n1,a\n2,"b\n' + "3,c\n" * 100_000
    with pytest.raises(StoreError, match=r"a.csv: line 3 does not end within 4,096 bytes. Is a q"):
        converted(tmp_path, content, 4096, 4096)


def test_a_wrong_line_behind_many_blocks_has_its_number(tmp_path: Path) -> None:
    content = "x,y\n" + "1,2\n" * 500 + "1\n" + "1,2\n" * 500 + "1,2,3\n"
    with pytest.raises(StoreError, match="line 502 has 1 fields, as have 1 more; 2 are expected"):
        converted(tmp_path, content, 64, 64)


# ---- kinds of values -----------------------------------------------------------------------------

VALUES = [value.strip('"').replace('""', "'") for kind in KINDS.values() for value in kind] + [
    *("+1", "1_0", "1e400", "-9223372036854775808", "9223372036854775808", "0X1f", "1.5f", "-"),
    *("2020-1-1", "20200101", "2020-02-30", "0001-01-01", "9999-12-31", "2020-01-31T10:00Z"),
    *("2020-01-31 10:00 ", " 10:00 ", "24:00", "10:00:60", "10:00:00.5", "1\u00a0", "\t1", "Inf"),
    *("2262-04-12 00:00:00", "2020-01-31T10", "tRue", "True ", "Infinity", "NaN", "1 000", "٣"),
]


@pytest.mark.parametrize("value", sorted({*VALUES} - {""}))
def test_a_value_has_the_type_that_arrow_gives_it(tmp_path: Path, value: str) -> None:
    (tmp_path / "a.csv").write_text(f'r,x\n1,"{value}"\n', encoding="utf-8", newline="")
    own = arrows_own(tmp_path)["x"].type
    decided = decide_types([pa.table({"x": [value]})])["x"]
    is_kept_as_text = pa.types.is_time(own) or value in {
        "9223372036854775808",
        KINDS["identifier"][0],
    }
    assert decided == own or (is_kept_as_text and decided == pa.string())
