"""How groups of a protected attribute fare under the policy: a screening signal, no verdict.

Impact ratio: the selection rate of a group against that of the most selected group. TPR gap:
the share of the deserving rows that are selected, less that share in the same reference group;
deserving are rows whose outcome is the one that the policy selects for (equal opportunity:
Hardt, Price and Srebro 2016). The limit 0.80 is a rule of thumb of US guidance on employment
(29 CFR 1607.4 D) and no threshold of any lending rule.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.slices import SliceGroup, parse_slice

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["GroupTreatment", "Triple", "attribute_groups", "compare_groups"]

FOUR_FIFTHS = 0.80
N_QUARTERS = 4
MAX_VALUES = 20
MIN_DEFINED = 0.9
Triple = tuple[float, float, float]
"""Value, low and high end of its interval; NaN where unknown."""
UNKNOWN = (math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class GroupTreatment:
    """How one group fares.

    Attributes:
        impact_ratio: Unknown for a group with too few rows.
        tpr: Share of the deserving rows that are selected.
        tpr_gap: Against the most selected group.
        is_signal: Whether the impact ratio is below 0.80.
    """

    attribute: str
    value: str
    n_rows: int
    selection_rate: float
    impact_ratio: Triple
    tpr: float
    tpr_gap: Triple
    is_signal: bool


def attribute_groups(frame: pd.DataFrame, name: str, min_rows: int) -> tuple[SliceGroup, ...]:
    """Divide rows by a protected attribute; one with many numbers, such as age, in quarters.

    Raises:
        DataError: There is no such column.
    """
    import pandas as pd
    from pandas.api import types

    column = frame[name] if name in frame.columns else None
    if (
        column is not None
        and types.is_numeric_dtype(column.dtype)
        and column.nunique() > MAX_VALUES
    ):
        quarters = pd.qcut(column.astype(float), N_QUARTERS, duplicates="drop")
        frame = pd.DataFrame({name: quarters.astype(object).map(str, na_action="ignore")})
    in_backticks = f"`{name}`" if "`" not in name else name
    return parse_slice(in_backticks).groups(frame, min_rows)


def compare_groups(
    attribute: str,
    groups: Sequence[SliceGroup],
    decisions: tuple[np.ndarray, np.ndarray],
    min_rows: int,
    intervals: tuple[float, int, int],
) -> tuple[GroupTreatment, ...]:
    """Compare each group with the most selected one.

    The draws behind the intervals are drawn from counts: of a table's rows only the group, the
    decision and the outcome matter here.

    Args:
        attribute: The attribute's name.
        groups: They hold each row once.
        decisions: Whether each row is selected, and whether it deserves it: bool, shape
            (n_rows,).
        min_rows: Smaller groups are counted and not compared.
        intervals: Confidence, number of draws, seed.
    """
    import numpy as np

    if not groups:
        return ()
    selected, deserving = decisions
    cell = 2 * selected + deserving
    counts = np.array([np.bincount(cell[group.mask], minlength=4) for group in groups])
    confidence, n_draws, seed = intervals
    flat = counts.ravel()
    draws = np.random.default_rng(seed).multinomial(flat.sum(), flat / flat.sum(), n_draws)
    rates, tprs = _rates(counts)
    drawn_rates, drawn_tprs = _rates(draws.reshape(n_draws, len(groups), 4))
    large = [i for i, group in enumerate(groups) if group.n_rows >= min_rows]
    reference = max(large, key=lambda i: rates[i], default=None)

    def treated(i: int) -> GroupTreatment:
        ratio = gap = UNKNOWN
        if reference is not None and i in large:
            with np.errstate(all="ignore"):
                ratios = drawn_rates[:, i] / drawn_rates[:, reference]
                point = rates[i] / rates[reference]
            ratio = _triple(point, ratios, confidence)
            gaps = drawn_tprs[:, i] - drawn_tprs[:, reference]
            gap = _triple(tprs[i] - tprs[reference], gaps, confidence)
        is_signal = bool(ratio[0] < FOUR_FIFTHS)
        rate, tpr = float(rates[i]), float(tprs[i])
        group = groups[i]
        return GroupTreatment(
            attribute, group.value, group.n_rows, rate, ratio, tpr, gap, is_signal
        )

    return tuple(map(treated, range(len(groups))))


def _rates(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Selection rates and TPR from counts by (selected, deserving) in the last axis."""
    import numpy as np

    with np.errstate(all="ignore"):
        rates = counts[..., 2:].sum(axis=-1) / counts.sum(axis=-1)
        return rates, counts[..., 3] / (counts[..., 1] + counts[..., 3])


def _triple(value: Any, draws: np.ndarray, confidence: float) -> Triple:
    import numpy as np

    known = draws[np.isfinite(draws)]
    if not np.isfinite(value) or known.size < MIN_DEFINED * draws.size or known.size == 0:
        return float(value), math.nan, math.nan
    tail = (1 - confidence) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(value), float(low), float(high)
