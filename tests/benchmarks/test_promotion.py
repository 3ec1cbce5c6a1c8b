"""The simulation of promotions in small: seeded, so that it says the same each time."""

from benchmarks.promotion import Case, simulate
from mlrecipes.checks.promotion import Outcome


def test_of_two_equal_models_the_challenger_is_seldom_promoted() -> None:
    counts = simulate(Case(1_000, 0.0, 0.9, 60), 60, n_resamples=100)
    assert counts[Outcome.PROMOTE] <= 3
    assert counts[Outcome.INCONCLUSIVE] >= 50


def test_a_model_that_is_better_by_much_is_promoted_nearly_always() -> None:
    counts = simulate(Case(1_000, 0.08, 0.95, 20), 20, n_resamples=100)
    assert counts[Outcome.PROMOTE] >= 16
    assert counts[Outcome.KEEP] == 0
