"""register writes the model card: the facts of the run beside the words of its owner."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mlrecipes.config.model_card_schema import ModelCardText
from mlrecipes.records import Manifest, Source
from mlrecipes.reports.model_card import render_model_card
from mlrecipes.steps import CardMaterial, Context
from mlrecipes.steps.register import InputsWithCard, run, with_card
from mlrecipes.testing import MemoryRegistry, MemoryTracker

WORDS = ModelCardText(
    purpose="Foresee losses.",
    owner="Ann",
    tier="Low.",
    intended_use="Tests.",
    out_of_scope_use="All else.",
    population="Loans of 2005.",
    limits=["Few rows.", "Old rows."],
    ethical_considerations="None known.",
    monitoring_plan="Each month.",
    approvals="Bob, 2 March.",
    target_meaning="Lost | share.",
)
CHECK = {
    "key": "k",
    "metric": "r2_score",
    "threshold": 0.5,
    "greater_is_better": True,
    "value": 0.4,
    "is_passed": False,
}
PASSED = CHECK | {"value": 0.6, "is_passed": True}
EVALUATION = {
    "status": "VALIDATED",
    "metrics": {"val_r2_score": 0.61, "test_r2_score": 0.6, "test_max_error": None},
    "checks": [PASSED],
}
PART_FACTS = {
    "n_rows": {"test": 20, "training": 100, "validation": 10},
    "n_columns": 7,
    "n_features": 5,
    "n_dropped": {"day is null": 3},
    "how": "",
    "time_col": "day",
    "periods": {"training": ["2001-01-01", "2004-12-31"]},
}
LOOKUP = {"table": "bureau", "version": 4, "keys": {"id": "id"}, "features": {"a": "a"}}
MEASURED = EVALUATION | {
    "checks": [PASSED | {"slice": "region=1", "n_rows": 12}],
    "intervals": {"r2_score": {"value": 0.6, "low": 0.512, "high": 0.688, "n_rows": 20}},
    "confidence": 0.95,
    "slices": [{"slice": "region", "value": 1, "n_rows": 12, "metrics": {"r2_score": 0.55}}],
    "fairness": [
        {
            "attribute": "gender",
            "value": "F",
            "n_rows": 9,
            "selection_rate": 0.3,
            "impact_ratio": {"value": 0.7, "low": 0.6, "high": 0.79},
            "tpr": 0.5,
            "tpr_gap": -0.2,
            "is_signal": True,
        }
    ],
    "leakage": [{"code": "L1", "severity": "warn", "subject": "paid", "message": "knows all"}],
    "importance": [{"feature": "income", "share": 0.75}],
    "cut_off": 0.31,
    "n_rows": 20,
}

Write = Callable[..., str]


@pytest.fixture
def write(
    context: Callable[..., Context], tracker: MemoryTracker, registry: MemoryRegistry
) -> Write:
    """Register a new run with an evaluation; gives the card in Markdown."""

    def make(evaluation: dict[str, Any] = EVALUATION, **more: Any) -> str:
        run_id = tracker.start_run(more.get("tags", {})).run_id
        metrics = {k: v for k, v in evaluation["metrics"].items() if v is not None}
        tracker.log(run_id, params=more.get("params", {"alpha": 1}), metrics=metrics)
        source = Source("loans.csv", 512, "ab" * 32)
        results = {
            "ingest": Manifest("ingest", "", {}, {}, (source, Source("feature-table://bureau"))),
            "train": Manifest("train", "", {"library.pandas": "3.1.1"}, {}),
        }
        material = CardMaterial(WORDS, results, render_model_card, "9.9")
        recipe = {"model_registry": {"model_name": "losses"}} | more.get("recipe", {})
        values = ({"run_id": run_id}, evaluation, PART_FACTS, [LOOKUP])
        quality = more.get("quality", {})
        inputs: InputsWithCard = with_card(quality).inputs(*values, **quality)
        result = run(inputs, replace(context(**recipe), card=material))
        markdown: str = result.outputs["model_card"]
        artifacts = tracker.runs[run_id].artifacts
        assert artifacts["model_card/MODEL_CARD.md"] == markdown
        assert artifacts["model_card/model_card.html"] == result.outputs["model_card_html"]
        return markdown

    return make


def test_the_card_holds_the_words_and_the_facts(write: Write) -> None:
    card = write(tags={"mlflow.source.git.commit": "c0ffee", "estimator_class": "a.Ridge"})
    for line in (
        "# Model card: losses, version 1",
        "Foresee losses.",
        "- Old rows.",
        "Bob, 2 March.",
        "Lost &#124; share.",
        "| commit | c0ffee |",
        "| training | 100 | 2001-01-01 | 2004-12-31 |",
        "| rows left out: day is null | 3 |",
        f"| ingest | loans.csv | 512 | {'ab' * 32} |",
        "| bureau | 4 | 1 | id | – |",
        "| estimator | a.Ridge |",
        "| pandas | 3.1.1 |",
        "| mlrecipes | 9.9 |",
        "| alpha | 1 |",
        "| r2_score | 0.6 | at least 0.5 | – | passed |",
        "| max_error | – | – | not measured |",
        "This is the first version.",
    ):
        assert line in card.splitlines()
    assert "feature-table" not in card


@pytest.mark.parametrize(
    "part",
    ["Slices", "Protected groups", "Leakage checks", "Features by importance", "Data quality"],
)
def test_what_was_not_measured_is_said_to_be_so(write: Write, part: str) -> None:
    assert f"### {part}\n\nnot measured\n" in write()


def test_all_that_was_measured_is_told(write: Write) -> None:
    card = write(MEASURED, recipe={"primary_metric": "r2_score"})
    for line in (
        "| r2_score (primary) | 0.61 | 0.6 | 0.512 to 0.688 |",
        "| r2_score in region=1 | 0.6 | at least 0.5 | 12 | passed |",
        "| region | 1 | 12 | 0.55 |",
        "| gender | F | 9 | 0.3 | 0.7 (0.6 to 0.79) | 0.5 | -0.2 | look at it |",
        "| L1 | warn | paid | knows all |",
        "| income | 0.75 |",
        "| cut-off | 0.31 |",
        "| rows of test | 20 |",
        "> **The leakage checks found 1: see Validation and challenge.**",
    ):
        assert line in card.splitlines()
    assert "95% interval on test" in card


def test_leakage_checks_that_found_nothing_were_still_made(write: Write) -> None:
    card = write(EVALUATION | {"leakage": []})
    assert "### Leakage checks\n\nLooked for; nothing was found." in card
    assert ">" not in card


def test_results_of_expectations_are_told(write: Write) -> None:
    missed = {
        "success": False,
        "expectation_config": {
            "type": "expect_column_values_to_not_be_null",
            "kwargs": {"column": "income"},
            "severity": "warning",
        },
        "result": {"element_count": 100, "unexpected_count": 2},
    }
    suite = {
        "results": [missed, missed | {"success": True}],
        "statistics": {"evaluated_expectations": 2, "successful_expectations": 1},
        "meta": {"table": "the training data", "n_rows": 100, "suite_sha256": "beef"},
    }
    card = write(quality={"data_quality": {"training": suite}, "feature_data_quality": {}})
    assert "| training | the training data | 100 | 2 | 1 | beef |" in card.splitlines()
    told = "| training | expect_column_values_to_not_be_null | income | warning | 2 | 100 |"
    assert card.splitlines().count(told) == 1


@pytest.mark.parametrize(
    ("status", "checks", "why"),
    [
        ("REJECTED", [CHECK], "r2_score is 0.4, at least 0.5 was required"),
        ("REJECTED", [CHECK | {"value": None}], "r2_score is not a finite number, at least"),
        ("UNKNOWN", [], "the recipe has no thresholds"),
    ],
)
def test_a_model_that_passed_no_gate_says_so_first(
    write: Write, status: str, checks: list[Any], why: str
) -> None:
    recipe = {"steps": {"register": {"allow_non_validated_model": True}}}
    card = write(EVALUATION | {"status": status, "checks": checks}, recipe=recipe)
    warning = card.splitlines()[2]
    assert warning.startswith(f"> **NOT VALIDATED. The verdict is {status}: {why}")
    assert "allow_non_validated_model: true" in warning


def test_files_that_no_commit_holds_are_told_of_first(write: Write) -> None:
    assert "no commit holds" in write(tags={"mlrecipes.git.dirty": "true"}).splitlines()[2]


def test_the_version_before_is_compared(write: Write) -> None:
    write(params={"alpha": 1, "kept": 2})
    card = write(
        EVALUATION | {"metrics": {"test_r2_score": 0.7}}, params={"alpha": 3, "kept": 2, "new": 4}
    )
    assert "Version 1 came before, from run run-1." in card
    assert "| test_r2_score | 0.6 | 0.7 |" in card
    assert "| alpha | 1 | 3 |\n| new | – | 4 |" in card
    assert "| kept | 2 | 2 |" not in card


def test_a_version_before_whose_run_is_gone_is_told_so(
    write: Write, tracker: MemoryTracker
) -> None:
    write()
    del tracker.runs["run-1"]
    tracker.start_run({})
    assert "Version 1 came before; its run is gone" in write()


def test_the_version_points_to_its_card(write: Write, registry: MemoryRegistry) -> None:
    write()
    described = registry.descriptions["losses", "1"]
    assert described.startswith("Foresee losses.\n\nVerdict VALIDATED; root_mean_squared_error")
    assert "model_card/MODEL_CARD.md and model_card.html of run run-1" in described


def test_equal_facts_give_equal_bytes(write: Write, tracker: MemoryTracker) -> None:
    first = write(MEASURED)
    again = json.loads(json.dumps(MEASURED, sort_keys=True))
    second = write(again).replace("run-2", "run-1").replace("version 2", "version 1")
    changes = "\n## Changes"
    assert first.partition(changes)[0].replace("| version | 1 |", "") == second.partition(changes)[
        0
    ].replace("| version | 2 |", "")
