"""The protocol that every task follows, and what a model says of a table.

Methods take the target as a pandas Series or an array, one value a row, and never rely on
its index: targets and predictions belong together by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlrecipes.records import Scalar, Section, Table

__all__ = ["Policy", "Predictions", "ScoredEvents", "Task"]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What a model says of each row of a table.

    Attributes:
        labels: Predicted values or classes, shape (n_rows,).
        scores: Probabilities, shape (n_rows, n_classes); None where the model gives none.
        classes: The classes in the order of the columns of ``scores``; empty in regression.
        positive_class: The class that ``positive_scores`` is about; None unless binary.
    """

    labels: np.ndarray
    scores: np.ndarray | None = None
    classes: tuple[Any, ...] = ()
    positive_class: Scalar = None

    @property
    def positive_scores(self) -> np.ndarray | None:
        """Probability of the positive class, shape (n_rows,); None where there is none."""
        if self.scores is None or self.positive_class is None:
            return None
        return self.scores[:, self.classes.index(self.positive_class)]

    def rows(self, chosen: np.ndarray) -> Predictions:
        """Those of some rows: a mask, shape (n_rows,), or positions."""
        scores = None if self.scores is None else self.scores[chosen]
        return replace(self, labels=self.labels[chosen], scores=scores)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Policy:
    """Who gets what is asked for.

    Attributes:
        cut_off: The score from which on it is decided otherwise.
        selects: Whether rows ``below`` the cut-off are selected, or the others (``above``).
    """

    cut_off: float
    selects: str

    def selected(self, scores: np.ndarray) -> np.ndarray:
        """Say of each row whether it is selected, bool, shape (n_rows,)."""
        chosen: np.ndarray = (scores < self.cut_off) == (self.selects == "below")
        return chosen


@dataclass(frozen=True, slots=True, eq=False)
class ScoredEvents:
    """What happened and how likely the model said it was.

    Attributes:
        actual: 1 where the positive class occurred, 0 elsewhere, shape (n_rows,).
        scores: Probability of the positive class, shape (n_rows,).
    """

    actual: np.ndarray
    scores: np.ndarray


class Task(Protocol):
    """What steps ask of a task.

    Attributes:
        name: ``regression``, ``binary`` or ``multiclass``.
        has_classes: Whether rows are split class by class, as MLflow Recipes does.
        can_rebalance: Whether the more frequent class may be thinned out for training.
        metric_directions: Each built-in metric; True where greater is better.
        primary_metric: The metric a recipe is judged by unless it names one.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - described above

    @property
    def has_classes(self) -> bool: ...  # noqa: D102 - described above

    @property
    def can_rebalance(self) -> bool: ...  # noqa: D102 - described above

    @property
    def metric_directions(self) -> Mapping[str, bool]: ...  # noqa: D102 - described above

    @property
    def primary_metric(self) -> str: ...  # noqa: D102 - described above

    def check_target(self, target: pd.Series, where: str) -> None:
        """Check that a target can be learned; nulls are left out of the account.

        Args:
            target: One value a row; its name is used in the message.
            where: Whose target it is, such as ``the training part``.

        Raises:
            DataError: The target has the wrong kind of values or number of classes.
        """
        ...

    def predict(self, pipeline: Any, features: pd.DataFrame) -> Predictions:
        """Ask a fitted pipeline about each row of a table of raw features.

        Raises:
            UserCodeError: It gives another number of rows, or values that are not finite.
        """
        ...

    def evaluate(
        self, target: pd.Series, predictions: Predictions, sample_weight: Any = None
    ) -> dict[str, float]:
        """Compute all built-in metrics, by name without a part's prefix.

        A metric that the rows do not define, such as ROC AUC where only one class occurs,
        is NaN and not left out, so that a threshold on it fails.

        Raises:
            DataError: A target value is null or there is no row.
        """
        ...

    def resampled_metrics(
        self,
        target: pd.Series,
        predictions: Sequence[Predictions],
        metrics: Sequence[str],
        *,
        n_resamples: int,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Compute metrics of several models on the same rows, drawn anew again and again.

        Args:
            target: One value a row.
            predictions: What each model says of these rows.
            metrics: Built-in metrics; one that has no fast form, or a custom one, is left out:
                see :func:`mlrecipes.tasks.resampling.replicates_by_rows`.
            n_resamples: How many draws of as many rows as there are, with replacement.
            seed: Decides the draws.

        Returns:
            Metric name to values, shape (n_models, n_resamples); NaN where a draw does not
            define the metric.

        Raises:
            DataError: A target value is null or there is no row.
        """
        ...

    def evaluation_frame(self, target: pd.Series, predictions: Predictions) -> pd.DataFrame:
        """Put ``prediction`` and ``target`` side by side, one row a row, index 0..n-1.

        A binary task with probabilities adds ``score``, that of the positive class.
        """
        ...

    def sections(
        self, target: pd.Series, predictions: Predictions, policy: Policy | None = None
    ) -> tuple[Section, ...]:
        """Draw how good the predictions are, for a card; what a policy makes of them too."""
        ...

    def scored_events(self, target: pd.Series, predictions: Predictions) -> ScoredEvents | None:
        """Put events and their scores side by side; None where there is no event or no score."""
        ...

    def coverage(
        self, calibration: tuple[pd.Series, Predictions], target: pd.Series, labels: Any
    ) -> dict[str, tuple[float, float, float]]:
        """Say how often bands about the predictions hold the actual value.

        Args:
            calibration: Target and predictions of rows that decide how wide the bands are.
            target: Of other rows.
            labels: Predicted values of these.

        Returns:
            ``coverage_80`` and ``coverage_95`` as (share, low, high) with the 95% interval of
            Wilson; empty for classes.
        """
        ...

    def worst_rows(self, target: pd.Series, predictions: Predictions, n: int) -> np.ndarray:
        """Find the positions of the ``n`` rows with the largest error, worst first."""
        ...

    def shown_prediction(self, predictions: Predictions, position: int) -> Scalar:
        """Show the prediction of one row in a cell of a table."""
        ...

    def class_balance(self, parts: Mapping[str, pd.DataFrame], target_col: str) -> Table | None:
        """Count the classes in each part, for the card of split; None without classes."""
        ...
