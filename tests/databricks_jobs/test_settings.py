import pytest

from mlrecipes.databricks_jobs.settings import read_settings
from mlrecipes.errors import ConfigError

SERVERLESS = {"volume": "/Volumes/main/ml/jobs", "serverless": {"environment_version": "4"}}


def test_mlflows_own_options_are_no_keys_of_the_file() -> None:
    settings = read_settings(SERVERLESS | {"ENV_MANAGER": None, "SYNCHRONOUS": False})
    assert settings.serverless is not None
    assert settings.serverless.environment_version == "4"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volumes": 1}, "volumes is not a key. Did you mean 'volume'?"),
        ({"token": "x"}, "token is a secret and has no place here."),
        ({"volume": "/dbfs/tmp"}, "volume is '/dbfs/tmp', but /Volumes/catalog/schema/volume"),
        ({"volume": "/Volumes/main/ml/../x"}, "volume is"),
        ({"serverless": None}, "names none of them, but exactly one"),
        ({"existing_cluster_id": "1"}, "names existing_cluster_id and serverless"),
        ({"timeout_s": True}, "timeout_s is true or false"),
        ({"timeout_s": 1}, "timeout_s is '1'"),
        ({"ENV_MANAGER": "conda"}, "--env-manager does not apply"),
        ({"serverless": {}}, "serverless.environment_version is missing"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings(SERVERLESS | change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ({"spark_version": "17.3.x", "num_worker": 1}, "Did you mean 'num_workers'?"),
        ({"num_workers": 1}, "new_cluster.spark_version is missing"),
        (
            {"spark_version": "17.3.x", "spark_env_vars": {"API_TOKEN": "open"}},
            "new_cluster.spark_env_vars.API_TOKEN looks like a secret in the open.",
        ),
    ],
)
def test_a_cluster_is_looked_at(cluster: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_settings({"volume": "/Volumes/main/ml/jobs", "new_cluster": cluster})
    assert message in str(caught.value)
    assert "'open'" not in str(caught.value)


def test_a_secret_may_be_referred_to() -> None:
    cluster = {"spark_version": "17.3.x", "spark_env_vars": {"API_TOKEN": "{{secrets/ml/api}}"}}
    assert read_settings({"volume": "/Volumes/main/ml/jobs", "new_cluster": cluster}).wait
