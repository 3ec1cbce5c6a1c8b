"""evaluate: intervals, slices, protected attributes, leaks and what the model relies on."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline

from mlrecipes.errors import DataError, GateRejected
from mlrecipes.ports import ModelDescription
from mlrecipes.records import StepResult, Table
from mlrecipes.steps import Context
from mlrecipes.steps.evaluate import Inputs, run
from mlrecipes.steps.register import Inputs as RegisterInputs
from mlrecipes.steps.register import run as register
from mlrecipes.stores.models import MlflowModels, model_requirements
from mlrecipes.testing import MemoryTracker

N_ROWS = 900
RANDOM = np.random.default_rng(0)
SEX = RANDOM.choice(["F", "M"], N_ROWS, p=[0.7, 0.3])
X = RANDOM.normal(size=N_ROWS)
# The scores of men say nothing of them.
CHANCE = np.where(SEX == "F", 1 / (1 + np.exp(-3 * X)), 0.5)
LOANS = pd.DataFrame(
    {
        "x": X,
        "sex": SEX,
        "age": RANDOM.integers(20, 70, N_ROWS).astype(float),
        "bad": (RANDOM.random(N_ROWS) < CHANCE).astype(int),
    }
)
BINARY = {"recipe": "classification/v1", "target_col": "bad", "positive_class": 1}
Made = Callable[..., tuple[StepResult, Context]]


@pytest.fixture
def evaluate(context: Callable[..., Context], tracker: MemoryTracker, tmp_path: Path) -> Made:
    def call(
        estimator: Any, frame: pd.DataFrame = LOANS, features: str = "x", **keys: Any
    ) -> tuple[StepResult, Context]:
        target = keys.get("target_col", "bad")
        pipeline = Pipeline([("transformer", "passthrough"), ("estimator", estimator)])
        pipeline.fit(frame[[features]], frame[target])
        run_id = tracker.start_run({}).run_id
        path = tmp_path / run_id
        described = ModelDescription("binary", requirements=model_requirements([]))
        MlflowModels().save(pipeline, described, frame[[features]].head(), path)
        inputs = Inputs(
            path,
            {"run_id": run_id},
            frame[:300],
            frame[300:600],
            frame[600:],
        )
        hidden = [name for name in ("sex", "age") if name not in keys.get("protected_cols", ())]
        settings = {"n_resamples": 50, "min_slice_rows": 50, **keys.pop("evaluate", {})}
        made = context(steps={"evaluate": settings}, ignore_cols=hidden, **{**BINARY, **keys})
        return run(inputs, made), made

    return call


def table_of(result: StepResult, title: str) -> Table:
    (section,) = [s for s in result.sections if s.title == title]
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    return table


def test_each_metric_has_an_interval_and_its_number_of_rows(
    evaluate: Made, tracker: MemoryTracker
) -> None:
    evaluation = evaluate(LogisticRegression())[0].outputs["evaluation"]
    assert evaluation["confidence"] == 0.95
    for name in ("roc_auc", "gini", "ks", "brier_score", "calibration_slope", "f1_score"):
        found = evaluation["intervals"][name]
        assert found["low"] < found["value"] < found["high"], name
        assert found["value"] == evaluation["metrics"][f"test_{name}"]
        assert found["n_rows"] == 300
    logged = tracker.runs["run-1"].metrics
    assert logged["test_f1_score_low"] < logged["test_f1_score"] < logged["test_f1_score_high"]
    assert "test_ks_low" not in logged
    assert json.loads(tracker.runs["run-1"].artifacts["evaluate/evaluation.json"]) == evaluation


def test_a_model_that_fails_one_group_is_rejected_and_register_names_it(evaluate: Made) -> None:
    criterion = {"metric": "roc_auc", "threshold": 0.65, "slice": "sex"}
    settings = {"slices": ["age >= 60"], "validation_criteria": [criterion]}
    result, context = evaluate(LogisticRegression(), evaluate=settings)
    evaluation = result.outputs["evaluation"]
    assert evaluation["status"] == "REJECTED"
    passed = {check["slice"]: check["is_passed"] for check in evaluation["checks"]}
    assert passed == {"sex = F": True, "sex = M": False}
    found = {(s["slice"], s["value"]): s for s in evaluation["slices"]}
    assert found.keys() == {("age >= 60", "true"), ("sex", "F"), ("sex", "M")}
    auc = found["sex", "M"]["metrics"]["roc_auc"]
    assert auc["low"] < auc["value"] < auc["high"]
    with pytest.raises(GateRejected, match=r"test_roc_auc of sex = M \(n = \d+\) 0.\d+ < 0.65"):
        register(RegisterInputs({"run_id": "run-1"}, evaluation), context)


def test_the_worst_slice_stands_first_and_a_small_one_is_not_judged(evaluate: Made) -> None:
    settings = {"slices": ["sex", "age > 67"]}
    result, _ = evaluate(LogisticRegression(), evaluate=settings, primary_metric="roc_auc")
    rows = table_of(result, "Slices (Test)").rows
    assert [row[0] for row in rows] == ["sex = M", "sex = F", "age > 67"]
    assert rows[2][2] == "too few rows"


def test_a_slice_that_does_not_fit_the_data_is_told_with_its_place(evaluate: Made) -> None:
    with pytest.raises(DataError, match=r"recipe.yaml \(steps.evaluate\): .* names 'sexx'"):
        evaluate(LogisticRegression(), evaluate={"slices": ["sexx"]})


def test_protected_groups_are_compared_at_the_policy_cut_off(evaluate: Made) -> None:
    settings = {"cut_off": 0.3, "selects": "below"}
    result, _ = evaluate(LogisticRegression(), evaluate=settings, protected_cols=["sex", "age"])
    found = {(f["attribute"], f["value"]): f for f in result.outputs["evaluation"]["fairness"]}
    assert [attribute for attribute, _ in found] == ["sex", "sex", *["age"] * 4]
    rates = {value: found["sex", value]["selection_rate"] for value in "FM"}
    best = max(rates, key=lambda value: rates[value])
    assert found["sex", best]["impact_ratio"]["value"] == 1
    assert found["sex", best]["tpr_gap"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    other = found["sex", "F" if best == "M" else "M"]
    ratio = other["impact_ratio"]
    assert ratio["value"] == pytest.approx(min(rates.values()) / max(rates.values()))
    assert ratio["low"] < ratio["value"] < ratio["high"]
    assert other["is_signal"] == (ratio["value"] < 0.8)


def test_a_leak_warns_or_stops(evaluate: Made) -> None:
    leaky = LOANS.assign(x=LOANS["bad"] * 2.0)
    criterion = {"metric": "roc_auc", "threshold": 0.5}
    settings: dict[str, Any] = {"validation_criteria": [criterion]}
    result, _ = evaluate(LogisticRegression(), leaky, evaluate=settings)
    evaluation = result.outputs["evaluation"]
    assert evaluation["status"] == "VALIDATED"
    assert evaluation["leakage"][0]["code"] == "MLR101"
    assert table_of(result, "Leakage").rows[0][:3] == ("MLR101", "error", "x")
    stopped, context = evaluate(
        LogisticRegression(), leaky, evaluate=settings | {"leakage": "stop"}
    )
    assert stopped.outputs["evaluation"]["status"] == "REJECTED"
    with pytest.raises(GateRejected, match=r"'x' alone has an AUC of 1.000 .*steps.evaluate.leak"):
        register(RegisterInputs({"run_id": "run-1"}, stopped.outputs["evaluation"]), context)
    off, _ = evaluate(LogisticRegression(), leaky, evaluate=settings | {"leakage": "off"})
    assert off.outputs["evaluation"]["leakage"] == []


def test_contributions_are_read_from_lightgbm(evaluate: Made) -> None:
    result, _ = evaluate(LGBMClassifier(n_estimators=5, verbosity=-1, n_jobs=1))
    assert result.outputs["evaluation"]["importance"] == [{"feature": "x", "share": 1.0}]


def test_bands_of_a_regression_hold_about_what_they_say(evaluate: Made) -> None:
    frame = LOANS.assign(y=LOANS["x"] + RANDOM.normal(size=N_ROWS))
    regression = {"recipe": "regression/v1", "target_col": "y", "positive_class": None}
    result, _ = evaluate(
        LinearRegression(), frame.drop(columns="bad"), **regression, evaluate={"slices": ["sex"]}
    )
    intervals = result.outputs["evaluation"]["intervals"]
    assert 0.7 < intervals["coverage_80"]["value"] < 0.9
    assert intervals["coverage_80"]["value"] < intervals["coverage_95"]["value"]
    assert len(result.outputs["evaluation"]["slices"]) == 2


def test_a_metric_of_the_user_has_an_interval_and_gets_the_columns_that_it_asks_for(
    evaluate: Made, context: Callable[..., Context]
) -> None:
    def cost(predictions: pd.Series, targets: pd.Series, x: pd.Series, metrics: Any) -> float:
        assert metrics["example_count"] == len(x) == len(targets)
        assert metrics["score"] == metrics["accuracy_score"]
        return float(((predictions != targets) * x.abs()).mean())

    named = [{"name": "cost", "function": "cost", "greater_is_better": False}]
    functions = {"custom_metrics[0].function": cost}
    result, _ = evaluate(LogisticRegression(), custom_metrics=named, functions=functions)
    found = result.outputs["evaluation"]["intervals"]["cost"]
    assert found["low"] < found["value"] < found["high"]
