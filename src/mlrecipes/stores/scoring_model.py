"""The scoring side of a logged model: copied into it, and run without mlrecipes.

MLflow executes this file when the model is loaded (models from code). It may import only
what every model of a recipe requires: MLflow, numpy, pandas and cloudpickle.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

ARTIFACT = "model_path"
N_PARTS = 2
AS_TABLE = "as_table"
REASON_CODES = "reason_codes"


class RecipeModel(PythonModel):
    """Answers as the recipe's ``predict_output`` asks."""

    def load_context(self, context: Any) -> None:
        """Load the fitted pipeline, its raw columns and the settings logged with it."""
        folder = Path(context.artifacts[ARTIFACT])
        pipeline = cloudpickle.loads((folder / "model.pkl").read_bytes())
        columns = cloudpickle.loads((folder / "columns.pkl").read_bytes()).dtypes
        self.hold(pipeline, columns, context.model_config)

    def hold(self, pipeline: Any, columns: pd.Series, settings: Any) -> None:
        """Answer from this pipeline, whose raw columns have these types."""
        self._pipeline, self._columns, self._settings = pipeline, columns, dict(settings)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Score rows of raw features.

        Args:
            context: Not used.
            model_input: One row a row, the columns of the signature in any order.
            params: ``as_table``: answer with a frame in any case, see below; ``reason_codes``:
                so many reasons a row, which makes the answer a frame too.

        Returns:
            One number or label a row; a data frame of scores and labels for a classifier
            whose output is ``recipes``. As a table: ``prediction``, those scores and labels,
            ``probability`` of the positive class if there is one, and of each reason the raw
            column (``reason_1``) and how far it pushed the score up (``contribution_1``).

        Raises:
            ValueError: A column is missing or holds what the model cannot have been fitted on;
                or reasons are asked of an estimator that gives none.
        """
        rows = as_fitted(model_input, self._columns)
        asked = params or {}
        n_reasons = int(asked.get(REASON_CODES) or 0)
        if asked.get(AS_TABLE) or n_reasons:
            return self._table(rows, n_reasons)
        return self._answer(rows)

    def _answer(self, rows: pd.DataFrame) -> Any:
        output = self._settings["predict_output"]
        if output == "probability":
            return self._scores(rows)[:, self._position(self._settings["positive_class"])]
        has_scores = hasattr(self._pipeline, "predict_proba") and self._settings["classes"]
        if output == "label" or not self._settings["all_class_scores"] or not has_scores:
            return self._labels(rows)
        return self._frame(rows)

    def _table(self, rows: pd.DataFrame, n_reasons: int) -> pd.DataFrame:
        answer, prefix = self._answer(rows), self._settings["predict_prefix"]
        if isinstance(answer, pd.DataFrame):
            columns = {"prediction": answer[f"{prefix}label"].to_numpy()}
            columns |= {str(name): answer[name].to_numpy() for name in answer}
        else:
            columns = {"prediction": np.asarray(answer)}
        if self._settings["positive_class"] is not None and self._settings["classes"]:
            columns["probability"] = self._probability(rows, answer)
        if n_reasons:
            columns |= self._reasons(rows, n_reasons)
        return pd.DataFrame(columns, index=rows.index)

    def _probability(self, rows: pd.DataFrame, answer: Any) -> np.ndarray:
        """Of the positive class, without asking the pipeline again where it has said it."""
        if self._settings["predict_output"] == "probability":
            return np.asarray(answer)
        place = self._position(self._settings["positive_class"])
        if isinstance(answer, pd.DataFrame):
            return np.asarray(answer.iloc[:, place])
        return self._scores(rows)[:, place]

    def _reasons(self, rows: pd.DataFrame, n_reasons: int) -> dict[str, Any]:
        """The raw columns that push each row's score up most, and by how much.

        Towards the positive class, of several classes towards the predicted one, and else
        towards greater numbers; in the units of the estimator's raw score (log odds).
        """
        first, estimator = self._pipeline.steps[0][1], self._pipeline.steps[-1][1]
        if not hasattr(estimator, "booster_") or len(self._pipeline.steps) != N_PARTS:
            raise ValueError(
                f"reason_codes need the contributions that LightGBM gives of its trees; "
                f"{type(estimator).__name__} gives none."
            )
        features = rows if first in {None, "passthrough"} else first.transform(rows)
        said = np.asarray(estimator.predict(features, pred_contrib=True))
        names = feature_names(first, features, rows)
        pushed = self._towards(said.reshape(len(rows), -1, len(names) + 1)[:, :, :-1], features)
        sources = [raw_column(name, list(map(str, rows.columns))) for name in names]
        known = sorted(set(sources))
        sums = np.zeros((len(rows), len(known)))
        for place, source in enumerate(sources):
            sums[:, known.index(source)] += pushed[:, place]
        order = np.argsort(-sums, axis=1, kind="stable")
        columns: dict[str, Any] = {}
        for number in range(n_reasons):
            is_there = number < len(known)
            best = order[:, number] if is_there else np.zeros(len(rows), dtype=int)
            value = sums[np.arange(len(rows)), best] if is_there else np.zeros(len(rows))
            reasons: Any = np.asarray(known, dtype=object)[best]
            reasons[value <= 0] = None
            columns[f"reason_{number + 1}"] = reasons
            columns[f"contribution_{number + 1}"] = np.where(value > 0, value, np.nan)
        return columns

    def _towards(self, said: np.ndarray, features: Any) -> np.ndarray:
        """Contributions to what is explained, of shape (n_rows, n_features)."""
        if said.shape[1] > 1:
            scores = np.asarray(self._pipeline.steps[-1][1].predict_proba(features))
            return np.asarray(said[np.arange(len(said)), scores.argmax(axis=1)])
        positive = self._settings["positive_class"]
        is_second = positive is None or self._position(positive) == 1
        return said[:, 0] if is_second else -said[:, 0]

    def _labels(self, rows: pd.DataFrame) -> np.ndarray:
        predicted = np.asarray(self._pipeline.predict(rows))
        return predicted[:, 0] if predicted.ndim > 1 and predicted.shape[1] == 1 else predicted

    def _scores(self, rows: pd.DataFrame) -> np.ndarray:
        return np.asarray(self._pipeline.predict_proba(rows), dtype=float)

    def _position(self, label: Any) -> int:
        classes = self._settings["classes"]
        if label in classes:
            return int(classes.index(label))
        return [str(name) for name in classes].index(str(label))

    def _frame(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The columns that MLflow Recipes gave: a score a class, the highest, the label."""
        scores, prefix = self._scores(rows), self._settings["predict_prefix"]
        columns: dict[str, Any] = {
            f"{prefix}score_{label}": scores[:, position]
            for position, label in enumerate(self._settings["classes"])
        }
        columns[f"{prefix}score"] = scores.max(axis=1)
        columns[f"{prefix}label"] = self._labels(rows)
        return pd.DataFrame(columns)


def feature_names(transformer: Any, features: Any, rows: pd.DataFrame) -> list[str]:
    """What the columns are called that the estimator was fitted on."""
    if hasattr(features, "columns"):
        return [str(name) for name in features.columns]
    try:
        return [str(name) for name in transformer.get_feature_names_out(list(rows.columns))]
    except (AttributeError, TypeError, ValueError):
        n_features = features.shape[1]
        is_same = n_features == rows.shape[1]
        return (
            [str(name) for name in rows.columns]
            if is_same
            else [f"f_{i}" for i in range(n_features)]
        )


def raw_column(name: str, columns: list[str]) -> str:
    """The raw column that a transformed one was made of, as far as its name tells.

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


def as_fitted(rows: pd.DataFrame, dtypes: pd.Series) -> pd.DataFrame:
    """Give rows the columns and types the pipeline was fitted on.

    A request in JSON knows no categories, no narrow numbers and no time zones, and code that
    turns 1 into ``"1"`` must not meet ``"1.0"``. Whole numbers and truth values stay as they
    come where values are missing, because their type has no place for a gap.

    Args:
        rows: One row a row.
        dtypes: The type of each column, by name.

    Raises:
        ValueError: A column is missing or its values do not fit.
    """
    missing = [name for name in dtypes.index if name not in rows]
    if missing:
        raise ValueError(f"{len(missing)} columns are missing: {missing[:5]}")
    columns = {name: _as_type(rows[name], dtype, name) for name, dtype in dtypes.items()}
    return pd.DataFrame(columns, index=rows.index, columns=dtypes.index)


def _as_type(values: pd.Series, dtype: Any, name: Any) -> pd.Series:
    if values.dtype == dtype or pd.api.types.is_object_dtype(dtype):
        return values
    try:
        if isinstance(dtype, pd.CategoricalDtype):
            return values.astype(object).where(values.isin(dtype.categories)).astype(dtype)
        if isinstance(dtype, pd.DatetimeTZDtype):
            return pd.to_datetime(values, utc=True).astype(dtype)
        if isinstance(dtype, np.dtype) and dtype.kind in "iub":
            return _as_whole(values, dtype)
        return values.astype(dtype)
    except (TypeError, ValueError) as error:
        seen = [str(value)[:40] for value in values.dropna().unique()[:3]]
        raise ValueError(f"Column '{name}' must be {dtype}; it holds {seen}.") from error


def _as_whole(values: pd.Series, dtype: np.dtype) -> pd.Series:
    if values.dtype == object:  # as Spark hands over whole numbers with gaps
        values = values.where(values.notna(), np.nan)
    numbers = values.astype(float)
    if numbers.isna().any():
        return values.where(values.notna(), None) if dtype.kind == "b" else numbers
    exact = values.astype(dtype)
    return exact if (exact.astype(float) == numbers).all() else numbers


set_model(RecipeModel())
