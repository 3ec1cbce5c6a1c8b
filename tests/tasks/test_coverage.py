"""Bands about predictions hold what they say, where both parts are alike."""

import math

import numpy as np
import pandas as pd
import pytest

from mlrecipes.tasks import Predictions, task_for
from mlrecipes.tasks._coverage import band_of

REGRESSION = task_for("regression/v1")


def test_bands_hold_at_least_as_often_as_they_say_on_the_whole() -> None:
    random = np.random.default_rng(0)
    shares = []
    for _ in range(200):
        known, new = random.exponential(size=99), random.exponential(size=100)
        calibration = (pd.Series(known), Predictions(np.ones(99)))
        found = REGRESSION.coverage(calibration, pd.Series(new), np.ones(100))
        shares.append([found["coverage_80"][0], found["coverage_95"][0]])
        share, low, high = found["coverage_95"]
        assert low < share <= 1 >= high
    mean = np.mean(shares, axis=0)
    assert mean == pytest.approx([0.80, 0.96], abs=0.012)  # 96 of 99 + 1 are within


def test_few_rows_give_a_band_without_ends() -> None:
    assert band_of(np.arange(5.0), 0.95) == (-math.inf, math.inf)


def test_classes_have_no_bands() -> None:
    task = task_for("classification/v1", 1)
    labels = Predictions(np.array([1, 0]), positive_class=1)
    assert task.coverage((pd.Series([1, 0]), labels), pd.Series([1, 0]), labels.labels) == {}
