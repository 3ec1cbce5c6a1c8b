"""Values are filled in as values: nothing that a profile holds becomes structure."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.config.load import LoadedConfig
from mlrecipes.config.sandbox import Missing, RecipeEnvironment
from mlrecipes.config.template import names_used, render_yaml
from mlrecipes.config.tokens import Tokens
from tests.config.small import HERE, RECIPE, problems


@pytest.mark.parametrize(
    "value",
    ["x\nevil: 1", "a # b", 'it\'s "both"', "a: b", "{{ 1 }}", "\\n\\", "~", "null", "- x", "'"],
)
def test_a_value_never_becomes_structure(load: Callable[..., LoadedConfig], value: str) -> None:
    recipe = RECIPE.replace("data.parquet", "{{ DATA }}")
    profile = yaml.safe_dump({"DATA": value}) if "{{" not in value else "DATA: x\n"
    overrides = {"DATA": value} if "{{" in value else {}
    assert load(recipe, profile, overrides).config.steps.ingest.location == value


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text()
        | st.dates(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(min_size=1), inner),
        max_leaves=8,
    )
)
def test_any_value_arrives_as_it_stands_in_the_profile(value: object) -> None:
    document = render_yaml("x: {{ VALUE }}", "recipe.yaml", Path("/"), {"VALUE": value})
    assert document.document.data == {"x": value}


def test_text_around_an_expression_makes_text(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("data.parquet", "data/{{ YEAR }}.parquet")
    assert load(recipe, "YEAR: 2006\n").config.steps.ingest.location == "data/2006.parquet"


def test_quotes_around_an_expression_make_text(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("data.parquet", '"{{ YEAR }}"')
    assert load(recipe, "YEAR: 2006\n").config.steps.ingest.location == "2006"


def test_dates_keep_their_type(load: Callable[..., LoadedConfig]) -> None:
    split = "{using: time, time_col: t, validation_from: {{ V }}, test_from: 2006-01-01}"
    config = load(RECIPE + f"  split: {split}\n", "V: 2005-01-01\n").config
    assert config.steps.split.validation_from == datetime.date(2005, 1, 1)


def test_a_moment_keeps_its_hour_and_zone(load: Callable[..., LoadedConfig]) -> None:
    start = "'2005-01-01T00:00:00+01:00'"
    split = f"{{using: time, time_col: t, validation_from: {start}, test_from: 2006-01-01}}"
    config = load(RECIPE + f"  split: {split}\n").config
    zone = datetime.timezone(datetime.timedelta(hours=1))
    assert config.steps.split.validation_from == datetime.datetime(2005, 1, 1, tzinfo=zone)


def test_an_expression_in_a_comment_is_not_looked_at(load: Callable[..., LoadedConfig]) -> None:
    assert load("# {{ NOWHERE }}\n" + RECIPE + "seed: 3  # {{ NOWHERE }}\n").config.seed == 3


def test_a_hash_inside_a_value_does_not_cut_it(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE.replace("price", "'price #1'") + "seed: {{ SEED }}\n"
    assert load(recipe, "SEED: 1\n").config.target_col == "price #1"


def test_blocks_and_loops_work(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "id_cols:\n{% for c in COLS %}  - {{ c }}\n{% endfor %}"
    assert load(recipe, "COLS: [a, b]\n").config.id_cols == ("a", "b")


def test_an_include_below_the_root_works(load: Callable[..., LoadedConfig], tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("seed: 5\n")
    assert load(RECIPE + "{% include 'more.yaml' %}").config.seed == 5


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% include '../secret' %}",
        "{{ '../secret' | from_json }}",
        "{{ 'link' | from_json }}",
    ],
)
def test_a_template_reaches_nothing_outside_the_recipe(
    load: Callable[..., LoadedConfig], tmp_path: Path, attack: str
) -> None:
    (tmp_path.parent / "secret").write_text('"leaked"')
    (tmp_path / "link").symlink_to(tmp_path.parent / "secret")
    found = problems(lambda: load(RECIPE + f"seed: {attack}\n"))
    assert "leaked" not in str(found)


# ---- what an expression gives ---------------------------------------------------------------


def fill(text: str, **variables: object) -> object:
    """What a template gives for ``x``."""
    rendered = render_yaml(f"x: {text}", "recipe.yaml", HERE, variables)
    assert rendered.document.problems == ()
    assert rendered.missing == ()
    return rendered.document.data["x"]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("{{ A }}", None, None),
        ("{{ A }}", "null", "null"),
        ("{{ A }}", "yes", "yes"),
        ("{{ A }}", "select 1\n  from t -- # x\n", "select 1\n  from t -- # x\n"),
        ("'{{ A }}'", None, "None"),
        ("a {{ A }} b", 1, "a 1 b"),
        ("{{ A }}{{ A }}", 1, "11"),
        ("|\n  {{ A }}", "a\nb", "a\nb"),
        ("{{ '{{' }} {{ A }}", 1, "{{ 1"),
        ("{{ A | length }}", [1, 2], 2),
        ("{{ A | map('upper') }}", ["a"], ["A"]),
        ("{{ range(A) }}", 3, [0, 1, 2]),
        ("{{ A.items() }}", {"a": 1}, [["a", 1]]),
        ("[{{ A }}, 2]", 1, [1, 2]),
        ("{b: {{ A }}}", {"c": 1}, {"b": {"c": 1}}),
        ("{ {{ A }}: 1}", 5, {"5": 1}),
        ("{{ A | upper }}", "x: 1", "X: 1"),
        ("{{ A | e }}", "<", "&lt;"),
        ("{{ 2 ** A }}", 3, 8),
        ("{{ 'ab' * A }}", 2, "abab"),
        ("{{ 2 * A }}", 1.5, 3.0),
        ("!!str {{ 'a' }}", 0, "a"),
    ],
)
def test_an_expression_gives_its_value(text: str, value: object, expected: object) -> None:
    assert fill(text, A=value) == expected


def test_a_value_is_a_copy_that_cannot_change_another() -> None:
    inner = {"b": 1}
    assert fill("{{ A }}", A=inner) is not inner


@pytest.mark.parametrize(
    "text",
    [
        "{% set v %}{{ A }}!{% endset %}{{ v }}",
        "{% macro m(v) %}{{ v }}!{% endmacro %}{{ m(A) }}",
        "{% filter lower %}{{ A }}!{% endfilter %}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}{{ A }}!{% endcall %}",
        "{% set v %}{% include 'exclaim.yaml' %}{% endset %}{{ v }}",
        "{% set v %}{% include 'exclaim.yaml' %}{% endset %}{{ [v][0] }}",
        "{% set v %}{% include 'exclaim.yaml' %}{% endset %}{{ v | upper | lower }}",
    ],
)
def test_what_a_block_collects_is_text_without_a_trace_of_tokens(text: str, tmp_path: Path) -> None:
    (tmp_path / "exclaim.yaml").write_text("{{ A }}!")
    rendered = render_yaml(f'"x": {text}', "recipe.yaml", tmp_path, {"A": "a"})
    assert rendered.document.data == {"x": "a!"}


def test_a_value_in_a_block_cannot_add_keys(tmp_path: Path) -> None:
    text = "{% set v %}{{ A }}{% endset %}x: {{ v }}\n{% for c in [A] %}y: {{ c }}{% endfor %}"
    rendered = render_yaml(text, "recipe.yaml", tmp_path, {"A": "a\nevil: 1"})
    assert rendered.document.data == {"x": "a\nevil: 1", "y": "a\nevil: 1"}


def test_a_mapping_from_a_json_file_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"b": [1, null]}')
    rendered = render_yaml("x: {{ 'a.json' | from_json }}", "recipe.yaml", tmp_path, {})
    assert rendered.document.data == {"x": {"b": [1, None]}}
    assert rendered.files == ((tmp_path / "a.json").resolve(),)


def test_two_keys_that_become_the_same_are_found() -> None:
    rendered = render_yaml("{{ A }}: 1\na: 2\n", "recipe.yaml", HERE, {"A": "a"})
    (problem,) = rendered.document.problems
    assert str(problem) == "recipe.yaml:2: a stands twice, first on line 1. Keep one of them."


# ---- names that nothing sets ----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{{ GONE }}",
        "{{ GONE + 1 }}",
        "{{ GONE.part }}",
        "{{ GONE['part'] }}",
        "{{ GONE() }}",
        "{{ [GONE] }}",
        "{{ {'a': [GONE]} }}",
        "{{ GONE | upper }}",
        "{{ GONE | length }}",
        "{{ GONE | int }}",
        "{{ GONE | float }}",
        "{{ GONE | from_json }}",
        "{{ GONE == 1 }}",
        "{{ 1 in GONE }}",
        "a {{ GONE }} b",
        "{% for c in GONE %}{{ c }}{% endfor %}",
        "{% if GONE %}1{% endif %}",
    ],
)
def test_a_name_that_nothing_sets_is_named_with_its_line(
    load: Callable[..., LoadedConfig], text: str
) -> None:
    recipe = RECIPE + f"    estimator_params:\n      x: {text}\n"
    assert problems(lambda: load(recipe, "GONES: 1\n")) == [
        "recipe.yaml:8: GONE is used here, but profiles/local.yaml does not set it. "
        "Did you mean 'GONES'?",
    ]


def test_all_names_that_nothing_sets_are_told_at_once(load: Callable[..., LoadedConfig]) -> None:
    recipe = RECIPE + "seed: {{ SEED }}\nid_cols: {{ IDS }}\nignore_cols: [{{ IDS }}]\n"
    assert problems(lambda: load(recipe, "")) == [
        "recipe.yaml:7: SEED is used here, but profiles/local.yaml does not set it. "
        "Add to the profile: SEED: …",
        "recipe.yaml:8: IDS is used here, but profiles/local.yaml does not set it. "
        "Add to the profile: IDS: …",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{{ GONE | default(3) }}",
        "{% if GONE is defined %}{{ GONE }}{% else %}3{% endif %}",
        "{% if false %}{{ GONE }}{% endif %}3",
        "{{ A.gone | default(3) }}",
    ],
)
def test_a_name_that_is_not_needed_may_be_absent(text: str) -> None:
    assert fill(text, A={}) == 3


def test_a_part_that_a_value_lacks_is_named() -> None:
    rendered = render_yaml("x: {{ A.gone }}", "recipe.yaml", HERE, {"A": {"b": 1}})
    assert [(name.name, name.is_variable, name.line) for name in rendered.missing] == [
        ("gone", False, 1)
    ]


def test_a_missing_part_reads_as_such(load: Callable[..., LoadedConfig]) -> None:
    found = problems(lambda: load(RECIPE + "seed: {{ A.gone }}\n", "A: {b: 1}\n"))
    assert found == ["recipe.yaml:7: gone is used here, but the value before it has no such part."]


# ---- lines -----------------------------------------------------------------------------------


def test_lines_are_those_of_the_file_after_blocks(load: Callable[..., LoadedConfig]) -> None:
    blocks = (
        "{% for c in [1, 2, 3] %}\n# {{ c }}\n{% endfor %}\n{% if false %}\nx: 1\n{% endif %}\n"
    )
    (found,) = problems(lambda: load(RECIPE + blocks + "sed: 1\n"))
    assert found.startswith("recipe.yaml:13: sed is not a key")


def test_lines_are_those_of_the_file_after_an_expression_of_several_lines(
    load: Callable[..., LoadedConfig],
) -> None:
    (found,) = problems(lambda: load(RECIPE + "seed: {{\n  1\n}}\nx: 2\n"))
    assert found.startswith("recipe.yaml:10: x is not a key")


def test_a_problem_in_an_included_file_names_that_file(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    (tmp_path / "more.yaml").write_text("seed: 1\nsed: {{ A }}\n")
    found = problems(lambda: load(RECIPE + "{% include 'more.yaml' %}\nx: 1\n", "A: 1\n"))
    assert [text.partition(" is ")[0] for text in found] == ["more.yaml:2: sed", "recipe.yaml:8: x"]


def test_a_name_that_nothing_sets_in_an_included_file_names_that_file(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    (tmp_path / "more.yaml").write_text("\nseed: {{ GONE }}\n")
    (found,) = problems(lambda: load(RECIPE + "{% include 'more.yaml' %}\n"))
    assert found.startswith("more.yaml:2: GONE is used here")


# ---- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("seed: {{ 1 +", "is no valid template: unexpected 'end of template'"),
        ("{% if 1 %}\nseed: 1", "is no valid template: Unexpected end of template."),
        ("seed: {{ 'a' + 1 }}", "cannot be filled in: can only concatenate str"),
        ("seed: {{ 1 // 0 }}", "cannot be filled in: integer division or modulo by zero"),
        ("seed: {{ range(10 ** 9) }}", "cannot be filled in: Range too big."),
        ("seed: {{ 9 ** 99999 }}", "cannot be filled in: computes a value that is too large"),
        ("seed: {{ 'a' * 10 ** 9 }}", "cannot be filled in: computes a value that is too large"),
        ("seed: {{ [[0] * 99999, 1] * 99999 }}", "cannot be filled in: computes a value"),
        ("seed: {{ namespace }}", "cannot be filled in: prints a type, which is no value"),
        ("seed: {{ cycler(1) }}", "cannot be filled in: prints a Cycler, which is no value"),
        ("seed: {{ lipsum() }}", "lipsum is used here"),
        ("{% include 'recipe.yaml' %}", "includes itself, or repeats itself without end."),
        ("{% include 'gone.yaml' %}", "includes 'gone.yaml', which is no file of the recipe."),
        ("{% include '../x' %}", "cannot be filled in: '../x' lies outside the recipe's folder"),
        ("seed: {{ '../x' | from_json }}", "cannot be filled in: '../x' lies outside"),
        ("seed: {{ '/etc/passwd' | from_json }}", "cannot be filled in: '/etc/passwd' lies"),
        ("seed: {{ 'gone' | from_json }}", "cannot be filled in: from_json: there is no file"),
        ("seed: {{ 'recipe.yaml' | from_json }}", "cannot be filled in: Expecting value"),
        ("seed: {{ ''.__class__.__mro__ }}", "asks for what a template may not reach: access to"),
        ("seed: {{ [''.__class__] }}", "asks for what a template may not reach: access to"),
        ("{% set x = [] %}{{ x.append(1) }}", "asks for what a template may not reach:"),
        ("seed: {{ '%s' | format(1) | attr('__class__') }}", "asks for what a template may not"),
        ("seed: {{ '{0.__class__}'.format(1) }}", "asks for what a template may not reach"),
        (
            "seed: {% set n = namespace(v=[1]) %}{% for a in range(20) %}"
            "{% set n.v = n.v + n.v %}{% endfor %}{{ n.v }}",
            "cannot be filled in: prints a list of more than 50,000 values",
        ),
    ],
)
def test_what_a_template_may_not_do_is_told_with_its_line(
    load: Callable[..., LoadedConfig], text: str, expected: str
) -> None:
    (found,) = problems(lambda: load(RECIPE + text + "\n"))
    assert found.startswith(f"recipe.yaml:7: {expected}")
    assert len(found) < 300


def test_a_link_out_of_the_recipe_is_not_followed(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    (tmp_path.parent / "outside.yaml").write_text("seed: 1")
    (tmp_path / "inside.yaml").symlink_to(tmp_path.parent / "outside.yaml")
    (found,) = problems(lambda: load(RECIPE + "{% include 'inside.yaml' %}"))
    assert found.startswith("recipe.yaml:7: cannot be filled in: 'inside.yaml' lies outside")


def test_an_included_file_keeps_its_comments_to_itself(
    load: Callable[..., LoadedConfig], tmp_path: Path
) -> None:
    (tmp_path / "more.yaml").write_text("seed: 5 # {{ GONE }}\n")
    assert load(RECIPE + "{% include 'more.yaml' %}").config.seed == 5


def test_names_of_a_broken_template_are_none() -> None:
    assert names_used("{{ 1 +", HERE) == frozenset()
    assert names_used("a: 1", HERE) == frozenset()


def test_a_line_break_that_only_yaml_knows_does_not_move_lines(
    load: Callable[..., LoadedConfig],
) -> None:
    (found,) = problems(lambda: load(RECIPE + 'seed: {{ 1 }}\nid_cols: "a\x85\u2028b"\nx: 1\n'))
    assert found.startswith("recipe.yaml:9: x is not a key")


def test_a_template_that_prints_without_end_is_stopped(load: Callable[..., LoadedConfig]) -> None:
    loops = "{% for a in range(9999) %}{% for b in range(9999) %}xxxx{% endfor %}{% endfor %}"
    assert problems(lambda: load(RECIPE + loops)) == [
        "recipe.yaml: cannot be filled in: prints more than 1,000,000 characters (ValueError)."
    ]


def test_a_name_that_is_used_outside_of_a_template_has_no_place() -> None:
    environment = RecipeEnvironment(HERE, Tokens({}))
    assert str(environment.undefined(name="GONE")) == ""
    assert environment.missing == [Missing("GONE", True, "", None)]
