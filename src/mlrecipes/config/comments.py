"""Finding the comments of a YAML template, so that nothing in them is evaluated.

MLflow Recipes cut every line at its first ``#``, inside quotes too. YAML sees a comment only
where ``#`` begins a line or follows a space, outside of quotes and block texts; a template's
``{{ }}`` may hold a ``#`` as well. This module walks the text once and knows these places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["has_markup", "hide_comments"]

MARKUP = re.compile(r"\{[{%#]")
SPACES = " \t"
BLOCK_HEADER = re.compile(r"[|>][-+0-9]*[ \t]*(#[^\n]*)?(?=\n|\Z)")
LINE_PREFIX = re.compile(r"[ ]*(?:[-?][ ]+)*")
STRING = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
WORD = re.compile(r"[^\s,\[\]{}]+")
ESCAPES = {"'": "''", '"': "\\"}
CLOSING = {"{%": "%}", "{#": "#}"}


def has_markup(text: str) -> bool:
    """Whether a text holds anything that Jinja would look at.

    >>> has_markup("seed: {{ SEED }}"), has_markup("{a: {b: 1}}")
    (True, False)
    """
    return MARKUP.search(text) is not None


def hide_comments(text: str) -> str:
    """Leave out the YAML comments that hold template markup; every line stays where it is.

    >>> hide_comments("a: 'x # {{ A }}' # {{ B }}")
    "a: 'x # {{ A }}' "
    """
    kept, start = [], 0
    for begin, end in _comments(text):
        if MARKUP.search(text, begin, end):
            kept.append(text[start:begin])
            start = end
    return "".join([*kept, text[start:]])


def _comments(text: str) -> Iterator[tuple[int, int]]:
    """Where each comment begins and ends.

    ``is_fresh`` says that a scalar may begin here, so that a quote opens one; inside of a
    plain scalar a quote is a character like any other.
    """
    at, depth, is_fresh = 0, 0, True
    while at < len(text):
        char = text[at]
        markup_end = _markup_end(text, at)
        if char == "\n" or char in SPACES:
            is_fresh = is_fresh or char == "\n"
            at += 1
        elif markup_end is not None:
            is_fresh = is_fresh and text[at + 1] != "{"
            at = markup_end
        elif char == "#" and (is_fresh or text[at - 1] in SPACES):
            end = _line_end(text, at)
            yield at, end
            at = end
        elif is_fresh and depth == 0 and (header := BLOCK_HEADER.match(text, at)):
            if header.group(1):
                yield header.start(1), header.end(1)
            at = _block_end(text, at, header.end())
        else:
            at, depth, is_fresh = _step(text, at, depth, is_fresh=is_fresh)


def _step(text: str, at: int, depth: int, *, is_fresh: bool) -> tuple[int, int, bool]:
    """Walk over one character, quoted scalar, anchor or tag: next place, depth of ``[{``, fresh."""
    char = text[at]
    if is_fresh and char in "'\"":
        return _quoted_end(text, at), depth, False
    if is_fresh and char in "!&":
        word = WORD.match(text, at)
        return (word.end() if word else at + 1), depth, True
    if char in "[{" and (is_fresh or depth):
        return at + 1, depth + 1, True
    if char in "]}" and depth:
        return at + 1, depth - 1, False
    if (char == "," and depth) or (char == ":" and _ends_a_key(text, at, depth)):
        return at + 1, depth, True
    is_indicator = char in "-?" and text[at + 1 : at + 2] in {"", " ", "\t", "\n"}
    return at + 1, depth, is_fresh and is_indicator


def _ends_a_key(text: str, at: int, depth: int) -> bool:
    follows = text[at + 1 : at + 2]
    return follows in {"", " ", "\t", "\n"} or (depth > 0 and text[at - 1] in "'\"")


def _markup_end(text: str, at: int) -> int | None:
    """Where the markup that begins here ends; None if none begins, or if it never ends."""
    opening = text[at : at + 2]
    if opening in CLOSING:
        end = text.find(CLOSING[opening], at + 2)
        return None if end < 0 else end + 2
    return _expression_end(text, at + 2) if opening == "{{" else None


def _expression_end(text: str, at: int) -> int | None:
    depth = 0
    while at < len(text):
        char = text[at]
        string = STRING.match(text, at) if char in "'\"" else None
        if depth <= 0 and text.startswith("}}", at):
            return at + 2
        depth += (char in "{[(") - (char in "}])")
        at = string.end() if string else at + 1
    return None


def _quoted_end(text: str, at: int) -> int:
    """Where a quoted scalar ends; a quote that is never closed counts as one character."""
    quote, position = text[at], at + 1
    while position < len(text):
        markup_end = _markup_end(text, position)
        if markup_end is not None:
            position = markup_end
        elif (text[position] == "\\" and quote == '"') or (
            text.startswith("''", position) and quote == "'"
        ):
            position += 2
        elif text[position] == quote:
            return position + 1
        else:
            position += 1
    return at + 1


def _block_end(text: str, header: int, at: int) -> int:
    """Where a block text (``|`` or ``>``) ends: before the first line that is not deeper."""
    start = text.rfind("\n", 0, header) + 1
    prefix = LINE_PREFIX.match(text, start)
    key = prefix.end() if prefix else start
    parent = key - start
    if key == header:
        parent = text[start:key].rstrip().rfind("-")
    while at < len(text):
        end = _line_end(text, at + 1)
        line = text[at + 1 : end]
        inner = line.lstrip(" ")
        if inner.strip() and len(line) - len(inner) <= parent and inner[:2] not in CLOSING:
            break
        at = end
    return at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
