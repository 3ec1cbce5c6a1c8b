"""The user's own metrics: how they are called and what they may give back.

The calling conventions are those of MLflow Recipes. What is new: a function that fails or
gives no number is an error at once. Recipes logged a warning, and a threshold on the metric
failed later for no visible reason.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any

from mlrecipes.errors import UserCodeError, few, shorten

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MetricNumber", "evaluate_custom"]

ARGUMENTS = ("predictions", "targets", "metrics")
N_PAIR = 2
NUMBER = "A number, or an MLflow MetricValue, is expected."


class MetricNumber(float):
    """A built-in metric as a function with named arguments gets it in ``metrics``.

    It is a number, and it also looks like MLflow's ``MetricValue``, which such functions are
    written for.

    >>> MetricNumber(0.5, "f1_score").aggregate_results
    {'f1_score': 0.5}
    """

    name: str
    scores = None
    justifications = None

    def __new__(cls, value: float, name: str) -> MetricNumber:
        """Give a number its name."""
        number = super().__new__(cls, value)
        number.name = name
        return number

    @property
    def aggregate_results(self) -> dict[str, float]:
        """The value under its own name."""
        return {self.name: float(self)}


def evaluate_custom(
    functions: Mapping[str, Callable[..., Any]],
    evaluation_frame: pd.DataFrame,
    builtin: Mapping[str, float],
    features: pd.DataFrame,
) -> dict[str, float]:
    """Compute the recipe's custom metrics, in their order.

    A function with two parameters gets (evaluation frame, metrics so far), unless one is
    called ``predictions`` or ``targets``. Any other gets its arguments by name: these two as
    Series, ``metrics``, or a column of the features. Each gets copies of its own.

    Args:
        functions: Metric name to function.
        evaluation_frame: Columns ``prediction`` and ``target``, one row a row.
        builtin: The built-in metrics by name.
        features: The raw features, rows in the same order.

    Returns:
        Metric name to value; further aggregates of a MetricValue as ``name/aggregate``.

    Raises:
        UserCodeError: A function cannot be called, failed or gave no number.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"prediction": [1.0, 2.0], "target": [1.0, 4.0]})
    >>> bias = lambda predictions, targets: (predictions - targets).mean()
    >>> evaluate_custom({"bias": bias}, frame, {}, frame[[]])
    {'bias': -1.0}
    """
    results: dict[str, float] = {}
    for name, function in functions.items():
        place = f"steps/custom_metrics.py:{getattr(function, '__name__', name)}"
        known = {**builtin, **results}
        arguments = _arguments(function, place, evaluation_frame, known, features)
        try:
            value = function(*arguments)
        except Exception as exc:
            raise UserCodeError(
                f"{place} failed for the metric '{name}': "
                f"{type(exc).__name__}: {shorten(exc, limit=200)}"
            ) from exc
        results |= _as_numbers(value, name, place)
    return results


def _arguments(
    function: Callable[..., Any],
    place: str,
    evaluation_frame: pd.DataFrame,
    known: Mapping[str, float],
    features: pd.DataFrame,
) -> list[Any]:
    parameters = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    names = [parameter.name for parameter in parameters]
    if len(names) == N_PAIR and not {"predictions", "targets"} & set(names):
        return [evaluation_frame.copy(), dict(known)]
    values: list[Any] = []
    for parameter in parameters:
        if parameter.name in ARGUMENTS or parameter.name in features.columns:
            values.append(_argument(parameter.name, evaluation_frame, known, features))
        elif parameter.default is not parameter.empty:
            values.append(parameter.default)
        else:
            raise UserCodeError(
                f"{place} has the parameter '{shorten(parameter.name)}', which is neither one of "
                f"{few(ARGUMENTS)} nor a column of the features ({few(features.columns)}).",
                hint="Write def metric(eval_df, builtin_metrics) or "
                "def metric(predictions, targets).",
            )
    return values


def _argument(
    name: str,
    evaluation_frame: pd.DataFrame,
    known: Mapping[str, float],
    features: pd.DataFrame,
) -> Any:
    if name == "metrics":
        return {metric: MetricNumber(value, metric) for metric, value in known.items()}
    if name in ("predictions", "targets"):
        return evaluation_frame[name.removesuffix("s")].copy()
    return features[name].reset_index(drop=True)


def _as_numbers(value: Any, name: str, place: str) -> dict[str, float]:
    if isinstance(value, Real):
        return {name: float(value)}
    aggregates = getattr(value, "aggregate_results", None)
    if not isinstance(aggregates, Mapping) or not aggregates:
        raise UserCodeError(
            f"{place} gave {type(value).__name__} for the metric '{name}'. {NUMBER}"
        )
    for aggregate, number in aggregates.items():
        if not isinstance(number, Real):
            raise UserCodeError(
                f"{place} gave a MetricValue whose '{shorten(aggregate)}' is "
                f"{type(number).__name__}, for the metric '{name}'. {NUMBER}"
            )
    named = {
        name if aggregate == name else f"{name}/{aggregate}": float(number)
        for aggregate, number in aggregates.items()
    }
    return {name: _main_value(aggregates, name, place)} | named


def _main_value(aggregates: Mapping[str, Any], name: str, place: str) -> float:
    """The value that a threshold on the metric is about."""
    for candidate in (name, "mean", *aggregates):
        if candidate in aggregates and (candidate in (name, "mean") or len(aggregates) == 1):
            return float(aggregates[candidate])
    raise UserCodeError(
        f"{place} gave a MetricValue with the aggregates {few(aggregates)}; none of them is "
        f"'{name}' or 'mean', so the metric '{name}' has no value."
    )
