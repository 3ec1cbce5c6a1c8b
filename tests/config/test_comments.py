"""A comment is found where YAML sees one, and nowhere else."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mlrecipes.config.comments import has_markup, hide_comments
from mlrecipes.config.template import render_yaml
from tests.config.small import HERE


@pytest.mark.parametrize(
    "text",
    [
        "# {{ NO }}",
        "a: 1 # {{ NO }}",
        "a: 1\t# {% if %}",
        "a: 'x' # {{ NO }}",
        "a: it's # {{ NO }} isn't",
        "a: x, 'y # {{ NO }}",
        'a: [1, "b", c] # {{ NO }}',
        "a: {b: 1} # {# NO",
        "a: | # {{ NO }}\n  text",
        "a: |-2 # {{ NO }}\n  text",
        "a: {{ A }} # {{ NO }}",
        "- 'x' # {{ NO }}",
        "a: !!str 'x' # {{ NO }}",
        "a: & # {{ NO }}",
        "a: {'b':'c'} # {{ NO }}",
        "a: |\n  text\nb: 1 # {{ NO }}",
        "- |\n  text\n- b # {{ NO }}",
        "- a: |\n    text\n  b: 1 # {{ NO }}",
        "a: {% if A %}'x'{% endif %} # {{ NO }}",
        "{% if A %}# {{ NO }}",
        "a: 'never closed # {{ NO }}",
        "a: x:y # {{ NO }}",
        "a: b-c # {{ NO }}",
        "a: [b: # {{ NO }}\n]",
    ],
)
def test_markup_in_a_comment_is_hidden(text: str) -> None:
    assert "NO" not in hide_comments(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: 'x # {{ A }}'",
        'a: "x # {{ A }}"',
        'a: "x \\" # {{ A }}"',
        "a: 'it''s # {{ A }}'",
        "a: b#{{ A }}",
        "a: |\n  x # {{ A }}\n\n  y # {{ A }}",
        "a: >-\n  x # {{ A }}",
        "a: |\n{% if A %}\n  x # {{ A }}\n{% endif %}\n  y # {{ A }}",
        "a: {{ A | default(' # ') }} {{ A }}",
        "a: {{ {'b': {'c': ' # {{'}} }} {{ A }}",
        'a: "{{ A | default(" # ") }} # {{ A }}"',
        "- 'x # {{ A }}'",
        "? 'x # {{ A }}'",
        "[['x # {{ A }}'], 'y # {{ A }}']",
        "{'x':'y # {{ A }}'}",
        "a: !!str 'x # {{ A }}'",
        "a: &b 'x # {{ A }}'",
        "{# a comment # of {{ Jinja #}",
        "a: {% if A == ' # ' %}{{ A }}{% endif %}",
        "|\n  x # {{ A }}",
        "- |\n  x # {{ A }}",
        "a: 'over\n  # {{ A }} lines'",
        "a: 1 # a comment without markup",
    ],
)
def test_what_is_no_comment_stays(text: str) -> None:
    assert hide_comments(text) == text


def test_lines_stay_where_they_are() -> None:
    assert hide_comments("# {{ A }}\n\na: 1 # {{ B }}\nb: 2\n") == "\n\na: 1 \nb: 2\n"


def test_braces_of_yaml_are_no_markup() -> None:
    assert not has_markup("a: {b: [1, {c: 2}]}")


SCALARS = st.one_of(
    st.text(st.sampled_from("ab '\"#:,-[]{}&!|>%?"), max_size=12).map(lambda text: (text, "'")),
    st.text(st.sampled_from("ab '\"#:,-[]{}&!|>%?\\"), max_size=12).map(lambda text: (text, '"')),
    st.from_regex(r"[a-z]( ?[a-z'\",#-]){0,8}", fullmatch=True).map(lambda text: (text, "")),
    st.text(st.sampled_from("ab '\"#:,-\n"), min_size=1, max_size=12).map(lambda text: (text, "|")),
)


@given(st.lists(st.tuples(SCALARS, st.booleans()), min_size=1, max_size=5))
def test_a_file_with_comments_reads_as_yaml_alone_would_read_it(
    scalars: list[tuple[tuple[str, str], bool]],
) -> None:
    lines = []
    for index, ((text, style), has_comment) in enumerate(scalars):
        comment = " # {{ 'it' + 1 }} 'x" if has_comment else ""
        if style == "|":
            inner = "\n".join(f"  :{line}" for line in text.split("\n"))
            lines.append(f"k{index}: |{comment}\n{inner}")
            continue
        quoted = text.replace("'", "''") if style == "'" else text
        if style == '"':
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
        lines.append(f"k{index}: {style}{quoted}{style}{comment}")
    document = "\n".join([*lines, "end: 1"])
    if has_markup(document.replace("{{ 'it' + 1 }}", "")):
        return
    rendered = render_yaml(document + "\nmark: {{ 1 }}", "f.yaml", HERE, {})
    assert rendered.document.problems == ()
    assert rendered.document.data == {**yaml.safe_load(document), "mark": 1}
