"""Results of steps on the disk, under the key of all that they were made from.

::

    .mlrecipes/
      objects/<step>-<key>/manifest.json  <artifact>.parquet  …   never changed once there
      current/<profile>/<step>            the key that the profile uses now
      staging/<id>/                       half-done work; worthless after a crash
      corrupt/<step>-<key>-<n>/           set aside: content and digest disagree

A result is complete or it does not exist: the step writes into a staging folder, each
file is flushed to the disk, the manifest comes last, the folder is renamed into
``objects``, and only then the pointer is replaced. Nothing is decided by file times.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlrecipes.errors import StoreError
from mlrecipes.records import (
    MANIFEST_VERSION,
    ArtifactSpec,
    FileDigest,
    Manifest,
    to_json,
)
from mlrecipes.stores.artifacts import artifact_path, read_artifact, write_artifact
from mlrecipes.stores.digests import sha256_of_file
from mlrecipes.stores.replacing import replace_text

__all__ = ["CorruptArtifactError", "ObjectStore"]

MANIFEST = "manifest.json"
KEY_LENGTH = 20


class CorruptArtifactError(StoreError):
    """A stored file is not what its step wrote; the result was set aside."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step


class ObjectStore:
    """Keeps the results of steps; one store a workspace.

    Args:
        folder: The workspace, such as ``<recipe>/.mlrecipes``; made when first written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    # -- finding ---------------------------------------------------------------------

    def find(self, step: str, key: str) -> Manifest | None:
        """Find the result with this content key; None if there is none or it is torn."""
        folder = self._object(step, key)
        manifest = _load_manifest(folder / MANIFEST)
        if manifest is None or manifest.key != key or not _is_complete(folder, manifest):
            return None
        return manifest

    def current(self, profile: str, step: str) -> Manifest | None:
        """The result that the profile's pointer names, if it is there."""
        try:
            key = self._pointer(profile, step).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return self.find(step, key) if key else None

    def folder(self, manifest: Manifest) -> Path:
        """The folder of a result; what else is laid into it goes with it."""
        return self._object(manifest.step, manifest.key)

    def has_pointer(self, profile: str, step: str) -> bool:
        """Whether the profile points at a result of the step, be it there or not."""
        return self._pointer(profile, step).exists()

    def path(self, manifest: Manifest, artifact: ArtifactSpec) -> Path:
        """Where an artifact lies; a file, or a folder for a model."""
        return artifact_path(self._object(manifest.step, manifest.key), artifact)

    def read(self, manifest: Manifest, artifact: ArtifactSpec) -> Any:
        """Read an artifact after its files' digests were compared with the manifest.

        Raises:
            CorruptArtifactError: A file was changed, cut or removed after the step wrote
                it. The whole result is set aside, so that the step runs again.
        """
        self.verify(manifest, artifact.name)
        return read_artifact(self._object(manifest.step, manifest.key), artifact)

    def verify(self, manifest: Manifest, artifact: str) -> None:
        """Compare the digests of an artifact's files; see :meth:`read`."""
        folder = self._object(manifest.step, manifest.key)
        for file in manifest.artifacts[artifact]:
            path = folder / file.path
            if not path.is_file() or sha256_of_file(path) != file.sha256:
                aside = self._set_aside(manifest)
                raise CorruptArtifactError(
                    manifest.step,
                    f"{artifact}: {file.path} was changed after {manifest.step} wrote it. "
                    f"It was set aside as {aside} and will be made again.",
                )

    # -- writing -----------------------------------------------------------------------

    def stage(self) -> Path:
        """Make an empty folder for a step to write into."""
        folder = self._folder / "staging" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return folder

    def drop_staging(self) -> None:
        """Remove what killed processes left half-done. Call it under the lock only."""
        shutil.rmtree(self._folder / "staging", ignore_errors=True)

    def write(
        self, staging: Path, artifacts: Iterable[ArtifactSpec], outputs: Mapping[str, Any]
    ) -> dict[str, tuple[FileDigest, ...]]:
        """Write a step's outputs into its staging folder and digest the files.

        Raises:
            StoreError: An output is missing, or a value cannot be written as its kind.
        """
        written = {}
        for artifact in artifacts:
            if artifact.name not in outputs:
                raise StoreError(f"The step gave no '{artifact.name}', which it declares to write.")
            path = write_artifact(staging, artifact, outputs[artifact.name])
            written[artifact.name] = tuple(_digests(staging, path))
        return written

    def commit(self, staging: Path, manifest: Manifest, profile: str) -> None:
        """Make a staged result the profile's current one: atomic, durable, pointer last."""
        _write_durably(staging / MANIFEST, json.dumps(to_json(manifest), indent=1, sort_keys=True))
        kept = {file.path for files in manifest.artifacts.values() for file in files} | {MANIFEST}
        for path in list(_files(staging)):
            if path.relative_to(staging).as_posix() not in kept:
                path.unlink()
            else:
                _sync(path)
        target = self._object(manifest.step, manifest.key)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            shutil.rmtree(target)
        staging.rename(target)
        _sync(target.parent)
        self.point(profile, manifest)

    def point(self, profile: str, manifest: Manifest) -> None:
        """Let the profile use this result from now on."""
        pointer = self._pointer(profile, manifest.step)
        pointer.parent.mkdir(parents=True, exist_ok=True)
        _write_durably(pointer, manifest.key)

    def share(self, profile: str, manifest: Manifest) -> None:
        """Put a result where other machines see it; a workspace alone has no such place."""

    def clean(self, profile: str, steps: Iterable[str]) -> list[str]:
        """Forget the current results of steps and remove those that no profile uses.

        Returns:
            The steps that had a result.
        """
        cleaned = []
        for step in steps:
            pointer = self._pointer(profile, step)
            if pointer.exists():
                pointer.unlink()
                cleaned.append(step)
            self._remove_unused(step)
        return cleaned

    # -- private -------------------------------------------------------------------------

    def _object(self, step: str, key: str) -> Path:
        return self._folder / "objects" / f"{step}-{key[:KEY_LENGTH]}"

    def _pointer(self, profile: str, step: str) -> Path:
        return self._folder / "current" / profile / step

    def _set_aside(self, manifest: Manifest) -> str:
        folder = self._object(manifest.step, manifest.key)
        aside = self._folder / "corrupt" / f"{folder.name}-{uuid.uuid4().hex[:6]}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(aside)
        return str(aside.relative_to(self._folder.parent))

    def _remove_unused(self, step: str) -> None:
        pointers = (self._folder / "current").glob(f"*/{step}")
        used = {self._object(step, pointer.read_text(encoding="utf-8")) for pointer in pointers}
        for folder in (self._folder / "objects").glob(f"{step}-*"):
            if folder not in used:
                shutil.rmtree(folder)


def _load_manifest(path: Path) -> Manifest | None:
    """A manifest that is missing, torn or of another version counts as no result."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest.from_json(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if manifest.version == MANIFEST_VERSION else None


def _is_complete(folder: Path, manifest: Manifest) -> bool:
    """A cheap look: all files there, with the sizes they had. Digests are checked on read."""
    try:
        return all(
            (folder / file.path).stat().st_size == file.size_bytes
            for files in manifest.artifacts.values()
            for file in files
        )
    except OSError:
        return False


def _digests(staging: Path, path: Path) -> Iterator[FileDigest]:
    for file in sorted(_files(path)):
        relative = file.relative_to(staging).as_posix()
        yield FileDigest(relative, file.stat().st_size, sha256_of_file(file))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        yield from (file for file in path.rglob("*") if file.is_file())


def _write_durably(path: Path, text: str) -> None:
    replace_text(path, text)
    _sync(path.parent)


def _sync(path: Path) -> None:
    """Flush a file or a folder's entries to the disk, where the platform can."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
