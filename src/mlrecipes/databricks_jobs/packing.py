"""The tracked files of a project as one archive that depends on their content alone."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from mlrecipes.errors import StoreError, few, shorten

__all__ = ["Archive", "pack_project"]

NEVER = {".git", "data", "mlruns", "mlartifacts", ".mlrecipes"}
SECRET_FILES = (
    *(".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "id_rsa*", "id_ed25519*"),
    *(".netrc", ".pypirc", ".databrickscfg", "credentials", "credentials.json", "*.token"),
)
EXAMPLES = (".env.example", ".env.sample", ".env.template")
SECRET_TEXT = re.compile(
    rb"\bdapi[0-9a-f]{32}|\bdose[0-9a-f]{32}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    rb"|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36}|\bxox[abp]-[0-9A-Za-z-]{20,}"
)
BYTES_PER_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Archive:
    """A project, packed.

    Attributes:
        content: A tar file, compressed.
        digest: SHA-256 of the content, in hex.
        names: Of the files that it holds.
    """

    content: bytes
    digest: str
    names: tuple[str, ...]


def pack_project(root: Path, *, max_mb: int) -> Archive:
    """Pack what git tracks below a folder, with the content that lies on the disk now.

    What git does not track never gets in, nor do ``data``, ``mlruns`` and ``mlartifacts`` at
    the top. Times, owners and the order of the disk do not count: the same files give the
    same digest.

    Args:
        root: The folder of MLproject; it may lie below the repository's.
        max_mb: Of the files together, and so of the archive.

    Raises:
        StoreError: No git repository, no MLproject in it, a file that looks like a
            secret, a link out of the project, or too many bytes.
    """
    names = [name for name in _tracked(root) if PurePosixPath(name).parts[0] not in NEVER]
    files = [name for name in names if (root / name).is_file() or (root / name).is_symlink()]
    if "MLproject" not in files:
        raise StoreError(
            f"MLproject in {shorten(root)} is not tracked by git, so it would not be uploaded.",
            hint="Run: git add MLproject",
        )
    _refuse_secret_names(files)
    _refuse_size(root, files, max_mb)
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", filename="", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in files:
            _add(tar, root, name)
    content = buffer.getvalue()
    return Archive(content, hashlib.sha256(content).hexdigest(), tuple(files))


def _tracked(root: Path) -> list[str]:
    try:
        done = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--", "."],  # noqa: S607 - as the user calls it
            cwd=root,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise StoreError("git is not installed; it says which files belong to the job.") from error
    if done.returncode != 0:
        raise StoreError(
            f"{shorten(root, limit=200)} is in no git repository; a job gets tracked files only.",
            hint="Run: git init && git add MLproject …",
        )
    return sorted({name.decode() for name in done.stdout.split(b"\0") if name})


def _refuse_secret_names(files: Sequence[str]) -> None:
    found = [name for name in files if _looks_secret(PurePosixPath(name).name)]
    if found:
        raise _secret_found(found)


def _looks_secret(name: str) -> bool:
    return name not in EXAMPLES and any(fnmatch(name.lower(), shape) for shape in SECRET_FILES)


def _secret_found(files: Sequence[str]) -> StoreError:
    return StoreError(
        f"Tracked files look like secrets, so nothing was uploaded: {few(files)}.",
        hint=f"Run: git rm --cached {shorten(files[0])}  and let the secret be replaced",
    )


def _refuse_size(root: Path, files: Sequence[str], max_mb: int) -> None:
    sizes = {name: (root / name).lstat().st_size for name in files}
    total = sum(sizes.values())
    if total > max_mb * BYTES_PER_MB:
        largest = sorted(sizes, key=lambda name: -sizes[name])
        raise StoreError(
            f"The tracked files take {total / BYTES_PER_MB:.1f} MB, but max_archive_mb is {max_mb}"
            f"; the largest: {few(largest, limit=3)}.",
            hint="Put data in a volume or a table, or raise max_archive_mb.",
        )


def _add(tar: tarfile.TarFile, root: Path, name: str) -> None:
    path = root / name
    entry = tarfile.TarInfo(name)
    if path.is_symlink():
        target = path.resolve()
        if not target.is_relative_to(root.resolve()) or path.readlink().is_absolute():
            raise StoreError(
                f"{shorten(name)} is a link out of the project; a job cannot follow it."
            )
        entry.type, entry.linkname = tarfile.SYMTYPE, path.readlink().as_posix()
        tar.addfile(entry)
        return
    content = path.read_bytes()
    if SECRET_TEXT.search(content):
        raise _secret_found([name])
    entry.size = len(content)
    entry.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    tar.addfile(entry, io.BytesIO(content))
