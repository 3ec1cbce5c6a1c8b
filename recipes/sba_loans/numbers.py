"""Turn a loan into numbers: ratios of amounts, logarithms, codes for text."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

__all__ = ["transformer_fn"]

_AMOUNTS = ("GrAppv", "SBA_Appv", "DisbursementGross")
_RATIOS = {
    "GuaranteedShare": ("SBA_Appv", "GrAppv"),
    "ApprovedToDisbursed": ("GrAppv", "DisbursementGross"),
    "GuaranteedToDisbursed": ("SBA_Appv", "DisbursementGross"),
    "ApprovedPerEmployee": ("GrAppv", "NoEmp"),
}


def transformer_fn() -> Pipeline:
    """Return the unfitted transformer; it gives a frame of floats, nulls where unknown.

    A text value unseen in training is unknown too. Columns that the recipe ignores may be absent:
    a ratio exists when both of its columns do.
    """
    steps = [
        ("amounts", FunctionTransformer(_with_ratios_and_logs)),
        ("codes", _codes_for_text()),
    ]
    return Pipeline(steps).set_output(transform="pandas")


def _with_ratios_and_logs(loans: pd.DataFrame) -> pd.DataFrame:
    wide = loans.copy()
    for name, (part, whole) in _RATIOS.items():
        if part in loans and whole in loans:
            wide[name] = loans[part] / loans[whole].where(loans[whole] > 0)
    if "State" in loans and "BankState" in loans:
        wide["BankInState"] = (loans["State"] == loans["BankState"]).astype(float)
    for name in _AMOUNTS:
        if name in loans:
            wide[name] = np.log1p(loans[name].clip(lower=0))
    return wide


def _codes_for_text() -> ColumnTransformer:
    encoder = OrdinalEncoder(
        handle_unknown="use_encoded_value", unknown_value=np.nan, dtype=np.float64
    )
    return ColumnTransformer(
        [("text", encoder, _text_columns)],
        remainder="passthrough",
        verbose_feature_names_out=False,
    )


def _text_columns(loans: pd.DataFrame) -> list[str]:
    return [str(name) for name in loans if not pd.api.types.is_numeric_dtype(loans[name])]
