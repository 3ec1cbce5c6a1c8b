"""Loans of sba_default: what is known at approval, apart from it what became of them, and when."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from mlrecipes.user_code.imports import UserCode
from tests.project.test_sba_ingest import AFTERWARDS, write_csv

RECIPE = Path(__file__).parents[2] / "recipes" / "sba_default"
LOST = {"MIS_Status": "CHGOFF", "ChgOffDate": "1-Jun-08"}
PAID = {"MIS_Status": "P I F", "ChgOffDate": ""}


@pytest.fixture(autouse=True)
def _recipe_code() -> Iterator[None]:
    with UserCode(RECIPE, {"sba_loans": RECIPE.parent / "sba_loans"}).importable():
        yield


def loan(number: int, approved: str, became: dict[str, str]) -> dict[str, str]:
    return {"LoanNr_ChkDgt": str(number), "ApprovalDate": approved, **became}


def rows(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return found


def test_loans_to_learn_from_are_of_1998_to_2003_with_a_known_end(tmp_path: Path) -> None:
    from steps.ingest import find_training_loans

    source = write_csv(
        tmp_path / "train.csv",
        loan(1, "31-Dec-97", PAID),
        loan(2, "1-Jan-98", PAID),
        loan(3, "31-Dec-03", LOST),
        loan(4, "1-Jan-04", LOST),
        loan(5, "1-Jun-02", {"MIS_Status": ""}),
    )
    found = rows(find_training_loans(str(source), tmp_path))
    assert [(row["LoanNr_ChkDgt"], row["Default"]) for row in found] == [(2, 0), (3, 1)]


def test_loans_to_score_have_no_outcome_and_no_column_of_later(tmp_path: Path) -> None:
    from steps.ingest import find_later_loans, find_training_loans

    source = write_csv(
        tmp_path / "train.csv",
        loan(1, "31-Dec-03", PAID),
        loan(2, "1-Jan-04", {"MIS_Status": ""}),
        loan(3, "31-Dec-10", LOST),
        loan(4, "1-Jan-11", LOST),
    )
    later = rows(find_later_loans(str(source), tmp_path))
    assert [row["LoanNr_ChkDgt"] for row in later] == [2, 3]
    (learned,) = rows(find_training_loans(str(source), tmp_path))
    assert set(learned) - set(later[0]) == {"Default"}
    unknown = AFTERWARDS | {"DisbursementGross", "DisbursementDate", "ApprovalFY", "Name"}
    assert not unknown & set(learned)


def test_a_charge_off_is_known_from_the_day_it_was_booked(tmp_path: Path) -> None:
    from steps.ingest import find_outcomes

    source = write_csv(
        tmp_path / "train.csv",
        loan(1, "1-Jun-04", LOST),
        loan(2, "1-Jun-04", PAID),
        loan(3, "1-Jun-04", {"MIS_Status": ""}),
        loan(4, "1-Jul-08", PAID),
    )

    def known(day: str) -> dict[int, int]:
        found = rows(find_outcomes(str(source), tmp_path, day))
        return {row["LoanNr_ChkDgt"]: row["Default"] for row in found}

    assert known("2008-06-01") == {1: 0, 2: 0}
    assert known("2008-06-02") == {1: 1, 2: 0}
    assert known("2014-09-01") == {1: 1, 2: 0, 4: 0}


def test_a_word_that_is_no_day_is_refused(tmp_path: Path) -> None:
    from steps.ingest import find_outcomes

    source = write_csv(tmp_path / "train.csv", loan(1, "1-Jun-04", PAID))
    with pytest.raises(ValueError, match="AS_OF is 'autumn': expected a day such as 2014-09-01"):
        find_outcomes(str(source), tmp_path, "autumn")


def test_a_file_without_these_years_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    from steps.ingest import find_later_loans

    source = write_csv(tmp_path / "train.csv", loan(1, "1-Jun-99", PAID))
    with pytest.raises(ValueError, match="no loan of these years"):
        find_later_loans(str(source), tmp_path)
    assert not list(tmp_path.glob("sba-later*"))


def test_equal_settings_give_equal_trees() -> None:
    from steps.train import estimator_fn

    settings = estimator_fn({"n_estimators": 7}).get_params()
    assert (settings["n_estimators"], settings["n_jobs"], settings["deterministic"]) == (7, 1, True)
