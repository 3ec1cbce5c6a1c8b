"""register obeys the verdict."""

from collections.abc import Callable
from typing import Any

import pytest

from mlrecipes.errors import GateRejected
from mlrecipes.steps import Context
from mlrecipes.steps.register import Inputs, run
from mlrecipes.testing import MemoryRegistry

RUN = {"run_id": "run-1"}
CHECK = {
    "key": "steps.evaluate.validation_criteria[0]",
    "metric": "r2_score",
    "threshold": 0.5,
    "greater_is_better": True,
    "value": 0.4,
    "is_passed": False,
}
NAME = {"model_registry": {"model_name": "loans"}}


def inputs(status: str, *checks: dict[str, Any]) -> Inputs:
    return Inputs(RUN, {"status": status, "checks": list(checks)})


def test_a_validated_model_becomes_challenger_with_its_verdict(
    context: Callable[..., Context], registry: MemoryRegistry
) -> None:
    result = run(inputs("VALIDATED"), context(**NAME))
    assert registry.aliases["loans", "challenger"] == "1"
    assert registry.tags["loans", "1"]["validation_status"] == "VALIDATED"
    assert result.summary == "loans version 1 is challenger"


def test_the_alias_can_be_named(context: Callable[..., Context], registry: MemoryRegistry) -> None:
    run(inputs("VALIDATED"), context(model_registry={"model_name": "loans", "alias": "staging"}))
    assert registry.aliases == {("loans", "staging"): "1"}


def test_a_rejected_model_is_not_registered_and_each_miss_is_told_with_its_place(
    context: Callable[..., Context], registry: MemoryRegistry
) -> None:
    with pytest.raises(GateRejected, match="Nothing was registered") as caught:
        run(inputs("REJECTED", CHECK), context(**NAME))
    assert (
        "test_r2_score 0.4 < 0.5 required   "
        "recipe.yaml (steps.evaluate.validation_criteria[0])" in caught.value.message
    )
    assert registry.versions == {}


def test_a_metric_that_is_no_number_is_told_so(context: Callable[..., Context]) -> None:
    with pytest.raises(GateRejected, match="test_r2_score not a finite number"):
        run(inputs("REJECTED", CHECK | {"value": None}), context(**NAME))


def test_a_model_without_a_verdict_is_not_registered(context: Callable[..., Context]) -> None:
    with pytest.raises(GateRejected, match="has no validation_criteria") as caught:
        run(inputs("UNKNOWN"), context(**NAME))
    assert "allow_non_validated_model: true" in str(caught.value.hint)


@pytest.mark.parametrize("status", ["UNKNOWN", "REJECTED"])
def test_a_recipe_can_allow_models_that_are_not_validated(
    context: Callable[..., Context], registry: MemoryRegistry, status: str
) -> None:
    allowing = {"steps": {"register": {"allow_non_validated_model": True}}}
    run(inputs(status, CHECK), context(**NAME, **allowing))
    assert registry.tags["loans", "1"]["validation_status"] == status


def test_registering_the_same_run_again_gives_the_same_version(
    context: Callable[..., Context], registry: MemoryRegistry
) -> None:
    for _ in range(2):
        run(inputs("VALIDATED"), context(**NAME))
    assert len(registry.versions["loans"]) == 1
