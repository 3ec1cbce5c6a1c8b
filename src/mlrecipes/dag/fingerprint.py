"""What decides the outcome of a step, as flat parts, and the key that they make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mlrecipes.errors import shorten
from mlrecipes.records import JSON, FileDigest, Source, to_json

__all__ = ["changes", "content_key", "digest_of_files", "flatten", "source_parts"]

Parts = Mapping[str, JSON]


def content_key(parts: Parts) -> str:
    """Digest all parts to one key: equal if and only if all parts are equal.

    >>> content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
    True
    >>> content_key({"a": 1}) == content_key({"a": "1"})
    False
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def flatten(prefix: str, value: Any) -> dict[str, JSON]:
    """Spread nested settings over dotted names, so that a change has a place.

    >>> flatten("steps.train", {"estimator_params": {"max_depth": 4}})
    {'steps.train.estimator_params.max_depth': 4}
    """
    plain = to_json(value)
    if isinstance(plain, list) and any(isinstance(item, dict) for item in plain):
        items = [flatten(f"{prefix}[{i}]", item) for i, item in enumerate(plain)]
        return {name: part for item in items for name, part in item.items()}
    if not isinstance(plain, dict) or not plain:
        return {
            prefix: plain if isinstance(plain, str | int | float | bool | None) else _list(plain)
        }
    parts: dict[str, JSON] = {}
    for name, inner in plain.items():
        parts |= flatten(f"{prefix}.{name}" if prefix else name, inner)
    return parts


def _list(value: Any) -> JSON:
    """Dates and the like inside settings are kept as text."""
    if isinstance(value, list):
        return [_list(item) for item in value]
    if isinstance(value, dict):
        return {key: _list(item) for key, item in value.items()}
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def digest_of_files(files: Iterable[FileDigest]) -> str:
    """Digest of an artifact: of its files' names and digests, in the order of the names."""
    listed = sorted((file.path, file.sha256) for file in files)
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def source_parts(sources: Iterable[Source]) -> dict[str, JSON]:
    """Parts for the files outside the workspace that a step has read."""
    return {f"source.{source.uri}": source.sha256 for source in sources}


def changes(before: Parts, after: Parts) -> list[str]:
    """Say in words which parts differ, settings first.

    >>> changes({"steps.train.max_depth": 4}, {"steps.train.max_depth": 8})
    ['steps.train.max_depth 4 → 8']
    """
    differing = sorted(
        name for name in {*before, *after} if before.get(name, _ABSENT) != after.get(name, _ABSENT)
    )
    sentences = [_sentence(name, before, after) for name in sorted(differing, key=_rank)]
    return list(dict.fromkeys(sentences))


_ABSENT = object()
_KINDS = ("code.", "file.", "input.", "source.", "library.", "engine.")


def _rank(name: str) -> tuple[bool, str]:
    return (name.startswith(_KINDS), name)


def _sentence(name: str, before: Parts, after: Parts) -> str:
    kind, _, rest = name.partition(".")
    sentences: dict[str, Callable[[], str]] = {
        "code": lambda: f"{rest.replace(':', ': ')} {_verb(name, before, after)}",
        "file": lambda: f"{rest} {_verb(name, before, after)}",
        "input": lambda: f"{rest} changed",
        "source": lambda: f"input {rest} {_verb(name, before, after)}",
    }
    if kind in sentences:
        return sentences[kind]()
    if kind == "reset":
        return f"its {rest} went in the reset of {after.get(name, 'no known time')}"
    if kind in {"library", "engine"}:
        return f"{rest} {before.get(name, 'absent')} → {after.get(name, 'absent')}"
    if name not in before:
        return f"{name} is set to {shorten(after[name])}"
    if name not in after:
        return f"{name} is no longer set"
    return f"{name} {shorten(before[name])} → {shorten(after[name])}"


def _verb(name: str, before: Parts, after: Parts) -> str:
    if name not in before:
        return "is new"
    return "changed" if name in after else "is gone"
