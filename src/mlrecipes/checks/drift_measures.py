"""How far two tables differ in a column, from counts alone, and whether chance explains it.

A window and its reference are two finite samples. Without drift the PSI of ``B`` cells is about
chi-squared with ``B - 1`` degrees of freedom times ``1/n + 1/m`` (Yurdakul and Naranjo 2020,
"Statistical properties of the population stability index"), so a fixed limit alarms by chance
where rows are few. Here chance is taken off the PSI, and significance comes from tests that
keep their level with few rows: Pearson's chi-squared on cells of at least five expected rows,
the rank test of Wilcoxon on cells (ties by mid-ranks) and, for missing and for unknown values, the
binomial test conditional on their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrecipes.monitor_records import (
    ColumnCounts,
    ColumnKind,
    DriftLimits,
    Measures,
    ReferenceColumn,
)

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Chance",
    "chance_of",
    "chi_squared",
    "jensen_shannon",
    "ks_distance",
    "measure",
    "psi",
    "rank_test",
]

N_COARSE = 10
"""PSI and chi-squared are told on about so many cells, as credit risk does."""
MIN_EXPECTED = 5.0
HALF = 0.5
N_MIN_CELLS = 2


@dataclass(frozen=True, slots=True)
class _Pair:
    """Cells of both tables, missing values last, and how many rows lie in them."""

    then: np.ndarray
    now: np.ndarray

    @property
    def scale(self) -> float:
        """What the variance of a difference of shares is proportional to."""
        return float(1 / self.then.sum() + 1 / self.now.sum())


@dataclass(frozen=True, slots=True)
class Chance:
    """Standard errors without drift: what chance makes of a difference, typically.

    Attributes:
        shift: Of the mean, in standard deviations of the reference.
        missing: Of the share of missing values.
        unseen: Of the share of values that the reference does not keep.
    """

    shift: float
    missing: float
    unseen: float


def chance_of(reference: ReferenceColumn, now: ColumnCounts) -> Chance:
    """How far a window and its reference differ by chance, from what both have together.

    Args:
        reference: Of the column; it has rows.
        now: Counts of the window by the reference's plan; it has rows.
    """
    import numpy as np

    then, std = reference.counts, reference.std
    both = then + now
    missing = both.missing_share
    scale = 1 / then.n_rows + 1 / now.n_rows
    of_missing = math.sqrt(missing * (1 - missing) * scale)
    if not then.n_known or not now.n_known:
        return Chance(0.0, of_missing, 0.0)
    scale = 1 / then.n_known + 1 / now.n_known
    shares = np.asarray(both.cells, float) / both.n_known
    unseen = float(shares[-1])
    shift = 0.0
    if std and math.isfinite(std) and len(reference.means) == len(shares):
        means = np.asarray(reference.means, float) / std
        shift = math.sqrt(float((shares * (means - (shares * means).sum()) ** 2).sum()) * scale)
    return Chance(shift, of_missing, math.sqrt(unseen * (1 - unseen) * scale))


def measure(reference: ReferenceColumn, now: ColumnCounts, limits: DriftLimits) -> Measures:
    """Compare a column of a window with its reference; both have rows.

    Args:
        reference: Of the column; it has rows.
        now: Counts of the window by the reference's plan; it has rows.
        limits: The limit of PSI, for the chance of going beyond it.
    """
    import numpy as np
    from scipy import special

    then = reference.counts
    is_number = reference.plan.kind is ColumnKind.NUMBER
    known = _Pair(np.asarray(then.cells, float), np.asarray(now.cells, float))
    pair = _with_missing(_coarse(known) if is_number else known, then, now)
    value, n_used = psi(pair.then, pair.now), _n_used(pair)
    freedom = max(n_used - 1, 1)
    chi2, p_chi2 = chi_squared(pair.then, pair.now)
    tests = [p_chi2, _share_test((then.n_missing, then.n_rows), (now.n_missing, now.n_rows))]
    extra: dict[str, Any] = {}
    if is_number and known.now.sum() and known.then.sum():
        extra = _ordered(known, reference)
        tests.append(rank_test(known.then, known.now))
    elif reference.plan.kind is ColumnKind.CATEGORY and known.now.sum() and known.then.sum():
        share_then, share_now = known.then / known.then.sum(), known.now / known.now.sum()
        extra = {"unseen_change": float(share_now[-1] - share_then[-1])}
        # New values are few at first, and chi-squared would merge their cell with another.
        sides = [(int(side[-1]), int(side.sum())) for side in (known.then, known.now)]
        tests.append(_share_test(*sides))
    return Measures(
        psi=value,
        psi_excess=max(0.0, value - freedom * pair.scale) if n_used > 1 else 0.0,
        psi_floor=float(special.chdtri(freedom, 0.01) * pair.scale),
        p_beyond=_p_beyond(value / pair.scale, freedom, limits.psi / pair.scale),
        jensen_shannon=jensen_shannon(pair.then, pair.now),
        chi2=chi2,
        p_chi2=p_chi2,
        missing_change=now.missing_share - then.missing_share,
        p_value=min(1.0, len(tests) * min(tests)),
        **extra,
    )


def psi(then: np.ndarray, now: np.ndarray) -> float:
    """Population stability index of two rows of counts; half a row is added to each cell.

    So it is finite and symmetric where a cell is empty.
    """
    import numpy as np

    used = (then + now) > 0
    shares = [(cells[used] + HALF) / (cells[used] + HALF).sum() for cells in (then, now)]
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())


def jensen_shannon(then: np.ndarray, now: np.ndarray) -> float:
    """Jensen-Shannon distance: the square root of the divergence to base 2."""
    import numpy as np
    from scipy.special import rel_entr

    p, q = then / then.sum(), now / now.sum()
    middle = (p + q) / 2
    divergence = (rel_entr(p, middle).sum() + rel_entr(q, middle).sum()) / 2 / np.log(2)
    return float(np.sqrt(min(1.0, max(0.0, divergence))))


def chi_squared(then: np.ndarray, now: np.ndarray) -> tuple[float, float]:
    """Pearson's test of homogeneity: statistic and p-value.

    Neighbouring cells are merged until each has five expected rows in both tables, as the
    approximation needs (Cochran 1954); with fewer than two such cells nothing is told.
    """
    import numpy as np
    from scipy import special

    smaller = min(then.sum(), now.sum())
    total = then.sum() + now.sum()
    then, now = _merged(then, now, (then + now) / total * smaller, MIN_EXPECTED)
    if len(then) < N_MIN_CELLS:
        return 0.0, 1.0
    both = then + now
    expected = [both * side.sum() / total for side in (then, now)]
    value = sum(((side - e) ** 2 / e).sum() for side, e in zip((then, now), expected, strict=True))
    return float(value), float(special.chdtrc(len(np.atleast_1d(then)) - 1, value))


def rank_test(then: np.ndarray, now: np.ndarray) -> float:
    """The p-value of Wilcoxon's rank test on ordered cells, by its normal approximation.

    Rows of one cell are ties and get their mid-rank.
    """
    import numpy as np
    from scipy import special

    both = then + now
    n, m, total = now.sum(), then.sum(), both.sum()
    ranks = np.cumsum(both) - (both - 1) / 2
    mean = (both * ranks).sum() / total
    spread = (both * (ranks - mean) ** 2).sum() / (total - 1)
    if spread <= 0:
        return 1.0
    distance = ((now * ranks).sum() / n - mean) / np.sqrt(spread * m / (n * total))
    return float(2 * special.ndtr(-abs(distance)))


def ks_distance(then: np.ndarray, now: np.ndarray) -> float:
    """Largest distance of the distribution functions at the edges of the cells."""
    import numpy as np

    return float(np.abs(np.cumsum(then) / then.sum() - np.cumsum(now) / now.sum()).max())


# ---- private -----------------------------------------------------------------------------------


def _ordered(known: _Pair, reference: ReferenceColumn) -> dict[str, float | None]:
    """What only ordered cells have: KS, Wasserstein's distance and the shift of the mean."""
    import numpy as np
    from scipy import special

    share_then, share_now = known.then / known.then.sum(), known.now / known.now.sum()
    distance = ks_distance(known.then, known.now)
    found: dict[str, float | None] = {
        "ks": distance,
        "p_ks": float(special.kolmogorov(distance / np.sqrt(known.scale))),
    }
    std, means = reference.std, np.asarray(reference.means, float)
    if not std or not np.isfinite(std):
        return found
    gaps = np.abs(np.cumsum(share_then - share_now)[:-1])
    found["wasserstein"] = float((gaps * np.diff(means)).sum() / std)
    found["shift"] = float(((share_now - share_then) * means).sum() / std)
    return found


def _coarse(known: _Pair) -> _Pair:
    """About ten cells of as many rows of the reference."""
    wanted = known.then.sum() / N_COARSE * 0.95
    return _Pair(*_merged(known.then, known.now, known.then, wanted))


def _merged(
    then: np.ndarray, now: np.ndarray, size: np.ndarray, at_least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Merge each cell into the next one until it is large enough; a small rest goes back."""
    import numpy as np

    starts, filled = [0], 0.0
    for place, one in enumerate(size):
        if filled >= at_least:
            starts.append(place)
            filled = 0.0
        filled += one
    if filled < at_least and len(starts) > 1:
        starts.pop()
    return np.add.reduceat(then, starts), np.add.reduceat(now, starts)


def _with_missing(pair: _Pair, then: ColumnCounts, now: ColumnCounts) -> _Pair:
    import numpy as np

    return _Pair(np.append(pair.then, then.n_missing), np.append(pair.now, now.n_missing))


def _n_used(pair: _Pair) -> int:
    return int(((pair.then + pair.now) > 0).sum())


def _share_test(then: tuple[int, int], now: tuple[int, int]) -> float:
    """Whether some rows, such as those without a value, are unusually many or few.

    Given how many there are in all: without drift each falls into the window with the window's
    share of all rows; the binomial tail of it is exact for few such rows and from above for more.

    Args:
        then: How many of the reference's rows are such, and how many rows it has.
        now: The same of the window.
    """
    from scipy import special

    total = then[1] + now[1]
    n_such, in_window = then[0] + now[0], now[0]
    if n_such > total / 2:
        n_such, in_window = total - n_such, now[1] - now[0]
    if not n_such:
        return 1.0
    share = now[1] / total
    above = special.bdtrc(in_window - 1, n_such, share) if in_window else 1.0
    below = special.bdtr(in_window, n_such, share)
    return float(min(1.0, 2 * min(above, below)))


def _p_beyond(value: float, freedom: int, noncentrality: float) -> float:
    """The chance of such a statistic if the true PSI were the limit."""
    from scipy import special

    return float(min(1.0, max(0.0, 1 - special.chndtr(value, freedom, noncentrality))))
