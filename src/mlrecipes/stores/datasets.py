"""Reading what ``steps.ingest`` points at: files, folders, lists of them, and URLs."""

from __future__ import annotations

import hashlib
import inspect
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from mlrecipes.checks.names import check_names_are_text
from mlrecipes.errors import StoreError, TryAgain, UserCodeError, did_you_mean, few, shorten
from mlrecipes.ports import NoRowsError, ReadDataset, StoredFrame, TableQuery
from mlrecipes.records import Source
from mlrecipes.selection import EVERYTHING, Selection
from mlrecipes.stores.delta_source import read_delta
from mlrecipes.stores.frame_writer import select_columns, write_frame
from mlrecipes.stores.frames import FrameFile
from mlrecipes.stores.parts import Part, chosen_part, join_parts
from mlrecipes.stores.places import is_remote, relative
from mlrecipes.stores.row_filter import RowPicker
from mlrecipes.stores.tables import AUTO, part_of_file, suffix_format

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FileDatasetReader"]

CONNECT_TIMEOUT_S = 10
READ_TIMEOUT_S = 60
MAX_REDIRECTS = 5
SERVER_ERROR = 500
CHUNK_BYTES = 1 << 20
CUSTOM = "custom"
Digest = Callable[[Path], tuple[int, str]]


class FileDatasetReader:
    """A :class:`~mlrecipes.ports.DatasetReader` for local files and http(s).

    Args:
        root: The recipe's root; relative paths start there.
        downloads: Where files from the network are kept.
        digest: Gives size in bytes and SHA-256 of a file.
    """

    def __init__(self, root: Path, downloads: Path, digest: Digest) -> None:
        self._root = root
        self._downloads = downloads
        self._digest = digest

    def read(
        self,
        location: str | Sequence[str],
        using: str,
        into: Path,
        loader: Any | None = None,
        selection: Selection = EVERYTHING,
    ) -> ReadDataset:
        """Read all files of all locations, in their order, into one Parquet file.

        The files' own indexes are kept as they are, as in MLflow Recipes, unless only some
        columns or rows are wanted. Digests are taken before a file is read, so that a change
        in between does not go unseen. Parquet files at an address are read by Spark.

        Raises:
            StoreError: A location does not exist, is empty or cannot be read, or files have
                different columns.
            TryAgain: A server does not answer.
            UserCodeError: The loader failed or gave no data frame.
            DataError: A column's name is no text, or a wanted column is not there.
        """
        places = [location] if isinstance(location, str) else list(location)
        if not places:
            raise StoreError("The location of the data is an empty list.")
        if using == "parquet" and loader is None and any(map(is_remote, places)):
            from mlrecipes.stores.spark_source import read_parquet

            return read_parquet(places, selection, into)
        picker = RowPicker(selection)
        parts: list[Part] = []
        sources = []
        for place in places:
            for path in self._files(place, using, is_custom=loader is not None):
                source = self._source(place, path)
                sources.append(source)
                spare = into.with_name(f"{into.stem}-{len(sources)}{into.suffix}")
                name = f"{len(sources)}. {source.uri}"
                part = _part(path, using, loader, name, spare)
                parts.append(chosen_part(part, selection, picker))
        if sum(part.n_rows for part in parts) == 0:
            raise _no_rows(sources, picker)
        join_parts(parts, into)
        for part in parts:
            if part.is_ours:
                part.path.unlink(missing_ok=True)
        table = FrameFile(into)
        if not selection.is_everything and len(parts) > 1:
            table = self.narrow(table, list(table.dtypes))
        return ReadDataset(table, tuple(sources), picker.n_seen)

    def read_table(self, asked: TableQuery, into: Path) -> ReadDataset:
        """Read a Delta table, or the result of a query on Spark, into one Parquet file.

        Raises:
            StoreError: There is no such table or version, or it cannot be read.
        """
        if asked.using == "spark_sql":
            from mlrecipes.stores.spark_source import read_sql

            return read_sql(asked, into)
        return read_delta(asked, self._root, into)

    def stored(self, path: Path) -> FrameFile:
        """A Parquet file as a frame."""
        return FrameFile(path)

    def narrow(
        self, table: StoredFrame, columns: Sequence[str], into: Path | None = None
    ) -> FrameFile:
        """Write a table anew, at its place or another: some columns, rows numbered from 0."""
        place = into or table.path
        narrowed = place.with_name(f"{place.stem}-narrowed{place.suffix}")
        select_columns(table.path, columns, narrowed)
        narrowed.replace(place)
        return FrameFile(place)

    def sources(self, path: Path) -> tuple[Source, ...]:
        """A file, or the files in a folder by name, with their digests.

        Raises:
            StoreError: It is not there, or cannot be read.
        """
        place = self._root / path
        if place.is_dir():
            files = sorted(file for file in place.iterdir() if file.is_file())
            return tuple(self._source(str(file), file) for file in files)
        if not place.is_file():
            raise _missing(place)
        return (self._source(str(place), place),)

    # -- private ---------------------------------------------------------------------------

    def _files(self, place: str, using: str, *, is_custom: bool) -> Iterator[Path]:
        path = self._local(place)
        fits = _rule(using, is_custom=is_custom)
        if path.is_dir():
            yield from _files_in(path, using, fits)
        elif not path.is_file():
            raise _missing(path)
        elif not fits(path):
            raise StoreError(
                f"{path} does not end as using: {using} asks.",
                hint="Use a file .parquet, .csv or .csv.gz with using: auto, or a loader_method.",
            )
        else:
            yield path

    def _local(self, place: str) -> Path:
        parts = urlsplit(place)
        if parts.scheme in {"http", "https"}:
            return self._download(place)
        if parts.scheme == "file":
            return self._root / url2pathname(parts.path)
        if "://" in place:
            raise StoreError(
                f"Data cannot be read from {parts.scheme}: ({_public(place)}).",
                hint="Use a local path, file: or http(s):, or fetch them in a location_method; "
                "Parquet files are read by Spark with using: parquet.",
            )
        return self._root / Path(place).expanduser()

    def _source(self, place: str, path: Path) -> Source:
        try:
            size_bytes, sha256 = self._digest(path)
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}.") from error
        if urlsplit(place).scheme in {"http", "https"}:
            return Source(_public(place), size_bytes, sha256)
        return Source(relative(path, self._root), size_bytes, sha256)

    def _download(self, url: str) -> Path:
        """Fetch a file; two addresses whose files have one name do not meet."""
        import requests

        name = Path(unquote(urlsplit(url).path)).name
        folder = self._downloads / hashlib.sha256(url.encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / (name if name not in {"", ".", ".."} else "data")
        unfinished = target.with_name(f"{target.name}.part")
        try:
            with requests.Session() as session:
                session.max_redirects = MAX_REDIRECTS
                timeout = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
                with session.get(url, timeout=timeout, stream=True) as response:
                    response.raise_for_status()
                    with unfinished.open("wb") as file:
                        for chunk in response.iter_content(CHUNK_BYTES):
                            file.write(chunk)
        except requests.RequestException as error:
            unfinished.unlink(missing_ok=True)
            raise _not_fetched(url, error) from None  # Its text may hold a password.
        return unfinished.replace(target)


def _no_rows(sources: Sequence[Source], picker: RowPicker) -> NoRowsError:
    named = ", ".join(f"{s.uri} ({s.size_bytes or 0:,} bytes)" for s in sources[:3])
    if picker.n_seen:
        return picker.none_left(named)
    return NoRowsError(f"0 rows read from {named}.", hint="Is the file complete?")


# ---- places ----------------------------------------------------------------------------------


def _rule(using: str, *, is_custom: bool) -> Callable[[Path], bool]:
    """Which files are meant by their names."""
    if using == CUSTOM or (using == AUTO and is_custom):
        return lambda _path: True
    if using == AUTO:
        return lambda path: suffix_format(path) is not None
    if using == "csv":
        return lambda path: suffix_format(path) == "csv"
    return lambda path: path.name.endswith(f".{using}")


def _files_in(folder: Path, using: str, fits: Callable[[Path], bool]) -> list[Path]:
    """The files of a folder that are meant, by name; never hidden ones or those deeper down."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    found = [path for path in files if fits(path)]
    if not found:
        names = few(sorted(entry.name for entry in folder.iterdir())) or "nothing"
        raise StoreError(
            f"{folder} holds no file for using: {using}. There is: {names}.",
            hint="Only files in the folder itself are read, not those of folders in it.",
        )
    stems: dict[str, Path] = {}
    for path in found if using != CUSTOM else ():
        stem = re.sub(r"[.](parquet|csv|csv[.]gz)$", "", path.name)
        if stem in stems:
            raise StoreError(
                f"{folder} holds both {stems[stem].name} and {path.name}: the same rows twice?",
                hint="Keep one of them there, or list the files in location.",
            )
        stems[stem] = path
    return found


def _missing(path: Path) -> StoreError:
    shown = Path(os.path.normpath(path.absolute()))
    folder = shown.parent
    if not folder.is_dir():
        there = next((place for place in folder.parents if place.is_dir()), folder)
        return StoreError(f"{shown} does not exist, nor does its folder.", hint=_beside(there))
    names = sorted(entry.name for entry in folder.iterdir())
    near = did_you_mean(shown.name, names) if names else ""
    return StoreError(
        f"{shown} does not exist. {_beside(folder)}",
        hint=near if near.startswith("Did") else None,
    )


def _beside(folder: Path) -> str:
    names = few(sorted(entry.name for entry in folder.iterdir()))
    return f"In {folder}: {names or 'nothing'}."


def _public(url: str) -> str:
    """A URL without user, password and the values of its query, but different for each."""
    parts = urlsplit(url)
    query = f"query={hashlib.sha256(parts.query.encode()).hexdigest()[:8]}" if parts.query else ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _not_fetched(url: str, error: Any) -> StoreError | TryAgain:
    import requests

    status = getattr(error.response, "status_code", None)
    what = type(error).__name__ if status is None else f"the server answered {status}"
    message = f"{_public(url)} cannot be fetched: {what}."
    is_away = isinstance(
        error,
        requests.ConnectionError | requests.Timeout | requests.exceptions.ChunkedEncodingError,
    )
    if is_away or (status or 0) >= SERVER_ERROR:
        return TryAgain(message, hint="Run it again when the server answers.")
    return StoreError(message, hint="Open the address in a browser: is it still right?")


# ---- tables ----------------------------------------------------------------------------------


def _part(path: Path, using: str, loader: Any | None, name: str, spare: Path) -> Part:
    if loader is None:
        form = suffix_format(path) or using if using == AUTO else using
        return part_of_file(path, form, name, spare)
    frame = _load(path, using, loader)
    check_names_are_text(frame)
    write_frame(spare, frame, called=f"The frame of {name}")
    return Part(name, spare, is_ours=True)


def _load(path: Path, using: str, loader: Any) -> pd.DataFrame:
    import pandas as pd

    name = f"steps/ingest.py:{getattr(loader, '__name__', 'loader_method')}"
    arguments = (str(path), using)[: _n_arguments(loader)]
    try:
        frame = loader(*arguments)
    except NotImplementedError as error:
        raise UserCodeError(f"{name} is not written yet: {path} cannot be read.") from error
    except Exception as error:
        cause = shorten(error, limit=300)
        raise UserCodeError(f"{name} failed on {path}: {type(error).__name__}: {cause}") from error
    if not isinstance(frame, pd.DataFrame):
        raise UserCodeError(
            f"{name} gave {type(frame).__name__} for {path}; a pandas DataFrame is expected."
        )
    doubles = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
    if doubles:
        raise UserCodeError(f"{name} gave more than one column {few(doubles)} for {path}.")
    return frame


def _n_arguments(loader: Callable[..., Any]) -> int:
    """Recipes' own templates take the path alone, its documentation path and format."""
    try:
        parameters = inspect.signature(loader).parameters.values()
    except (TypeError, ValueError):
        return 2
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return 2
    kinds = {"POSITIONAL_ONLY", "POSITIONAL_OR_KEYWORD"}
    return min(2, sum(parameter.kind.name in kinds for parameter in parameters))
