"""One chunk of applicants before any table exists: latent columns, risk and target.

Every application column has a latent standard normal; together they have the measured
rank correlations (a Gaussian copula). A second, independent part of the risk is not in the
application at all: it shows only in how the applicant behaves in the history tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import ndtr

from steps.home_credit.marginals import BoolArray, FloatArray, IntArray, evenly, pick
from steps.home_credit.profile import load_applications, load_factor

Part = Literal["train", "test"]

DEFAULT_RATE = 24_825 / 307_511
#: Share of the variance of the risk that only the history tables show.
HISTORY_VARIANCE = 0.095
#: Middling terms and amounts are riskier than both ends: weight of the squared latent.
CURVED = {"ANNUITY_SHARE": -0.24, "AMT_CREDIT": -0.17}
#: How much of the behaviour in the history follows the risk seen in the application.
SEEN_IN_HISTORY = 0.45


@dataclass(frozen=True)
class Applicants:
    """Applicants of one chunk, one array entry each."""

    ids: IntArray
    part: Part
    uniforms: Mapping[str, FloatArray]
    behaviour: FloatArray
    target: IntArray

    @property
    def marginals(self) -> dict[str, Any]:
        """The measured distributions of this part (train and test differ)."""
        part: dict[str, Any] = load_applications()[self.part]
        return part

    def is_missing(self, name: str) -> BoolArray:
        """Where the latent says that the column is missing."""
        share = self.marginals[f"missing:{name}"]["shares"][0]
        return np.asarray(self.uniforms[f"missing:{name}"] < share)

    def count(self, table: str) -> IntArray:
        """Rows of a history table per applicant: each number exactly as often as measured."""
        name = f"count:{table}"
        return pick(evenly(self.uniforms[name]), self.marginals[name]["shares"])


def draw_applicants(ids: IntArray, part: Part, rng: np.random.Generator) -> Applicants:
    """Draw the latent columns of the applicants and decide who defaults."""
    names: list[str] = load_applications()["latents"]
    latents = rng.standard_normal((len(ids), len(names))) @ load_factor().T
    seen = latents @ np.asarray(load_applications()["risk"]) + _curved_risk(latents, names)
    hidden = rng.standard_normal(len(ids))
    behaviour = SEEN_IN_HISTORY * seen / _spread_of_seen_risk()
    behaviour = behaviour + np.sqrt(1 - SEEN_IN_HISTORY**2) * hidden
    target = _worst(_total_risk(seen, hidden, rng))
    uniforms = dict(zip(names, np.ascontiguousarray(ndtr(latents).T), strict=True))
    return Applicants(ids, part, uniforms, behaviour, target)


def _curved_risk(latents: FloatArray, names: list[str]) -> FloatArray:
    curves = [w * (latents[:, names.index(n)] ** 2 - 1) / np.sqrt(2) for n, w in CURVED.items()]
    return np.asarray(np.sum(curves, axis=0))


def _spread_of_seen_risk() -> float:
    straight = np.asarray(load_applications()["risk"]) @ load_factor()
    return float(np.sqrt(straight @ straight + sum(w**2 for w in CURVED.values())))


def _total_risk(seen: FloatArray, hidden: FloatArray, rng: np.random.Generator) -> FloatArray:
    left = 1 - HISTORY_VARIANCE - _spread_of_seen_risk() ** 2
    chance = rng.standard_normal(len(seen))
    return np.asarray(seen + np.sqrt(HISTORY_VARIANCE) * hidden + np.sqrt(left) * chance)


def _worst(risk: FloatArray) -> IntArray:
    """1 for the riskiest share of the applicants, exactly as many as default in reality."""
    target = np.zeros(len(risk), dtype=np.int64)
    n_defaults = round(len(risk) * DEFAULT_RATE)
    target[np.argsort(-risk, kind="stable")[:n_defaults]] = 1
    return target
