"""Only content decides; the memory of digests saves time."""

import hashlib
import os
from pathlib import Path

from mlrecipes.stores.digests import DigestMemory, sha256_of_file

OLD_NS = 1_600_000_000_000_000_000


def settled(path: Path, content: bytes, mtime_ns: int = OLD_NS) -> Path:
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def test_the_digest_is_sha256(tmp_path: Path) -> None:
    path = settled(tmp_path / "a", b"content")
    assert sha256_of_file(path) == hashlib.sha256(b"content").hexdigest()


def test_a_touched_file_with_the_same_content_has_the_same_digest(tmp_path: Path) -> None:
    path = settled(tmp_path / "a", b"content")
    memory = DigestMemory(tmp_path / "memory.json")
    before = memory.digest(path)
    settled(path, b"content", OLD_NS + 5_000_000_000)
    assert memory.digest(path) == before


def test_changed_content_of_the_same_size_is_seen(tmp_path: Path) -> None:
    path = settled(tmp_path / "a", b"one")
    memory = DigestMemory(tmp_path / "memory.json")
    before = memory.digest(path)
    settled(path, b"two", OLD_NS + 5_000_000_000)
    assert memory.digest(path) != before


def test_a_file_written_just_now_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    memory = DigestMemory(tmp_path / "memory.json")
    memory.digest(path)
    memory.save()
    assert not (tmp_path / "memory.json").exists()


def test_the_memory_survives_the_process(tmp_path: Path) -> None:
    path = settled(tmp_path / "a", b"one")
    first = DigestMemory(tmp_path / "memory.json")
    expected = first.digest(path)
    first.save()
    assert DigestMemory(tmp_path / "memory.json").digest(path) == expected


def test_a_damaged_memory_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "memory.json").write_text('{"a": 1}')
    path = settled(tmp_path / "a", b"one")
    assert DigestMemory(tmp_path / "memory.json").digest(path)[0] == 3
