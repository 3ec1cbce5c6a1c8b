"""Stand-ins for the values that a template prints, while its text is parsed as YAML.

A token is made of characters that no keyboard has and no profile can guess, so a value can
hold line breaks, quotes and colons without becoming structure. Marks of the same kind say from
which line of which file a piece of text came; they are taken out before YAML sees the text.
"""

from __future__ import annotations

import datetime
import itertools
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["UNSET", "Absent", "Tokens"]

MAX_ITEMS = 50_000
PRIVATE_USE = range(0xE000, 0xF8FF)
LINE_BREAK = re.compile("(\n|\x85|\u2028|\u2029)")


class _Unset:
    """The value of a variable that nothing sets; its problem has been told already."""

    def __str__(self) -> str:
        return ""


UNSET = _Unset()


class Absent:
    """What a template holds for a name that nothing sets."""

    def tell(self) -> None:
        """Remember that the name was used."""


class Tokens:
    """The values that one template printed.

    Args:
        variables: What the template may use; a mapping or list among them that is printed
            as it is can be followed back to its name.
    """

    def __init__(self, variables: Mapping[str, Any]) -> None:
        # Characters without upper and lower case, so that no filter changes a token.
        mark = "".join(chr(secrets.choice(PRIVATE_USE)) for _ in range(12))
        self._mark = mark
        self._values: list[tuple[Any, str | None]] = []
        self._places: list[tuple[str, int]] = []
        self._value_token = re.compile(rf"{mark}1(\d+){mark[0]}")
        self._place_token = re.compile(rf"{mark}2(\d+){mark[0]}")
        self._names = dict(_names_of_containers(variables))
        self.links: dict[str, str] = {}
        """Key path in this file to the variable whose value stands there."""

    def hide(self, value: Any) -> str:
        """Keep a value and give the token that stands for it.

        Raises:
            TypeError: It is no value but a function, a loop or the like.
        """
        self._values.append((self._plain(value), self._names.get(id(value))))
        return f"{self._mark}1{len(self._values) - 1}{self._mark[0]}"

    def mark_place(self, file: str, line: int) -> str:
        """Give the mark that says where the text behind it stands."""
        self._places.append((file, line))
        return f"{self._mark}2{len(self._places) - 1}{self._mark[0]}"

    def fill(self, text: str, path: str, *, is_text: bool) -> Any:
        """Put values back into a scalar: one token is the value itself unless text is asked."""
        whole = None if is_text else self._value_token.fullmatch(text)
        if whole is None:
            return self._text(text)
        value, name = self._values[int(whole.group(1))]
        if name is not None:
            self.links[path] = name
        return value

    def unmark(self, text: str, file: str) -> tuple[str, list[tuple[str, int]]]:
        """Take the marks out; give the text and where each of its lines stands on the disk.

        A line that was put together from several places stands where its first word does.
        """
        pieces = self._place_token.split(text)
        place, found = (file, 1), None
        places = []
        for index, piece in enumerate(pieces):
            if index % 2:
                place = self._places[int(piece)]
                continue
            for part in LINE_BREAK.split(piece):
                if LINE_BREAK.fullmatch(part):
                    places.append(found or place)
                    place, found = (place[0], place[1] + (part == "\n")), None
                elif found is None and part.strip():
                    found = place
        return "".join(pieces[::2]), [*places, found or place]

    def _text(self, text: str) -> str:
        if self._mark not in text:
            return text
        text = self._place_token.sub("", text)
        return self._value_token.sub(lambda hit: str(self._values[int(hit.group(1))][0]), text)

    def _plain(self, value: Any) -> Any:
        """A value as YAML could have given it: loops become lists, special texts plain ones."""
        if isinstance(value, Absent):
            value.tell()
            return UNSET
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, bool | int | float | bytes | datetime.date | _Unset | None):
            return value
        if isinstance(value, Mapping):
            return {self._plain(key): self._plain(inner) for key, inner in value.items()}
        if isinstance(value, Iterable) and not callable(value):
            items = list(itertools.islice(value, MAX_ITEMS + 1))
            if len(items) > MAX_ITEMS:
                raise ValueError(f"prints a list of more than {MAX_ITEMS:,} values")
            return [self._plain(inner) for inner in items]
        raise TypeError(f"prints a {type(value).__name__}, which is no value")


def _names_of_containers(value: Any, path: str = "") -> Iterable[tuple[int, str]]:
    """The identity of each mapping and list with the path that leads to it."""
    if isinstance(value, Mapping):
        steps = [(f"{path}.{key}" if path else str(key), inner) for key, inner in value.items()]
    else:
        steps = [(f"{path}[{index}]", inner) for index, inner in enumerate(value)]
    for name, inner in steps:
        if isinstance(inner, dict | list):
            yield id(inner), name
            yield from _names_of_containers(inner, name)
