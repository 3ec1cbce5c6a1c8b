"""Two metrics that credit risk teams report: Gini and Kolmogorov-Smirnov."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


def gini(eval_df: pd.DataFrame, builtin_metrics: Mapping[str, float]) -> float:
    """Gini coefficient: 2 * AUC - 1, the accuracy ratio of Engelmann, Hayden and Tasche (2003).

    Args:
        eval_df: not used; the signature is the one of every custom metric.
        builtin_metrics: has "roc_auc".
    """
    return 2.0 * float(builtin_metrics["roc_auc"]) - 1.0


def ks(eval_df: pd.DataFrame, builtin_metrics: Mapping[str, float]) -> float:
    """Largest distance between the score distributions of good and bad loans, 0 to 1.

    The two-sample Kolmogorov-Smirnov statistic: max |F_bad(score) - F_good(score)|.

    Args:
        eval_df: columns `target` (0 or 1) and `score` (probability of 1); without `score`,
            `prediction` is used. NaN when one of the classes has no row.
        builtin_metrics: not used.
    """
    score_name = "score" if "score" in eval_df.columns else "prediction"
    by_score = eval_df.groupby(score_name)["target"].agg(["sum", "count"])
    n_bad = by_score["sum"].cumsum()
    n_good = (by_score["count"] - by_score["sum"]).cumsum()
    if len(by_score) == 0 or n_bad.iloc[-1] == 0 or n_good.iloc[-1] == 0:
        return float("nan")
    return float(np.max(np.abs(n_bad / n_bad.iloc[-1] - n_good / n_good.iloc[-1])))
