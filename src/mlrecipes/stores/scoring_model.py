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


class RecipeModel(PythonModel):
    """Answers as the recipe's ``predict_output`` asks."""

    def load_context(self, context: Any) -> None:
        """Load the fitted pipeline, its raw columns and the settings logged with it."""
        folder = Path(context.artifacts[ARTIFACT])
        self._pipeline = cloudpickle.loads((folder / "model.pkl").read_bytes())
        self._columns = cloudpickle.loads((folder / "columns.pkl").read_bytes()).dtypes
        self._settings = dict(context.model_config)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Score rows of raw features.

        Args:
            context: Not used.
            model_input: One row a row, the columns of the signature in any order.
            params: Not used.

        Returns:
            One number or label a row; a data frame of scores and labels for a classifier
            whose output is ``recipes``.

        Raises:
            ValueError: A column is missing or holds what the model cannot have been fitted on.
        """
        rows = as_fitted(model_input, self._columns)
        output = self._settings["predict_output"]
        if output == "probability":
            return self._scores(rows)[:, self._position(self._settings["positive_class"])]
        has_scores = hasattr(self._pipeline, "predict_proba") and self._settings["classes"]
        if output == "label" or not self._settings["all_class_scores"] or not has_scores:
            return self._labels(rows)
        return self._frame(rows)

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
    numbers = values.astype(float)
    if numbers.isna().any():
        return values.where(values.notna(), None) if dtype.kind == "b" else numbers
    exact = values.astype(dtype)
    return exact if (exact.astype(float) == numbers).all() else numbers


set_model(RecipeModel())
