"""Whether what happens is what happened: the rate of events, or the mean of a number, over time.

A model may rank as well as ever while events come twice as often: its probabilities are too low
then, and a cut-off lets through what it was meant to keep out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

__all__ = ["EVENT_RATE", "TARGET_MEAN", "Outcomes", "outcomes_from", "outcomes_of", "wilson"]

EVENT_RATE, TARGET_MEAN = "event_rate", "target_mean"
SHARE_OF_ALARMS = 0.5
"""Of the false alarms that are allowed; the others are left to drift and to a loss."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes of some rows, as two moments.

    Attributes:
        metric: :data:`EVENT_RATE` or :data:`TARGET_MEAN`.
        n_rows: Rows with a label.
        mean: The rate of events, or the mean, in the target's own unit.
        std: Standard deviation, in the same unit.
    """

    metric: str
    n_rows: int
    mean: float
    std: float

    @property
    def facts(self) -> dict[str, Any]:
        """As the training profile keeps it."""
        return asdict(self)

    def interval(self, chance: float = 0.05) -> tuple[float, float]:
        """Where the true mean lies but for this chance: Wilson's of a rate, else the normal one."""
        if self.metric == EVENT_RATE:
            return wilson(self.mean, self.n_rows, chance)
        off = _z(chance) * self.std / math.sqrt(self.n_rows)
        return self.mean - off, self.mean + off

    def moved_from(self, then: Outcomes, limit: float, false_alarms: float) -> bool:
        """Whether outcomes differ from earlier ones beyond chance, and enough to matter.

        Beyond chance: the interval of the difference leaves out zero, of rates that of Newcombe
        (1998, "Interval estimation for the difference between independent proportions", method
        10), which is made of both Wilson intervals and holds with few events too.

        Args:
            then: Of the training.
            limit: From where on it matters: of a rate its change by this share of it, of a mean
                its change in standard deviations.
            false_alarms: In which share of windows without change chance may raise any alarm;
                half of it is spent here.

        >>> then = Outcomes("event_rate", 8_000, 0.08, 0.27)
        >>> Outcomes("event_rate", 1_000, 0.13, 0.34).moved_from(then, 0.25, 0.01)
        True
        >>> Outcomes("event_rate", 100, 0.13, 0.34).moved_from(then, 0.25, 0.01)
        False
        """
        unit = then.mean if self.metric == EVENT_RATE else then.std
        change = self.mean - then.mean
        if abs(change) < limit * unit or not change:
            return False
        chance = SHARE_OF_ALARMS * false_alarms
        (low, high), (then_low, then_high) = self.interval(chance), then.interval(chance)
        if change > 0:
            return change > math.hypot(self.mean - low, then_high - then.mean)
        return -change > math.hypot(high - self.mean, then.mean - then_low)


def outcomes_of(values: np.ndarray, *, is_event: bool) -> Outcomes | None:
    """Two moments of known outcomes; None of no rows.

    Args:
        values: 1 where the event occurred and 0 elsewhere, or numbers; shape (n_rows,).
        is_event: Which of the two.
    """
    import numpy as np

    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    if not known.size:
        return None
    metric = EVENT_RATE if is_event else TARGET_MEAN
    return Outcomes(metric, known.size, float(known.mean()), float(known.std()))


def outcomes_from(profile: Mapping[str, Any]) -> Outcomes | None:
    """What a training profile says of its outcomes; None if it was made before it said any."""
    facts = profile.get("outcomes")
    return None if facts is None else Outcomes(**facts)


def wilson(rate: float, n_rows: int, chance: float) -> tuple[float, float]:
    """Both ends of Wilson's interval (1927), which leaves out the true rate with this chance.

    >>> [round(end, 3) for end in wilson(0.5, 10, 0.05)]
    [0.237, 0.763]
    """
    square = _z(chance) ** 2
    middle = (rate + square / (2 * n_rows)) / (1 + square / n_rows)
    spread = rate * (1 - rate) / n_rows + square / (4 * n_rows**2)
    off = math.sqrt(square * spread) / (1 + square / n_rows)
    return middle - off, middle + off


# ---- private -----------------------------------------------------------------------------------


def _z(chance: float) -> float:
    """How many standard errors lie between the middle and either end."""
    from scipy import special

    return float(special.ndtri(1 - chance / 2))
