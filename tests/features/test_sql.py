from pathlib import Path

import pytest

from mlrecipes.errors import ConfigError
from mlrecipes.features.definition import load_definitions
from mlrecipes.features.sql import FeatureQuery, parse_query

HEADER = "/*\ndescription: d\nowner: o\nprimary_keys: [K]\n*/\n"


def parse(root: Path, query: str) -> FeatureQuery:
    path = root / "features" / "own" / "t.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + query, encoding="utf-8")
    (definition,) = load_definitions(root, ["own"])
    return parse_query(definition, root)


def test_the_raw_tables_are_those_that_the_query_does_not_define(tmp_path: Path) -> None:
    query = "WITH q AS (SELECT K FROM a JOIN b USING (K)) SELECT K FROM q JOIN C USING (K)"
    assert parse(tmp_path, query).tables == ("C", "a", "b")


def test_templates_are_filled_in(tmp_path: Path) -> None:
    query = (
        "SELECT K{% for n in [1, 2] %}, MAX(x * {{ n }}) AS M{{ n }}{% endfor %} FROM t GROUP BY K"
    )
    assert "MAX(x * 2) AS M2" in parse(tmp_path, query).texts["duckdb"]


def test_macros_lie_beside_the_sets(tmp_path: Path) -> None:
    folder = tmp_path / "features"
    folder.mkdir()
    (folder / "m.sql").write_text("{% macro top(c) %}MAX({{ c }}) AS TOP_{{ c }}{% endmacro %}")
    query = '{% from "m.sql" import top %}SELECT K, {{ top("X") }} FROM t GROUP BY K'
    assert "MAX(X) AS TOP_X" in parse(tmp_path, query).texts["spark"]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT K, x / NULLIF(y, 0) AS z FROM t",
        "SELECT K, x / CAST(NULLIF(y, 0) AS DOUBLE) AS z FROM t",
        "SELECT K, x / 12.0 AS z FROM t",
        "SELECT K, x / (NULLIF(y, 0) * 2) AS z FROM t",
        "SELECT K, CASE WHEN x > 1 AND (y < 2 OR y IS NULL) THEN 1 END AS z FROM t",
        "SELECT K, COUNT(*) FILTER (WHERE x LIKE 'a%') AS z FROM t GROUP BY K",
        "SELECT K, CAST(FLOOR(x / 2) AS BIGINT) AS z FROM t",
        "SELECT K FROM a UNION ALL SELECT K FROM b",
    ],
)
def test_what_engines_compute_alike_is_allowed(tmp_path: Path, query: str) -> None:
    assert parse(tmp_path, query).texts["spark"]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT K, x / y AS z FROM t", r"may be zero.*x / y. Write NULLIF\(y, 0\)"),
        ("SELECT K, x / NULLIF(y, 1) AS z FROM t", "may be zero"),
        ("SELECT K, x / 0 AS z FROM t", "may be zero"),
        ("SELECT K, x % y AS z FROM t", "may be zero"),
        ("SELECT K, x // y AS z FROM t", "may be zero"),
        ("SELECT K, DATE_DIFF('day', a, b) AS z FROM t", "uses DATEDIFF, which is not known"),
        ("SELECT K, MODE(x) AS z FROM t GROUP BY K", "uses MODE"),
        ("SELECT K, LN(x) AS z FROM t", "uses LN"),
        ("SELECT K, MEDAIN(x) AS z FROM t GROUP BY K", r"uses MEDAIN"),
        ("SELECT K, GRATEST(x, 1) AS z FROM t", r"uses GRATEST.*Did you mean 'GREATEST'\?"),
        ("SELECT K, CAST(x / 2.0 AS INT) AS z FROM t", r"rounds by a cast.*FLOOR"),
        ("SELECT K, CAST(x AS HUGEINT) AS z FROM t", "casts to INT128"),
        ("SELECT K FROM read_csv('a.csv')", "reads from"),
        ("SELECT K FROM other.t", "reads from other.t"),
        ("SELECT K FROM t; SELECT K FROM u", "holds 2 statements"),
        ("", "holds 0 statements"),
        ("DROP TABLE t", "holds a statement DROP"),
        ("SELECT K FROM", r"t.sql"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{% for %}", r"t.sql:6: "),
        ('{% import "m.sql" as m %}', "there is no file features/m.sql"),
        ("{{ ().__class__.__bases__[0] }}", "unsafe"),
    ],
)
def test_the_rest_is_refused_with_a_reason(tmp_path: Path, query: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(tmp_path, query)


def test_a_wrong_line_is_named_as_it_stands_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"t.sql:7: .* near: WHERE"):
        parse(tmp_path, "SELECT K FROM\nWHERE x")


def test_all_that_is_not_portable_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="2 problems"):
        parse(tmp_path, "SELECT K, MODE(x) AS m, y / z AS d FROM t GROUP BY K")


def test_duckdb_is_told_without_filters_what_spark_is_told_with_them(tmp_path: Path) -> None:
    query = """
    SELECT K, COUNT(*) FILTER (WHERE x > 1) AS n, SUM(x) FILTER (WHERE y) AS s,
        MAX_BY(x, z) FILTER (WHERE y) AS l, COUNT(DISTINCT x) FILTER (WHERE y) AS d
    FROM t GROUP BY K"""
    queries = parse(tmp_path, query).texts
    texts = {dialect: " ".join(text.split()) for dialect, text in queries.items()}
    assert "COUNT(CASE WHEN x > 1 THEN 1 END) AS n" in texts["duckdb"]
    assert "SUM(CASE WHEN y THEN x END) AS s" in texts["duckdb"]
    assert texts["duckdb"].count("FILTER") == 2
    assert texts["spark"].count("FILTER") == 4
