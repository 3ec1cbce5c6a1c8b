"""A branch beside the one that it goes into: what a reviewer must know."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from mlrecipes import Recipe, RecipeError
from mlrecipes.cli import cli
from mlrecipes.comparing import Comparison
from tests.conftest import CLASSIFICATION, write_project


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_project(tmp_path_factory.mktemp("base") / "houses", CLASSIFICATION)
    Recipe(profile="local", root=root).run("evaluate")
    return root


@pytest.fixture(scope="module")
def branch(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Larger flats, another split, and a threshold out of reach."""
    root = tmp_path_factory.mktemp("branch") / "houses"
    shutil.copytree(base, root, ignore=shutil.ignore_patterns(".mlrecipes", "mlflow.db*", "ml*"))
    recipe = root / "recipe.yaml"
    text = recipe.read_text()
    text = text.replace("using: stratified", "using: stratified, split_ratios: [0.6, 0.2, 0.2]")
    recipe.write_text(text.replace("threshold: {{ MIN_AUC }}", "threshold: 0.9999"))
    frame = pd.read_csv(root / "houses.csv")
    frame["area"] += 60
    frame.to_csv(root / "houses.csv", index=False)
    Recipe(profile="local", root=root).run("evaluate")
    return root


@pytest.fixture(scope="module")
def found(base: Path, branch: Path) -> Comparison:
    return Recipe("local", root=branch).compare(Recipe("local", root=base))


def rows(found: Comparison, title: str) -> list[tuple[object, ...]]:
    (section,) = (section for section in found.sections if section.title == title)
    return [row for block in section.blocks for row in getattr(block, "rows", ())]


def test_a_missed_gate_is_the_first_thing_that_is_said(found: Comparison) -> None:
    assert not found.is_validated
    assert found.summary[0].startswith("REJECTED here, VALIDATED in the base. f1_score ")
    ((metric, where, bound, _before, _after, said),) = rows(found, "Gates")
    assert (metric, where, bound, said) == ("roc_auc", "all rows", "≥ 0.9999", "MISSED")


def test_metrics_are_those_of_both_evaluations(found: Comparison, base: Path, branch: Path) -> None:
    values = [
        Recipe("local", root=root).get_artifact("evaluation")["metrics"]["test_roc_auc"]
        for root in (base, branch)
    ]
    (row,) = [row for row in rows(found, "Metrics on the test part") if row[0] == "roc_auc"]
    assert row[1:4] == (*(f"{value:.4f}" for value in values), f"{values[1] - values[0]:+.4f}")


def test_the_changed_setting_is_named(found: Comparison) -> None:
    changed = [f"{step}: {what}" for step, what in rows(found, "What changed")]
    assert any(line.startswith("split: steps.split.split_ratios") for line in changed)
    assert any(line.startswith("evaluate: ") and "0.9999" in line for line in changed)
    assert not any("tracking_uri" in line for line in changed)


def test_the_shifted_feature_has_drifted_and_no_other(found: Comparison) -> None:
    assert found.has_drift
    drifted = {row[0] for row in rows(found, "Drift against the base")}
    assert "area" in drifted
    assert "rooms" not in drifted


def test_a_branch_that_changes_nothing_has_no_drift(base: Path, tmp_path: Path) -> None:
    twin = shutil.copytree(base, tmp_path / "houses")
    same = Recipe("local", root=twin).compare(Recipe("local", root=base))
    assert (same.is_validated, same.has_drift) == (True, False)
    assert rows(same, "What changed") == []
    assert rows(same, "Drift against the base") == []


def test_the_command_writes_markdown(base: Path, branch: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    command = ["compare", str(base), "--recipe", str(branch), "--markdown", str(report)]
    done = CliRunner().invoke(cli, command, catch_exceptions=False)
    assert done.exit_code == 0
    assert "Drift against the base: " in done.output
    text = report.read_text()
    assert text.startswith("# Model report: houses, profile local\n")
    assert "| roc_auc | all rows | ≥ 0.9999 |" in text


def test_a_base_without_results_gets_the_command(branch: Path, tmp_path: Path) -> None:
    fresh = write_project(tmp_path / "fresh", CLASSIFICATION)
    with pytest.raises(RecipeError, match="has no evaluation with profile local") as failed:
        Recipe("local", root=branch).compare(Recipe("local", root=fresh))
    assert "mlrecipes run --to evaluate" in str(failed.value)


def test_a_recipe_is_not_compared_with_itself(base: Path) -> None:
    recipe = Recipe("local", root=base)
    with pytest.raises(RecipeError, match="is this very recipe"):
        recipe.compare(recipe)
