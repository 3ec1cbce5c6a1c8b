"""What is said when an engine or a client fails, whose own words may fill pages."""

from __future__ import annotations

from mlrecipes.errors import StoreError, shorten

__all__ = ["could_not"]

MAX_REASON_LENGTH = 240


def could_not(doing: str, error: Exception) -> StoreError:
    r"""An error of ours with the first line of the cause.

    >>> could_not("read bureau", ValueError("\nno such column\n  at line 1"))
    StoreError('Could not read bureau: no such column')
    """
    lines = (line for line in str(error).splitlines() if line.strip())
    reason = next(lines, type(error).__name__)
    return StoreError(f"Could not {doing}: {shorten(reason, limit=MAX_REASON_LENGTH)}")
