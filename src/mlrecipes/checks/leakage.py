"""Signs that a model knows answers which it will not have: leaks from target, keys and splits.

Each finding has a code that stays: MLR101 a feature that is the answer, MLR102 an identifier
among the features, MLR103 rows that are in two parts, MLR104 parts that overlap in time. The
limits are such that data without a leak raise an alarm in less than one of a hundred runs;
``benchmarks/leakage.py`` measures it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import few, shorten

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

__all__ = ["LeakageFinding", "Outcome", "duplicate_rows", "find_leaks", "time_overlap"]

N_SAMPLED = 20_000
MIN_OF_EACH = 30
"""Rows that a comparison needs, and of each class."""
SURE = 0.98
NEARLY = 0.97
STRONG = {True: 0.70, False: 0.90}
"""How strong a feature that is nearly as good as the model must be: Gini, rank correlation."""
FEW_ALIKE = 2
STANDS_OUT = 0.8
MIN_SHARE_NULL = 0.01
MIN_KEYS = 100
UNIQUE_TEXT = 0.98
DENSE = 20
MIN_DIGITS = 6
N_HASHED_FIRST = 20
RARE_ENOUGH = 0.5
MIN_DUPLICATES = 3
MIN_DUPLICATE_SHARE = 0.002
ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class LeakageFinding:
    """One sign of a leak.

    Attributes:
        code: Such as ``MLR101``.
        severity: ``error`` or ``warning``.
        subject: The feature, or the parts.
        message: What was seen and what to do.
    """

    code: str
    severity: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What is predicted, as numbers.

    Attributes:
        training: Of the training rows: 1 and 0 for events, or the target; shape (n_rows,).
        test: Of the test rows.
        scores: What the model says of the test rows, the more the likelier or larger.
        is_event: Whether it is an event; else a number.
    """

    training: np.ndarray
    test: np.ndarray
    scores: np.ndarray
    is_event: bool


def find_leaks(
    training: pd.DataFrame, test: pd.DataFrame, outcome: Outcome | None, seed: int
) -> tuple[LeakageFinding, ...]:
    """Look at the features of both parts.

    Args:
        training: Features that the model was fitted on, one row a row.
        test: The same features of other rows.
        outcome: What is predicted; None where features are not held against it.
        seed: Decides which rows of large parts are looked at.
    """
    found = [*_identifiers(training)]
    if outcome is not None:
        found = [*_golden(training, test, outcome, seed), *found]
    return (*found, *duplicate_rows(training, test))


# ---- a feature that is the answer ------------------------------------------------------------


def _golden(
    training: pd.DataFrame, test: pd.DataFrame, outcome: Outcome, seed: int
) -> Iterator[LeakageFinding]:
    import numpy as np

    random = np.random.default_rng(seed)
    known, new = _sampled(len(training), random), _sampled(len(test), random)
    target, scores = outcome.test[new], outcome.scores[new]
    if not _can_compare(target, is_event=outcome.is_event):
        return
    ranks = _ranks(target)
    model = abs(_correlation(scores, ranks, target, is_event=outcome.is_event))
    strengths = []
    for position in range(len(test.columns)):
        column = test.iloc[new, position]
        learned = training.iloc[known, position], outcome.training[known]
        strengths.append(
            max(
                abs(_correlation(values, ranks, target, is_event=outcome.is_event))
                for values in _as_numbers(column, *learned)
            )
        )
        is_known = column.notna().to_numpy(dtype=bool)
        if not is_known.all() and _can_compare(target[is_known], is_event=outcome.is_event):
            # What is filled in once the answer is known is the answer where it is filled in.
            some, answers = column[is_known], target[is_known]
            strengths[-1] = max(
                strengths[-1],
                *(
                    abs(_correlation(v, _ranks(answers), answers, is_event=outcome.is_event))
                    for v in _as_numbers(some, *learned)
                ),
            )
    sure = 2 * SURE - 1 if outcome.is_event else SURE
    nearly = max(STRONG[outcome.is_event], NEARLY * model)
    # Where many features are alike, each is nearly as good as all of them: that is no leak.
    rival = sorted(strengths, reverse=True)[FEW_ALIKE] if len(strengths) > FEW_ALIKE else 0.0
    for name, strength in zip(test.columns, strengths, strict=True):
        stands_out = strength >= nearly and rival < STANDS_OUT * strength
        if strength >= sure or stands_out:
            yield _golden_finding(str(name), strength, model, outcome, is_sure=strength >= sure)


def _golden_finding(
    name: str, strength: float, model: float, outcome: Outcome, *, is_sure: bool
) -> LeakageFinding:
    seen = (
        f"an AUC of {(1 + strength) / 2:.3f} (the model: {(1 + model) / 2:.3f})"
        if outcome.is_event
        else f"a rank correlation of {strength:.3f} (the model: {model:.3f})"
    )
    return LeakageFinding(
        "MLR101",
        ERROR if is_sure else WARNING,
        shorten(name),
        f"'{shorten(name)}' alone has {seen} with the target on test rows. Find out whether it "
        "is known when the model is asked; if not, add it to ignore_cols.",
    )


def _sampled(n_rows: int, random: np.random.Generator) -> np.ndarray:
    import numpy as np

    if n_rows <= N_SAMPLED:
        return np.arange(n_rows)
    return np.sort(random.choice(n_rows, N_SAMPLED, replace=False))


def _can_compare(target: np.ndarray, *, is_event: bool) -> bool:
    n_events = int(target.sum()) if is_event else len(target) // 2
    return min(n_events, len(target) - n_events) >= MIN_OF_EACH


def _as_numbers(
    column: pd.Series, known: pd.Series, known_target: np.ndarray
) -> Iterator[np.ndarray]:
    """A feature as numbers that may tell the target: its values, and whether it has one."""
    import numpy as np
    import pandas as pd
    from pandas.api import types

    is_null = column.isna().to_numpy(dtype=bool)
    if MIN_SHARE_NULL <= is_null.mean() <= 1 - MIN_SHARE_NULL:
        yield is_null.astype(float)
    if types.is_datetime64_any_dtype(column.dtype):
        yield column.astype("int64").to_numpy(dtype=float)
    elif types.is_numeric_dtype(column.dtype):
        numbers = column.to_numpy(dtype=float, na_value=np.nan)
        yield np.where(np.isnan(numbers), -np.inf, numbers)
    else:
        texts = known.astype(object).map(str, na_action="ignore").to_numpy()
        means = pd.Series(known_target).groupby(texts).mean()
        values = column.astype(object).map(str, na_action="ignore").map(means)
        yield values.to_numpy(dtype=float, na_value=float(known_target.mean()))


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1, equal values with their mean."""
    from scipy.stats import rankdata

    ranks: np.ndarray = rankdata(values)
    return ranks


def _correlation(
    values: np.ndarray, target_ranks: np.ndarray, target: np.ndarray, *, is_event: bool
) -> float:
    """Gini of an event (2 AUC - 1), or Spearman's rank correlation; 0 for a constant."""
    import numpy as np

    ranks = _ranks(values)
    if is_event:
        n_events = target.sum()
        above = ranks[target == 1].sum() - n_events * (n_events + 1) / 2
        return float(2 * above / (n_events * (len(target) - n_events)) - 1)
    centred, other = ranks - ranks.mean(), target_ranks - target_ranks.mean()
    scale = np.sqrt((centred**2).sum() * (other**2).sum())
    return float((centred * other).sum() / scale) if scale > 0 else 0.0


# ---- an identifier among the features ----------------------------------------------------


def _identifiers(training: pd.DataFrame) -> Iterator[LeakageFinding]:
    for position, name in enumerate(training.columns):
        reason = _as_identifier(training.iloc[:, position])
        if reason:
            yield LeakageFinding(
                "MLR102",
                WARNING,
                shorten(name),
                f"'{shorten(name)}' looks like an identifier: {reason}. A model can learn rows "
                "by heart from it, or the order in which they came in; add it to id_cols.",
            )


def _as_identifier(column: pd.Series) -> str:
    """Why a column looks like an identifier; empty if it does not."""
    from pandas.api import types

    dtype = column.dtype
    if len(column) < MIN_KEYS or types.is_bool_dtype(dtype):
        return ""
    if types.is_datetime64_any_dtype(dtype):
        return ""
    if not types.is_numeric_dtype(dtype):
        share = column.head(N_SAMPLED).nunique() / min(len(column), N_SAMPLED)
        return f"{share:.1%} of its texts occur once" if share >= UNIQUE_TEXT else ""
    return _as_key(column)


def _as_key(column: pd.Series) -> str:
    """Why whole numbers look like keys; empty for any other numbers."""
    import numpy as np

    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    if not np.isfinite(numbers[0]) or numbers[0] != np.floor(numbers[0]):
        return ""  # at once, for most columns
    is_whole = np.isfinite(numbers).all() and (numbers == np.floor(numbers)).all()
    if not is_whole or (np.diff(np.sort(numbers)) == 0).any():
        return ""
    low, high = float(numbers.min()), float(numbers.max())
    order, n_digits = np.diff(numbers), len(f"{abs(low):.0f}")
    reason = ""
    if (order > 0).all() or (order < 0).all():
        reason = "its whole numbers follow the order of the rows"
    elif high - low < DENSE * len(numbers):
        reason = f"each of its whole numbers occurs once, from {low:.0f} to {high:.0f}"
    elif low > 0 and n_digits >= MIN_DIGITS and n_digits == len(f"{high:.0f}"):
        reason = f"each of its whole numbers occurs once, all of {n_digits} digits"
    return reason


# ---- the same rows in two parts ------------------------------------------------------------


def duplicate_rows(training: pd.DataFrame, test: pd.DataFrame) -> tuple[LeakageFinding, ...]:
    """Look for test rows whose features are those of a training row.

    Rows of few columns with few values are equal by chance. Where a column has as good as one
    value a row, nothing is by chance; else as many are allowed as the training part has.
    """
    import numpy as np

    if training.empty or test.empty or not len(training.columns):
        return ()
    first = _most_distinct(training)
    seen = np.isin(_hashes(test[first]), _hashes(training[first]))
    if not seen.any():
        return ()
    ours = _hashes(training)
    n_found = int(np.isin(_hashes(test[seen]), ours).sum())
    kinds, sizes = np.unique(ours, return_counts=True)
    n_allowed = 0.0
    if not _has_rare_values(training, kinds, ours):
        by_chance = sizes[sizes > 1].sum() / len(ours) * len(test)
        n_allowed = by_chance + 5 * np.sqrt(by_chance + 1)
    needed = max(MIN_DUPLICATES, MIN_DUPLICATE_SHARE * len(test), n_allowed)
    if n_found < needed:
        return ()
    return (
        LeakageFinding(
            "MLR103",
            WARNING,
            "training and test",
            f"{n_found:,} of {len(test):,} test rows have the features of a training row, so the "
            "model has seen their answer. Remove double rows in steps/ingest.py, or keep what "
            "belongs together in one part: steps.split with using: group.",
        ),
    )


def _most_distinct(frame: pd.DataFrame) -> list[Any]:
    """The columns that tell rows apart best, to hash few instead of all."""
    head = frame.head(1_000)
    counts = {name: _n_distinct(head[name]) for name in head.columns}
    return sorted(counts, key=lambda name: -counts[name])[:N_HASHED_FIRST]


def _n_distinct(column: pd.Series) -> int:
    try:
        return int(column.nunique())
    except TypeError:  # cells that cannot be hashed, such as lists
        return int(column.map(str).nunique())


def _hashes(frame: pd.DataFrame) -> np.ndarray:
    import numpy as np
    import pandas as pd

    plain = frame.copy(deep=False)
    for name in plain.columns:
        if plain[name].dtype == object:
            plain[name] = plain[name].map(str, na_action="ignore")
    return np.asarray(pd.util.hash_pandas_object(plain, index=False))


def _has_rare_values(training: pd.DataFrame, kinds: np.ndarray, hashes: np.ndarray) -> bool:
    """Whether some column has nearly as many values as there are different rows."""
    names = _most_distinct(training)[:5]
    return any(
        training[name].astype(object).map(str).nunique() >= RARE_ENOUGH * len(kinds)
        for name in names
        if len(hashes) >= MIN_KEYS
    )


# ---- time ----------------------------------------------------------------------------------


def time_overlap(
    training: pd.Series, test: pd.Series, parts: Sequence[str] = ("training", "test")
) -> tuple[LeakageFinding, ...]:
    """Look whether a part that is split by time begins before the earlier one ends."""
    import pandas as pd

    ends = pd.to_datetime(training, utc=True).max()
    begins = pd.to_datetime(test, utc=True).min()
    if not ends >= begins:
        return ()
    return (
        LeakageFinding(
            "MLR104",
            ERROR,
            shorten(training.name),
            f"The {parts[1]} part begins on {begins:%Y-%m-%d}, before the {parts[0]} part ends on "
            f"{ends:%Y-%m-%d} ({few([training.name])}): the model has seen the future of what it "
            "is tested on. Look at steps.split and its functions.",
        ),
    )
