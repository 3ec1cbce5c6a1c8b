"""How often a promotion is wrong, and how often a better model is recognised: a simulation.

    python -m benchmarks.promotion              # all of it: about eight minutes on one core
    python -m benchmarks.promotion --quick      # a tenth of the repetitions

What decides is the code that decides in a recipe: the task's resampled ROC AUC of both models on
the same draws, the interval of their difference, and the rule of ``checks/promotion.py``.

The scores of both models are drawn from normal distributions that differ between the classes by
as much as the ROC AUC asks for, and are correlated within a class: two models of the same data
make much the same mistakes. The more so, the narrower the interval of their difference.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from mlrecipes.checks.promotion import Outcome, Rule, decide, difference_of
from mlrecipes.tasks import Predictions, task_for

EVENT_RATE = 0.08
CHAMPION_AUC = 0.75
N_RESAMPLES = 300
SEED = 42


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the table.

    Attributes:
        n_rows: Rows that both models are scored on.
        gain: How much better the challenger truly is, in ROC AUC.
        correlation: Of the two models' scores within a class.
        n_repetitions: How many pairs of models are compared.
    """

    n_rows: int
    gain: float
    correlation: float
    n_repetitions: int


CASES = (
    Case(3_000, 0.0, 0.95, 400),
    Case(10_000, 0.0, 0.95, 400),
    Case(10_000, 0.0, 0.80, 200),
    Case(10_000, 0.01, 0.80, 200),
    Case(10_000, 0.01, 0.90, 200),
    Case(10_000, 0.01, 0.93, 200),
    Case(10_000, 0.01, 0.95, 400),
    Case(10_000, 0.01, 0.98, 200),
    Case(3_000, 0.01, 0.95, 200),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure how often a promotion is wrong.")
    parser.add_argument("--quick", action="store_true", help="a tenth of the repetitions")
    divisor = 10 if parser.parse_args().quick else 1
    print(
        f"{EVENT_RATE:.0%} events, champion ROC AUC {CHAMPION_AUC}, {N_RESAMPLES} resamples, "
        f"95% interval, seed {SEED}"
    )
    head = ("rows", "true gain", "correlation", "promote", "+/-", "inconclusive", "keep", "n")
    print("".join(f"{word:>14}" for word in head))
    for case in CASES:
        n_repetitions = case.n_repetitions // divisor
        counts = simulate(case, n_repetitions)
        shares = [counts[outcome] / n_repetitions for outcome in _SHOWN]
        error = 1.96 * math.sqrt(
            max(shares[0] * (1 - shares[0]), 1 / n_repetitions) / n_repetitions
        )
        cells = (
            f"{case.n_rows:,}",
            f"{case.gain:g}",
            f"{case.correlation:g}",
            f"{shares[0]:.1%}",
            f"{error:.1%}",
            f"{shares[1]:.1%}",
            f"{shares[2]:.1%}",
            f"{n_repetitions}",
        )
        print("".join(f"{cell:>14}" for cell in cells), flush=True)


_SHOWN = (Outcome.PROMOTE, Outcome.INCONCLUSIVE, Outcome.KEEP)


def simulate(
    case: Case, n_repetitions: int, n_resamples: int = N_RESAMPLES, seed: int = SEED
) -> Counter[Outcome]:
    """Compare pairs of models, and count what was decided."""
    random = np.random.default_rng(
        [seed, case.n_rows, round(case.gain * 1e4), round(case.correlation * 1e4)]
    )
    return Counter(
        decide_once(case, random, n_resamples, seed=repetition)
        for repetition in range(n_repetitions)
    )


def decide_once(case: Case, random: np.random.Generator, n_resamples: int, *, seed: int) -> Outcome:
    """Draw rows and the scores of two models, and decide as a recipe does."""
    target = (random.random(case.n_rows) < EVENT_RATE).astype(int)
    common, one, other = random.normal(size=(3, case.n_rows))
    shared, own = math.sqrt(case.correlation), math.sqrt(1 - case.correlation)
    predictions = [
        _predictions(shared * common + own * noise + _distance(auc) * target)
        for noise, auc in ((one, CHAMPION_AUC), (other, CHAMPION_AUC + case.gain))
    ]
    task, rows = task_for("classification/v1", 1), pd.Series(target)
    replicates = task.resampled_metrics(
        rows, predictions, ["roc_auc"], n_resamples=n_resamples, seed=seed
    )["roc_auc"]
    champion, challenger = (roc_auc_score(target, said.positive_scores) for said in predictions)
    difference = difference_of(
        "roc_auc", (champion, challenger), replicates, greater_is_better=True, confidence=0.95
    )
    return decide(difference, (), Rule()).outcome


def _distance(auc: float) -> float:
    """By how much the scores of the events are higher, in standard deviations."""
    return math.sqrt(2) * NormalDist().inv_cdf(auc)


def _predictions(latent: np.ndarray) -> Predictions:
    scores = 1 / (1 + np.exp(-latent))
    return Predictions((scores > 1 / 2).astype(int), np.c_[1 - scores, scores], (0, 1), 1)


if __name__ == "__main__":
    main()
