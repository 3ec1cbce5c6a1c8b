"""The Home Credit feature tables once more, in plain pandas: what the engine is compared with.

Each module reads the raw columns that it needs, and gives the same columns and values as the
SQL of its name under ``features/``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.plain_pandas import (
    applications,
    bureau_credits,
    bureau_months,
    credit_cards,
    installments,
    pos_cash,
    previous_applications,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES"]

TABLES: dict[str, Callable[[Path], pd.DataFrame]] = {
    "bureau_credits": bureau_credits.build,
    "bureau_months": bureau_months.build,
    "applications": applications.build,
    "credit_cards": credit_cards.build,
    "installments": installments.build,
    "pos_cash": pos_cash.build,
    "previous_applications": previous_applications.build,
}
"""Of each feature table, the function that reads a folder of raw tables and computes it."""
