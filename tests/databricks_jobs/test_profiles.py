"""The configurations that lie beside the profiles."""

import json
from pathlib import Path

import pytest
import yaml

from mlrecipes.databricks_jobs.settings import read_settings
from tests.databricks_jobs.workspace_double import CLUSTER_KEYS

ROOT = Path(__file__).parents[2]


def read(name: str) -> dict[str, object]:
    content = json.loads((ROOT / "profiles" / name).read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_profile_has_a_job_in_its_own_schema(environment: str) -> None:
    settings = read_settings(read(f"databricks_{environment}.jobs.json"))
    profile = yaml.safe_load((ROOT / f"profiles/databricks_{environment}.yaml").read_text())
    catalog, schema = profile["SCHEMA"].split(".")
    assert settings.volume == f"/Volumes/{catalog}/{schema}/jobs"
    assert settings.serverless is not None
    assert settings.requirements is not None
    assert (ROOT / settings.requirements).is_file()


def test_the_cluster_for_mlflows_own_client_is_nested_and_old_enough_for_projects() -> None:
    """A flat file would take MLflow's own options among the keys of the cluster."""
    content = read("databricks.cluster.json")
    assert set(content) == {"new_cluster", "libraries"}
    cluster = content["new_cluster"]
    assert isinstance(cluster, dict)
    assert set(cluster) <= CLUSTER_KEYS
    assert int(cluster["spark_version"].split(".")[0]) < 13
