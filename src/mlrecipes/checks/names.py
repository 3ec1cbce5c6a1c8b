"""What the columns of a table may be called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlrecipes.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_names_are_text"]


def check_names_are_text(frame: pd.DataFrame) -> None:
    """Check that each column's name is a text.

    Raises:
        DataError: One is a number, for example.
    """
    nameless = [column for column in frame.columns if not isinstance(column, str)]
    if nameless:
        raise DataError(
            f"{len(nameless):,} columns have no text as name, such as {nameless[0]!r} "
            f"({type(nameless[0]).__name__}).",
            hint="Name them in the loader_method: frame.columns = frame.columns.map(str)",
        )
