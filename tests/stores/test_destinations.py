"""Where runs go: the recipe's words, else the environment's, else beside the project."""

from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from mlrecipes.config.schema import RecipeConfig
from mlrecipes.stores.destinations import Destinations, local_database, resolve_destinations


def resolve(
    root: Path, environment: dict[str, str] | None = None, **experiment: Any
) -> Destinations:
    config = RecipeConfig.model_validate(
        {
            "recipe": "regression/v1",
            "target_col": "y",
            "steps": {"ingest": {"using": "csv", "location": "a.csv"}},
            "experiment": experiment,
        }
    )
    return resolve_destinations(config, root=root, environment=environment or {})


def test_the_default_is_the_file_that_mlflow_uses_in_the_projects_folder(tmp_path: Path) -> None:
    (tmp_path / "MLproject").touch()
    recipe = tmp_path / "recipes" / "loans"
    assert resolve(recipe).tracking_uri == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_blank_in_the_path_is_the_same_store_however_it_is_written(tmp_path: Path) -> None:
    root = tmp_path / "my loans"
    quoted = f"sqlite:///{tmp_path}/my%20loans/mlflow.db"
    assert resolve(root, {"MLFLOW_TRACKING_URI": quoted}).tracking_uri == resolve(root).tracking_uri
    assert local_database(resolve(root).tracking_uri) == root / "mlflow.db"


def test_a_percent_sign_in_the_path_stays_one(tmp_path: Path) -> None:
    uri = resolve(tmp_path / "100%41").tracking_uri
    assert make_url(uri).database == str(tmp_path / "100%41" / "mlflow.db")
    assert local_database(uri) == tmp_path / "100%41" / "mlflow.db"


def test_without_a_project_the_default_lies_beside_the_recipe(tmp_path: Path) -> None:
    found = resolve(tmp_path / "loans")
    assert found.tracking_uri == f"sqlite:///{tmp_path}/loans/mlflow.db"
    assert found.experiment_name == "loans"


def test_the_recipe_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}
    found = resolve(tmp_path, environment, tracking_uri="sqlite:///runs/a.db")
    assert found.tracking_uri == f"sqlite:///{tmp_path}/runs/a.db"
    assert found.origin == "experiment.tracking_uri"


def test_under_mlflow_run_ours_is_a_child_in_the_projects_experiment(tmp_path: Path) -> None:
    environment = {
        "MLFLOW_TRACKING_URI": "sqlite:////data/mlflow.db",
        "MLFLOW_RUN_ID": "abc",
        "MLFLOW_EXPERIMENT_ID": "3",
    }
    found = resolve(tmp_path, environment)
    assert (found.parent_run_id, found.experiment_id) == ("abc", "3")


def test_a_recipe_with_its_own_server_is_no_child_of_a_run_elsewhere(tmp_path: Path) -> None:
    environment = {"MLFLOW_TRACKING_URI": "sqlite:////data/mlflow.db", "MLFLOW_RUN_ID": "abc"}
    assert resolve(tmp_path, environment, tracking_uri="http://host").parent_run_id is None


def test_a_named_experiment_is_kept_under_mlflow_run(tmp_path: Path) -> None:
    environment = {"MLFLOW_RUN_ID": "abc", "MLFLOW_EXPERIMENT_ID": "3"}
    found = resolve(tmp_path, environment, name="mine")
    assert (found.experiment_name, found.experiment_id) == ("mine", None)


def test_the_registry_is_the_tracking_server_unless_named(tmp_path: Path) -> None:
    assert resolve(tmp_path).registry_uri == resolve(tmp_path).tracking_uri
    environment = {"MLFLOW_REGISTRY_URI": "databricks-uc"}
    assert resolve(tmp_path, environment).registry_uri == "databricks-uc"


def test_a_folder_for_artifacts_is_meant_from_the_recipes_root(tmp_path: Path) -> None:
    found = resolve(tmp_path, artifact_location="./metadata/artifacts")
    assert found.artifact_location == (tmp_path / "metadata" / "artifacts").as_uri()
