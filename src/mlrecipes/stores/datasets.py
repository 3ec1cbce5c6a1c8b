"""Reading what ``steps.ingest`` points at: files, folders, lists of them, and URLs."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from mlrecipes.errors import StoreError, UserCodeError, did_you_mean, few
from mlrecipes.ports import ReadDataset
from mlrecipes.records import Source
from mlrecipes.stores.tables import AUTO, read_table, suffix_format

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FileDatasetReader"]

TIMEOUT_S = 60
CHUNK_BYTES = 1 << 20
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
        self, location: str | Sequence[str], using: str, loader: Any | None = None
    ) -> ReadDataset:
        """Read all files of all locations, in their order, into one frame.

        The files' own indexes are kept as they are, as in MLflow Recipes.

        Raises:
            StoreError: A location does not exist, is empty or cannot be read.
            UserCodeError: The loader failed or gave no data frame.
        """
        import pandas as pd

        places = [location] if isinstance(location, str) else list(location)
        frames, sources = [], []
        for place in places:
            for path in self._files(place, using, is_custom=loader is not None):
                sources.append(self._source(place, path))
                frames.append(_load(path, using, loader))
        frame = frames[0] if len(frames) == 1 else pd.concat(frames)
        return ReadDataset(frame, tuple(sources))

    # -- private ---------------------------------------------------------------------------

    def _files(self, place: str, using: str, *, is_custom: bool) -> Iterator[Path]:
        path = self._local(place)
        if path.is_dir():
            yield from _files_in(path, using, is_custom=is_custom)
        elif path.is_file():
            _check_suffix(path, using, is_custom=is_custom)
            yield path
        else:
            raise _missing(path)

    def _local(self, place: str) -> Path:
        parts = urlsplit(place)
        if parts.scheme in {"http", "https"}:
            return self._download(place)
        if parts.scheme == "file":
            return Path(url2pathname(unquote(parts.path)))
        if parts.scheme and len(parts.scheme) > 1:
            raise StoreError(
                f"Data cannot be read from {parts.scheme}: ({place}).",
                hint="Use a local path, file: or http(s):, or a loader_method.",
            )
        return self._root / Path(place).expanduser()

    def _source(self, place: str, path: Path) -> Source:
        size_bytes, sha256 = self._digest(path)
        if path.is_relative_to(self._downloads):
            return Source(place, size_bytes, sha256)
        resolved = path.resolve()
        is_inside = resolved.is_relative_to(self._root.resolve())
        uri = resolved.relative_to(self._root.resolve()) if is_inside else resolved
        return Source(uri.as_posix(), size_bytes, sha256)

    def _download(self, url: str) -> Path:
        """Fetch a file; two addresses whose files have one name do not meet."""
        import requests

        name = Path(unquote(urlsplit(url).path)).name or "data"
        folder = self._downloads / hashlib.sha256(url.encode()).hexdigest()[:12]
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{name}.part"
        try:
            with requests.get(url, timeout=TIMEOUT_S, stream=True) as response:
                response.raise_for_status()
                with unfinished.open("wb") as file:
                    for chunk in response.iter_content(CHUNK_BYTES):
                        file.write(chunk)
        except requests.RequestException as error:
            unfinished.unlink(missing_ok=True)
            raise StoreError(f"{url} cannot be fetched: {type(error).__name__}.") from error
        return unfinished.replace(folder / name)


def _files_in(folder: Path, using: str, *, is_custom: bool) -> list[Path]:
    """The files of a folder that are meant, by name; never those of folders in it."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    if not is_custom and using == AUTO:
        found = [path for path in files if suffix_format(path) is not None]
    elif using == "custom":
        found = [path for path in files if not path.name.startswith(".")]
    else:
        found = [path for path in files if path.name.endswith((f".{using}", f".{using}.gz"))]
    if not found:
        names = few([path.name for path in files]) or "nothing"
        raise StoreError(f"{folder} holds no file for using: {using}. There is: {names}.")
    return found


def _check_suffix(path: Path, using: str, *, is_custom: bool) -> None:
    if using == "custom":
        return
    if using == AUTO and not is_custom:
        fits = suffix_format(path) is not None
    else:
        fits = path.name.endswith((f".{using}", f".{using}.gz"))
    if not fits:
        raise StoreError(
            f"{path} does not end as using: {using} asks.",
            hint="Use a file .parquet, .csv or .csv.gz with using: auto, or a loader_method.",
        )


def _missing(path: Path) -> StoreError:
    if not path.parent.is_dir():
        return StoreError(f"{path} does not exist, nor does its folder.")
    names = sorted(entry.name for entry in path.parent.iterdir())
    beside = few(names) if names else "nothing"
    return StoreError(
        f"{path} does not exist. In its folder: {beside}.", hint=did_you_mean(path.name, names)
    )


def _load(path: Path, using: str, loader: Any | None) -> pd.DataFrame:
    if loader is None:
        form = suffix_format(path) if using == AUTO else using
        return read_table(path, str(form))
    import pandas as pd

    name = f"steps/ingest.py:{getattr(loader, '__name__', 'loader_method')}"
    arguments = (str(path), using)[: _n_arguments(loader)]
    try:
        frame = loader(*arguments)
    except NotImplementedError as error:
        raise UserCodeError(f"{name} is not written yet: {path} cannot be read.") from error
    except Exception as error:
        raise UserCodeError(f"{name} failed on {path}: {type(error).__name__}: {error}") from error
    if not isinstance(frame, pd.DataFrame):
        raise UserCodeError(
            f"{name} gave {type(frame).__name__} for {path}; a pandas DataFrame is expected."
        )
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
