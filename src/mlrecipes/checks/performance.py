"""How good a model is on rows whose outcome nobody knows yet, estimated from what it says.

*Confidence-based estimation* (CBPE, as NannyML calls it): if a score of 0.2 means that one of five
such rows has the event, the scores alone tell how many of the pairs of an event and a non-event
are in the right order. *Direct loss estimation* (DLE), here by cells of the prediction: a row errs
as rows with such a prediction did. Both hold only while the outcome follows from the score as it
did; neither sees that it does not any more (concept drift).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.drift_counting import plan_numbers

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "CBPE_ASSUMES",
    "DLE_ASSUMES",
    "Estimated",
    "calibration_facts",
    "calibration_problem",
    "error_facts",
    "estimate_errors",
    "estimate_events",
    "is_lost",
]

CBPE_ASSUMES = (
    "scores mean what they say (checked on the validation part when the model was trained)",
    "the outcome follows from the score as it did then: concept drift cannot be seen",
    "rows lie where the model has learned (not estimated while the score drifts)",
)
DLE_ASSUMES = (
    "rows with such a prediction err as those of the validation part did",
    "the outcome follows from the features as it did then: concept drift cannot be seen",
    "rows lie where the model has learned (not estimated while the score drifts)",
)
N_DRAWS = 200
MAX_ROWS_DRAWN = 20_000
RANKING = "roc_auc"
MIN_P_CALIBRATED = 0.01
SURE = 2.575829
"""A promise is broken if what happened lies outside of its 99% band."""
MIN_EXPECTED = 5.0
MIN_CELLS = 3
MAX_GAP = 0.02
"""An expected calibration error below this is no matter, however sure it is."""
EDGE = 1e-6
Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Estimated:
    """A metric that was estimated, and where the realised one should lie in 95% of the cases."""

    metric: str
    value: float
    low: float
    high: float


# ---- what is kept of the validation part -----------------------------------------------------


def calibration_facts(scores: np.ndarray, actual: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """Events and mean scores between edges of the score, and a first back-test; counts only.

    Args:
        scores: Probabilities, shape (n_rows,).
        actual: 1 where the event occurred, shape (n_rows,).
        seed: Decides the draws of the back-test.
    """
    import numpy as np

    scores, happened = np.asarray(scores, float), np.asarray(actual, float)
    order = np.argsort(-scores, kind="stable")
    cut = np.clip(scores[order], EDGE, 1 - EDGE)
    promised = next(e for e in estimate_events(scores, seed) if e.metric == RANKING)
    ranked = _event_metrics(cut, happened[order], 1 - happened[order])[RANKING]
    edges, counts, means = plan_numbers(scores)
    cells = np.searchsorted(np.asarray(edges), scores, side="left")
    events = np.bincount(cells, weights=happened, minlength=len(counts))
    ends = (promised.value, promised.low, promised.high, ranked)
    return {
        "back_test": [float(end) for end in ends] if all(map(math.isfinite, ends)) else None,
        "edges": list(edges),
        "counts": list(counts),
        "means": list(means),
        "events": [int(n) for n in events],
    }


def error_facts(predicted: np.ndarray, actual: np.ndarray) -> dict[str, Any]:
    """Mean absolute and squared errors between edges of the prediction, and their variances."""
    import numpy as np

    predicted = np.asarray(predicted, float)
    off = np.abs(predicted - np.asarray(actual, float))
    edges, counts, _means = plan_numbers(predicted)
    cells = np.searchsorted(np.asarray(edges), predicted, side="left")

    def mean_of(values: np.ndarray) -> list[float]:
        sums = np.bincount(cells, weights=values, minlength=len(counts))
        return [
            float(s / n) if n else float(values.mean()) for s, n in zip(sums, counts, strict=True)
        ]

    return {
        "edges": list(edges),
        "counts": list(counts),
        "absolute": mean_of(off),
        "squared": mean_of(off**2),
        "fourth": mean_of(off**4),
    }


def calibration_problem(facts: Mapping[str, Any]) -> str | None:
    """Why scores cannot be taken for probabilities; None if they can.

    The test of Hosmer and Lemeshow (1980) on cells of the score with at least five events and
    five other rows expected, and the expected calibration error: both must object. Or the
    promised ROC AUC is surely not that of the validation part, as where scores are drawn to the
    middle; with few events this sees what cells cannot.
    """
    import numpy as np
    from scipy import special

    counts, events = np.asarray(facts["counts"], float), np.asarray(facts["events"], float)
    promised = counts * np.asarray(facts["means"], float)
    starts, filled = [0], np.zeros(2)
    for place in range(len(counts)):
        if filled.min() >= MIN_EXPECTED:
            starts.append(place)
            filled = np.zeros(2)
        filled += (promised[place], counts[place] - promised[place])
    if filled.min() < MIN_EXPECTED and len(starts) > 1:
        starts.pop()
    if len(starts) < MIN_CELLS:
        return "the validation part has too few events to tell whether scores mean what they say"
    counts, events, promised = (np.add.reduceat(one, starts) for one in (counts, events, promised))
    gap = float(np.abs(events - promised).sum() / counts.sum())
    value = float(((events - promised) ** 2 / (promised * (1 - promised / counts))).sum())
    chance = float(special.chdtrc(len(counts), value))
    if chance < MIN_P_CALIBRATED and gap > MAX_GAP:
        return (
            f"scores are off by {gap:.3f} on the average on the validation part "
            f"(limit {MAX_GAP:g}; by chance in {chance:.1%} of the cases)"
        )
    return _back_test_problem(facts.get("back_test"))


def _back_test_problem(found: Sequence[float] | None) -> str | None:
    if found is None:
        return None
    promised, low, high, ranked = found
    wide = SURE / Z_95
    is_within = promised + (low - promised) * wide <= ranked <= promised + (high - promised) * wide
    if is_within or abs(ranked - promised) <= MAX_GAP:
        return None
    return (
        f"scores promise a {RANKING} of {promised:.3f} on the validation part, where it is "
        f"{ranked:.3f}"
    )


# ---- estimates -------------------------------------------------------------------------------


def estimate_events(scores: np.ndarray, seed: int) -> tuple[Estimated, ...]:
    """ROC AUC, Brier score, log loss and the rate of events that the scores promise (CBPE).

    The band holds what outcomes drawn from the scores give, on rows drawn anew.

    Args:
        scores: Calibrated probabilities, at least two rows, shape (n_rows,).
        seed: Decides the draws.
    """
    import numpy as np

    p = np.sort(np.clip(np.asarray(scores, float), EDGE, 1 - EDGE))[::-1]
    values = _event_metrics(p, p, 1 - p)
    random = np.random.default_rng(seed)
    sample = p
    if len(p) > MAX_ROWS_DRAWN:
        sample = p[np.linspace(0, len(p) - 1, MAX_ROWS_DRAWN).astype(int)]
    draws: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(N_DRAWS):
        weight = random.multinomial(len(sample), np.full(len(sample), 1 / len(sample)))
        events = random.binomial(weight, sample)
        for name, value in _event_metrics(sample, events, weight - events).items():
            draws[name].append(value)
    # The sample's spread is that of fewer rows.
    shrink = math.sqrt(len(sample) / len(p))
    found = []
    for name, value in values.items():
        low, high = np.nanquantile(draws[name], [0.025, 0.975])
        middle = float(np.nanmedian(draws[name]))
        ends = (value + (float(end) - middle) * shrink for end in (low, high))
        found.append(Estimated(name, value, *ends))
    return tuple(found)


def estimate_errors(predicted: np.ndarray, facts: Mapping[str, Any]) -> tuple[Estimated, ...]:
    """Mean absolute and root mean squared error by cells of the prediction (DLE).

    Args:
        predicted: Shape (n_rows,).
        facts: As :func:`error_facts` gives them.
    """
    import numpy as np

    cells = np.searchsorted(np.asarray(facts["edges"]), np.asarray(predicted, float), side="left")
    n, then = len(cells), np.maximum(np.asarray(facts["counts"], float), 1)
    share = np.bincount(cells, minlength=len(then)) / n

    def mean_of(first: str, second: str) -> tuple[float, float]:
        mean, square = np.asarray(facts[first], float), np.asarray(facts[second], float)
        variance = np.maximum(square - mean**2, 0)
        error = math.sqrt(float((share**2 * variance / then).sum() + (share * variance).sum() / n))
        return float((share * mean).sum()), Z_95 * error

    absolute, off = mean_of("absolute", "squared")
    squared, square_off = mean_of("squared", "fourth")
    ends = [math.sqrt(max(0.0, squared + sign * square_off)) for sign in (-1, 1)]
    return (
        Estimated("mean_absolute_error", absolute, absolute - off, absolute + off),
        Estimated("root_mean_squared_error", math.sqrt(squared), *ends),
    )


def is_lost(
    now: tuple[float, float, float],
    then: tuple[float, float, float],
    max_loss: float,
    *,
    greater_is_better: bool,
    false_alarms: float = 0.05,
) -> bool:
    """Whether a metric has surely lost more than is tolerated.

    Args:
        now: Value and both ends of its 95% interval.
        then: The same of the reference.
        max_loss: What may be lost.
        greater_is_better: Of the metric.
        false_alarms: How likely the interval of the difference, which the loss must lie beyond,
            misses the true one.

    >>> is_lost((0.70, 0.68, 0.72), (0.76, 0.75, 0.77), 0.02, greater_is_better=True)
    True
    >>> is_lost((0.74, 0.70, 0.78), (0.76, 0.75, 0.77), 0.02, greater_is_better=True)
    False
    """
    from scipy import special

    loss = then[0] - now[0] if greater_is_better else now[0] - then[0]
    wider = float(special.ndtri(1 - false_alarms / 2)) / Z_95
    spread = wider * math.hypot(now[2] - now[1], then[2] - then[1]) / 2
    return math.isfinite(loss) and math.isfinite(spread) and loss - spread > max_loss


# ---- private -----------------------------------------------------------------------------------


def _event_metrics(scores: np.ndarray, events: np.ndarray, others: np.ndarray) -> dict[str, float]:
    """Metrics of rows, highest score first, that are events and others with these weights."""
    import numpy as np

    n_events, n_others = float(events.sum()), float(others.sum())
    total = n_events + n_others
    auc = math.nan
    if n_events > 0 and n_others > 0:
        last = np.append(np.diff(scores) != 0, True)
        hits = np.concatenate([[0.0], np.cumsum(events)[last]])
        misses = np.concatenate([[0.0], np.cumsum(others)[last]])
        auc = float((np.diff(misses) * (hits[1:] + hits[:-1])).sum() / 2 / (n_events * n_others))
    brier = float((events * (1 - scores) ** 2 + others * scores**2).sum() / total)
    loss = float(-(events * np.log(scores) + others * np.log1p(-scores)).sum() / total)
    return {
        "roc_auc": auc,
        "brier_score": brier,
        "log_loss": loss,
        "event_rate": n_events / total,
    }
