"""How each kind of artifact is written to and read from the disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mlrecipes.errors import StoreError
from mlrecipes.records import ArtifactKind, ArtifactSpec
from mlrecipes.stores.frame_writer import write_frame
from mlrecipes.stores.frames import read_frame

__all__ = ["artifact_path", "read_artifact", "write_artifact"]

SUFFIXES: Mapping[ArtifactKind, str] = MappingProxyType(
    {
        ArtifactKind.FRAME: ".parquet",
        ArtifactKind.JSON: ".json",
        ArtifactKind.TEXT: ".txt",
        ArtifactKind.OBJECT: ".pkl",
        ArtifactKind.MODEL: "",
    }
)


def artifact_path(folder: Path, artifact: ArtifactSpec) -> Path:
    """Where an artifact lies in the folder of its step's result."""
    return folder / f"{artifact.name}{artifact.suffix or SUFFIXES[artifact.kind]}"


def write_artifact(folder: Path, artifact: ArtifactSpec, value: Any) -> Path:
    """Write a value as its kind asks.

    Raises:
        StoreError: The value cannot be written as this kind.
    """
    path = artifact_path(folder, artifact)
    _WRITERS[artifact.kind](path, value)
    return path


def read_artifact(folder: Path, artifact: ArtifactSpec) -> Any:
    """Read a value back; a model comes back as the path of its folder."""
    return _READERS[artifact.kind](artifact_path(folder, artifact))


def _write_frame(path: Path, frame: Any) -> None:
    """A pandas frame, or the path of one that its step has already written at its place."""
    if not isinstance(frame, Path):
        write_frame(path, frame)
    elif frame != path or not path.is_file():
        raise StoreError(f"{path.stem}: expected a table at {path}, seen {frame}.")


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True), encoding="utf-8")


def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _write_text(path: Path, value: str) -> None:
    path.write_text(value, encoding="utf-8")


def _read_text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _write_object(path: Path, value: Any) -> None:
    import cloudpickle

    try:
        path.write_bytes(cloudpickle.dumps(value))
    except (TypeError, AttributeError, ValueError, RecursionError) as error:
        raise StoreError(f"{path.stem} cannot be pickled: {error}") from error


def _read_object(path: Path) -> Any:
    import cloudpickle

    return cloudpickle.loads(path.read_bytes())


def _check_model(path: Path, value: Path) -> None:
    """A model was already written by the packager, at its own place."""
    if value != path or not (path / "MLmodel").is_file():
        raise StoreError(f"{path.name}: expected a model folder at {path}, seen {value}.")


def _same_path(path: Path) -> Path:
    return path


_WRITERS: Mapping[ArtifactKind, Callable[[Path, Any], None]] = {
    ArtifactKind.FRAME: _write_frame,
    ArtifactKind.JSON: _write_json,
    ArtifactKind.TEXT: _write_text,
    ArtifactKind.OBJECT: _write_object,
    ArtifactKind.MODEL: _check_model,
}
_READERS: Mapping[ArtifactKind, Callable[[Path], Any]] = {
    ArtifactKind.FRAME: read_frame,
    ArtifactKind.JSON: _read_json,
    ArtifactKind.TEXT: _read_text,
    ArtifactKind.OBJECT: _read_object,
    ArtifactKind.MODEL: _same_path,
}
