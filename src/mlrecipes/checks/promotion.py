"""Whether a challenger replaces the champion: pure functions of what was measured.

::

    promote        the whole interval of the difference lies above min_gain
    keep           the whole interval lies at or below min_gain
    inconclusive   min_gain lies within: the rows do not tell
    blocked        a gate or a number that is none stands in the way, whatever the rest; or a
                   slice surely loses with a model that is not kept out anyway
    first          there is no champion, and no gate stands in the way

Differences are challenger less champion, turned so that positive is better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import shorten

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Difference",
    "Outcome",
    "Rule",
    "SliceDifference",
    "Verdict",
    "decide",
    "difference_of",
    "first_verdict",
]

MAX_UNDEFINED_SHARE = 0.05
"""Of the resamples of a slice: more, and nothing is said of it."""


class Outcome(StrEnum):
    """What is decided."""

    FIRST = "first"
    PROMOTE = "promote"
    KEEP = "keep"
    INCONCLUSIVE = "inconclusive"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Difference:
    """A metric of two models on the same rows.

    Attributes:
        metric: Its name.
        champion: Its value for the champion; NaN where the rows do not define it.
        challenger: Its value for the challenger.
        value: Challenger less champion, positive where the challenger is better.
        lower: Lower end of the interval of ``value``.
        upper: Upper end.
    """

    metric: str
    champion: float
    challenger: float
    value: float
    lower: float
    upper: float

    @property
    def is_finite(self) -> bool:
        """Whether all of it is a number."""
        return all(map(math.isfinite, (self.value, self.lower, self.upper)))

    def __str__(self) -> str:
        return f"{self.value:+.4f} [{self.lower:.4f}, {self.upper:.4f}]"


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """The primary metric on a part of the rows."""

    name: str
    n_rows: int
    difference: Difference


@dataclass(frozen=True, slots=True)
class Rule:
    """What is asked of a challenger; see ``steps.promote``."""

    min_gain: float = 0.0
    max_slice_loss: float = 0.02
    confidence: float = 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided and why.

    Attributes:
        outcome: The decision.
        reasons: Why; all of them where it is blocked.
        needed: What would have to be true for the challenger to be promoted.
    """

    outcome: Outcome
    reasons: tuple[str, ...]
    needed: str = ""

    @property
    def reason(self) -> str:
        """The reasons as one line."""
        return "; ".join(self.reasons)


def difference_of(
    metric: str,
    values: tuple[float, float],
    replicates: Any,
    *,
    greater_is_better: bool,
    confidence: float,
    may_be_undefined: bool = False,
) -> Difference:
    """Compare a metric of two models with an interval by the percentiles of its replicates.

    Args:
        metric: Its name.
        values: Of the champion and of the challenger, on the rows as they are.
        replicates: Shape (2, n_resamples): of both, on the same resampled rows.
        greater_is_better: Its direction.
        confidence: Of the two-sided interval.
        may_be_undefined: Whether a few resamples may not define it, as in a small slice.

    >>> difference_of(
    ...     "roc_auc", (0.7, 0.75), [[0.7, 0.6], [0.8, 0.6]], greater_is_better=True, confidence=0.9
    ... ).upper
    0.095...
    """
    import numpy as np

    champion, challenger = values
    sign = 1.0 if greater_is_better else -1.0
    champions, challengers = np.asarray(replicates, dtype=float)
    ends = _ends(sign * (challengers - champions), confidence, may_be_undefined=may_be_undefined)
    return Difference(metric, champion, challenger, sign * (challenger - champion), *ends)


def _ends(
    differences: np.ndarray, confidence: float, *, may_be_undefined: bool
) -> tuple[float, float]:
    import numpy as np

    is_number = np.isfinite(differences)
    allowed = MAX_UNDEFINED_SHARE if may_be_undefined else 0.0
    if not is_number.any() or (~is_number).mean() > allowed:
        return math.nan, math.nan
    tail = (1 - confidence) / 2
    lower, upper = np.quantile(differences[is_number], [tail, 1 - tail])
    return float(lower), float(upper)


def first_verdict(blocks: Sequence[str]) -> Verdict:
    """Decide on a model that has no champion to be compared with."""
    if blocks:
        return Verdict(Outcome.BLOCKED, tuple(blocks), "All gates passed.")
    return Verdict(Outcome.FIRST, ("there is no champion yet, and it passed its gates",))


def decide(
    difference: Difference | None,
    slices: Sequence[SliceDifference],
    rule: Rule,
    blocks: Sequence[str] = (),
) -> Verdict:
    """Decide whether the challenger replaces the champion.

    Args:
        difference: Of the primary metric; None if it could not be measured.
        slices: Of the primary metric, on parts of the rows that are large enough.
        rule: What is asked.
        blocks: What stands in the way beside the numbers, such as a gate that was missed.
    """
    reasons = list(blocks)
    if difference is not None and not difference.is_finite:
        reasons.append(f"{difference.metric} is not a finite number on these rows")
    if difference is None and not reasons:
        reasons.append("the models could not be compared")
    losses = [_slice_loss(one, rule) for one in slices if _is_lost(one, rule)]
    if not reasons and difference is not None:
        verdict = _by_interval(difference, rule)
        # A model that is no better is kept out by that alone, wherever it loses.
        if not losses or verdict.outcome is Outcome.KEEP:
            return replace(verdict, reasons=(*verdict.reasons, *losses))
    needed = "None of the reasons above; or an override with a reason."
    return Verdict(Outcome.BLOCKED, (*reasons, *losses), needed)


def _by_interval(difference: Difference, rule: Rule) -> Verdict:
    metric, gain = difference.metric, rule.min_gain
    asked = f"the gain of {gain:g} that is asked for" if gain else "no gain"
    if difference.lower > gain:
        above = f"wholly above {asked}" if gain else "wholly above zero"
        return Verdict(Outcome.PROMOTE, (f"difference of {metric} {difference} lies {above}",))
    width = difference.value - difference.lower
    needed = (
        f"The lower end of the interval above {gain:g}: a difference of {metric} of more than "
        f"{gain + width:+.4f} at this width, or a narrower interval (more rows)."
    )
    if difference.upper <= gain:
        what = f"does not reach {asked}" if gain else "shows no gain"
        return Verdict(Outcome.KEEP, (f"difference of {metric} {difference} {what}",), needed)
    what = "is within noise" if not gain else f"does not tell whether {asked} is there"
    return Verdict(Outcome.INCONCLUSIVE, (f"difference of {metric} {difference} {what}",), needed)


def _is_lost(one: SliceDifference, rule: Rule) -> bool:
    return one.difference.is_finite and one.difference.upper < -rule.max_slice_loss


def _slice_loss(one: SliceDifference, rule: Rule) -> str:
    return (
        f"slice {shorten(one.name)} ({one.n_rows:,} rows) loses {one.difference} in "
        f"{one.difference.metric}, more than {rule.max_slice_loss:g}"
    )
