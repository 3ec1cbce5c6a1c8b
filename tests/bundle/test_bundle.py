"""The bundle holds together in each target, and each way to break it is noticed."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bundle.checks import problems_of
from tests.bundle.loading import (
    CLUSTER,
    MAIN,
    SERVERLESS,
    Bundle,
    load_bundle,
    on_cluster,
    read_files,
    targets_of,
)

ROOT = Path(__file__).parents[2]
FILES = read_files(ROOT)
TRAINING, CATALOG = "resources/training.yml", "resources/catalog.yml"
both_computes = pytest.mark.parametrize(
    "files", [FILES, on_cluster(FILES)], ids=["serverless", "cluster"]
)
each_target = pytest.mark.parametrize("target", ["dev", "prod"])


def job(bundle: Bundle, key: str) -> dict[str, Any]:
    return bundle.resources("jobs")[key]


def test_these_are_the_targets_and_jobs() -> None:
    assert targets_of(FILES) == ["dev", "prod"]
    jobs = {"setup", "external_features", "training", "scoring", "monitoring"}
    assert set(load_bundle(FILES, "dev").resources("jobs")) == jobs


@both_computes
def test_nothing_is_wrong(files: dict[str, str]) -> None:
    assert problems_of(files, ROOT) == []


def test_the_command_says_so() -> None:
    command = [sys.executable, "-m", "tests.bundle"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "no problems in any target" in done.stdout


@each_target
def test_training_goes_from_features_to_monitoring(target: str) -> None:
    tasks = job(load_bundle(FILES, target), "training")["tasks"]
    order = ["features", "train", "evaluate", "register", "promote", "monitor"]
    assert [task["task_key"] for task in tasks] == order
    assert [task.get("depends_on") for task in tasks[1:]] == [
        [{"task_key": name}] for name in order[:-1]
    ]


@each_target
def test_tasks_are_serverless_or_share_one_cluster(target: str) -> None:
    serverless, cluster = load_bundle(FILES, target), load_bundle(on_cluster(FILES), target)
    assert {task["environment_key"] for _place, _key, task in serverless.tasks()} == {"default"}
    assert {task["job_cluster_key"] for _place, _key, task in cluster.tasks()} == {"shared"}
    assert all(len(job(cluster, key)["job_clusters"]) == 1 for key in cluster.resources("jobs"))


def test_schedules_rest_in_dev_and_run_in_prod() -> None:
    status = {
        (target, key): one["schedule"]["pause_status"]
        for target in ("dev", "prod")
        for key, one in load_bundle(FILES, target).resources("jobs").items()
        if "schedule" in one
    }
    assert status == {
        ("dev", "scoring"): "PAUSED",
        ("dev", "monitoring"): "PAUSED",
        ("prod", "scoring"): "UNPAUSED",
        ("prod", "monitoring"): "UNPAUSED",
    }


def test_production_is_run_by_its_service_principal_and_kept() -> None:
    prod = load_bundle(FILES, "prod")
    principal = prod.content["target"]["run_as"]["service_principal_name"]
    assert prod.content["target"]["mode"] == "production"
    assert {"service_principal_name": principal, "level": "CAN_MANAGE"} in (
        prod.content["target"]["permissions"]
    )
    kept = [
        one.get("lifecycle")
        for kind in ("schemas", "volumes", "experiments", "registered_models")
        for one in prod.resources(kind).values()
    ]
    assert kept == [{"prevent_destroy": True}] * 6


@each_target
def test_no_name_gets_a_prefix_and_no_alias_stands_in_a_file(target: str) -> None:
    bundle = load_bundle(FILES, target)
    assert bundle.content["target"].get("mode") != "development"
    assert "name_prefix" not in bundle.content["target"].get("presets", {})
    assert all("aliases" not in one for one in bundle.resources("registered_models").values())


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        (TRAINING, "max_concurrent_runs", "max_runs", "Unexpected field 'max_runs'"),
        (TRAINING, "timeout_seconds: 28800", "timeout_seconds: long", "invalid literal for int"),
        (CATALOG, "volume_type: MANAGED", "volume_type: OWNED", "'OWNED' is not a valid"),
        (MAIN, "sync:", "synchronize:", "synchronize is not a key"),
        (MAIN, "mode: production", "mod: production", "targets.mod is not a key"),
        (
            TRAINING,
            "on:\n            - task_key: t",
            "on:\n            - task_key: d",
            "drain, which is",
        ),
        (
            TRAINING,
            "tasks:\n        - task_key: features\n",
            "tasks:\n        - task_key: features\n          depends_on: [{task_key: monitor}]\n",
            "tasks wait for each other",
        ),
        (TRAINING, "spark_python_task", "notebook_task", "Unexpected field 'python_file'"),
        (TRAINING, "timeout_seconds: 3600", "description: none", "monitor: no timeout_seconds"),
        (
            SERVERLESS,
            "task_key: promote, environment_key: default",
            "task_key: promote",
            "promote: 0 kinds of compute",
        ),
        (
            SERVERLESS,
            "task_key: promote, environment_key: default",
            "task_key: promote, environment_key: other",
            "environment_key other is not in environments",
        ),
        (SERVERLESS, "{task_key: check, ", "{task_key: cheque, ", "setup.cheque: 0 task types"),
        (
            SERVERLESS,
            "{task_key: check, environment_key: default, disable_auto_optimization: true}",
            "{task_key: check, environment_key: default}",
            "Databricks would try it again",
        ),
        (SERVERLESS, "../../requirements", "../requirements", "is no file"),
        (TRAINING, "../src/launch.py", "../launch.py", "launch.py is no file"),
        (TRAINING, "- run\n", "- walk\n", "walk is no command"),
        (TRAINING, "--to=train", "--to=fly", "run --to fly is no entry point of MLproject"),
        (TRAINING, "--to=train", "--onto=train", "No such option"),
        (TRAINING, "--to=train", "--wait=3", "['--wait'] are no options of the entry point"),
        (TRAINING, "--set=DATA", "--set=DTA", "--set DTA is read by nothing"),
        ("resources/external_features.yml", "--set=external", "--set=alien", "no folder in feat"),
        (TRAINING, "--profile=${var.profile}", "--profile=mars", "profile mars is no file"),
        (TRAINING, "job.parameters.data", "job.parameters.dat", "dat is not a parameter"),
        (TRAINING, "- name: applicants", "- name: people", "people is taken by no task"),
        (TRAINING, "max_retries: 0", "max_retries: 2", "a verdict is asked once"),
        (TRAINING, "${var.alert_emails}", "${var.mails}", "${var.mails} is nothing"),
        (CATALOG, "${resources.schemas.credit_risk", "${resources.schemas.risk", "is nothing"),
        (MAIN, "  profile:\n    desc", "  profil:\n    desc", "variable profile is not declared"),
        (MAIN, "      experiment: /Shared/home_credit_dev\n", "", "experiment has no value"),
        (MAIN, "catalog: home_credit_dev", "catalog: other", "SCHEMA of profile databricks_dev"),
        (CATALOG, "name: home_credit_default", "name: credit", "MODEL_NAME of profile"),
        (MAIN, "/Shared/home_credit_prod", "/Shared/prod", "EXPERIMENT of profile databricks_prod"),
        (CATALOG, "name: raw", "name: cooked", "DATA of profile databricks_dev"),
        (MAIN, "resources/compute/serverless.yml", "resources/none.yml", "no file is resources/n"),
    ],
)
def test_a_break_is_noticed(file: str, old: str, new: str, what: str) -> None:
    assert old in FILES[file]
    broken = {**FILES, file: FILES[file].replace(old, new)}
    assert what in "\n".join(problems_of(broken, ROOT))


def test_a_cluster_that_is_not_there_is_noticed() -> None:
    text = FILES[CLUSTER].replace("job_cluster_key: shared\n", "job_cluster_key: other\n")
    broken = on_cluster({**FILES, CLUSTER: text})
    assert "job_cluster_key shared is not in job_clusters" in "\n".join(problems_of(broken, ROOT))


def test_a_resource_that_two_files_define_is_noticed() -> None:
    broken = {**FILES, "resources/training2.yml": FILES[TRAINING]}
    assert "jobs.training is defined elsewhere too" in "\n".join(problems_of(broken, ROOT))


def test_a_key_that_stands_twice_is_an_error() -> None:
    text = FILES[TRAINING].replace("timeout_s", "name: x\n      timeout_s", 1)
    with pytest.raises(yaml.constructor.ConstructorError, match=r"'name'.* twice"):
        load_bundle({**FILES, TRAINING: text}, "dev")
