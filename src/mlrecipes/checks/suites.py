"""Suites of expectations in the recipe's files: found, read, and checked without running."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlrecipes.errors import ConfigError, Problem, did_you_mean, shorten
from mlrecipes.quality_records import (
    EXISTS_ELSEWHERE,
    UNEXPECTED_ROWS,
    Expectation,
    Severity,
    Suite,
)

__all__ = ["DOORS", "SUFFIX", "door_problems", "load_suites", "parse_suite", "suite_digests"]

DOORS = ("raw.", "features.", "training", "scoring", "predictions")
"""Where tables are checked: each raw table, each feature table, and three more tables."""
SUFFIX = ".json"
KEYS = frozenset({"type", "kwargs", "severity", "meta", "description", "notes", "id"})
SUITE_KEYS = frozenset({"name", "expectations", "meta", "notes", "id"})
REQUIRED: Mapping[str, frozenset[str]] = {
    EXISTS_ELSEWHERE: frozenset({"column", "other_table", "other_column"}),
    UNEXPECTED_ROWS: frozenset({"unexpected_rows_query"}),
    "expect_column_values_to_be_in_set": frozenset({"column", "value_set"}),
    "expect_column_values_to_be_in_type_list": frozenset({"column", "type_list"}),
    "expect_column_values_to_be_of_type": frozenset({"column", "type_"}),
    "expect_column_values_to_match_regex": frozenset({"column", "regex"}),
    "expect_compound_columns_to_be_unique": frozenset({"column_list"}),
    "expect_column_pair_values_a_to_be_greater_than_b": frozenset({"column_A", "column_B"}),
    "expect_table_columns_to_match_set": frozenset({"column_set"}),
}
LIST_START = re.compile(r'"expectations"\s*:\s*\[')


def suite_digests(root: Path, folder: str, doors: tuple[str, ...]) -> dict[str, str]:
    """Digest of each suite's file of some doors, by the file's name in the recipe."""
    return {
        _relative(path, root): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in _files(root, folder)
        if _door(path.stem) in doors
    }


def load_suites(root: Path, folder: str) -> dict[str, Suite]:
    """Read all suites of a recipe, by name.

    Args:
        root: The recipe's root.
        folder: Where the suites lie, below the root.

    Raises:
        ConfigError: All problems, each with file and line.
    """
    suites, problems = {}, []
    for path in _files(root, folder):
        file = _relative(path, root)
        if _door(path.stem) is None:
            problems.append(_no_door(file, path.stem))
            continue
        try:
            suites[path.stem] = parse_suite(path.read_bytes(), path.stem, file)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(problems)
    return suites


def parse_suite(content: bytes, name: str, file: str) -> Suite:
    """Read one suite.

    Args:
        content: The JSON.
        name: The suite's name, which follows from its file.
        file: The file in messages.

    Raises:
        ConfigError: All problems of the file.
    """
    try:
        text = content.decode("utf-8")
        data = json.loads(text)
    except UnicodeDecodeError as error:
        raise ConfigError([Problem(file, None, "", "is no UTF-8.")]) from error
    except json.JSONDecodeError as error:
        what = f"is no JSON: {error.msg}."
        raise ConfigError([Problem(file, error.lineno, "", what)]) from error
    problems = list(_suite_problems(data, file))
    if problems:
        raise ConfigError(problems)
    lines = _lines(text, len(data["expectations"]))
    for config, line in zip(data["expectations"], lines, strict=True):
        problems.extend(Problem(file, line, *words) for words in _problems(config))
    if problems:
        raise ConfigError(problems)
    expectations = tuple(
        Expectation(
            config["type"],
            config["kwargs"],
            Severity(config.get("severity", "critical")),
            config.get("description") or "",
            config.get("meta") or {},
            line,
        )
        for config, line in zip(data["expectations"], lines, strict=True)
    )
    return Suite(name, expectations, file, hashlib.sha256(content).hexdigest())


def door_problems(
    suites: Mapping[str, Suite], features: tuple[str, ...], raw: tuple[str, ...] | None
) -> Iterator[Problem]:
    """Suites of tables that the recipe does not have.

    Args:
        suites: All suites by name.
        features: Names of the feature tables that the recipe builds.
        raw: Names of the raw tables that these read; None if that is not known.
    """
    for name, suite in suites.items():
        door, table = _door(name), name.partition(".")[2]
        known = features if door == "features." else raw if door == "raw." else None
        if known is None or table in known:
            continue
        kind = "feature table" if door == "features." else "raw table"
        what = f"belongs to no door: the recipe has no {kind} '{shorten(table)}'."
        hint = did_you_mean(table, known) if known else "Remove it."
        yield Problem(suite.file, None, "", what, hint)


# ---- files -----------------------------------------------------------------------------------


def _files(root: Path, folder: str) -> list[Path]:
    place = root / folder
    return sorted(place.glob(f"*{SUFFIX}")) if place.is_dir() else []


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _door(name: str) -> str | None:
    """The door that a suite belongs to.

    >>> _door("raw.bureau"), _door("training"), _door("trainin")
    ('raw.', 'training', None)
    """
    for door in DOORS:
        if name == door or (door.endswith(".") and name.startswith(door) and name != door):
            return None if name == door and door.endswith(".") else door
    return None


def _no_door(file: str, name: str) -> Problem:
    words = [door.rstrip(".") for door in DOORS]
    hint = did_you_mean(name.partition(".")[0], words)
    what = "belongs to no door: expected raw.<table>, features.<table>, training, scoring"
    return Problem(file, None, "", f"{what} or predictions, then {SUFFIX}.", hint)


def _lines(text: str, n_expectations: int) -> list[int | None]:
    """The line on which each expectation begins."""
    start = LIST_START.search(text)
    decoder, lines = json.JSONDecoder(), list[int | None]()
    position = start.end() if start else 0
    while start and len(lines) < n_expectations:
        position = text.find("{", position)
        if position < 0:
            break
        lines.append(text.count("\n", 0, position) + 1)
        _value, position = decoder.raw_decode(text, position)
    return lines + [None] * (n_expectations - len(lines))


# ---- what is wrong ---------------------------------------------------------------------------


def _suite_problems(data: Any, file: str) -> Iterator[Problem]:
    if not isinstance(data, dict):
        yield Problem(file, 1, "", "is no suite: an object with name and expectations is expected.")
        return
    for key in sorted(set(data) - SUITE_KEYS):
        hint = did_you_mean(key, SUITE_KEYS)
        yield Problem(file, None, shorten(key), "is not a key of a suite.", hint)
    listed = data.get("expectations")
    if not isinstance(listed, list) or not listed:
        what = "is missing or empty: a suite without expectations would let anything pass."
        yield Problem(file, None, "expectations", what)


def _problems(config: Any) -> Iterator[tuple[str, str, str]]:
    """Key, what is wrong and what to do, for one expectation."""
    if not isinstance(config, dict) or not isinstance(config.get("type"), str):
        yield "type", "is missing.", "Name an expectation of Great Expectations."
        return
    kind, kwargs = config["type"], config.get("kwargs")
    for key in sorted(set(config) - KEYS):
        yield shorten(key), "is not a key of an expectation.", did_you_mean(key, KEYS)
    if kind not in _types():
        yield "type", f"is '{shorten(kind)}', which is no expectation.", _near(kind)
        return
    if not isinstance(kwargs, dict):
        yield "kwargs", "is missing: names with values are expected.", ""
        return
    if config.get("severity", "critical") not in set(Severity):
        what = f"is '{shorten(config['severity'])}'."
        yield "severity", what, did_you_mean(str(config["severity"]), list(Severity))
    yield from _kwargs_problems(kind, kwargs, config.get("meta") or {})


def _kwargs_problems(
    kind: str, kwargs: Mapping[str, Any], meta: Mapping[str, Any]
) -> Iterator[tuple[str, str, str]]:
    needed = REQUIRED.get(kind, frozenset({"column"} if "_column_" in kind[:14] else ()))
    if kind.startswith(("expect_column_pair", "expect_multicolumn")):
        needed = REQUIRED.get(kind, frozenset())
    for name in sorted(needed - set(kwargs)):
        hint = did_you_mean(name, kwargs) if kwargs else ""
        yield f"kwargs.{name}", f"is missing, which {kind} needs.", hint
    mostly = (meta if kind == UNEXPECTED_ROWS else kwargs).get("mostly", 1)
    if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 <= mostly <= 1:
        yield "mostly", f"is '{shorten(mostly)}', but a share from 0 to 1 is expected.", ""
    if kind == UNEXPECTED_ROWS and isinstance(kwargs.get("unexpected_rows_query"), str):
        query = kwargs["unexpected_rows_query"]
        if "{batch}" not in query or re.search(r"[{}]", query.replace("{batch}", "")):
            what = "must read FROM {batch}, and hold no other braces."
            yield "kwargs.unexpected_rows_query", what, ""


def _near(kind: str) -> str:
    hint = did_you_mean(kind, _types())
    return hint if hint.startswith("Did") else ""


@cache
def _types() -> frozenset[str]:
    """The types of the installed Great Expectations, found without its slow import."""
    package = importlib.util.find_spec("great_expectations")
    places = (package.submodule_search_locations or []) if package else []
    files = [path for place in places for path in Path(place, "expectations", "core").glob("*.py")]
    return frozenset({path.stem for path in files} - {"__init__"} | {EXISTS_ELSEWHERE})
