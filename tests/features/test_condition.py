"""Conditions on rows: what they may hold, and that both engines pick the same rows."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlrecipes.features.condition import parse_condition
from mlrecipes.selection import Selection
from mlrecipes.stores.row_filter import RowPicker

ROWS = pa.table(
    {
        "id": range(8),
        "whole": [1, -7, None, 0, 4, 9, 2**40, 7],
        "part": [0.5, None, -1.5, 3.0, float("nan"), 0.0, 1e6, 2.5],
        "text": ["Ulm", "ulm", None, "a'b", "a\\b", "", "Öde", "Ulm "],
        "day": pa.array([18_000 + i for i in range(7)] + [None], pa.date32()),
        "home town": ["x", "y", "x", None, "z", "x", "y", "z"],
    }
)
CONDITIONS = [
    "whole > 3",
    "whole % 2 = 1 or part < 0",
    "not whole > 3",
    "part / NULLIF(whole, 0) > 0.3",
    "part > 2",
    "part = 0 or part >= 1e6",
    "text = 'Ulm'",
    "lower(text) = 'ulm' and text <> 'Ulm'",
    "text in ('a''b', 'a\\b', 'Öde')",
    "text like 'U_m%'",
    "text < 'a'",
    "trim(text) = 'Ulm'",
    "day between '2019-04-15' and DATE '2019-04-17'",
    "day is null or day >= '2019-04-18'",
    "\"home town\" not in ('x', 'y')",
    "case when whole is null then true else whole * 2 > 10 end",
    "coalesce(whole, -1) + 1 <= 0",
    "whole > 1 --of more than one",
    "text is not null and -whole < -3",
]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a > 3; drop table t", "one SQL condition is expected"),
        ("a > 1 limit 3", "one SQL condition is expected"),
        ("a > 1 union select 2", "one SQL condition is expected"),
        ("a >", "is no SQL condition"),
        ("", "is no SQL condition"),
        ("1 = 1", "names no column"),
        ("a in (select x from y)", "holds .* .subquery., which a condition on rows may not"),
        ("exists (select 1)", "which a condition on rows may not"),
        ("t.a > 1", "names t.a; a column's name alone"),
        ("a / b > 2", r"divides by what may be zero.*NULLIF\(b, 0\)"),
        ("random() < 0.1", "uses RAND, which is not known to give the same"),
        ("count(*) > 3", "which is not of one row"),
        ("row_number() over () > 1", "which a condition on rows may not"),
        ("a like 'x\\_%'", "has a backslash"),
        ("(" * 900 + "a = 1" + ")" * 900, "is '"),
        ("a = 1 or " * 300 + "a = 2", "is a condition of 2,705 characters"),
    ],
)
def test_what_engines_may_see_differently_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as told:
        parse_condition(text)
    assert len(str(told.value)) < 500


def test_both_engines_pick_the_same_rows(spark: Any, tmp_path: Path) -> None:
    pq.write_table(ROWS, tmp_path / "rows.parquet")
    frame = spark.read.parquet(f"file:{tmp_path}/rows.parquet")
    conditions = [parse_condition(text) for text in CONDITIONS]
    said = frame.selectExpr("id", *(condition.texts["spark"] for condition in conditions))
    answers = sorted(tuple(row) for row in said.collect())
    for place, condition in enumerate(conditions, 1):
        selection = Selection(("id",), condition.texts, condition.columns)
        here = RowPicker(selection).pick(ROWS)["id"].to_pylist()
        there = [answer[0] for answer in answers if answer[place]]
        assert here == there, CONDITIONS[place - 1]
        assert 0 < len(here) < 8
