"""The transformer of the Home Credit recipe: categories become numbers, and all is float64.

Ratios, the sentinel for "no date" and all that is known of an applicant's past come from the
feature tables, see features/.
"""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

MISSING_CATEGORY = -1.0
UNSEEN_CATEGORY = -2.0


def transformer_fn() -> EncodeCategories:
    """An unfitted transformer: columns of any kind in, a numeric DataFrame out."""
    return EncodeCategories()


class EncodeCategories(TransformerMixin, BaseEstimator):
    """Number the values of text columns by their order; unseen values and missing apart."""

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:  # noqa: N803 - sklearn's name
        """Learn the values of every column that is not numeric."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        texts = [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]
        self.categories_ = {
            name: sorted({str(v) for v in X[name].dropna().unique()}) for name in texts
        }
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803 - sklearn's name
        """The columns seen in `fit`, in that order, as float64.

        Raises:
            ValueError: when a column seen in `fit` is missing.
        """
        check_is_fitted(self)
        lacking = [name for name in self.feature_names_in_ if name not in X.columns]
        if lacking:
            shown = ", ".join(map(str, lacking[:5]))
            raise ValueError(
                f"{len(lacking)} of {len(self.feature_names_in_)} columns seen in training are "
                f"missing: {shown}. Score the same columns that the model was trained on."
            )
        columns = {name: self._encode(X[name]) for name in self.feature_names_in_}
        return pd.DataFrame(columns, index=X.index)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the columns of the result: those that came in."""
        check_is_fitted(self)
        return self.feature_names_in_

    def _encode(self, column: pd.Series) -> np.ndarray:
        if column.name not in self.categories_:
            numbers = pd.to_numeric(column, errors="coerce")
            return np.asarray(numbers.to_numpy(dtype=float, na_value=np.nan))
        numbers = {value: float(i) for i, value in enumerate(self.categories_[column.name])}
        positions, values = pd.factorize(column)
        encoded = [numbers.get(str(value), UNSEEN_CATEGORY) for value in values]
        return np.asarray([*encoded, MISSING_CATEGORY])[positions]  # -1, a gap, is the last
