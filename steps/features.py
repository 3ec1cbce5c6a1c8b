"""Find the raw tables that the feature tables under features/ are made of."""

from __future__ import annotations

from pathlib import Path

from steps.home_credit.kaggle import find_table
from steps.home_credit.profile import load_types
from steps.ingest import find_folder


def find_tables(data: str, applicants: int, seed: int, cache: Path) -> dict[str, Path]:
    """The files of all eight tables by name; arguments as `find_applications`.

    Raises:
        ValueError: when `applicants` is not a whole number in range, or `data` is empty.
        FileNotFoundError: when the folder or one of the tables is missing.
    """
    folder = find_folder(data, applicants, seed, cache)
    return {name: find_table(folder, name) for name in load_types()}
