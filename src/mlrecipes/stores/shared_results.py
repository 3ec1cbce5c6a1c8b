"""Results that several machines use: here, and in a folder that all of them see.

::

    <location>/
      objects/<step>-<key>/    as in a workspace; never changed once there
      current/<profile>/<step> the key that the profile used last, on whichever machine
      arriving/<id>/           on its way; worthless after a crash

A result that lies there counts as one of this workspace. Its card comes with it, each artifact
when it is first read. The folder may be slow and simple, such as a volume: nothing in it is
locked, appended to or flushed; files are written from beginning to end, and a folder is renamed.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path

from mlrecipes.errors import StoreError
from mlrecipes.records import ArtifactSpec, Manifest
from mlrecipes.stores.objects import CorruptArtifactError, ObjectStore

__all__ = ["SharedResults"]


class SharedResults(ObjectStore):
    """Keeps the results of steps here and shares them.

    Args:
        folder: The workspace on this machine.
        location: The folder that all machines see; made when first written.
    """

    def __init__(self, folder: Path, location: Path) -> None:
        super().__init__(folder)
        self._location = location
        self._shared = ObjectStore(location)

    def find(self, step: str, key: str) -> Manifest | None:
        """Find a result here or there."""
        return super().find(step, key) or self._shared.find(step, key)

    def current(self, profile: str, step: str) -> Manifest | None:
        """What this workspace used last; in one that never ran the step, what others did."""
        return super().current(profile, step) or self._shared.current(profile, step)

    def has_pointer(self, profile: str, step: str) -> bool:
        """Whether the profile points at a result of the step, here or there."""
        return super().has_pointer(profile, step) or self._shared.has_pointer(profile, step)

    def folder(self, manifest: Manifest) -> Path:
        """The folder of a result on this machine, with its card."""
        there = self._shared.folder(manifest)
        artifacts = {file.path for files in manifest.artifacts.values() for file in files}
        beside = (path.relative_to(there).as_posix() for path in there.glob("*.*"))
        self._fetch(manifest, set(beside) - artifacts)
        return super().folder(manifest)

    def path(self, manifest: Manifest, artifact: ArtifactSpec) -> Path:
        """Where an artifact lies on this machine."""
        self._fetch(manifest, (file.path for file in manifest.artifacts[artifact.name]))
        return super().path(manifest, artifact)

    def verify(self, manifest: Manifest, artifact: str) -> None:
        """Compare the digests of an artifact's files; damage there is forgotten there too."""
        self._fetch(manifest, (file.path for file in manifest.artifacts[artifact]))
        try:
            super().verify(manifest, artifact)
        except CorruptArtifactError:
            shutil.rmtree(self._shared.folder(manifest), ignore_errors=True)
            raise

    def share(self, profile: str, manifest: Manifest) -> None:
        """Put a result where the others see it, unless it is there.

        Raises:
            StoreError: The shared folder cannot be written; the result stays here.
        """
        try:
            if self._shared.find(manifest.step, manifest.key) is None:
                self._send(manifest)
            pointer = self._location / "current" / profile / manifest.step
            if self._shared.current(profile, manifest.step) != manifest:
                pointer.parent.mkdir(parents=True, exist_ok=True)
                _put(pointer, manifest.key.encode())
        except OSError as error:
            raise StoreError(
                f"The result of {manifest.step} could not be shared in {self._location}: "
                f"{error.strerror or error}.",
                hint="Make results.location a folder that can be written; the next run goes on.",
            ) from error

    def clean(self, profile: str, steps: Iterable[str]) -> list[str]:
        """Forget the current results of steps here and there."""
        names = list(steps)
        cleaned = {*super().clean(profile, names), *self._shared.clean(profile, names)}
        return [name for name in names if name in cleaned]

    # -- private -------------------------------------------------------------------------

    def _fetch(self, manifest: Manifest, files: Iterable[str]) -> None:
        """Copy what is not here yet; what is nowhere shows when it is read."""
        here, there = super().folder(manifest), self._shared.folder(manifest)
        here.mkdir(parents=True, exist_ok=True)
        for file in files:
            if not (here / file).exists() and (there / file).is_file():
                (here / file).parent.mkdir(parents=True, exist_ok=True)
                arriving = here / f"{file}.{uuid.uuid4().hex[:8]}.tmp"
                shutil.copyfile(there / file, arriving)
                arriving.replace(here / file)

    def _send(self, manifest: Manifest) -> None:
        arriving = self._location / "arriving" / uuid.uuid4().hex
        target = self._shared.folder(manifest)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copytree(super().folder(manifest), arriving, copy_function=shutil.copyfile)
            if target.exists():  # torn or damaged: it was not found
                shutil.rmtree(target)
            arriving.rename(target)
        except OSError:
            shutil.rmtree(arriving, ignore_errors=True)
            if self._shared.find(manifest.step, manifest.key) is None:  # nobody was faster
                raise


def _put(path: Path, content: bytes) -> None:
    arriving = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    arriving.write_bytes(content)
    arriving.replace(path)
