"""Each notebook runs in a copy of the project, as in Jupyter and as on Databricks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.copies import copy_of_project
from tests.dbutils import DBUtils
from tests.notebooks.executing import Executed, execute

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
COPIED = (
    "recipe.yaml",
    "model_card.yaml",
    "profiles",
    "steps",
    "features",
    "expectations",
    "src",
    "notebooks",
)
N_APPLICANTS = 1500
TITLES = ("split", "train", "evaluate", "promote")
TABLES = (
    "applications",
    "bureau_credits",
    "bureau_months",
    "credit_cards",
    "installments",
    "pos_cash",
    "previous_applications",
)
Passes = tuple[Executed, Executed]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh clone, as far as it matters; the notebooks work in it one after the other."""
    target = copy_of_project(tmp_path_factory.mktemp("home") / "my project", *COPIED)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)  # a notebook finds the engine by itself
        patch.setenv("MLRECIPES_PROFILE", "local")
        patch.setenv("APPLICANTS", str(N_APPLICANTS))
        yield target


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> DBUtils:
    """``dbutils`` with what a person chose in the widgets."""
    given = {"profile": "local", "applicants": str(N_APPLICANTS)}
    secrets = {"mlflow": {"token": "not-to-be-shown"}}
    return DBUtils(tmp_path_factory.mktemp("dbfs"), widgets=given, secrets=secrets)


@pytest.fixture(scope="module")
def steps(project: Path, chosen: DBUtils) -> Passes:
    facts = """{
        "root": str(ROOT),
        "engine": sys.modules["mlrecipes"].__file__,
        "profile": profile,
        "sizes": {name: len(part) for name, part in parts.items()},
        "auc": measured.loc["roc_auc", ["value", "low", "high"]].to_dict(),
        "outcomes": {outcome.step: outcome.action for outcome in outcomes},
        "why": {decision.step: decision.because for decision in deeper.plan()},
        "plan": sorted({decision.action for decision in recipe.plan()}),
    }"""
    return execute(project / "notebooks" / "1_step_by_step.ipynb", chosen, facts)


@pytest.fixture(scope="module")
def features(project: Path, chosen: DBUtils, steps: Passes) -> Passes:
    assert steps
    facts = """{
        "profile": profile,
        "tables": tables.to_dict("index"),
        "strongest": list(strongest),
        "missing": missing.describe()[["min", "max"]].to_dict(),
        "twins": pairs,
        "importance": importance.to_dict(),
    }"""
    return execute(project / "notebooks" / "2_features.ipynb", chosen, facts)


@pytest.fixture(scope="module")
def comparison(project: Path, chosen: DBUtils, steps: Passes) -> Passes:
    assert steps
    facts = """{
        "profile": profile,
        "versions": {name: str(version.version) for name, version in versions.items()},
        "depths": {name: run.data.params["max_depth"] for name, run in runs.items()},
        "auc": {name: measured[name].loc["roc_auc"].to_dict() for name in versions},
        "decision": decision,
        "ledger": ledger["move"].to_dict(),
        "scores": scores.describe().to_dict(),
        "granted": int(swapped["size"].sum()),
        "reasons": sorted(set(reasons["reason_1"])),
    }"""
    return execute(project / "notebooks" / "3_model_comparison.ipynb", chosen, facts)


@pytest.fixture(scope="module")
def monitoring(project: Path, chosen: DBUtils, comparison: Passes) -> Passes:
    assert comparison
    facts = """{
        "profile": profile,
        "batch": batch,
        "history": history["count"].to_list(),
        "gaps": gaps.loc[order].head(10).to_dict("index"),
        "n_gaps": len(gaps),
        "shift": shift["moved by"].to_dict(),
        "refused": refused,
        "unmet": [one["kwargs"]["column"] for one in unmet],
        "verdict": {"status": verdict["status"], "rows": window["rows"]},
        "drifted": list(drifts["column"]),
        "estimated": {one["metric"]: one["value"] for one in window["performance"]},
    }"""
    return execute(project / "notebooks" / "4_monitoring.ipynb", chosen, facts)


# ---- 1. step by step -----------------------------------------------------------------------------


def test_the_engine_is_that_of_the_notebooks_own_checkout(project: Path, steps: Passes) -> None:
    for executed in steps:
        assert executed.facts["root"] == str(project)
        assert executed.facts["engine"] == str(project / "src" / "mlrecipes" / "__init__.py")


def test_step_by_step_tells_what_the_recipe_found(steps: Passes) -> None:
    for executed in steps:
        facts = executed.facts
        assert sum(facts["sizes"].values()) == N_APPLICANTS
        assert 0.6 < facts["auc"]["low"] < facts["auc"]["value"] < facts["auc"]["high"] < 0.95
        assert f"test_roc_auc {facts['auc']['value']:.4f}" in executed.text
        assert "IProgress" not in executed.text


def test_each_step_ran_once_and_then_was_kept(steps: Passes) -> None:
    first, second = steps
    assert first.facts["outcomes"]["promote"] == "run"
    assert set(second.facts["outcomes"].values()) == {"cached"}
    assert first.text.count("train          started") == 1
    assert "train          started" not in second.text


def test_the_plan_tells_what_a_deeper_model_would_cost(steps: Passes) -> None:
    for executed in steps:
        why = executed.facts["why"]
        assert why["transform"] == "nothing changed"
        assert why["train"] == "steps.train.estimator_params.max_depth 4 → 8"
        assert executed.facts["plan"] == ["cached"]


def test_cards_are_shown_in_place(steps: Passes) -> None:
    for executed in steps:
        for card, title in zip(executed.cards, TITLES, strict=True):
            assert f"<title>{title}@my project</title>" in card


def test_widgets_choose_the_profile(steps: Passes) -> None:
    """The environment names a profile that does not exist when there are widgets."""
    assert [executed.facts["profile"] for executed in steps] == ["local", "local"]


# ---- 2. features ---------------------------------------------------------------------------------


def test_features_are_those_of_the_store(project: Path, features: Passes) -> None:
    folder = project / ".mlrecipes" / "feature_tables"
    n_rows = {name: DeltaTable(folder / name).to_pyarrow_dataset().count_rows() for name in TABLES}
    for executed in features:
        tables = executed.facts["tables"]
        assert {name: table["rows"] for name, table in tables.items()} == n_rows
        assert tables["applications"]["known of training"] == 1.0
        # As in the Home Credit data: 30% of those to learn from have a monthly history at the
        # bureau, and 87% of those to score.
        assert tables["bureau_months"]["known of training"] == pytest.approx(0.30, abs=0.05)
        assert tables["bureau_months"]["known of scoring"] == pytest.approx(0.87, abs=0.07)


def test_the_external_scores_tell_most_and_twins_are_found(features: Passes) -> None:
    for executed in features:
        facts = executed.facts
        assert any(name.startswith("EXT_SOURCE") for name in facts["strongest"][:3])
        assert ["APARTMENTS_AVG", "APARTMENTS_MEDI"] in facts["twins"]
        assert facts["missing"]["min"] == 0.0
        assert 0.9 < facts["missing"]["max"] < 1.0
        assert 0 < sum(facts["importance"].values()) < 1
        assert len(executed.shown("image/png")) == 3


# ---- 3. model comparison -------------------------------------------------------------------------


def test_the_second_version_is_compared_with_the_first(comparison: Passes) -> None:
    for executed in comparison:
        facts = executed.facts
        assert facts["versions"] == {"first": "1", "second": "2"}
        assert facts["depths"] == {"first": "4", "second": "1"}
        for auc in facts["auc"].values():
            assert 0.6 < auc["low"] < auc["value"] < auc["high"] < 0.95
        assert all(0 < scores["min"] < scores["max"] < 1 for scores in facts["scores"].values())
        assert facts["granted"] == facts["scores"]["first"]["count"]
        assert any(reason.startswith(("EXT_SOURCE", "INST")) for reason in facts["reasons"])
        assert len(executed.shown("image/png")) == 2


def test_the_decision_is_the_ledgers_and_tells_the_difference(comparison: Passes) -> None:
    for executed in comparison:
        decision = executed.facts["decision"]
        assert decision["outcome"] == "inconclusive"
        assert f"inconclusive - {decision['reasons'][0]}" in executed.text
        auc = executed.facts["auc"]
        difference = auc["second"]["value"] - auc["first"]["value"]
        assert f"difference of roc_auc {difference:+.4f}" in decision["reasons"][0]
        assert "<title>promote@my project</title>" in executed.cards[0]
    assert list(comparison[0].facts["ledger"].values()) == ["first", "decision"]
    assert list(comparison[1].facts["ledger"].values()) == ["first", "decision", "decision"]


# ---- 4. monitoring -------------------------------------------------------------------------------


def test_the_batch_is_written_once_and_read_again(project: Path, monitoring: Passes) -> None:
    first, second = (executed.facts["batch"] for executed in monitoring)
    assert first["became"].startswith("appended to ")
    assert second["became"].startswith("already written to ")
    n_rows = len(DeltaTable(project / "predictions").to_pandas())
    assert [executed.facts["history"] for executed in monitoring] == [[n_rows], [n_rows]]
    assert first["rows"] == n_rows


def test_the_gap_that_training_had_and_the_batch_has_not_is_on_top(monitoring: Passes) -> None:
    for executed in monitoring:
        facts = executed.facts
        assert facts["n_gaps"] == 511
        assert all(name.startswith("BUREAU_MONTHS_") for name in facts["gaps"])
        assert all(gap["batch"] < gap["training"] - 0.4 for gap in facts["gaps"].values())
        assert 0 < len(facts["shift"]) < 100


def test_the_batch_is_judged_beside_the_test_part(project: Path, monitoring: Passes) -> None:
    for executed in monitoring:
        facts = executed.facts
        assert set(facts["refused"]) == {"test part", facts["batch"]["batch_id"]}
        assert all(0.05 < share < 0.6 for share in facts["refused"].values())
        quality = project / ".mlrecipes" / "cards" / "local" / "predict.json"
        told = " ".join(json.loads(quality.read_text(encoding="utf-8"))["warnings"])
        assert all(column in told for column in facts["unmet"][:1])


def test_the_verdict_is_that_of_monitor_with_its_card(project: Path, monitoring: Passes) -> None:
    for executed in monitoring:
        facts = executed.facts
        assert facts["verdict"] == {"status": "no alert", "rows": facts["batch"]["rows"]}
        assert f"no alert: {len(facts['drifted'])} columns drifted" in executed.text
        assert any(name.startswith("BUREAU_MONTHS_") for name in facts["drifted"])
        assert 0.0 < facts["estimated"].get("event_rate", 0.08) < 0.3
        titles = [f"<title>{step}@my project</title>" for step in ("predict", "monitor")]
        assert [title in card for card, title in zip(executed.cards, titles, strict=True)] == [
            True,
            True,
        ]
    assert (project / "monitoring" / "drift").is_dir()


# ---- as on Databricks ----------------------------------------------------------------------------


def test_a_secret_that_a_cell_prints_is_not_in_the_notebook(steps: Passes) -> None:
    _, on_databricks = steps
    assert "a secret: [REDACTED]" in on_databricks.text
    assert not any("not-to-be-shown" in executed.text for executed in steps)
