"""The regression task: a number is predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlrecipes.config import metric_names
from mlrecipes.tasks.base import Predictions

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from mlrecipes.records import Scalar, Section, Table
    from mlrecipes.tasks.base import Policy, ScoredEvents

__all__ = ["Regression"]


@dataclass(frozen=True, slots=True)
class Regression:
    """Predicts a number; see :class:`mlrecipes.tasks.Task` for what each method is for."""

    name = "regression"
    has_classes = False
    can_rebalance = False

    @property
    def metric_directions(self) -> Mapping[str, bool]:
        """Each built-in metric; True where greater is better."""
        return metric_names.REGRESSION

    @property
    def primary_metric(self) -> str:
        """The root of the mean squared error."""
        return metric_names.primary_metric("regression/v1", is_binary=False)

    def check_target(self, target: pd.Series, where: str) -> None:
        """Check that the target holds finite numbers.

        Raises:
            DataError: It holds text, dates or infinite numbers, or nothing but nulls.
        """
        from mlrecipes.tasks import _numbers

        _numbers.check_numbers(target, where)

    def predict(self, pipeline: Any, features: pd.DataFrame) -> Predictions:
        """Ask a fitted pipeline for a number a row.

        Raises:
            UserCodeError: It gives another number of rows, or values that are not finite.
        """
        from mlrecipes.tasks import _pipeline

        return Predictions(_pipeline.predicted_numbers(pipeline, features))

    def evaluate(
        self, target: pd.Series, predictions: Predictions, sample_weight: Any = None
    ) -> dict[str, float]:
        """Compute the errors, R2 and the sum and mean of the target.

        Raises:
            DataError: A target value is null or there is no row.
        """
        from mlrecipes.tasks import _numbers

        return _numbers.regression_metrics(target, predictions, sample_weight)

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
        from mlrecipes.tasks import _weighted_numbers, resampling

        models = [_weighted_numbers.WeightedNumbers(target, p) for p in predictions]
        return resampling.replicates(models, metrics, n_resamples=n_resamples, seed=seed)

    def evaluation_frame(self, target: pd.Series, predictions: Predictions) -> pd.DataFrame:
        """Put ``prediction`` and ``target`` side by side."""
        from mlrecipes.tasks import _pipeline

        return _pipeline.side_by_side(target, predictions)

    def scored_events(self, target: pd.Series, predictions: Predictions) -> ScoredEvents | None:
        """A number is no event."""
        return None

    def coverage(
        self, calibration: tuple[pd.Series, Predictions], target: pd.Series, labels: Any
    ) -> dict[str, tuple[float, float, float]]:
        """Say how often bands from residuals of other rows hold the actual value."""
        from mlrecipes.tasks import _coverage

        return _coverage.coverage(calibration, target, labels)

    def sections(
        self, target: pd.Series, predictions: Predictions, policy: Policy | None = None
    ) -> tuple[Section, ...]:
        """Draw predicted against actual values and where the errors are."""
        from mlrecipes.tasks import _number_sections

        return _number_sections.regression_sections(target, predictions)

    def worst_rows(self, target: pd.Series, predictions: Predictions, n: int) -> np.ndarray:
        """Find the rows with the largest absolute error, worst first."""
        from mlrecipes.tasks import _numbers

        return _numbers.furthest_rows(target, predictions, n)

    def shown_prediction(self, predictions: Predictions, position: int) -> Scalar:
        """Show the predicted number."""
        return float(predictions.labels[position])

    def class_balance(self, parts: Mapping[str, pd.DataFrame], target_col: str) -> Table | None:
        """There are no classes to count."""
        return None
