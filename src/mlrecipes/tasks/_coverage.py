"""Bands about predictions: how wide they must be, and how often they hold the actual value.

A model that predicts one number says nothing of its own doubt. The bands are those of split
conformal prediction with signed residuals (Lei et al. 2018, "Distribution-free predictive
inference for regression"): the central 80% or 95% of the residuals of rows that the model was
not fitted on, here of the validation part, are put about each prediction. Where test rows are
like validation rows, the band holds the actual value at least about as often as it says.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from mlrecipes.tasks._numbers import complete_numbers

if TYPE_CHECKING:
    from mlrecipes.tasks.base import Predictions

__all__ = ["band_of", "coverage", "wilson"]

BANDS = (0.80, 0.95)
Z_95 = 1.959964


def coverage(
    calibration: tuple[Any, Predictions], target: Any, labels: Any
) -> dict[str, tuple[float, float, float]]:
    """Say how often each band holds the actual value, with the 95% interval of Wilson."""
    known, predicted = calibration
    residuals = complete_numbers(known) - np.asarray(predicted.labels, dtype=float)
    off = complete_numbers(target) - np.asarray(labels, dtype=float)
    found = {}
    for share in BANDS:
        low, high = band_of(residuals, share)
        n_within = int(((low <= off) & (off <= high)).sum())
        found[f"coverage_{100 * share:.0f}"] = (
            n_within / len(off),
            *wilson(n_within, len(off)),
        )
    return found


def band_of(residuals: np.ndarray, share: float) -> tuple[float, float]:
    """The smallest and largest residual of a band; infinite where there are too few rows.

    >>> band_of(np.arange(1.0, 20.0), 0.8)
    (2.0, 18.0)
    """
    ordered, n = np.sort(residuals), len(residuals)
    # The tolerance keeps 0.1 * 20 from becoming 2.0000000000000004 and so the third.
    rank = math.floor((1 - share) / 2 * (n + 1) + 1e-9)
    if rank == 0:
        return -math.inf, math.inf
    return float(ordered[rank - 1]), float(ordered[n - rank])


def wilson(n_hits: int, n_rows: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson 1927).

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    if n_rows == 0:
        return math.nan, math.nan
    share, z2 = n_hits / n_rows, Z_95**2
    middle = (share + z2 / (2 * n_rows)) / (1 + z2 / n_rows)
    half = Z_95 * math.sqrt(share * (1 - share) / n_rows + z2 / (4 * n_rows**2))
    half /= 1 + z2 / n_rows
    return max(0.0, middle - half), min(1.0, middle + half)
