from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.errors import ConfigError
from mlrecipes.features.definition import FeatureDefinition, load_definitions

HEADER = """\
/*
description: What an applicant owes.
owner: bureau team
primary_keys: [CLIENT]
*/
"""
QUERY = "SELECT CLIENT, COUNT(*) AS N FROM credits GROUP BY CLIENT\n"


def write(root: Path, text: str = HEADER + QUERY, name: str = "external/credits") -> Path:
    path = root / "features" / f"{name}.sql"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def read(root: Path, text: str) -> FeatureDefinition:
    write(root, text)
    (definition,) = load_definitions(root, ["external"])
    return definition


def test_a_definition_is_a_comment_and_a_query(tmp_path: Path) -> None:
    definition = read(tmp_path, HEADER + QUERY)
    assert definition.table.name == "credits"
    assert definition.table.primary_keys == ("CLIENT",)
    assert definition.table.owner == "bureau team"
    assert definition.write == "replace"
    assert definition.file == "features/external/credits.sql"


def test_the_body_keeps_the_line_numbers_of_the_file(tmp_path: Path) -> None:
    body = read(tmp_path, HEADER + QUERY).body
    assert body.splitlines().index(QUERY.strip()) == len(HEADER.splitlines())


def test_sets_come_in_the_order_asked_for_and_tables_by_name(tmp_path: Path) -> None:
    for name in ("external/b", "external/a", "own/c"):
        write(tmp_path, name=name)
    names = [definition.name for definition in load_definitions(tmp_path, ["own", "external"])]
    assert names == ["c", "a", "b"]


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "-- how many\n" + QUERY,
        HEADER + QUERY.replace(" FROM", "\n  FROM"),
        HEADER + "/* how many */" + QUERY,
        HEADER + "{# how many #}" + QUERY,
    ],
)
def test_a_comment_or_a_line_break_changes_no_digest(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).digest == read(tmp_path, HEADER + QUERY).digest


@pytest.mark.parametrize(
    "text",
    [
        HEADER + QUERY.replace("COUNT(*)", "COUNT(1)"),
        HEADER + QUERY.replace("AS N", "AS 'N  N'"),
        HEADER.replace("CLIENT", "PERSON") + QUERY,
        HEADER.replace("bureau team", "us") + QUERY,
    ],
)
def test_everything_else_changes_the_digest(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text).digest != read(tmp_path, HEADER + QUERY).digest


def test_white_space_in_a_text_changes_the_digest(tmp_path: Path) -> None:
    one = read(tmp_path, HEADER + "SELECT 'a b' AS CLIENT").digest
    assert one != read(tmp_path, HEADER + "SELECT 'a  b' AS CLIENT").digest


def test_a_macro_beside_the_sets_belongs_to_every_digest(tmp_path: Path) -> None:
    before = read(tmp_path, HEADER + QUERY).digest
    (tmp_path / "features" / "macros.sql").write_text("{% macro a() %}{% endmacro %}")
    assert read(tmp_path, HEADER + QUERY).digest != before


@given(st.text(alphabet="ab'\"-/*{#} \n", max_size=30))
def test_a_digest_never_fails(body: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        assert len(read(Path(folder), HEADER + body).digest) == 16


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (QUERY, r"features/external/credits.sql:1: has no comment that describes the table"),
        (HEADER.replace("owner: bureau team\n", ""), r"credits.sql:1: owner is missing"),
        (
            HEADER.replace("owner", "ownr"),
            r"credits.sql:3: ownr is not a key of a feature table. Did you mean 'owner'\?",
        ),
        (HEADER.replace("[CLIENT]", "[A, A]"), r"credits.sql:4: primary_keys must name"),
        (HEADER.replace("[CLIENT]", "[]"), r"credits.sql:4: primary_keys must name"),
        (HEADER.replace("[CLIENT]", "[A]\nevent_time: A"), r"credits.sql:4: primary_keys must"),
        (HEADER.replace("[CLIENT]", "[A"), r"credits.sql:\d"),
        (HEADER.replace("*/", "write: append\n*/"), r"credits.sql:5: write is 'append'"),
    ],
)
def test_a_wrong_header_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(tmp_path, text)


def test_all_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, QUERY, "external/a")
    write(tmp_path, QUERY, "external/b")
    with pytest.raises(ConfigError, match="3 problems") as raised:
        load_definitions(tmp_path, ["external", "extrnal"])
    assert "features/extrnal: is no folder. Did you mean 'external'?" in str(raised.value)


def test_two_tables_of_one_name_are_an_error(tmp_path: Path) -> None:
    write(tmp_path, name="external/credits")
    write(tmp_path, name="own/Credits")
    with pytest.raises(ConfigError, match=r"same name as features/external/credits\.sql"):
        load_definitions(tmp_path, ["external", "own"])


def test_a_set_is_never_looked_for_outside_of_features(tmp_path: Path) -> None:
    write(tmp_path / "features", name="x")
    with pytest.raises(ConfigError, match=r"features/\.\./x: is no folder"):
        load_definitions(tmp_path, ["../x"])


def test_an_empty_set_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "features" / "external").mkdir(parents=True)
    with pytest.raises(ConfigError, match="features/external: holds no definition"):
        load_definitions(tmp_path, ["external"])


def test_a_file_that_is_no_utf8_is_told(tmp_path: Path) -> None:
    write(tmp_path).write_bytes(b"/* \xff */")
    with pytest.raises(ConfigError, match=r"credits\.sql: cannot be read"):
        load_definitions(tmp_path, ["external"])


def test_a_name_that_is_no_name_of_a_table_is_told(tmp_path: Path) -> None:
    write(tmp_path, name="external/my-credits")
    with pytest.raises(ConfigError, match="'my-credits' is no name of a table"):
        load_definitions(tmp_path, ["external"])
