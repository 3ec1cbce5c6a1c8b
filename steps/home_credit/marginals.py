"""Turn uniform draws into values with a measured distribution: quantiles, shares, counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Every quantile list of the profile is measured at these levels.
LEVELS: FloatArray = np.concatenate(
    [[0.0, 0.01], np.arange(0.025, 0.99, 0.025), [0.99, 1.0]]
).round(3)


def from_quantiles(u: FloatArray, quantiles: Sequence[float]) -> FloatArray:
    """Values whose quantiles at `LEVELS` are `quantiles`: shape as `u`, linear in between."""
    return np.asarray(np.interp(u, LEVELS, np.asarray(quantiles, dtype=float)))


def from_quantiles_by(
    u: FloatArray, groups: IntArray, quantiles: Sequence[Sequence[float]]
) -> FloatArray:
    """As `from_quantiles` with one list per group; `groups` holds the index of the list."""
    values = np.full(u.shape, np.nan)
    for group, group_quantiles in enumerate(quantiles):
        rows = groups == group
        values[rows] = from_quantiles(u[rows], group_quantiles)
    return values


def pick(u: FloatArray, shares: Sequence[float]) -> IntArray:
    """Index of the value each draw falls on; shares need not sum exactly to one."""
    edges = np.cumsum(np.asarray(shares, dtype=float))
    edges /= edges[-1]
    return np.searchsorted(edges[:-1], u, side="right").astype(np.int64)


def pick_by(u: FloatArray, groups: IntArray, shares: Sequence[Sequence[float]]) -> IntArray:
    """As `pick` with one list of shares per group; `groups` holds the index of the list."""
    codes = np.zeros(u.shape, dtype=np.int64)
    for group, group_shares in enumerate(shares):
        rows = groups == group
        codes[rows] = pick(u[rows], group_shares)
    return codes


def take(values: Sequence[Any], codes: IntArray) -> FloatArray:
    """Numbers for the codes of `pick`."""
    return np.asarray(values, dtype=float)[codes]


def spread(n: int, rng: np.random.Generator) -> FloatArray:
    """`n` uniform draws in random order, one in each n-th part of 0..1: shares come out exact."""
    return np.asarray((rng.permutation(n) + rng.random(n)) / max(n, 1))


def spread_by(groups: IntArray, rng: np.random.Generator) -> FloatArray:
    """As `spread` within each group; `groups` holds whole numbers from 0."""
    values = np.empty(len(groups))
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        values[rows] = spread(len(rows), rng)
    return values


def evenly(u: FloatArray) -> FloatArray:
    """Draws in the same order, at equal distances in 0..1: [0.1, 0.3, 0.2] gives 1/6, 5/6, 1/2."""
    rank = np.empty(len(u))
    rank[np.argsort(u, kind="stable")] = np.arange(len(u))
    return np.asarray((rank + 0.5) / max(len(u), 1))


def blank(values: FloatArray, where: BoolArray) -> FloatArray:
    """A copy with NaN where the value is missing."""
    return np.where(where, np.nan, values)


def to_multiple(values: FloatArray, step: float) -> FloatArray:
    """Round to whole multiples of `step` (money comes in steps of 0.5, 4.5, 45 or 4,500)."""
    return np.rint(values / step) * step


def tilt(risk: FloatArray, weight: float, rng: np.random.Generator) -> FloatArray:
    """Uniform draws that rise with a standard normal risk; `weight` is their correlation."""
    noise = rng.standard_normal(risk.shape)
    return np.asarray(ndtr(weight * risk + np.sqrt(1 - weight**2) * noise))


def number_within(counts: IntArray) -> IntArray:
    """0, 1, 2, ... inside each parent: [2, 3] gives [0, 1, 0, 1, 2]."""
    starts = np.cumsum(counts) - counts
    return np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(starts, counts)
