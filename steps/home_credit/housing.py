"""The 47 housing columns: 14 features in three versions that are missing together, and 5 more."""

from __future__ import annotations

import numpy as np

from steps.home_credit.applicants import Applicants
from steps.home_credit.columns import Column, coded
from steps.home_credit.marginals import FloatArray, blank, from_quantiles, pick, to_multiple
from steps.home_credit.profile import load_applications

#: Steps between the values that a feature takes (1/24 of a house's floors, 1/25 of lifts...).
STEPS = {"FLOORSMAX": 1 / 24, "FLOORSMIN": 1 / 24, "ENTRANCES": 1 / 29, "ELEVATORS": 1 / 25}
#: Share of rows in which the version equals the average, and the spread where it does not.
VERSIONS = {"MODE": (0.7, 0.06), "MEDI": (0.85, 0.02)}
TEXTS = ("FONDKAPREMONT_MODE", "HOUSETYPE_MODE", "WALLSMATERIAL_MODE", "EMERGENCYSTATE_MODE")


def make_housing(people: Applicants, rng: np.random.Generator) -> dict[str, Column]:
    """Housing columns of the applicants."""
    columns: dict[str, Column] = {}
    for feature in load_applications()["housing"]:
        average = _average(people, f"{feature}_AVG", STEPS.get(feature))
        unknown = people.is_missing(f"{feature}_AVG")
        columns[f"{feature}_AVG"] = blank(average, unknown)
        for version, (share_equal, spread) in VERSIONS.items():
            other = _another_version(average, share_equal, spread, rng)
            columns[f"{feature}_{version}"] = blank(other, unknown)
    total = _average(people, "TOTALAREA_MODE", None)
    columns["TOTALAREA_MODE"] = blank(total, people.is_missing("TOTALAREA_MODE"))
    return columns | {name: _text(people, name) for name in TEXTS}


def _average(people: Applicants, name: str, step: float | None) -> FloatArray:
    values = from_quantiles(people.uniforms[name], people.marginals[name]["quantiles"])
    values = to_multiple(values, step) if step else values
    return np.round(values, 4).clip(0, 1)


def _another_version(
    average: FloatArray, share_equal: float, spread: float, rng: np.random.Generator
) -> FloatArray:
    moved = average * (1 + spread * rng.standard_normal(len(average)))
    is_equal = rng.random(len(average)) < share_equal
    return np.where(is_equal, average, moved.round(4).clip(0, 1))


def _text(people: Applicants, name: str) -> Column:
    codes = pick(people.uniforms[name], people.marginals[name]["shares"])
    return coded(codes, load_applications()["values"][name])
