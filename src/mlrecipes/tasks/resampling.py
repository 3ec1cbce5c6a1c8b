"""How sure a metric is: its values on rows drawn anew from the evaluated ones (bootstrap).

Rows are drawn with replacement, as many as there are, and several models are always judged
on the same draw, so that their difference can be told from the luck of the draw. Interval:
the percentile method of Efron and Tibshirani (1993), chapter 13.

A draw is a number of copies for each row. Metrics that can be computed from such weights need
neither a copy nor a sort of the rows a draw; see :mod:`mlrecipes.tasks._weighted_classes`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

__all__ = ["WeightedMetrics", "interval", "replicates", "replicates_by_rows"]

MIN_DEFINED = 0.9
"""The share of draws that must define a metric: a draw without an event has no ROC AUC."""


class WeightedMetrics(Protocol):
    """The metrics of one model on rows that count several times or not at all."""

    @property
    def names(self) -> frozenset[str]:
        """The metrics that it can compute."""
        ...

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        ...

    def values(self, weight: np.ndarray, names: Sequence[str]) -> Mapping[str, float]:
        """Compute some metrics; NaN where the rows with a weight do not define one.

        Args:
            weight: How much each row counts, float >= 0, shape (n_rows,).
            names: Of :attr:`names`.
        """
        ...


def replicates(
    models: Sequence[WeightedMetrics], metrics: Sequence[str], *, n_resamples: int, seed: int
) -> dict[str, np.ndarray]:
    """Compute metrics of several models on the same draws of the same rows.

    Returns:
        Metric name to values, shape (n_models, n_resamples). A metric that a model cannot
        compute from weights, such as one of the user's own, is left out.
    """
    import numpy as np

    known = [name for name in metrics if all(name in model.names for model in models)]
    found = {name: np.full((len(models), n_resamples), np.nan) for name in known}
    if not known:
        return found
    n_rows = models[0].n_rows
    for draw, positions in enumerate(_draws(n_rows, n_resamples, seed)):
        weight = np.bincount(positions, minlength=n_rows).astype(float)
        for row, model in enumerate(models):
            for name, value in model.values(weight, known).items():
                found[name][row, draw] = value
    return found


def replicates_by_rows(
    compute: Callable[[np.ndarray], Mapping[str, float]],
    n_rows: int,
    *,
    n_resamples: int,
    seed: int,
) -> dict[str, np.ndarray]:
    """Compute metrics that know no weights, on copies of the drawn rows: far slower.

    The draws are the first ones of :func:`replicates` with the same seed.

    Args:
        compute: Gets the drawn rows' positions, shape (n_rows,), and gives metrics by name.
        n_rows: The number of rows.
        n_resamples: How many draws.
        seed: Decides the draws.

    Returns:
        Metric name to values, shape (n_resamples,); NaN where a draw gave none.
    """
    import numpy as np

    found: dict[str, np.ndarray] = {}
    for draw, positions in enumerate(_draws(n_rows, n_resamples, seed)):
        for name, value in compute(positions).items():
            found.setdefault(name, np.full(n_resamples, np.nan))[draw] = value
    return found


def interval(values: Any, confidence: float) -> tuple[float, float]:
    """The middle of some replicates: from which value to which ``confidence`` of them lie.

    Args:
        values: Shape (n_resamples,), NaN where a draw does not define the metric.
        confidence: Such as 0.95.

    Returns:
        (low, high); both NaN where less than 90% of the draws define the metric.

    >>> interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.5)
    (2.0, 4.0)
    """
    import numpy as np

    known = np.asarray(values, dtype=float)
    n_draws, known = known.size, known[np.isfinite(known)]
    if known.size == 0 or known.size < MIN_DEFINED * n_draws:
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _draws(n_rows: int, n_resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Positions of drawn rows, shape (n_rows,) each."""
    import numpy as np

    random = np.random.default_rng(seed)
    for _ in range(n_resamples):
        yield random.integers(n_rows, size=n_rows)
