"""Metrics that a credit officer asks for and scikit-learn does not have."""

import pandas as pd

__all__ = ["share_within_tenth"]

_TENTH = 0.1


def share_within_tenth(eval_df: pd.DataFrame, builtin_metrics: dict[str, float]) -> float:
    """Return the share of loans whose loss is forecast to within a tenth of the amount paid out.

    Args:
        eval_df: One row per loan, with the columns ``prediction`` and ``target``.
        builtin_metrics: Not used; the engine hands it to every metric.
    """
    del builtin_metrics
    return float(((eval_df["prediction"] - eval_df["target"]).abs() <= _TENTH).mean())
