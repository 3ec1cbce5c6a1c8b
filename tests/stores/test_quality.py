"""Suites on DuckDB, on pandas by Great Expectations, and on Spark: the same verdicts."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from mlrecipes.quality_records import (
    EXISTS_ELSEWHERE,
    UNEXPECTED_ROWS,
    Checked,
    Expectation,
    Finding,
    Outcome,
    Suite,
)
from mlrecipes.stores.quality_duckdb import DuckDbChecker
from mlrecipes.stores.quality_gx import check_pandas, load_suite
from mlrecipes.stores.quality_looks import FAILED_COLUMN
from mlrecipes.stores.quality_plans import wants_great_expectations


def expect(kind: str, mostly: float | None = None, **kwargs: Any) -> Expectation:
    share = {} if mostly is None else {"mostly": mostly}
    return Expectation(kind, kwargs | share)


def no_row(condition: str, mostly: float = 1.0) -> Expectation:
    query = "SELECT * FROM {batch} WHERE {}".replace("{}", condition)
    return Expectation(UNEXPECTED_ROWS, {"unexpected_rows_query": query}, meta={"mostly": mostly})


def check(frame: pd.DataFrame, *expectations: Expectation, folder: Path, **others: Any) -> Checked:
    path = folder / "table.parquet"
    frame.to_parquet(path)
    places = {}
    for name, other in others.items():
        places[name] = folder / f"{name}.parquet"
        other.to_parquet(places[name])
    return DuckDbChecker(folder / "tmp").check(path, Suite("raw.t", expectations), places)


# ---- the same as Great Expectations ------------------------------------------------------------

SHARES = st.sampled_from([None, 0.0, 0.5, 0.75, 1.0])
BOUNDS = st.integers(-3, 3)
TRANSLATED = {
    "expect_table_row_count_to_be_between": st.builds(dict, min_value=st.integers(0, 9)),
    "expect_table_row_count_to_equal": st.builds(dict, value=st.integers(0, 9)),
    "expect_table_columns_to_match_set": st.builds(
        dict,
        column_set=st.sampled_from([["n", "f", "s"], ["n", "f"], ["n", "f", "s", "z"]]),
        exact_match=st.booleans(),
    ),
    "expect_column_to_exist": st.builds(dict, column=st.sampled_from(["n", "z"])),
    "expect_column_values_to_be_of_type": st.builds(
        dict, column=st.just("s"), type_=st.sampled_from(["str", "float64"])
    ),
    "expect_column_values_to_not_be_null": st.builds(
        dict, column=st.sampled_from("nfs"), mostly=SHARES
    ),
    "expect_column_values_to_be_between": st.builds(
        dict,
        column=st.sampled_from("nf"),
        min_value=BOUNDS,
        max_value=st.integers(-1, 5),
        strict_min=st.booleans(),
        strict_max=st.booleans(),
        mostly=SHARES,
    ),
    "expect_column_values_to_be_in_set": st.one_of(
        st.builds(dict, column=st.sampled_from("nf"), value_set=st.lists(BOUNDS, max_size=4)),
        st.builds(
            dict,
            column=st.just("s"),
            value_set=st.lists(st.sampled_from(["a", "b", "", "é"]), min_size=1),
            mostly=SHARES,
        ),
    ),
    "expect_column_values_to_not_be_in_set": st.builds(
        dict, column=st.just("n"), value_set=st.lists(BOUNDS, min_size=1), mostly=SHARES
    ),
    "expect_column_values_to_be_unique": st.builds(
        dict, column=st.sampled_from("nfs"), mostly=SHARES
    ),
    "expect_compound_columns_to_be_unique": st.builds(
        dict,
        column_list=st.sampled_from([["n", "s"], ["f", "n"]]),
        ignore_row_if=st.sampled_from(["all_values_are_missing", "any_value_is_missing"]),
        mostly=SHARES,
    ),
    "expect_column_pair_values_a_to_be_greater_than_b": st.builds(
        dict,
        column_A=st.just("n"),
        column_B=st.just("f"),
        or_equal=st.booleans(),
        ignore_row_if=st.sampled_from(["both_values_are_missing", "either_value_is_missing"]),
        mostly=SHARES,
    ),
    "expect_column_values_to_match_regex": st.builds(
        dict, column=st.just("s"), regex=st.sampled_from(["^a", "b$", "^.{2}$"]), mostly=SHARES
    ),
    "expect_column_value_lengths_to_be_between": st.builds(
        dict, column=st.just("s"), min_value=st.integers(0, 2), max_value=st.integers(2, 3)
    ),
    "expect_column_mean_to_be_between": st.builds(dict, column=st.just("f"), min_value=BOUNDS),
    "expect_column_median_to_be_between": st.builds(dict, column=st.just("n"), max_value=BOUNDS),
    "expect_column_min_to_be_between": st.builds(dict, column=st.just("n"), min_value=BOUNDS),
    "expect_column_max_to_be_between": st.builds(
        dict, column=st.just("n"), max_value=BOUNDS, strict_max=st.booleans()
    ),
    "expect_column_sum_to_be_between": st.builds(dict, column=st.just("n"), min_value=BOUNDS),
}
ROW = st.tuples(
    st.none() | BOUNDS,
    st.sampled_from([None, float("nan"), -1.0, 0.0, 0.5, 2.0]),
    st.none() | st.sampled_from(["a", "b", "ab", "", "é"]),
)


def without_nones(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if value is not None}


EXPECTATIONS = st.tuples(
    *(
        kwargs.map(lambda given, kind=kind: Expectation(kind, without_nones(given)))
        for kind, kwargs in TRANSLATED.items()
    )
)


def table_of(rows: list[Any]) -> pa.Table:
    """A whole number, a number with gaps and NaN, and a text."""
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    types = (pa.int64(), pa.float64(), pa.string())
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    return pa.table(dict(zip("nfs", arrays, strict=True)))


def verdict(finding: Finding) -> tuple[Outcome, int | None]:
    is_seen = finding.outcome is not Outcome.UNCHECKED
    return finding.outcome, finding.n_unexpected if is_seen else None


@settings(
    max_examples=6,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # a table is small as it is
)
@given(rows=st.lists(ROW, max_size=7), expectations=EXPECTATIONS)
def test_duckdb_and_great_expectations_agree_on_every_translated_type(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], expectations: list[Expectation]
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    table = table_of(rows)
    pq.write_table(table, folder / "t.parquet")
    ours = DuckDbChecker(folder / "tmp").check(folder / "t.parquet", Suite("t", expectations))
    theirs = check_pandas(table.to_pandas(), expectations)
    for one, other in zip(ours.findings, theirs, strict=True):
        assert verdict(one) == verdict(other), (one, other)


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
@pytest.mark.parametrize("values", [(0.0, -1.0), (2.0, -1.0, 0.0), (0.0, 3.0), (-2.0, -1.0)])
def test_nan_in_a_parquet_file_is_missing(
    tmp_path: Path, values: tuple[float, ...], kind: pa.DataType
) -> None:
    """Its statistics leave NaN out, and DuckDB believes that there is none."""
    numbers = [values[0], float("nan"), *values[1:], float("inf")]
    pq.write_table(pa.table({"x": pa.array(numbers, kind)}), tmp_path / "t.parquet")
    expectations = (
        expect("expect_column_values_to_be_in_set", column="x", value_set=[values[0]]),
        expect("expect_column_values_to_not_be_null", column="x"),
        expect("expect_column_min_to_be_between", column="x", min_value=min(values)),
    )
    checker = DuckDbChecker(tmp_path / "tmp")
    found = checker.check(tmp_path / "t.parquet", Suite("t", expectations)).findings
    assert (found[0].n_unexpected, found[0].n_missing) == (len(values), 1)
    assert found[1].n_unexpected == 1
    assert found[2].is_met
    bad = tmp_path / "bad.parquet"
    assert checker.set_aside(tmp_path / "t.parquet", [found[1]], bad, 10) == (1, 1)


def test_what_has_no_translation_is_run_by_great_expectations(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [0, 0, 1, 1]})
    increasing = expect("expect_column_values_to_be_increasing", column="a")
    part = expect(
        "expect_column_values_to_be_between",
        column="a",
        max_value=2,
        row_condition='col("b") == 0',
        condition_parser="great_expectations",
    )
    assert wants_great_expectations(increasing)
    checked = check(frame, increasing, part, folder=tmp_path)
    assert [(f.is_met, f.n_rows, f.problem) for f in checked.findings] == [
        (True, 4, ""),
        (True, 2, ""),
    ]


# ---- our own rules -----------------------------------------------------------------------------


def one(frame: pd.DataFrame, expectation: Expectation, folder: Path, **others: Any) -> Finding:
    return check(frame, expectation, folder=folder, **others).findings[0]


VALUES = [
    expect("expect_column_values_to_be_between", column="a", min_value=0),
    expect("expect_column_values_to_be_in_set", column="a", value_set=[1]),
    expect("expect_column_values_to_be_unique", column="a"),
    expect("expect_column_mean_to_be_between", column="a", min_value=0),
    expect("expect_column_values_to_be_in_type_list", column="a", type_list=["DoubleType"]),
]


@pytest.mark.parametrize("expectation", VALUES, ids=lambda one: one.type)
def test_a_column_without_values_cannot_be_checked(tmp_path: Path, expectation: Any) -> None:
    frame = pd.DataFrame({"a": pd.Series([None, None], dtype=float)})
    finding = one(frame, expectation, tmp_path)
    assert (finding.outcome, finding.problem) == (Outcome.UNCHECKED, "there are no values.")
    assert finding.is_critical


@pytest.mark.parametrize("expectation", [*VALUES, no_row("a > 1")], ids=lambda one: one.type)
def test_a_table_without_rows_cannot_be_checked(tmp_path: Path, expectation: Any) -> None:
    finding = one(pd.DataFrame({"a": pd.Series([], dtype=float)}), expectation, tmp_path)
    assert (finding.outcome, finding.problem) == (Outcome.UNCHECKED, "there are no rows.")


def test_a_renamed_column_cannot_be_checked_and_the_near_one_is_named(tmp_path: Path) -> None:
    frame = pd.DataFrame({"income_eur": [1.0]})
    wanted = expect("expect_column_values_to_not_be_null", column="income")
    assert one(frame, wanted, tmp_path).problem == (
        "there is no column 'income'. Did you mean 'income_eur'?"
    )
    both = expect("expect_table_columns_to_match_set", column_set=["income"], exact_match=False)
    assert one(frame, both, tmp_path).observed == (
        "1 missing: 'income'. Did you mean 'income_eur'?"
    )


def test_a_name_in_other_case_is_another_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Income": [1.0]})
    wanted = expect("expect_column_values_to_not_be_null", column="income")
    assert "Did you mean 'Income'?" in one(frame, wanted, tmp_path).problem


def test_numbers_that_became_text_are_told_by_type_and_cannot_be_compared(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["7", "8"]})
    number = ["LongType", "DoubleType"]
    kind = expect("expect_column_values_to_be_in_type_list", column="a", type_list=number)
    finding = one(frame, kind, tmp_path)
    assert (finding.outcome, finding.observed) == (Outcome.NOT_MET, "VARCHAR")
    finding = one(frame, VALUES[0], tmp_path)
    assert finding.problem == "column 'a' is VARCHAR, which 0 cannot be compared with."


def test_infinity_lies_in_no_range(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, float("inf"), float("-inf")]})
    within = expect("expect_column_values_to_be_between", column="a", min_value=-9, max_value=9)
    assert one(frame, within, tmp_path).n_unexpected == 2


def test_great_whole_numbers_are_told_apart(tmp_path: Path) -> None:
    """As floats they would be equal."""
    frame = pd.DataFrame({"a": pd.array([2**53, 2**53 + 1, None], dtype="Int64")})
    assert one(frame, expect("expect_column_values_to_be_unique", column="a"), tmp_path).is_met


def test_texts_that_look_like_gaps_or_numbers_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("country,code\nNA,00123\nNone,00124\n")
    suite = Suite(
        "raw.a",
        (
            expect("expect_column_values_to_be_in_set", column="country", value_set=["NA"]),
            expect("expect_column_values_to_be_of_type", column="code", type_="StringType"),
        ),
    )
    country, code = DuckDbChecker(tmp_path).check(tmp_path / "a.csv", suite).findings
    assert (country.n_unexpected, country.n_considered) == (1, 2)
    assert (code.observed, code.is_met) == ("VARCHAR", True)


def test_a_foreign_key_counts_the_rows_without_a_partner(tmp_path: Path) -> None:
    frame = pd.DataFrame({"k": pd.array([1, 2, 2, 3, None], dtype="Int64")})
    key = {"column": "k", "other_table": ["o", "p"], "other_column": "id"}
    others = {"o": pd.DataFrame({"id": [1]}), "p": pd.DataFrame({"id": [3]})}
    finding = one(frame, Expectation(EXISTS_ELSEWHERE, key | {"mostly": 0.5}), tmp_path, **others)
    assert (finding.is_met, finding.n_unexpected, finding.n_considered) == (True, 2, 4)
    assert not one(frame, Expectation(EXISTS_ELSEWHERE, key), tmp_path, **others).is_met


def test_a_foreign_key_without_its_table_cannot_be_checked(tmp_path: Path) -> None:
    key = {"column": "k", "other_table": "o", "other_column": "id"}
    finding = one(pd.DataFrame({"k": [1]}), Expectation(EXISTS_ELSEWHERE, key), tmp_path)
    assert finding.problem == "the table 'o', which it refers to, is not at hand."


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        ("DATE_DIFF('day', a, a) > 1", "uses DATEDIFF"),
        ("a IN (SELECT a FROM {batch})", "another SELECT"),
        ("a >", "is no SQL"),
        ("aa > 1", "there is no column 'aa'. Did you mean 'a'?"),
        ("1 = 1; DROP TABLE x", "one SELECT is expected"),
    ],
)
def test_a_rule_that_engines_may_understand_differently_is_not_run(
    tmp_path: Path, condition: str, problem: str
) -> None:
    finding = one(pd.DataFrame({"a": [1]}), no_row(condition), tmp_path)
    assert problem in finding.problem
    assert finding.outcome is Outcome.UNCHECKED


def test_examples_show_shapes_unless_values_are_asked_for(tmp_path: Path) -> None:
    frame = pd.DataFrame({"mail": [f"Ann.{i}@example.org" for i in range(9)]})
    frame.to_parquet(tmp_path / "t.parquet")
    suite = Suite("t", (expect("expect_column_values_to_match_regex", column="mail", regex="^x"),))
    masked = DuckDbChecker(tmp_path).check(tmp_path / "t.parquet", suite).findings[0]
    assert masked.examples == ("Aaa.9@aaaaaaa.aaa",) * 5
    shown = DuckDbChecker(tmp_path, shows_values=True).check(tmp_path / "t.parquet", suite)
    assert shown.findings[0].examples[0] == "Ann.0@example.org"


def test_offending_rows_are_set_aside_with_what_they_break(tmp_path: Path) -> None:
    frame = pd.DataFrame({"k": [1, 1, 2, 3], "x": [0, -1, 5, -2]})
    twice = expect("expect_column_values_to_be_unique", column="k")
    low = expect("expect_column_values_to_be_between", column="x", min_value=0)
    checked = check(frame, twice, low, folder=tmp_path)
    checker, into = DuckDbChecker(tmp_path / "tmp"), tmp_path / "bad" / "rows.parquet"
    assert checker.set_aside(tmp_path / "table.parquet", checked.findings, into, 2) == (3, 2)
    rows = pd.read_parquet(into)
    assert rows["k"].tolist() == [1, 1]
    assert rows[FAILED_COLUMN].tolist()[1] == (
        "expect_column_values_to_be_unique k; expect_column_values_to_be_between x"
    )


def test_findings_about_a_whole_table_leave_no_file(tmp_path: Path) -> None:
    frame = pd.DataFrame({"k": [1]})
    checked = check(
        frame, expect("expect_table_row_count_to_be_between", min_value=2), folder=tmp_path
    )
    into = tmp_path / "rows.parquet"
    checker = DuckDbChecker(tmp_path)
    assert checker.set_aside(tmp_path / "table.parquet", checked.findings, into, 9) == (0, 0)
    assert not into.exists()


def test_a_result_comes_back_from_json_in_the_shape_of_great_expectations(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, -1.0, None]})
    finding = one(frame, VALUES[0], tmp_path)
    said = finding.to_json()
    assert said["result"] == {
        "element_count": 3,
        "missing_count": 1,
        "missing_percent": pytest.approx(100 / 3),
        "unexpected_count": 1,
        "unexpected_percent": 50.0,
        "unexpected_percent_total": pytest.approx(100 / 3),
        "unexpected_percent_nonmissing": 50.0,
        "partial_unexpected_list": ["-9.9"],
    }
    assert Finding.from_json(said) == finding


# ---- Spark -------------------------------------------------------------------------------------


@settings(
    max_examples=4,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(rows=st.lists(ROW, max_size=7), expectations=EXPECTATIONS)
def test_spark_gives_the_same_verdicts_as_duckdb(
    tmp_path_factory: pytest.TempPathFactory,
    spark: Any,
    rows: list[Any],
    expectations: list[Expectation],
) -> None:
    from mlrecipes.stores.quality_spark import SparkChecker

    folder = tmp_path_factory.mktemp("tables")
    path, others = folder / "t.parquet", {"o": folder / "o.parquet"}
    pq.write_table(table_of(rows), path)
    pq.write_table(table_of(rows[:2]), others["o"])
    key = {"column": "n", "other_table": "o", "other_column": "n"}
    number = {"column": "f", "type_list": ["LongType", "DoubleType"]}
    more = (
        Expectation(EXISTS_ELSEWHERE, key),
        expect("expect_column_values_to_be_in_type_list", **number),
        expect("expect_column_values_to_be_in_set", column="gone", value_set=[1]),
        no_row("f < 0 AND s IS NULL"),
        no_row("n < 0", mostly=0.5),
    )
    suite = Suite("raw.t", (*expectations, *more))
    checkers = [DuckDbChecker(folder / "tmp"), SparkChecker(spark)]
    here, there = [checker.check(path, suite, others).findings for checker in checkers]
    for one, other in zip(here, there, strict=True):
        assert verdict(one) == verdict(other), (one, other)
        assert (one.examples, one.n_missing) == (other.examples, other.n_missing)
    bad = [finding for finding in here if finding.n_unexpected]
    aside = []
    for i, checker in enumerate(checkers):
        counted = checker.set_aside(path, bad, folder / f"{i}.parquet", 5, others)
        rows_aside = pd.read_parquet(folder / f"{i}.parquet") if counted[0] else None
        aside.append((counted, rows_aside if rows_aside is None else rows_aside.to_json()))
    assert aside[0] == aside[1]


def test_great_expectations_looks_at_spark_where_there_is_no_translation(
    tmp_path: Path, spark: Any
) -> None:
    from mlrecipes.stores.quality_spark import SparkChecker

    frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": [0, 0, 1, 1]})
    frame.to_parquet(tmp_path / "t.parquet")
    part = {"row_condition": 'col("b") == 0', "condition_parser": "great_expectations"}
    suite = Suite(
        "t",
        (
            expect("expect_column_values_to_be_between", column="a", max_value=1, **part),
            expect(
                "expect_column_values_to_be_in_type_list", column="a", type_list=["str"], **part
            ),
            expect("expect_column_proportion_of_unique_values_to_be_between", column="b"),
        ),
    )
    findings = SparkChecker(spark).check(tmp_path / "t.parquet", suite).findings
    assert [(f.is_met, f.n_rows, f.n_unexpected) for f in findings] == [
        (False, 2, 1),
        (False, 4, None),
        (True, 4, None),
    ]


def test_great_expectations_loads_our_own_type(tmp_path: Path) -> None:
    key = Expectation(EXISTS_ELSEWHERE, {"column": "k", "other_table": "o", "other_column": "k"})
    assert len(load_suite("raw.t", [key]).expectations) == 1
