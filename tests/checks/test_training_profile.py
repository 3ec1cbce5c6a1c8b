"""What a model keeps of its training data: counts that JSON can hold, and no rare value."""

import json

import numpy as np
import pandas as pd

from mlrecipes.checks.quality import null_share_expectations
from mlrecipes.checks.training_profile import training_profile


def test_numbers_have_quantiles_and_a_histogram() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, np.inf, None] * 5})
    facts = training_profile(frame)["columns"]["a"]
    assert json.dumps(facts, allow_nan=False)
    assert (facts["n"], facts["null_share"]) == (20, 0.25)
    assert facts["quantiles"]["1"] == 2.0
    assert sum(facts["histogram"]["counts"]) == 10


def test_a_value_that_few_rows_have_is_not_kept() -> None:
    frame = pd.DataFrame({"name": ["usual"] * 5 + ["Ann Rare"] * 4})
    assert training_profile(frame)["columns"]["name"]["top_values"] == [["usual", 5]]


def test_scoring_rows_may_lack_five_points_more_than_training_rows() -> None:
    profile = training_profile(pd.DataFrame({"a": [1.0, None, 1.0, 1.0], "gone": [None] * 4}))
    (expected,) = null_share_expectations(profile, ["a", "gone", "new"])
    assert expected.kwargs == {"column": "a", "mostly": 0.7}
    assert expected.description == "a is missing in at most 30.0% of the rows (training: 25.0%)"
