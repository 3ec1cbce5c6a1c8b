"""The classification tasks: binary with a positive class, and multiclass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrecipes.config import metric_names

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlrecipes.records import Scalar, Section, Table
    from mlrecipes.tasks.base import Policy, Predictions, ScoredEvents

__all__ = ["Binary", "Multiclass"]

RECIPE = "classification/v1"


@dataclass(frozen=True, slots=True)
class _Classification:
    """What both tasks share: everything that is about classes, however many."""

    has_classes = True

    def evaluation_frame(self, target: pd.Series, predictions: Predictions) -> pd.DataFrame:
        """Put ``prediction``, ``target`` and, when binary, ``score`` side by side."""
        from mlrecipes.tasks import _pipeline

        return _pipeline.side_by_side(target, predictions)

    def scored_events(self, target: pd.Series, predictions: Predictions) -> ScoredEvents | None:
        """There is no single event."""
        return None

    def coverage(
        self, calibration: tuple[pd.Series, Predictions], target: pd.Series, labels: Any
    ) -> dict[str, tuple[float, float, float]]:
        """Classes have no bands."""
        return {}

    def worst_rows(self, target: pd.Series, predictions: Predictions, n: int) -> np.ndarray:
        """Find the rows whose true class got the least probability, worst first.

        Without probabilities the wrong rows come first, in the order of the table.
        """
        from mlrecipes.tasks import _classes

        return _classes.least_likely_rows(target, predictions, n)

    def class_balance(self, parts: Mapping[str, pd.DataFrame], target_col: str) -> Table | None:
        """Count the classes in each part."""
        from mlrecipes.tasks import _classes

        return _classes.balance_table(parts, target_col)


@dataclass(frozen=True, slots=True)
class Binary(_Classification):
    """Predicts which of two classes; see :class:`mlrecipes.tasks.Task` for each method."""

    positive_class: Scalar
    name = "binary"
    can_rebalance = True

    @property
    def metric_directions(self) -> Mapping[str, bool]:
        """Each built-in metric; True where greater is better."""
        return metric_names.metric_directions(RECIPE, is_binary=True)

    @property
    def primary_metric(self) -> str:
        """F1 of the positive class."""
        return metric_names.primary_metric(RECIPE, is_binary=True)

    def check_target(self, target: pd.Series, where: str) -> None:
        """Check that there are two classes and that one of them is the positive class.

        Raises:
            DataError: There are more or fewer, or the positive class is not among them.
        """
        from mlrecipes.tasks import _classes

        _classes.check_two_classes(target, where, self.positive_class)

    def predict(self, pipeline: Any, features: pd.DataFrame) -> Predictions:
        """Ask a fitted pipeline for a class a row, and for probabilities if it gives any.

        Raises:
            UserCodeError: It gives another number of rows, probabilities that are not finite,
                or none for the positive class.
        """
        from mlrecipes.tasks import _pipeline

        return _pipeline.predicted_classes(pipeline, features, self.positive_class)

    def evaluate(
        self, target: pd.Series, predictions: Predictions, sample_weight: Any = None
    ) -> dict[str, float]:
        """Compute counts and rates of right and wrong rows, and what the scores are worth.

        Raises:
            DataError: A target value is null or there is no row.
        """
        from mlrecipes.tasks import _class_metrics

        return _class_metrics.binary_metrics(
            target, predictions, self.positive_class, sample_weight
        )

    def resampled_metrics(
        self,
        target: pd.Series,
        predictions: Sequence[Predictions],
        metrics: Sequence[str],
        *,
        n_resamples: int,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Compute metrics of several models on the same draws of these rows.

        Raises:
            DataError: A target value is null or there is no row.
        """
        from mlrecipes.tasks import _weighted_classes, resampling

        models = [
            _weighted_classes.WeightedBinary(target, p, self.positive_class) for p in predictions
        ]
        return resampling.replicates(models, metrics, n_resamples=n_resamples, seed=seed)

    def sections(
        self, target: pd.Series, predictions: Predictions, policy: Policy | None = None
    ) -> tuple[Section, ...]:
        """Draw the confusion matrix and, with scores, what they are worth."""
        from mlrecipes.tasks import _binary_sections, _decile_sections

        events = self.scored_events(target, predictions)
        drawn = _binary_sections.binary_sections(target, predictions, self.positive_class)
        return drawn + _decile_sections.decile_sections(events, policy)

    def scored_events(self, target: pd.Series, predictions: Predictions) -> ScoredEvents | None:
        """Put events of the positive class and its scores side by side."""
        from mlrecipes.tasks import _class_metrics, _classes
        from mlrecipes.tasks.base import ScoredEvents

        scores = predictions.positive_scores
        if scores is None:
            return None
        values = _classes.complete(target)
        return ScoredEvents(_class_metrics.is_positive(values, self.positive_class), scores)

    def shown_prediction(self, predictions: Predictions, position: int) -> Scalar:
        """Show the predicted class and the probability of the positive class."""
        scores, label = predictions.positive_scores, predictions.labels[position]
        if scores is None:
            return str(label)
        return f"{label} (score {scores[position]:.4f})"


@dataclass(frozen=True, slots=True)
class Multiclass(_Classification):
    """Predicts one of many classes; see :class:`mlrecipes.tasks.Task` for each method."""

    name = "multiclass"
    can_rebalance = False

    @property
    def metric_directions(self) -> Mapping[str, bool]:
        """Each built-in metric; True where greater is better."""
        return metric_names.metric_directions(RECIPE, is_binary=False)

    @property
    def primary_metric(self) -> str:
        """The plain mean of the classes' F1."""
        return metric_names.primary_metric(RECIPE, is_binary=False)

    def check_target(self, target: pd.Series, where: str) -> None:
        """Check that there are more than two classes.

        Raises:
            DataError: There is one class, or two of which none is called positive.
        """
        from mlrecipes.tasks import _classes

        _classes.check_many_classes(target, where)

    def predict(self, pipeline: Any, features: pd.DataFrame) -> Predictions:
        """Ask a fitted pipeline for a class a row, and for probabilities if it gives any.

        Raises:
            UserCodeError: It gives another number of rows or probabilities that are not finite.
        """
        from mlrecipes.tasks import _pipeline

        return _pipeline.predicted_classes(pipeline, features)

    def evaluate(
        self, target: pd.Series, predictions: Predictions, sample_weight: Any = None
    ) -> dict[str, float]:
        """Compute rates of right rows, overall and by class, and what the scores are worth.

        Raises:
            DataError: A target value is null or there is no row.
        """
        from mlrecipes.tasks import _class_metrics

        return _class_metrics.multiclass_metrics(target, predictions, sample_weight)

    def resampled_metrics(
        self,
        target: pd.Series,
        predictions: Sequence[Predictions],
        metrics: Sequence[str],
        *,
        n_resamples: int,
        seed: int,
    ) -> dict[str, np.ndarray]:
        """Compute metrics of several models on the same draws of these rows.

        Raises:
            DataError: A target value is null or there is no row.
        """
        from mlrecipes.tasks import _weighted_classes, resampling

        models = [_weighted_classes.WeightedMulticlass(target, p) for p in predictions]
        return resampling.replicates(models, metrics, n_resamples=n_resamples, seed=seed)

    def sections(
        self, target: pd.Series, predictions: Predictions, policy: Policy | None = None
    ) -> tuple[Section, ...]:
        """Draw the confusion matrix and list precision and recall by class."""
        from mlrecipes.tasks import _multiclass_sections

        return _multiclass_sections.multiclass_sections(target, predictions)

    def shown_prediction(self, predictions: Predictions, position: int) -> Scalar:
        """Show the predicted class and its probability."""
        label = predictions.labels[position]
        if predictions.scores is None:
            return str(label)
        return f"{label} (score {predictions.scores[position].max():.4f})"
