"""The demonstration on a sample of real loans: the command of MLproject, then the notebook."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from deltalake import DeltaTable

from tests.copies import copy_of_project
from tests.dbutils import DBUtils
from tests.notebooks.executing import Executed, execute

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT.parent / "shared" / "data" / "sba" / "sba_sample_60k.parquet"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not SAMPLE.is_file(), reason="the sample of real loans is not beside the project"
    ),
]

COPIED = ("recipe.yaml", "profiles", "recipes", "src", "notebooks")
SEEN = {
    *("State", "BankState", "Sector", "RevLineCr", "LowDoc", "Business", "UrbanRural"),
    *("IsFranchise", "NoEmp", "CreateJob", "RetainedJob", "GrAppv", "SBA_Appv"),
}
FACTS = """{
    "seen": seen,
    "known": known,
    "first": first,
    "auc": quarters["AUC"].dropna().to_dict(),
    "defaulted": quarters["defaulted"].dropna().to_dict(),
    "score": quarters["mean score"].to_dict(),
    "guaranteed": quarters["guaranteed 90%"].to_dict(),
}"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    target = copy_of_project(tmp_path_factory.mktemp("loans") / "my project", *COPIED)
    values = target / "recipes" / "sba_default" / "profiles" / "local.yaml"
    # There is less to learn from a fifteenth of the loans.
    values.write_text(f"{values.read_text(encoding='utf-8')}MIN_AUC: 0.6\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        patch.setenv("MLRECIPES_PROFILE", "local")
        patch.setenv("LOANS", str(SAMPLE))
        yield target


@pytest.fixture(scope="module")
def demo(project: Path) -> subprocess.CompletedProcess[str]:
    """What ``mlflow run . -e demo -P data=...`` runs, in this environment."""
    entry = yaml.safe_load((ROOT / "MLproject").read_text(encoding="utf-8"))["entry_points"]["demo"]
    command = entry["command"].format(profile="local", data=shlex.quote(str(SAMPLE)))
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    }
    return subprocess.run(
        ["/bin/bash", "-c", command],  # as MLflow does it
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def notebook(
    project: Path,
    demo: subprocess.CompletedProcess[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Executed, Executed]:
    assert demo.returncode == 0, demo.stdout + demo.stderr
    given = {"profile": "local", "loans": str(SAMPLE)}
    secrets = {"mlflow": {"token": "not-to-be-shown"}}
    dbutils = DBUtils(tmp_path_factory.mktemp("dbfs"), widgets=given, secrets=secrets)
    return execute(project / "notebooks" / "5_sba_loans.ipynb", dbutils, FACTS)


def monitoring(project: Path) -> dict[str, Any]:
    folder = project / "recipes" / "sba_default" / ".mlrecipes" / "objects"
    found = max(folder.glob("monitor-*/monitoring.json"), key=lambda path: path.stat().st_mtime)
    facts: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return facts


def test_one_command_trains_scores_and_ends_with_alerts(
    project: Path, demo: subprocess.CompletedProcess[str]
) -> None:
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "version 1 is champion" in demo.stdout
    facts = monitoring(project)
    assert facts["status"] == "alert"
    names = [window["window"] for window in facts["windows"]]
    assert names == [f"{year}-Q{quarter}" for year in range(2004, 2011) for quarter in range(1, 5)]
    assert all(window["is_asked"] for window in facts["windows"])
    assert min(alert["window"] for alert in facts["alerts"])[:4] in {"2004", "2005"}
    table = DeltaTable(project / "recipes" / "sba_default" / "monitoring" / "alerts").to_pandas()
    assert len(table) == len(facts["alerts"])


def test_the_card_says_when_it_began_and_is_not_green(
    project: Path, demo: subprocess.CompletedProcess[str]
) -> None:
    assert demo.returncode == 0, demo.stderr
    cards = project / "recipes" / "sba_default" / ".mlrecipes" / "cards" / "local"
    card = json.loads((cards / "monitor.json").read_text(encoding="utf-8"))
    assert card["status"] == "alert"
    alerts, trend, _drift, performance = card["sections"][:4]
    assert alerts["blocks"][1]["text"].startswith("First alert: 2004-Q")
    assert "what to do next" in alerts["blocks"][3]["columns"]
    assert trend["blocks"][0]["x_label"] == "window (1: 2004-Q1, 28: 2010-Q4)"
    realised = next(
        line for line in performance["blocks"][0]["series"] if line["name"] == "realised roc_auc"
    )
    known = [value for value in realised["y"] if value is not None]
    assert known[0] > known[-1] + 0.05
    assert '<span class="badge alert">alert</span>' in (cards / "monitor.html").read_text()


def test_no_column_that_is_known_later_reaches_the_model(
    notebook: tuple[Executed, Executed],
) -> None:
    for executed in notebook:
        assert set(executed.facts["seen"]) == SEEN


def test_the_auc_of_real_approvals_falls_and_defaults_rise(
    notebook: tuple[Executed, Executed],
) -> None:
    for executed in notebook:
        auc, rate = executed.facts["auc"], executed.facts["defaulted"]
        years = {
            year: [value for name, value in auc.items() if name.startswith(year)]
            for year in ("2004", "2006", "2009")
        }
        means = {year: sum(values) / len(values) for year, values in years.items()}
        assert means["2004"] > means["2006"] + 0.02 > means["2009"] + 0.04
        assert max(rate.values()) > 2 * rate["2004-Q1"]
        scores = executed.facts["score"]
        assert max(scores.values()) < 0.3 < max(rate.values())


def test_what_could_be_known_on_a_day_is_no_more_than_later(
    notebook: tuple[Executed, Executed],
) -> None:
    for executed in notebook:
        known, first = executed.facts["known"], executed.facts["first"]
        assert first["drift"] == known["2005-01-01"]["drift"] == "2004-Q1"
        assert "performance" not in known["2005-01-01"]
        assert first["performance"] >= first["drift"]


def test_the_guarantee_of_2009_is_in_the_loans(notebook: tuple[Executed, Executed]) -> None:
    for executed in notebook:
        share = executed.facts["guaranteed"]
        assert share["2009-Q3"] > 2 * share["2010-Q3"]
        assert share["2006-Q3"] < 0.1


def test_the_notebook_shows_three_pictures_and_the_card(
    notebook: tuple[Executed, Executed],
) -> None:
    for executed in notebook:
        assert len(executed.shown("image/png")) == 3
        assert "<title>monitor@sba_default</title>" in executed.cards[0]
