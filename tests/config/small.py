"""A small recipe, and what its problems read like."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mlrecipes.errors import ConfigError

RECIPE = """\
recipe: regression/v1
target_col: price
steps:
  ingest: {using: parquet, location: data.parquet}
  train:
    estimator_method: estimator_fn
"""


def problems(call: Callable[[], object]) -> list[str]:
    """The problems that a call raises, each as people see it."""
    with pytest.raises(ConfigError, match=r"\w+") as caught:
        call()
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


HERE = Path(__file__).parent
