"""Find the application tables: the user's Kaggle download, or synthetic ones made on the spot."""

from __future__ import annotations

from pathlib import Path

from steps.home_credit.kaggle import find_table, warn_about_differences
from steps.home_credit.synthetic import GENERATOR_VERSION, check_applicants, write_tables
from steps.unfinished import remove_leftovers, unfinished_folder

SYNTHETIC = "synthetic"


def find_applications(data: str, applicants: int, seed: int, cache: Path) -> Path:
    """The file of application_train.

    Args:
        data: "synthetic", or the folder of the Kaggle download (`~` allowed, relative paths
            are relative to the current directory).
        applicants: rows of the synthetic application_train, 100 to 307,511.
        seed: of the synthetic tables.
        cache: folder kept between runs; the synthetic tables are made in it once.

    Raises:
        ValueError: when `applicants` is not a whole number in range, or `data` is empty.
        FileNotFoundError: when the folder or its application_train is missing.
    """
    return _find("application_train", data, applicants, seed, cache)


def find_scoring_applications(data: str, applicants: int, seed: int, cache: Path) -> Path:
    """The file of application_test, which has no TARGET; as `find_applications` otherwise.

    Raises:
        ValueError: when `applicants` is not a whole number in range, or `data` is empty.
        FileNotFoundError: when the folder or its application_test is missing.
    """
    return _find("application_test", data, applicants, seed, cache)


def find_folder(data: str, applicants: int, seed: int, cache: Path) -> Path:
    """The folder with all tables, for the feature tables: arguments as `find_applications`.

    Raises:
        ValueError: when `applicants` is not a whole number in range, or `data` is empty.
        FileNotFoundError: when the folder is missing.
    """
    if data == SYNTHETIC:
        return _make_once(applicants, seed, Path(cache))
    if not isinstance(data, str) or not data.strip():
        raise ValueError(
            f"data is {data!r}, expected 'synthetic' or the folder of your Kaggle download. "
            "Change steps.ingest in recipe.yaml or its profile."
        )
    folder = Path(data).expanduser()
    if not folder.is_dir():
        raise FileNotFoundError(
            f"data is {data!r}: {folder} is not a folder. Expected the folder of your Kaggle "
            "download, or 'synthetic' for tables made on the spot."
        )
    return folder


def _find(table: str, data: str, applicants: int, seed: int, cache: Path) -> Path:
    folder = find_folder(data, applicants, seed, cache)
    path = find_table(folder, table)
    if data != SYNTHETIC:
        warn_about_differences(folder)
    return path


def _make_once(applicants: int, seed: int, cache: Path) -> Path:
    """Make the tables beside their place and rename at the end: never half of them in place."""
    check_applicants(applicants)
    folder = cache / f"home_credit_{applicants}_{seed}_v{GENERATOR_VERSION}"
    remove_leftovers(cache, "home_credit_")
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(cache, folder.name) as unfinished:
        write_tables(unfinished, applicants, seed)
        _move_unless_there(unfinished, folder)
    return folder


def _move_unless_there(unfinished: Path, folder: Path) -> None:
    try:
        unfinished.rename(folder)
    except OSError:
        # Another run was faster; the same arguments give the same bytes.
        if not folder.is_dir():
            raise
