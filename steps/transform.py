"""The transformer of the Home Credit recipe: ratios, no sentinel, categories as numbers."""

from __future__ import annotations

from typing import Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

NO_DATE = 365_243
RATIOS = {
    "CREDIT_TO_INCOME": ("AMT_CREDIT", "AMT_INCOME_TOTAL"),
    "ANNUITY_TO_INCOME": ("AMT_ANNUITY", "AMT_INCOME_TOTAL"),
    "ANNUITY_TO_CREDIT": ("AMT_ANNUITY", "AMT_CREDIT"),
    "CREDIT_TO_GOODS": ("AMT_CREDIT", "AMT_GOODS_PRICE"),
    "EMPLOYED_TO_AGE": ("DAYS_EMPLOYED", "DAYS_BIRTH"),
    "INCOME_PER_MEMBER": ("AMT_INCOME_TOTAL", "CNT_FAM_MEMBERS"),
}
SCORES = ("EXT_SOURCE_1", "EXT_SOURCE_2", "EXT_SOURCE_3")
MISSING_CATEGORY = -1.0
UNSEEN_CATEGORY = -2.0


def transformer_fn() -> Pipeline:
    """An unfitted transformer: application columns in, a numeric DataFrame out."""
    return Pipeline([("features", AddFeatures()), ("categories", EncodeCategories())])


class AddFeatures(TransformerMixin, BaseEstimator):
    """Turn the "no such date" sentinel into missing and append ratios and the mean score."""

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:  # noqa: N803 - sklearn's name
        """Remember the columns that come in and go out."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.feature_names_out_ = np.asarray(_add_features(X).columns, dtype=object)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803 - sklearn's name
        """The columns seen in `fit`, in that order, then the new ones."""
        check_is_fitted(self)
        return _add_features(_same_columns(X, self.feature_names_in_))

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the columns of the result."""
        check_is_fitted(self)
        return self.feature_names_out_


class EncodeCategories(TransformerMixin, BaseEstimator):
    """Number the values of text columns by their order; unseen values and missing apart."""

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Self:  # noqa: N803 - sklearn's name
        """Learn the values of every column that is not numeric."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        texts = [name for name in X.columns if not pd.api.types.is_numeric_dtype(X[name])]
        self.categories_ = {name: sorted({str(v) for v in X[name].dropna()}) for name in texts}
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803 - sklearn's name
        """All columns as float64; a text column holds the number of its value."""
        check_is_fitted(self)
        columns = {name: self._encode(X[name]) for name in self.feature_names_in_}
        return pd.DataFrame(columns, index=X.index)

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """Names of the columns of the result: those that came in."""
        check_is_fitted(self)
        return self.feature_names_in_

    def _encode(self, column: pd.Series) -> np.ndarray:
        if column.name not in self.categories_:
            return _to_float(column)
        numbers = {value: i for i, value in enumerate(self.categories_[column.name])}
        codes = [
            MISSING_CATEGORY if missing else numbers.get(str(value), UNSEEN_CATEGORY)
            for value, missing in zip(column, column.isna(), strict=True)
        ]
        return np.asarray(codes, dtype=float)


def _add_features(frame: pd.DataFrame) -> pd.DataFrame:
    new: dict[str, np.ndarray] = {}
    clean = frame
    if "DAYS_EMPLOYED" in frame.columns:
        employed = _to_float(frame["DAYS_EMPLOYED"])
        clean = frame.assign(DAYS_EMPLOYED=np.where(employed == NO_DATE, np.nan, employed))
    for name, (above, below) in RATIOS.items():
        if above in frame.columns and below in frame.columns:
            new[name] = _divide(_to_float(clean[above]), _to_float(clean[below]))
    scores = [name for name in SCORES if name in frame.columns]
    if scores:
        new["EXT_SOURCE_MEAN"] = clean[scores].apply(_to_float).mean(axis=1).to_numpy()
    return pd.concat([clean, pd.DataFrame(new, index=frame.index)], axis=1)


def _same_columns(frame: pd.DataFrame, names: np.ndarray) -> pd.DataFrame:
    lacking = [name for name in names if name not in frame.columns]
    if lacking:
        shown = ", ".join(map(str, lacking[:5]))
        raise ValueError(
            f"{len(lacking)} of {len(names)} columns seen in training are missing: {shown}. "
            "Score the same columns that the model was trained on."
        )
    return frame[list(names)]


def _to_float(column: pd.Series) -> np.ndarray:
    return np.asarray(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))


def _divide(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(above, below, out=np.full(len(above), np.nan), where=below != 0))
