"""Data quality outside of a run: a first suite from a table."""

from __future__ import annotations

from pathlib import Path

from mlrecipes.errors import RecipeError, StoreError
from mlrecipes.planning import Project
from mlrecipes.stores.quality_suggest import suggest, suite_text
from mlrecipes.stores.replacing import replace_text

__all__ = ["write_suggestion"]


def write_suggestion(
    project: Project, table: Path, into: str | Path | None, *, force: bool
) -> Path:
    """Write a first suite for a table into a file.

    Args:
        project: The recipe.
        table: A Parquet, CSV or CSV.gz file, a folder of Parquet files, or the name of an artifact.
        into: The suite's file; by default ``raw.<table>.json`` among the recipe's suites.
        force: Replace a file that is there.

    Returns:
        The file.

    Raises:
        DataError: The table has no rows.
        StoreError: The table cannot be read, or the file cannot be written.
        RecipeError: The file is there already.
    """
    if not table.exists() and str(table) in project.graph.writers:
        manifest, spec = project.artifact(str(table))
        table = table if manifest is None else project.store.path(manifest, spec)
    stem = table.name.partition(".")[0]
    folder = project.root / project.config.quality.folder
    path = folder / f"raw.{stem}.json" if into is None else Path(into)
    if path.exists() and not force:
        raise RecipeError(
            f"{path} is there already; nothing was written.",
            hint="Write elsewhere with --out FILE, or replace it with --force.",
        )
    found = suggest(table, project.workspace / "staging" / "quality")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, suite_text(path.stem, found))
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.") from error
    return path
