"""The SBA loan file becomes one typed Parquet file."""

import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mlrecipes.user_code.imports import UserCode

RECIPE = Path(__file__).parents[2] / "recipes" / "loss_given_default"

LOAN = {
    "LoanNr_ChkDgt": "1000000001", "Name": "INVENTED, INC", "City": "NOWHERE", "State": "OH",
    "Zip": "44101", "Bank": "NO BANK", "BankState": "NC", "NAICS": "451120",
    "ApprovalDate": "28-Feb-97", "ApprovalFY": "1997", "Term": "84", "NoEmp": "4",
    "NewExist": "2", "CreateJob": "0", "RetainedJob": "0", "FranchiseCode": "1",
    "UrbanRural": "1", "RevLineCr": "N", "LowDoc": "Y", "ChgOffDate": "1-Mar-00",
    "DisbursementDate": "31-May-97", "DisbursementGross": "$60,000.00 ",
    "BalanceGross": "$0.00 ", "MIS_Status": "CHGOFF", "ChgOffPrinGr": "$15,000.00 ",
    "GrAppv": "$60,000.00 ", "SBA_Appv": "$48,000.00 ",
}  # fmt: skip


def csv_text(*changes: dict[str, str]) -> str:
    """One line a loan: the loan above, with these values instead."""
    rows = [LOAN | change for change in changes]
    lines = [",".join(f'"{value}"' if value else "" for value in row.values()) for row in rows]
    return "\n".join([",".join(LOAN), *lines]) + "\n"


@pytest.fixture(autouse=True)
def _recipe_code() -> Iterator[None]:
    with UserCode(RECIPE, {"sba_loans": RECIPE.parent / "sba_loans"}).importable():
        yield


def converted(tmp_path: Path, *changes: dict[str, str]) -> list[dict[str, Any]]:
    from sba_loans.convert import convert

    source = tmp_path / "train.csv"
    source.write_text(csv_text(*changes))
    rows: list[dict[str, Any]] = pq.read_table(convert(source, tmp_path / "cache")).to_pylist()
    return rows


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("28-Feb-61", date(1961, 2, 28)),
        ("1-Jan-99", date(1999, 1, 1)),
        ("9-Jul-00", date(2000, 7, 9)),
        ("25-Jun-14", date(2014, 6, 25)),
    ],
)
def test_a_year_of_two_digits_lies_between_1915_and_2014(
    tmp_path: Path, written: str, meant: date
) -> None:
    [loan] = converted(tmp_path, {"ApprovalDate": written})
    assert loan["ApprovalDate"].date() == meant


def test_a_day_before_the_agency_existed_is_unknown(tmp_path: Path) -> None:
    [loan] = converted(tmp_path, {"DisbursementDate": "5-May-28"})
    assert loan["DisbursementDate"] is None


def test_an_amount_loses_its_dollar_commas_and_blank(tmp_path: Path) -> None:
    [loan] = converted(tmp_path, {"GrAppv": "$1,234,567.50 "})
    assert loan["GrAppv"] == 1234567.5


def test_the_fiscal_year_1976a_is_1976(tmp_path: Path) -> None:
    [loan] = converted(tmp_path, {"ApprovalFY": "1976A"})
    assert loan["ApprovalFY"] == 1976


def test_an_empty_value_is_null_whatever_its_type(tmp_path: Path) -> None:
    empty = {"NewExist": "", "BankState": "", "ChgOffDate": "", "ChgOffPrinGr": " "}
    [loan] = converted(tmp_path, empty)
    assert [loan[name] for name in empty] == [None, None, None, None]


def test_names_of_businesses_are_dropped(tmp_path: Path) -> None:
    [loan] = converted(tmp_path, {"Name": 'SMITH, "JOE"'.replace('"', '""')})
    assert "Name" not in loan
    assert loan["City"] == "NOWHERE"


def test_a_value_that_cannot_be_read_names_its_column(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"NoEmp: cannot read as int32.*many"):
        converted(tmp_path, {"NoEmp": "many"})


def test_a_csv_without_the_columns_is_refused(tmp_path: Path) -> None:
    from sba_loans.convert import convert

    (tmp_path / "train.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match=r"train\.csv: not the SBA loan file"):
        convert(tmp_path / "train.csv", tmp_path)


def test_a_wheel_without_the_file_is_refused(tmp_path: Path) -> None:
    from sba_loans.convert import convert

    with zipfile.ZipFile(tmp_path / "other.whl", "w") as archive:
        archive.writestr("other/__init__.py", "")
    with pytest.raises(ValueError, match=r"other\.whl: expected a wheel that holds gbc_model"):
        convert(tmp_path / "other.whl", tmp_path)


def test_equal_input_gives_equal_bytes(tmp_path: Path) -> None:
    from sba_loans.convert import convert

    (tmp_path / "train.csv").write_text(csv_text({}, {"LoanNr_ChkDgt": "1000000002"}))
    first = convert(tmp_path / "train.csv", tmp_path / "a")
    second = convert(tmp_path / "train.csv", tmp_path / "b")
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_a_conversion_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="GrAppv"):
        converted(tmp_path, {}, {"GrAppv": "plenty"})
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_second_conversion_is_read_from_the_cache(tmp_path: Path) -> None:
    from sba_loans.convert import convert

    (tmp_path / "train.csv").write_text(csv_text({}))
    first = convert(tmp_path / "train.csv", tmp_path).stat()
    assert convert(tmp_path / "train.csv", tmp_path).stat().st_mtime_ns == first.st_mtime_ns
    assert convert(tmp_path / "train.csv", tmp_path).stat().st_ino == first.st_ino
