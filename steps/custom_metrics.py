"""What a credit policy makes of the scores: how many of those who get a loan have difficulties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

CUT_OFF = 0.10
"""As steps.evaluate.cut_off in recipe.yaml: from this score on there is no loan."""


def bad_rate_accepted(eval_df: pd.DataFrame, builtin_metrics: Mapping[str, float]) -> float:
    """Share of bad loans among the applicants whose score is below the cut-off.

    Args:
        eval_df: columns `target` (0 or 1) and `score` (probability of 1). NaN when nobody is
            accepted.
        builtin_metrics: not used; the signature is the one of every custom metric.
    """
    return float(eval_df.loc[eval_df["score"] < CUT_OFF, "target"].mean())
