from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder

from mlrecipes.errors import DataError
from mlrecipes.feature_records import Lookup
from mlrecipes.features.lookups import lookups_from_json, lookups_json
from mlrecipes.steps._lookups import check_used

ROWS = pd.DataFrame(
    {
        "a": np.arange(100.0),
        "b": [None, 1.0] * 50,
        "c": ["x", "y", None, "x"] * 25,
        "flag": [True, False] * 50,
        "rare": [0] * 99 + [7],
        "always": [3] * 100,
    }
)
LOOKUP = Lookup("t", {"id": "id"}, {name.upper(): name for name in ROWS.columns}, version=1)


def fitted(*columns: str) -> Any:
    kept = [column for column in columns if column != "c"]
    parts = [("kept", "passthrough", kept)]
    parts += [("coded", OneHotEncoder(handle_unknown="ignore"), ["c"])] if "c" in columns else []
    return ColumnTransformer(parts).fit(ROWS)


def test_a_transformer_that_uses_all_passes() -> None:
    check_used(fitted(*ROWS.columns), ROWS, [LOOKUP])


@pytest.mark.parametrize("left_out", ["a", "b", "c", "flag", "rare"])
def test_a_feature_that_is_left_out_is_found(left_out: str) -> None:
    transformer = fitted(*(column for column in ROWS.columns if column != left_out))
    with pytest.raises(DataError, match=f"1 looked-up feature never reaches .*'{left_out}'"):
        check_used(transformer, ROWS, [LOOKUP])


def test_a_column_with_one_value_is_left_alone() -> None:
    check_used(fitted("a", "b", "c", "flag", "rare"), ROWS, [LOOKUP])


def test_a_column_that_was_not_looked_up_may_be_dropped() -> None:
    check_used(fitted("a"), ROWS, [Lookup("t", {"id": "id"}, {"A": "a"})])


def test_without_a_transformer_all_is_used() -> None:
    check_used(None, ROWS, [LOOKUP])


def test_bins_and_sums_count_as_use() -> None:
    bins = KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf").fit(ROWS[["a"]])
    check_used(bins, ROWS[["a"]], [LOOKUP])
    total = FunctionTransformer(lambda frame: frame[["a", "rare"]].sum(axis=1).to_frame())
    check_used(total, ROWS[["a", "rare"]], [LOOKUP])


def test_lookups_survive_json() -> None:
    lookups = (LOOKUP, Lookup("u", {"k": "K"}, {"F": "F"}, event_time="at"))
    assert lookups_from_json(lookups_json(lookups)) == lookups
