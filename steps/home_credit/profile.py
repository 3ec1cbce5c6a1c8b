"""The measured facts of the real tables that the generator reproduces: shares, not rows."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from steps.home_credit.marginals import FloatArray

PROFILE_FOLDER = Path(__file__).parent / "profile"


@cache
def load_types() -> dict[str, dict[str, str]]:
    """Column names in Kaggle's order with pandas' types, per table."""
    return _load("types")


@cache
def load_applications() -> dict[str, Any]:
    """Marginals (train and test apart), value orders and risk weights of the application."""
    return _load("applications")


@cache
def load_history() -> dict[str, Any]:
    """Conditional shares and quantiles of the seven history tables."""
    return _load("history")


@cache
def load_factor() -> FloatArray:
    """Lower triangle F with F @ F.T = correlation of the latent application columns."""
    percent = _load("correlation")["lower_triangle_percent"]
    n_latents = len(percent)
    matrix = np.zeros((n_latents, n_latents))
    for row, values in enumerate(percent):
        matrix[row, : row + 1] = values
    matrix = (matrix + np.tril(matrix, -1).T) / 100
    return np.asarray(np.linalg.cholesky(nearest_correlation(matrix)), dtype=np.float64)


def nearest_correlation(matrix: FloatArray, floor: float = 1e-3) -> FloatArray:
    """Lift eigenvalues below `floor` (pairwise measured matrices are not quite PSD)."""
    values, vectors = np.linalg.eigh(matrix)
    lifted = (vectors * np.maximum(values, floor)) @ vectors.T
    scale = np.sqrt(np.diag(lifted))
    return np.asarray(lifted / np.outer(scale, scale))


def _load(name: str) -> dict[str, Any]:
    text = (PROFILE_FOLDER / f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
