"""How often monitoring cries wolf, and what it sees: seeded simulation of windows.

    python -m benchmarks.monitoring                  # 1,000 windows without drift a row
    python -m benchmarks.monitoring 200 --workers 2

An alarm is what makes the exit code 4: drift of an important feature, of many, or of the score;
once labels are final also a changed rate of events, or a loss. Each tenth window meets a new
training. Where a change is planted there are half as many windows. How other libraries do is told
by benchmarks.monitoring_sides, and benchmarks.monitoring_runs has whole runs of monitor.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from benchmarks.monitoring_worlds import OUTCOME, SCORE, Change, World, importance
from mlrecipes.checks.drift_counting import count_column
from mlrecipes.checks.drift_reference import reference_columns
from mlrecipes.checks.drift_verdict import judge
from mlrecipes.checks.outcomes import EVENT_RATE, Outcomes
from mlrecipes.checks.performance import is_lost
from mlrecipes.checks.training_profile import training_profile
from mlrecipes.config.monitor_schema import Limits
from mlrecipes.monitor_records import DriftLimits, DriftVerdict, ReferenceColumn
from mlrecipes.tasks import Predictions
from mlrecipes.tasks.classification import Binary
from mlrecipes.tasks.resampling import interval

__all__ = ["CASES", "Case", "Counts", "Training", "look", "simulate", "summed_up", "train"]

LIMITS = DriftLimits()
OF_LABELS = Limits()
WINDOWS_PER_TRAINING = 10
N_RESAMPLES = 100
ROWS_PER_VALIDATION_ROW = 5
USUAL_PSI = 0.1
NOTHING, USUAL = Change(), World()
Known = tuple[float, float, float]


@dataclass(frozen=True)
class Case:
    """A row of the tables.

    Attributes:
        name: What is different from the training.
        has_labels: Whether outcomes are judged too, which takes longer.
    """

    name: str
    n_rows: int
    change: Change = NOTHING
    world: World = USUAL
    limits: DriftLimits = LIMITS
    has_labels: bool = False


@dataclass(frozen=True)
class Counts:
    """In how many windows there was an alarm, and of which kind.

    Attributes:
        alarms: Of drift or of the score: what can be known without labels.
        score: Of the score.
        outcomes: Of the rate of events.
        loss: Of the ROC AUC.
        any: Any of them.
        usual: In which the usual rule would raise one: a PSI of 0.1 or more of any column.
    """

    n_windows: int = 0
    alarms: int = 0
    score: int = 0
    outcomes: int = 0
    loss: int = 0
    any: int = 0
    usual: int = 0


@dataclass(frozen=True)
class Training:
    """What a model keeps of its training.

    Attributes:
        auc: ROC AUC on a validation part, and both ends of its interval.
    """

    columns: dict[str, ReferenceColumn]
    outcomes: Outcomes
    auc: Known


def no_drift() -> Iterator[Case]:
    """Windows that are drawn as the training was, from easy and from hard worlds."""
    judged = replace(LIMITS, min_rows=20)
    yield Case("judged in spite of min_rows", 50, limits=judged)
    for n_rows in (50, 200, 1_000, 10_000):
        yield Case("independent columns", n_rows, has_labels=n_rows < 10_000)
    for correlation in (0.5, 0.9):
        for n_rows in (200, 1_000):
            yield Case(f"correlation {correlation:g}", n_rows, world=World(correlation))
    for n_rows in (200, 1_000):
        few = World(n_reference=1_000)
        yield Case("training of 1,000 rows", n_rows, world=few)
        yield Case("heavy tails (Student's t, 2)", n_rows, world=World(tails=2))
        yield Case("three rows a person", n_rows, world=World(rows_per_person=3))


def planted() -> Iterator[Case]:
    """Windows with a change of one of the most important features, or of the rate of events."""
    for shift in (0.1, 0.25, 0.5):
        for n_rows in (200, 500, 1_000, 10_000):
            yield Case(f"mean +{shift:g} sd", n_rows, Change(shift=shift))
    for name, world in (
        ("correlation 0.5", World(0.5)),
        ("correlation 0.9", World(0.9)),
        ("training of 1,000 rows", World(n_reference=1_000)),
    ):
        yield Case(f"mean +0.25 sd, {name}", 1_000, Change(shift=0.25), world)
    for n_rows in (200, 1_000, 10_000):
        yield Case("missing 0 -> 5%", n_rows, Change(missing=0.05))
        yield Case("missing 10 -> 15%", n_rows, Change(more_missing=0.05))
        yield Case("new category 2%", n_rows, Change(unseen=0.02))
    for rate in (0.12, 0.16):
        for n_rows in (500, 1_000, 2_000):
            change = Change(event_rate=rate)
            yield Case(f"events 8 -> {100 * rate:g}%", n_rows, change, has_labels=True)


def train(world: World, random: np.random.Generator) -> Training:
    """What is kept of a training, and of a validation part of a fifth as many rows."""
    rows = world.rows(world.n_reference, random)
    held_out = world.rows(world.n_reference // ROWS_PER_VALIDATION_ROW, random)
    outcomes = _outcomes(pd.concat([rows, held_out]))
    return Training(summed_up(rows), outcomes, _auc(held_out))


def summed_up(rows: pd.DataFrame) -> dict[str, ReferenceColumn]:
    """What windows are compared with: columns and score of the training, and importances."""
    columns = reference_columns(training_profile(rows.drop(columns=OUTCOME)))
    shares = importance([name for name in columns if name != SCORE])
    return {name: replace(one, importance=shares.get(name, 0.0)) for name, one in columns.items()}


def look(
    columns: dict[str, ReferenceColumn], rows: pd.DataFrame, limits: DriftLimits = LIMITS
) -> DriftVerdict:
    """What monitoring says of a window whose outcomes nobody knows."""
    counts = {name: count_column(rows[name], one.plan) for name, one in columns.items()}
    features = {name: one for name, one in columns.items() if name != SCORE}
    return judge(features, counts, limits, (columns[SCORE], counts[SCORE]))


def simulate(case: Case, n_windows: int, seed: int = 42) -> Counts:
    """Count the alarms in so many windows."""
    random, counts = np.random.default_rng(seed), Counts()
    for i in range(n_windows):
        if i % WINDOWS_PER_TRAINING == 0:
            training = train(case.world, random)
        rows = case.world.rows(case.n_rows, random, case.change)
        counts = _added(
            counts, look(training.columns, rows, case.limits), _of_labels(case, training, rows)
        )
    return counts


def main() -> None:
    """Print the rates with their Monte-Carlo errors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "windows", nargs="?", type=int, default=1_000, help="of a row without drift"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes")
    given = parser.parse_args()
    with ProcessPoolExecutor(given.workers) as pool:
        for title, cases, n in (
            ("False alarms", list(no_drift()), given.windows),
            ("Found", list(planted()), given.windows // 2),
        ):
            names = ("rows", "alarms", "by the score", "rate of events", "loss", "with labels")
            print(f"\n{title}, {n:,} windows each\n")
            print(f"| window | {' | '.join(names)} | any PSI >= 0.1 |")
            print(f"|---|{'--:|' * (len(names) + 1)}")
            some = pool.map(partial(simulate, n_windows=n), cases)
            for case, counts in zip(cases, some, strict=True):
                print(_row(case, counts), flush=True)


def _added(counts: Counts, verdict: DriftVerdict, of_labels: tuple[bool, bool]) -> Counts:
    moved, lost = of_labels
    measured = [one.measures for one in verdict.columns if one.measures is not None]
    return Counts(
        n_windows=counts.n_windows + 1,
        alarms=counts.alarms + verdict.is_alarm,
        score=counts.score + (verdict.score is not None and verdict.score.has_drifted),
        outcomes=counts.outcomes + moved,
        loss=counts.loss + lost,
        any=counts.any + (verdict.is_alarm or moved or lost),
        usual=counts.usual + any(one.psi >= USUAL_PSI for one in measured),
    )


def _of_labels(case: Case, training: Training, rows: pd.DataFrame) -> tuple[bool, bool]:
    """Whether the rate of events has changed and whether the model has got worse."""
    if not case.has_labels or len(rows) < LIMITS.min_rows:
        return False, False
    chance = LIMITS.false_alarms
    moved = _outcomes(rows).moved_from(training.outcomes, OF_LABELS.event_rate, chance)
    if rows[OUTCOME].sum() < 30:
        return moved, False
    lost = is_lost(
        _auc(rows),
        training.auc,
        OF_LABELS.loss,
        greater_is_better=True,
        false_alarms=chance,
    )
    return moved, lost


def _outcomes(rows: pd.DataFrame) -> Outcomes:
    rate = float(rows[OUTCOME].mean())
    return Outcomes(EVENT_RATE, len(rows), rate, math.sqrt(rate * (1 - rate)))


def _auc(rows: pd.DataFrame) -> Known:
    """ROC AUC with its bootstrap interval, as monitor has it but with fewer draws."""
    score = rows[SCORE].to_numpy()
    both = np.column_stack([1 - score, score])
    said = Predictions((score >= 0.5).astype(int), both, (0, 1), 1)
    task = Binary(1)
    drawn = task.resampled_metrics(
        rows[OUTCOME], [said], ["roc_auc"], n_resamples=N_RESAMPLES, seed=1
    )
    low, high = interval(drawn["roc_auc"][0], 0.95)
    return task.evaluate(rows[OUTCOME], said)["roc_auc"], low, high


def _row(case: Case, counts: Counts) -> str:
    of_labels = [counts.outcomes, counts.loss, counts.any]
    shares = [counts.alarms, counts.score, *(of_labels if case.has_labels else [None] * 3)]
    told = [_share(n, counts.n_windows) for n in (*shares, counts.usual)]
    return f"| {case.name} | {case.n_rows:,} | {' | '.join(told)} |"


def _share(n: int | None, total: int) -> str:
    """Percent with the Monte-Carlo error (95%)."""
    if n is None:
        return ""
    share = n / total
    error = 196 * math.sqrt(max(share * (1 - share), 1 / total) / total)
    return f"{share:.1%} ± {error:.1f}"


CASES = (*no_drift(), *planted())


if __name__ == "__main__":
    main()
