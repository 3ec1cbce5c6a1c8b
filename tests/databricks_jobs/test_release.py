"""A release from its tag to the release notes: the workflow's own scripts, and a double.

What needs a real Unity Catalog is replaced in the profile of the tagged commit; Databricks' and
GitHub's command lines are recorded; the recipe runs for real as a job of the double.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

from tests.databricks_jobs.programs import write_programs
from tests.databricks_jobs.workflow import Runner
from tests.databricks_jobs.workspace_double import OIDC_TOKEN, Double, workspace_double

ROOT = Path(__file__).parents[2]
WORKFLOW = Path(".github/workflows/release.yml")
MODEL = "home_credit_prod.credit_risk.home_credit_default"
EXPERIMENT = "/Shared/home_credit_prod"
PROFILE, JOBS = "profiles/databricks_prod.yaml", "profiles/databricks_prod.jobs.json"
CLUSTER = {"spark_version": "17.3.x-scala2.13", "node_type_id": "m5.2xlarge", "num_workers": 0}
BRIER = "threshold: 0.08"
PACKAGES = ("lightgbm", "mlflow", "pandas")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (ROOT / WORKFLOW).is_file(), reason="no workflow of a release yet"),
]


@dataclass
class Releases:
    """A repository, and where its releases go."""

    root: Path
    origin: Path
    double: Double

    def commit(self, tag: str, **values: object) -> None:
        """Change values of the profile and tag that."""
        profile = self.origin / PROFILE
        content = yaml.safe_load(profile.read_text()) | values
        given = {name: value for name, value in content.items() if value is not None}
        # Volumes of the double are folders, for each job the same.
        text = yaml.safe_dump(given).replace(" /Volumes/", f" {self.root}/Volumes/")
        profile.write_text(text)
        who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"]
        for command in (["add", "."], [*who, "commit", "-q", "-m", tag], ["tag", tag]):
            subprocess.run(["git", *command], cwd=self.origin, check=True)  # noqa: S607

    def release(self, tag: str) -> tuple[Runner, str, list[list[str]]]:
        """Push a tag: who ran it, the step that failed, and what programs were told."""
        folder, record = self.root / tag, self.root / f"{tag}.jsonl"
        folder.mkdir()
        runner = Runner(
            self.origin,
            tag,
            folder,
            write_programs(self.root / f"programs-{tag}", record),
            known={
                "vars.DATABRICKS_HOST": self.double.address,
                "vars.DATABRICKS_CLIENT_ID": "client-of-the-workflow",
                "github.token": "token-of-github",
            },
            environment={
                "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.double.address}/github/id-token?v=1",
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "token-of-the-request",
            },
        )
        failed = runner.run(ROOT / WORKFLOW)
        return runner, failed, [json.loads(line) for line in record.read_text().splitlines()]

    def client(self) -> MlflowClient:
        return MlflowClient(self.double.mlflow, self.double.mlflow)


@pytest.fixture(scope="module")
def releases(
    tmp_path_factory: pytest.TempPathFactory, whole_project: Path, mlflow_address: str
) -> Iterator[Releases]:
    root = tmp_path_factory.mktemp("release")
    subprocess.run(["git", "init", "-q"], cwd=whole_project, check=True)  # noqa: S607
    with workspace_double(root, mlflow_address) as double:
        releases = Releases(root, whole_project, double)
        # On Databricks the workspace holds the artifacts of an experiment.
        place = (root / "artifacts").as_uri()
        releases.client().create_experiment(EXPERIMENT, artifact_location=place)
        jobs = json.loads((whole_project / JOBS).read_text()) | {"poll_s": 1}
        (whole_project / JOBS).write_text(json.dumps(jobs))
        pins = "".join(f"{name}=={version(name)}\n" for name in PACKAGES)
        (whole_project / jobs["requirements"]).write_text(pins)
        recipe = whole_project / "recipe.yaml"
        text = recipe.read_text()
        assert BRIER in text
        recipe.write_text(text.replace(BRIER, "threshold: 0.2"))  # for few applicants
        # Four rows in ten to test on, so that there are enough women among them.
        few = {"APPLICANTS": 700, "SPLIT_RATIOS": [0.4, 0.2, 0.4]}
        lenient = {"MIN_ROC_AUC": 0.5, "MIN_SLICE_ROC_AUC": 0.3}
        releases.commit(
            "v0.0.1",
            DATA="synthetic",
            FEATURE_STORE="local",
            FEATURE_LOCATION=str(root / "feature_tables"),
            SCHEMA=None,
            REGISTRY_URI=mlflow_address,
            PREDICTIONS_USING="delta",
            PREDICTIONS="predictions",
            WORKSPACE=None,
            **few,
            **lenient,
        )
        yield releases


@pytest.fixture(scope="module")
def released(releases: Releases) -> tuple[Runner, str, list[list[str]]]:
    return releases.release("v0.0.1")


def test_a_tag_goes_all_the_way(released: tuple[Runner, str, list[list[str]]]) -> None:
    runner, failed, _told = released
    assert failed == "", runner.said.get(failed, "")[-6000:]
    jobs = list(dict.fromkeys(job for job, _step in runner.done))
    assert jobs == ["test", "deploy", "run", "notes"]


def test_the_bundle_is_deployed_and_its_jobs_run_in_order(
    released: tuple[Runner, str, list[list[str]]],
) -> None:
    _runner, _failed, told = released
    bundle = [" ".join(words[1:]) for words in told if words[0] == "databricks"]
    assert bundle == [
        "bundle validate -t prod --strict",
        "bundle deploy -t prod",
        "bundle run setup -t prod",
        "bundle run external_features -t prod",
        "bundle run training -t prod",
    ]


def test_the_recipe_ran_as_a_job_and_its_model_is_champion(
    releases: Releases, released: tuple[Runner, str, list[list[str]]]
) -> None:
    assert released[1] == ""
    assert [job.state["result_state"] for job in releases.double.jobs.values()][:1] == ["SUCCESS"]
    champion = releases.client().get_model_version_by_alias(MODEL, "champion")
    assert champion.version == "1"
    assert champion.tags["validation_status"] == "VALIDATED"
    (request,) = [json.loads(body) for body in releases.double.calls("runs/submit")][:1]
    spec = request["environments"][0]["spec"]
    assert spec["dependencies"][0].startswith("-r /Volumes/home_credit_prod/credit_risk/jobs/")


def test_the_notes_say_what_was_decided(
    released: tuple[Runner, str, list[list[str]]],
) -> None:
    runner, _failed, told = released
    (release,) = [words for words in told if words[0] == "gh"]
    assert release[1:4] == ["release", "create", "v0.0.1"]
    notes = (runner.folder / "notes" / "notes.md").read_text()
    assert "Version 1: **first**. there is no champion yet" in notes


def test_the_workflow_signs_in_without_a_secret(
    releases: Releases, released: tuple[Runner, str, list[list[str]]]
) -> None:
    """By GitHub's own token, exchanged at the workspace; no other is in any body."""
    assert released[1] == ""
    assert f"Bearer {OIDC_TOKEN}" in releases.double.headers
    exchanged = releases.double.calls("/oidc/v1/token")
    assert b"client-of-the-workflow" in exchanged[0]
    bodies = b"".join(
        body for _method, path, body in releases.double.seen if not path.startswith("/oidc/")
    )
    assert OIDC_TOKEN.encode() not in bodies
    assert "secrets." not in (ROOT / WORKFLOW).read_text()


def test_a_training_that_fails_stops_the_release(
    releases: Releases, released: tuple[Runner, str, list[list[str]]]
) -> None:
    assert released[1] == ""
    jobs = json.loads((releases.origin / JOBS).read_text())
    del jobs["serverless"]  # and on a cluster this time
    (releases.origin / JOBS).write_text(json.dumps(jobs | {"new_cluster": CLUSTER}))
    releases.commit("v0.0.2", MIN_ROC_AUC=0.9999)
    runner, failed, told = releases.release("v0.0.2")
    assert failed == "Run"
    assert "the model was rejected. Nothing was registered." in runner.said["Run"]
    assert f"{releases.double.address}/jobs/runs/2" in runner.said["Run"]
    (task,) = json.loads(releases.double.calls("runs/submit")[-1])["tasks"]
    assert task["new_cluster"] == CLUSTER
    assert "notes" not in {job for job, _step in runner.done}
    assert [words for words in told if words[0] == "gh"] == []
    versions = releases.client().search_model_versions(f"name='{MODEL}'")
    assert [each.version for each in versions] == ["1"]
    assert releases.client().get_model_version_by_alias(MODEL, "champion").version == "1"


def test_an_unknown_job_of_the_bundle_would_stop_it_too(
    releases: Releases, released: tuple[Runner, str, list[list[str]]]
) -> None:
    runner, _failed, _told = released
    done = subprocess.run(
        [runner.programs / "databricks", "bundle", "run", "trainig", "-t", "prod"],
        cwd=runner.folder / "deploy",
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "trainig: no such job" in done.stderr
