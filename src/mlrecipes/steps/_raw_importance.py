"""How much a model relies on each raw column, whatever its transformer and estimator are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mlrecipes.steps._contract import Context
from mlrecipes.steps._features import features_of
from mlrecipes.steps._leaks import importance_of

if TYPE_CHECKING:
    import numpy as np

    from mlrecipes.tasks import Predictions

__all__ = ["raw_column", "raw_importance"]

MIN_NAMED = 0.99
"""The share of contributions that names must tell; with less, columns are shuffled."""
N_SHUFFLED = 300


def raw_importance(pipeline: Any, held_out: Any, context: Context) -> Mapping[str, float]:
    """Each raw column's share of what moves the prediction; columns of no weight may lack.

    Of LightGBM the mean absolute contributions (TreeSHAP), summed over what a raw column became.
    Of other estimators, and where a feature is made of several columns so that its name
    does not tell of one, the mean absolute change of the prediction when a column's values are
    shuffled among the rows: permutation importance (Breiman 2001, "Random Forests"), asked of
    the prediction rather than of a loss, as it is the prediction whose drift matters.

    Args:
        pipeline: The fitted one.
        held_out: Rows that it was not fitted on; at most 300 are shuffled.
        context: The step's context.
    """
    features = features_of(held_out, context.config)
    columns = [str(column) for column in features.columns]
    found = _by_name(importance_of(pipeline, held_out, context), columns)
    return found if sum(found.values()) >= MIN_NAMED else _by_shuffling(pipeline, features, context)


def _by_shuffling(pipeline: Any, features: Any, context: Context) -> Mapping[str, float]:
    import numpy as np

    seed = context.config.seed
    if features.empty:
        return {}
    if len(features) > N_SHUFFLED:
        features = features.sample(N_SHUFFLED, random_state=seed)
    random = np.random.default_rng(seed)
    before = _numbers(context.task.predict(pipeline, features))
    changes = {}
    for column in features.columns:
        places = random.permutation(len(features))
        shuffled = features.assign(**{column: features[column].array[places]})
        after = _numbers(context.task.predict(pipeline, shuffled))
        changes[str(column)] = float(np.mean(_distance(before, after)))
    total = sum(changes.values()) or 1.0
    return {name: change / total for name, change in changes.items() if change > 0}


def _numbers(predictions: Predictions) -> np.ndarray:
    """Shape (n_rows,) or (n_rows, n_classes)."""
    return predictions.labels if predictions.scores is None else predictions.scores


def _distance(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Of numbers how far they lie apart; of classes whether they differ."""
    import numpy as np

    is_number = before.dtype.kind in "fiu" and after.dtype.kind in "fiu"
    apart: np.ndarray = np.abs(after - before) if is_number else before != after
    return apart


def _by_name(shares: Sequence[tuple[str, float]], columns: Sequence[str]) -> Mapping[str, float]:
    """Shares summed over the columns that a raw one became, as far as their names tell."""
    found: dict[str, float] = {}
    # The estimator may know names only with their signs replaced.
    plain = {re.sub(r"\W", "_", column): column for column in columns}
    for name, share in shares:
        raw = raw_column(name, columns)
        raw = plain.get(raw_column(re.sub(r"\W", "_", name), list(plain)), raw)
        if raw in columns:
            found[raw] = found.get(raw, 0.0) + share
    return found


def raw_column(name: str, columns: Sequence[str]) -> str:
    """The raw column that a transformed one was made of, as far as its name tells.

    As the reason codes of a logged model do it, whose code is copied into the model.

    >>> raw_column("text__state_CA", ["state", "st"]), raw_column("ratio", ["a"])
    ('state', 'ratio')
    """
    for shown in (name, name.partition("__")[2]):
        if shown in columns:
            return shown
        begins = [column for column in columns if shown.startswith(f"{column}_")]
        if begins:
            return max(begins, key=len)
    return name
