"""Both recipes on real rows, through the command line, without a change of code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.copies import copy_of_project

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
needs_real_rows = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real rows lie beside the project, in ../shared/data"
)


def evaluation(root: Path, data: Path) -> dict[str, float]:
    """Run a recipe up to its evaluation and give the metrics."""
    words = ["run", "--recipe", str(root), "--to", "evaluate", "--set", f"DATA={data}"]
    done = subprocess.run(
        [sys.executable, str(ROOT / "src" / "launch.py"), *words],
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = next((root / ".mlrecipes" / "objects").glob("evaluate-*/evaluation.json"))
    metrics: dict[str, float] = json.loads(result.read_text())["metrics"]
    return metrics


@needs_real_rows
def test_home_credit_runs_on_real_applicants(tmp_path: Path) -> None:
    root = copy_of_project(tmp_path / "home credit", "recipe.yaml", "profiles", "steps", "features")
    metrics = evaluation(root, DATA / "home_credit")
    # 5,000 rows: one part's AUC swings by some hundredths around the published .75
    assert 0.65 < metrics["test_roc_auc"] < 0.85
    assert metrics["test_gini"] == pytest.approx(2 * metrics["test_roc_auc"] - 1)


@needs_real_rows
def test_loss_given_default_runs_on_a_sample_of_real_loans(tmp_path: Path) -> None:
    source = ROOT / "recipes" / "loss_given_default"
    root = copy_of_project(tmp_path / "lgd", "recipe.yaml", "profiles", "steps", source=source)
    copy_of_project(tmp_path, "sba_loans", source=ROOT / "recipes")
    metrics = evaluation(root, DATA / "sba" / "sba_sample_60k.parquet")
    assert metrics["test_r2_score"] > 0.4
    assert metrics["test_mean_absolute_error"] < 0.16
