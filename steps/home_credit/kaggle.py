"""Find the tables of the user's own Kaggle download and say which files are not the originals."""

from __future__ import annotations

import gzip
import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

BLOCK_BYTES = 1 << 20
SUFFIXES = (".csv", ".csv.gz", ".parquet")
REQUIRED = "application_train"
MOST_NAMES_SHOWN = 5
DIGEST_SHOWN = 12
COMPETITION = "https://www.kaggle.com/c/home-credit-default-risk/data"


@dataclass(frozen=True)
class Table:
    """A published table: its size and the SHA-256 of its CSV file."""

    n_rows: int
    n_columns: int
    sha256: str


@dataclass(frozen=True)
class DifferingFile:
    """A file whose content is not the published one."""

    path: Path
    published_sha256: str
    seen_sha256: str


TABLES: Mapping[str, Table] = MappingProxyType(
    {
        "application_train": Table(
            307_511, 122, "52e96b895b1112e1c853f670e58372719c8441c5ed1c57ac2f7fad559d784f5f"
        ),
        "application_test": Table(
            48_744, 121, "a36161331d839150a67b6216d4de066f543a3b01a34061507d40e76612e0dec8"
        ),
        "bureau": Table(
            1_716_428, 17, "9d799143423f280720cf51c1bfbbab2a0422da8ff2763335bb30bf43155494f7"
        ),
        "bureau_balance": Table(
            27_299_925, 3, "33e09f06174c26f0be6b8b7398886c69e7bf0abbb29b4122f7841ffe545729a9"
        ),
        "previous_application": Table(
            1_670_214, 37, "5046cd657ee04df2eaa6dc8308ae86be6b3b1763674a3f63574886a2f2896505"
        ),
        "POS_CASH_balance": Table(
            10_001_358, 8, "0e13bc573ffa8fc29b3f00d975e557143193a405d675b0e4694b06fbdffcb0cd"
        ),
        "credit_card_balance": Table(
            3_840_312, 23, "a9cdc48900d55131c90f3128b991859aeb94ca1326fb5f4d1624b9fd03782247"
        ),
        "installments_payments": Table(
            13_605_401, 8, "428c2e2496e4d6d697ee8270e98497e5213c41be16d882eed1bc95b133726797"
        ),
    }
)


def find_table(folder: Path, name: str) -> Path:
    """The file of a table: `name.csv`, else `name.csv.gz`, else `name.parquet`.

    Raises:
        FileNotFoundError: when none of the three is there.
    """
    candidates = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    looked_for = ", ".join(candidate.name for candidate in candidates)
    raise FileNotFoundError(
        f"{folder}: no file for the table '{name}'. Looked for {looked_for}; "
        f"{_describe_content(folder)}. Download the data from {COMPETITION} into this folder, "
        "or set data to 'synthetic'."
    )


def missing_tables(folder: Path) -> list[str]:
    """Names of the published tables that the folder has no file for, in the published order."""
    return [
        name
        for name in TABLES
        if not any((folder / f"{name}{suffix}").is_file() for suffix in SUFFIXES)
    ]


def differing_files(folder: Path) -> list[DifferingFile]:
    """CSV files (gzipped ones by their content) whose SHA-256 is not the published one."""
    differing = []
    for name, table in TABLES.items():
        if name in missing_tables(folder):
            continue
        path = find_table(folder, name)
        if path.suffix == ".parquet":
            continue
        facts = path.stat()
        seen = _sha256(path, facts.st_size, facts.st_mtime_ns)
        if seen != table.sha256:
            differing.append(DifferingFile(path, table.sha256, seen))
    return differing


def warn_about_differences(folder: Path) -> None:
    """Warn once per file that differs from the published one and once per missing table."""
    for file in differing_files(folder):
        warnings.warn(
            f"{file.path.name} in {folder} is not the published file: SHA-256 is "
            f"{file.seen_sha256[:DIGEST_SHOWN]}..., published is "
            f"{file.published_sha256[:DIGEST_SHOWN]}...; the run goes on with this file.",
            stacklevel=2,
        )
    for name in missing_tables(folder):
        if name != REQUIRED:
            warnings.warn(
                f"{folder} has no file for the table '{name}'; the feature tables made from it "
                "cannot be built.",
                stacklevel=2,
            )


def _describe_content(folder: Path) -> str:
    if not folder.is_dir():
        return "the folder does not exist"
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return "the folder is empty"
    shown = ", ".join(names[:MOST_NAMES_SHOWN])
    more = len(names) - MOST_NAMES_SHOWN
    return f"the folder has {shown}" + (f" and {more} more" if more > 0 else "")


@cache
def _sha256(path: Path, size_bytes: int, changed_ns: int) -> str:
    """Of the CSV itself; a file that did not change is read once in a run, however often asked."""
    digest = hashlib.sha256()
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
