"""promote decides on what was measured, whatever the task, and lets nothing unmeasured pass."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlrecipes.errors import DataError, GateRejected, StoreError
from mlrecipes.promotion_ports import FetchedModel
from mlrecipes.steps import Context, PromotionRequest, promotion_step
from mlrecipes.steps._features import split_digest
from mlrecipes.steps.promote import Inputs, run
from mlrecipes.testing import MemoryPromotions, MemoryRegistry

VALIDATED = {"validation_status": "VALIDATED"}
Make = Callable[..., Context]


class Off:
    """Says the truth, and is off by so much."""

    def __init__(self, by: float) -> None:
        self.by = by

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        random = np.random.default_rng(round(self.by * 10))
        return rows["x"].to_numpy() + random.normal(0, self.by, len(rows))


@pytest.fixture
def world(registry: MemoryRegistry) -> MemoryPromotions:
    return MemoryPromotions(registry)


@pytest.fixture
def make(context: Callable[..., Context], world: MemoryPromotions) -> Make:
    """A context whose registry can promote; ``promote``, ``evaluate``, ``split`` are settings."""

    def made(functions: dict[str, Any] | None = None, **keys: Any) -> Context:
        steps = {key: keys.pop(key, {}) for key in ("promote", "evaluate", "split")}
        names = {"model_registry": {"model_name": "loans"}, "primary_metric": "r2_score"}
        one = context(functions, steps=steps, **{**names, **keys})
        return replace(one, ports=replace(one.ports, promotions=lambda: world))

    return made


def add(world: MemoryPromotions, by: float, tags: dict[str, str] | None = None) -> str:
    """Register a model that is off by so much."""
    n = len(world.registry.versions.get("loans", []))
    tags = VALIDATED if tags is None else tags
    version = world.registry.register("loans", f"run-{n}", "train/model", tags).version
    world.models["loans", version] = FetchedModel(Off(by), ("x",), lambda rows: rows)
    return version


def table(n_rows: int = 400) -> pd.DataFrame:
    x = np.random.default_rng(0).normal(size=n_rows)
    return pd.DataFrame({"x": x, "y": x, "side": np.where(x > 0, "above", "below")})


def decide(version: str, context: Context, rows: pd.DataFrame | None = None) -> dict[str, Any]:
    rows = table() if rows is None else rows
    inputs = Inputs({"run_id": "run-1"}, {"registered_model_version": version}, rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return dict(run(inputs, context).outputs["promotion"])


def test_a_regression_is_compared_as_well(make: Make, world: MemoryPromotions) -> None:
    context = make()
    assert decide(add(world, 0.5), context)["outcome"] == "first"
    assert decide(add(world, 0.3), context)["outcome"] == "promote"
    assert decide(add(world, 0.6), context)["outcome"] == "keep"
    assert world.aliases("loans") == {"champion": "2", "previous_champion": "1"}


def test_a_metric_of_the_user_can_decide(make: Make, world: MemoryPromotions) -> None:
    def within(predictions: pd.Series, targets: pd.Series) -> float:
        return float(((predictions - targets).abs() < 0.3).mean())

    context = make(
        {"custom_metrics[0].function": within},
        custom_metrics=[{"name": "within", "function": "within", "greater_is_better": True}],
        primary_metric="within",
        promote={"n_resamples": 100},
    )
    decide(add(world, 0.5), context)
    found = decide(add(world, 0.3), context)
    assert found["outcome"] == "promote"
    assert found["metrics"][0]["metric"] == "within"


def test_the_gain_that_is_asked_for_counts(make: Make, world: MemoryPromotions) -> None:
    decide(add(world, 0.5), make())
    better = add(world, 0.3)
    assert decide(better, make(promote={"min_gain": 0.9}))["outcome"] == "keep"


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({"validation_status": "REJECTED"}, "evaluate's verdict on it is REJECTED"),
        ({}, "evaluate's verdict on it is UNKNOWN"),
        (VALIDATED | {"mlrecipes.quality.status": "critical"}, "its data had critical findings"),
    ],
)
def test_what_an_earlier_gate_said_blocks_the_first_model_and_the_better_one(
    make: Make, world: MemoryPromotions, tags: dict[str, str], reason: str
) -> None:
    blocked = add(world, 0.1, tags)
    with pytest.raises(
        GateRejected, match=f"there is no champion. Nothing .*\n  blocked: {reason}"
    ):
        decide(blocked, make())
    decide(add(world, 0.5), make())
    with pytest.raises(GateRejected, match=reason):
        decide(blocked, make())
    assert world.aliases("loans") == {"champion": "2"}
    assert world.version("loans", "1").tags["mlrecipes.promotion.verdict"] == "blocked"


def test_a_model_without_a_verdict_may_serve_where_the_recipe_allows_it(
    make: Make, world: MemoryPromotions, context: Callable[..., Context]
) -> None:
    one = context(
        steps={"promote": {}, "register": {"allow_non_validated_model": True}},
        model_registry={"model_name": "loans"},
    )
    allowing = replace(one, ports=replace(one.ports, promotions=lambda: world))
    assert decide(add(world, 0.5, {}), allowing)["outcome"] == "first"


def test_a_slice_that_loses_blocks_the_better_model(make: Make, world: MemoryPromotions) -> None:
    class Lopsided(Off):
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            return np.where(rows["x"] > 0, rows["x"], super().predict(rows))

    decide(add(world, 0.5), make())
    version = add(world, 0.65)
    world.models["loans", version] = FetchedModel(Lopsided(0.65), ("x",), lambda rows: rows)
    sliced = make(evaluate={"slices": ["side"], "min_slice_rows": 50}, ignore_cols=["side"])
    with pytest.raises(GateRejected, match=r"slice side = below \(\d+ rows\) loses -0\.") as caught:
        decide(version, sliced)
    titles = [section.title for section in caught.value.sections]
    assert "Slices, the largest loss first" in titles
    assert world.aliases("loans") == {"champion": "1"}


def test_a_guard_that_cannot_run_blocks(make: Make, world: MemoryPromotions) -> None:
    decide(add(world, 0.5), make())
    better = add(world, 0.3)
    sliced = make(evaluate={"slices": ["region"]})
    with pytest.raises(GateRejected, match=r"slice region cannot be compared: .* names 'region'"):
        decide(better, sliced)


def test_a_model_that_answers_nonsense_cannot_be_scored(
    make: Make, world: MemoryPromotions
) -> None:
    class Nonsense(Off):
        def predict(self, rows: pd.DataFrame) -> np.ndarray:
            return np.full(len(rows), np.nan)

    decide(add(world, 0.5), make())
    version = add(world, 0.1)
    world.models["loans", version] = FetchedModel(Nonsense(0.1), ("x",), lambda rows: rows)
    with pytest.raises(GateRejected, match="the challenger cannot be scored on these rows"):
        decide(version, make())


def test_a_champion_that_cannot_be_loaded_blocks_until_a_person_decides(
    make: Make, world: MemoryPromotions
) -> None:
    decide(add(world, 0.5), make())
    del world.models["loans", "1"]
    version = add(world, 0.3)
    with pytest.raises(GateRejected, match=r"champion cannot be scored .*: loans version 1 cannot"):
        decide(version, make())
    step = promotion_step(PromotionRequest(version, "the old one is broken"), has_rows=True)
    found = step.run(step.inputs(table()), make()).outputs["promotion"]
    assert (found["move"], found["champion"]) == ("override", version)


def test_a_challenger_that_cannot_be_loaded_is_an_error_even_for_a_person(
    make: Make, world: MemoryPromotions
) -> None:
    version = add(world, 0.5)
    del world.models["loans", version]
    step = promotion_step(PromotionRequest(version, "please"), has_rows=True)
    with pytest.raises(StoreError, match="cannot be loaded"):
        step.run(step.inputs(table()), make())
    assert world.aliases("loans") == {}


def test_without_rows_only_a_first_model_can_be_decided_on(
    make: Make, world: MemoryPromotions
) -> None:
    context = make()
    for _ in range(2):
        add(world, 0.5)
    step = promotion_step(PromotionRequest("1"), has_rows=False)
    assert step.run(step.inputs(), context).outputs["promotion"]["outcome"] == "first"
    step = promotion_step(PromotionRequest("2"), has_rows=False)
    with pytest.raises(DataError, match="no test part here") as caught:
        step.run(step.inputs(), context)
    assert "mlrecipes run --to split" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"x": [1.0]}, "reference.parquet has no column 'y', the target"),
        ({"x": [1.0], "y": [None]}, "has no row with a target"),
    ],
)
def test_a_reference_that_nothing_can_be_compared_on_is_told_with_its_place(
    make: Make,
    world: MemoryPromotions,
    tmp_path: Path,
    columns: dict[str, list[Any]],
    message: str,
) -> None:
    pd.DataFrame(columns).to_parquet(tmp_path / "reference.parquet")
    context = make(promote={"reference": "reference.parquet"})
    with pytest.raises(DataError, match=message) as caught:
        decide(add(world, 0.5), context)
    assert "recipe.yaml (steps.promote.reference)" in caught.value.message


def test_a_champion_that_may_have_learned_the_rows_is_told(
    make: Make, world: MemoryPromotions
) -> None:
    tags = VALIDATED | {"mlrecipes.split_digest": "of another time"}
    decide(add(world, 0.5, tags), make())
    inputs = Inputs({"run_id": "r"}, {"registered_model_version": add(world, 0.5)}, table())
    with pytest.warns(UserWarning, match="trained with another split: it may have learned"):
        run(inputs, make())


def test_a_split_at_random_of_changed_data_is_told(make: Make, world: MemoryPromotions) -> None:
    context = make(split={"using": "random"})
    tags = VALIDATED | {"mlrecipes.split_digest": split_digest(context.config)}
    decide(add(world, 0.5, tags), context)
    version = {"registered_model_version": add(world, 0.5, tags)}
    with pytest.warns(UserWarning, match="a split by random moves rows when data change"):
        run(Inputs({"run_id": "r"}, version, table(390)), context)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(Inputs({"run_id": "r"}, version, table()), context)


def test_the_same_rows_have_the_same_digest_and_others_another(
    make: Make, world: MemoryPromotions
) -> None:
    digests = []
    for n_rows in (400, 400, 399):
        digests.append(decide(add(world, 0.5), make(), table(n_rows))["data_digest"])
    assert digests[0] == digests[1] != digests[2]
