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

PIPELINE = "model_path"


class RecipeModel(PythonModel):
    """Answers as the recipe's ``predict_output`` asks."""

    def load_context(self, context: Any) -> None:
        """Load the fitted pipeline and the settings that were logged with it."""
        path = Path(context.artifacts[PIPELINE]) / "model.pkl"
        self._pipeline = cloudpickle.loads(path.read_bytes())
        self._settings = dict(context.model_config)

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
        """Score rows of raw features.

        Args:
            context: Not used.
            model_input: One row a row, the columns of the signature.
            params: Not used.

        Returns:
            One number or label a row; a data frame of scores and labels for a classifier
            whose output is ``recipes``.
        """
        output = self._settings["predict_output"]
        has_scores = hasattr(self._pipeline, "predict_proba")
        if output == "probability":
            return self._scores(model_input)[:, self._column_of(self._settings["positive_class"])]
        is_plain = output == "label" or not self._settings["all_class_scores"]
        if is_plain or not has_scores or not self._settings["classes"]:
            return np.asarray(self._pipeline.predict(model_input))
        return self._frame(model_input)

    def _scores(self, model_input: Any) -> Any:
        return np.asarray(self._pipeline.predict_proba(model_input), dtype=float)

    def _column_of(self, label: Any) -> int:
        return [str(name) for name in self._settings["classes"]].index(str(label))

    def _frame(self, model_input: Any) -> pd.DataFrame:
        """The columns that MLflow Recipes gave: a score a class, the highest, the label."""
        scores, prefix = self._scores(model_input), self._settings["predict_prefix"]
        columns: dict[str, Any] = {
            f"{prefix}score_{label}": scores[:, position]
            for position, label in enumerate(self._settings["classes"])
        }
        columns[f"{prefix}score"] = scores.max(axis=1)
        columns[f"{prefix}label"] = np.asarray(self._pipeline.predict(model_input))
        return pd.DataFrame(columns)


set_model(RecipeModel())
