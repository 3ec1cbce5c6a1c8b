"""What the schema finds wrong, said for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from mlrecipes.config.tokens import UNSET
from mlrecipes.errors import Problem, did_you_mean, shorten

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["Find", "field_problems", "for_people", "is_secret", "secret_texts"]

Words = tuple[str, str]
"""What is wrong, and what to do."""
Find = Callable[[str], tuple[str, int | None]]
MAX_PROBLEMS = 20
MIN_SECRET_LENGTH = 6
MAX_KEY_LENGTH = 120
MAX_WHAT_LENGTH = 400
SECRET = re.compile(r"password|passwd|token|secret|credential|key", re.IGNORECASE)
# Values of these are looked for in all messages, so a sort_key must not be among them.
SURE_SECRET = re.compile(
    r"password|passwd|token|secret|credential|(api|access|private|account)_?key", re.IGNORECASE
)
COLUMNS = ("_col", "_cols")
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")
HIDDEN = "***"
EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a smaller whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "number_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "mapping_type": "names with values",
    "dict_type": "names with values",
    "model_type": "names with values",
    "model_attributes_type": "names with values",
    "date_type": "a date such as 2006-01-31",
    "ratios_type": "a list of three positive numbers",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number less than {lt:g}",
    "greater_than": "a number greater than {gt:g}",
    "less_than_equal": "a number of at most {le:g}",
}
NEXT_STEP = {
    "recipe": "Write recipe: regression/v1 or classification/v1.",
    "target_col": "Name the column to predict.",
    "steps": "Write steps: with ingest and train below it.",
    "steps.ingest": "Say where the data lie: {using: parquet, location: data.parquet}.",
}


def field_problems(
    error: ValidationError,
    model: type[BaseModel],
    find: Find,
    secrets: Iterable[str] = (),
    whole: str = "a recipe",
) -> Iterator[Problem]:
    """Turn what the schema found into problems with file, line and suggestion.

    ``whole`` says in messages what the model describes. A value that is ``UNSET`` was told
    already, by the name of its variable.
    """
    seen = set()
    for detail in error.errors(include_url=False):
        key = _key_path(detail)
        # A value that fits none of several allowed types is one problem, not one a type.
        if key in seen:
            continue
        seen.add(key)
        words = _about_key(detail["type"], key, detail, model, whole)
        if words is None and not _holds_unset(detail["input"]):
            words = _about_value(detail["type"], key, detail, secrets)
        if words is not None:
            yield Problem(*find(key), key, *words)


def for_people(problems: Iterable[Problem], secrets: Iterable[str] = ()) -> list[Problem]:
    """Drop repeated problems, bound what is left in number and length, and hide secrets."""
    unique = list(dict.fromkeys(problems))
    shown = [
        replace(
            problem,
            key=shorten(_without_secrets(problem.key, secrets), limit=MAX_KEY_LENGTH),
            what=shorten(_without_secrets(problem.what, secrets), limit=MAX_WHAT_LENGTH),
            hint=shorten(_without_secrets(problem.hint, secrets), limit=MAX_WHAT_LENGTH),
        )
        for problem in unique[:MAX_PROBLEMS]
    ]
    if len(unique) > MAX_PROBLEMS:
        what = f"has {len(unique) - MAX_PROBLEMS} more problems."
        shown.append(Problem(unique[MAX_PROBLEMS].file, None, "", what))
    return shown


def is_secret(key: str) -> bool:
    """Whether values of a key must not be shown.

    >>> is_secret("experiment.API_TOKEN"), is_secret("steps.split.key_cols[0]")
    (True, False)
    """
    name = re.sub(r"\[\d+\]", "", key).rpartition(".")[2]
    return not name.lower().endswith(COLUMNS) and SECRET.search(name) is not None


def secret_texts(values: Mapping[str, Any]) -> frozenset[str]:
    """The values of a profile that stand under a secret name, as text."""
    return frozenset(_texts(values, hidden=False))


def _texts(value: Any, *, hidden: bool) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(inner, hidden=hidden or bool(SURE_SECRET.search(str(name))))
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, hidden=hidden)
    elif hidden and len(str(value)) >= MIN_SECRET_LENGTH and not isinstance(value, bool | None):
        yield str(value)


def _without_secrets(text: str, secrets: Iterable[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return CREDENTIALS.sub(HIDDEN, text)


def _about_key(
    kind: str, key: str, detail: ErrorDetails, model: type[BaseModel], whole: str
) -> Words | None:
    """What is wrong with the key itself; None if it is the value."""
    if kind == "missing":
        return "is missing.", NEXT_STEP.get(key, "")
    if kind == "extra_forbidden":
        parent, _, name = key.rpartition(".")
        known = _keys_at(model, detail["loc"][:-1])
        return f"is not a key of {parent or whole}.", did_you_mean(name, known)
    if _is_about_name(detail):
        what = f"has the name {_seen(detail['input'], ())}, which YAML does not read as text."
        return what, "Put it in quotes: YAML reads yes, no, on, off and numbers as values."
    return None


def _about_value(kind: str, key: str, detail: ErrorDetails, secrets: Iterable[str]) -> Words:
    if kind == "value_error":
        return f"{detail['ctx']['error']!s}.", ""
    value = detail["input"]
    seen = "a hidden value" if is_secret(key) else _seen(value, secrets)
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", detail["msg"])
        return f"is {seen}.", did_you_mean(shorten(value), allowed)
    expected = EXPECTED.get(kind, "another value").format(**detail.get("ctx", {}))
    return f"is {seen}, but {expected} is expected.", _yaml_hint(value, expected)


def _seen(value: Any, secrets: Iterable[str]) -> str:
    """A value as YAML would write it, shortened after secrets were taken out."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"'{shorten(_without_secrets(str(value), secrets))}'"


def _yaml_hint(value: Any, expected: str) -> str:
    """YAML 1.1 reads some words as something else than people mean."""
    if isinstance(value, bool) and expected == "text":
        return f"YAML reads yes, no, on and off as {_seen(value, ())}: put the word in quotes."
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+e[-+]?\d+", value, re.IGNORECASE):
        return f"YAML reads {value} as text: write {float(value)!r}."
    if expected == "text" and not isinstance(value, dict | list | None):
        return "Put it in quotes."
    return ""


def _holds_unset(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_unset, value.values()))
    return any(map(_holds_unset, value)) if isinstance(value, list) else value is UNSET


def _is_about_name(detail: ErrorDetails) -> bool:
    """Whether the name of a key is no text; the name is then the input."""
    return detail["type"] == "invalid_key" or detail["loc"][-1:] == ("[key]",)


def _key_path(detail: ErrorDetails) -> str:
    location = detail["loc"]
    if _is_about_name(detail):
        n_own = 1 if detail["type"] == "invalid_key" else 2
        location = (*location[:-n_own], str(detail["input"]))
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part not in _UNION_BRANCHES and not part.startswith(_SCHEMA_WORDS):
            path += f".{part}" if path else part
    return path


_UNION_BRANCHES = frozenset({"str", "bool", "int", "float", "date", "datetime"})
_SCHEMA_WORDS = ("tuple[", "constrained-", "function-")


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed at a place."""
    current = model
    for part in location:
        if isinstance(part, str):
            fields = current.model_fields.items()
            current = _model_in(next(f.annotation for n, f in fields if part in {n, f.alias}))
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel]:
    """The model in an annotation such as ``tuple[Criterion, ...]`` or ``Predict | None``."""
    while not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        annotation = next(inner for inner in get_args(annotation) if inner is not type(None))
    return annotation
