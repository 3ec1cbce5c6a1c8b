"""Feature tables as their authors write them: ``features/<set>/<table>.sql``.

A file begins with a block comment in YAML, and goes on with one SELECT::

    /*
    description: What an applicant owes at other lenders.
    owner: credit bureau team
    primary_keys: [SK_ID_CURR]
    */
    SELECT SK_ID_CURR, CAST(COUNT(*) AS BIGINT) AS N_CREDITS FROM bureau GROUP BY SK_ID_CURR

Nothing here needs an SQL parser, so that a plan is made at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from mlrecipes.config.base import Names, Section, Whole
from mlrecipes.config.problems import field_problems
from mlrecipes.config.yaml_source import parse_yaml
from mlrecipes.errors import ConfigError, Problem, did_you_mean
from mlrecipes.feature_records import FeatureTable, Slices
from mlrecipes.records import Source

__all__ = ["FOLDER", "FeatureDefinition", "built_from", "load_definitions", "tables_by_set"]

FOLDER = "features"
HEADER = re.compile(r"\s*/\*(?P<yaml>.*?)\*/", re.DOTALL)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
DIGEST_LENGTH = 16
# A piece of SQL that is kept as it is, or a comment or white space, which mean nothing.
MEANINGLESS = re.compile(
    r"""('(?:[^']|'')*'|"(?:[^"]|"")*")|--[^\n]*|/\*.*?\*/|\{\#.*?\#\}|\s+""", re.DOTALL
)

Write = Literal["replace", "merge"]


class Header(Section):
    """What stands in the comment of a definition.

    Attributes:
        slices: Compute the table for one of so many parts of the first primary key at a time,
            which takes less memory. Every raw table must have that column, and a row of the
            table must follow from the raw rows with its key alone.
        write: ``replace``: a run gives the whole table, and rows that it does not give go.
            ``merge``: it gives some rows, and the others stay.
    """

    primary_keys: Names
    event_time: str | None = None
    description: str
    owner: str
    slices: Annotated[Whole, Field(gt=0)] = 1
    write: Write = "replace"


@dataclass(frozen=True, slots=True)
class FeatureDefinition:
    """A feature table, and the query that computes it.

    Attributes:
        set_name: The folder that it stands in: tables of one set are built together.
        table: Name, keys, event time, description and owner.
        slices: How it is computed a part at a time.
        write: Whether a run replaces the table's rows or is merged into them.
        file: Name of the file from the recipe's root, for messages.
        body: The query as written: Jinja and SQL, after as many empty lines as the comment has.
        digest: Of all of this and of the macros beside it; in the query, a comment or a line
            break changes nothing.
    """

    set_name: str
    table: FeatureTable
    write: Write
    slices: Slices | None
    file: str
    body: str
    digest: str

    @property
    def name(self) -> str:
        """Name of the table."""
        return self.table.name


def load_definitions(root: Path, sets: Iterable[str]) -> tuple[FeatureDefinition, ...]:
    """Read the definitions of some sets, in the order of the sets and of the tables' names.

    Args:
        root: The recipe's root.
        sets: Names of folders below ``features/``.

    Raises:
        ConfigError: A set is not there or empty, a header is wrong, or two tables have one
            name; all problems at once.
    """
    found: list[FeatureDefinition] = []
    problems: list[Problem] = []
    macros = _macros(root)
    for name in dict.fromkeys(sets):
        for path in _files(root, name, problems):
            definition = _read(path, root, macros, problems)
            if definition is not None:
                found.append(definition)
    problems.extend(_twice(found))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def tables_by_set(root: Path) -> dict[str, tuple[str, ...]]:
    """Names of the tables that a recipe defines, by set; nothing is read."""
    folders = [folder for folder in sorted((root / FOLDER).glob("*")) if folder.is_dir()]
    tables = {one.name: tuple(path.stem for path in sorted(one.glob("*.sql"))) for one in folders}
    return {name: listed for name, listed in tables.items() if listed}


def built_from(
    definition: FeatureDefinition, dialect: str, sources: Mapping[str, Sequence[Source]]
) -> str:
    """Digest all that a table's rows are made of: equal digests, equal rows.

    Args:
        definition: The feature table.
        dialect: Of the engine that computes it.
        sources: The files of each raw table that it reads.
    """
    files = {name: [[file.uri, file.sha256] for file in sources[name]] for name in sorted(sources)}
    text = json.dumps([definition.digest, dialect, files])
    return hashlib.sha256(text.encode()).hexdigest()


def _files(root: Path, set_name: str, problems: list[Problem]) -> list[Path]:
    folder = root / FOLDER / set_name
    if NAME.fullmatch(set_name) and folder.is_dir():
        files = sorted(folder.glob("*.sql"))
        if files:
            return files
        what, hint = "holds no definition.", "Write one: <table>.sql"
    else:
        names = [path.name for path in (root / FOLDER).glob("*") if path.is_dir()]
        what, hint = "is no folder.", did_you_mean(set_name, names) or "There are no sets yet."
    problems.append(Problem(f"{FOLDER}/{set_name}", None, "", what, hint))
    return []


def _read(
    path: Path, root: Path, macros: list[str], problems: list[Problem]
) -> FeatureDefinition | None:
    file = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(file, None, "", f"cannot be read: {error}."))
        return None
    comment = HEADER.match(text)
    if comment is None:
        hint = "Begin with /* description: … owner: … primary_keys: [COLUMN] */"
        problems.append(Problem(file, 1, "", "has no comment that describes the table.", hint))
        return None
    header = _header(comment, text, file, problems)
    if not NAME.fullmatch(path.stem):
        what = f"'{path.stem}' is no name of a table: letters, digits and '_'."
        problems.append(Problem(file, None, "", what))
    if header is None:
        return None
    body = "\n" * text[: comment.end()].count("\n") + text[comment.end() :]
    return FeatureDefinition(
        set_name=path.parent.name,
        table=FeatureTable(path.stem, **header.model_dump(exclude={"write", "slices"})),
        write=header.write,
        slices=Slices(header.primary_keys[0], header.slices) if header.slices > 1 else None,
        file=file,
        body=body,
        digest=_digest([header.model_dump_json(exclude={"slices"}), body, *macros]),
    )


def _header(comment: re.Match[str], text: str, file: str, problems: list[Problem]) -> Header | None:
    """The comment's YAML, with each of its problems on its line of the file."""
    n_lines_before = text[: comment.start("yaml")].count("\n")
    document = parse_yaml("\n" * n_lines_before + comment["yaml"], file)

    def find(key: str) -> tuple[str, int | None]:
        return document.places.get(key) or (file, 1)

    if document.problems:
        problems.extend(document.problems)
        return None
    try:
        header = Header.model_validate(document.data or {})
    except ValidationError as error:
        problems.extend(field_problems(error, Header, find, whole="a feature table"))
        return None
    keys = [*header.primary_keys, *([header.event_time] if header.event_time else [])]
    if not header.primary_keys or len(set(keys)) < len(keys):
        what = "must name at least one column, and no column twice, the event time included."
        problems.append(Problem(*find("primary_keys"), "primary_keys", what))
        return None
    return header


def _twice(found: list[FeatureDefinition]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for definition in found:
        other = first.setdefault(definition.name.lower(), definition.file)
        if other != definition.file:
            what = f"defines a table of the same name as {other}."
            yield Problem(definition.file, None, "", what, "Rename one of them.")


def _macros(root: Path) -> list[str]:
    """Files in ``features/`` itself: what the definitions import."""
    files = sorted(path for path in (root / FOLDER).glob("*") if path.is_file())
    return [f"{path.name}\n{path.read_text(encoding='utf-8-sig')}" for path in files]


def _digest(texts: list[str]) -> str:
    meaning = "\n".join(_meaning(text) for text in texts)
    return hashlib.sha256(meaning.encode()).hexdigest()[:DIGEST_LENGTH]


def _meaning(text: str) -> str:
    """SQL without comments, and with one space where there is any.

    >>> _meaning("SELECT  'a  b' -- note")
    "SELECT 'a  b'"
    """
    return MEANINGLESS.sub(lambda found: found[1] or " ", text).strip()
