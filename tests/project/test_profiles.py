"""Each profile alone says where everything lies, and no step reads a table that none makes."""

from pathlib import Path

import pytest
import yaml

from mlrecipes.config.load import load_config
from mlrecipes.dag.graph import build_graph
from mlrecipes.features.definition import load_definitions
from mlrecipes.features.sql import parse_query
from mlrecipes.steps import steps_of
from mlrecipes.stores.destinations import resolve_destinations
from mlrecipes.stores.feature_backends import place_of_tables
from steps.home_credit.profile import load_types

ROOT = Path(__file__).parents[2]
LOSS = ROOT / "recipes" / "loss_given_default"
SBA_DEFAULT = ROOT / "recipes" / "sba_default"
PROFILES = ("databricks_dev", "databricks_prod", "local", "spark")
ON_DATABRICKS = ("databricks_dev", "databricks_prod")
every_profile = pytest.mark.parametrize("profile", PROFILES)
each_recipe = pytest.mark.parametrize(
    ("root", "model", "catalog", "schema"),
    [
        pytest.param(ROOT, "home_credit_default", "home_credit", "credit_risk", id="default"),
        pytest.param(LOSS, "loss_given_default", "sba", "loans", id="loss"),
        pytest.param(SBA_DEFAULT, "sba_default", "sba_default", "loans", id="sba default"),
    ],
)
all_recipes = pytest.mark.parametrize(
    "root", [ROOT, LOSS, SBA_DEFAULT], ids=["default", "loss", "sba default"]
)


@all_recipes
def test_these_are_all_profiles(root: Path) -> None:
    assert tuple(sorted(path.stem for path in (root / "profiles").glob("*.yaml"))) == PROFILES


@each_recipe
@every_profile
def test_a_profile_resolves_to_one_place_for_each_thing(
    profile: str, root: Path, model: str, catalog: str, schema: str
) -> None:
    config = load_config(root, profile).config
    to = resolve_destinations(config, root=root, environment={})
    predict = config.steps.predict
    assert predict is not None
    beside = f"sqlite:///{ROOT}/mlflow.db"
    found = (
        (to.tracking_uri, to.registry_uri, to.experiment_name),
        config.effective_model_name,
        (predict.output.using, predict.output.location, predict.engine),
        (config.results.workspace, config.results.location),
    )
    expected = {
        "local": (
            (beside, beside, root.name),
            model,
            ("delta", "predictions", "local"),
            (None, None),
        ),
        "spark": (
            (beside, beside, root.name),
            model,
            ("delta", "spark_predictions", "spark"),
            (None, None),
        ),
    } | {
        f"databricks_{env}": (
            ("databricks", "databricks-uc", f"/Shared/{catalog}_{env}"),
            f"{catalog}_{env}.{schema}.{model}",
            ("table", f"{catalog}_{env}.{schema}.predictions", "local"),
            (f"/tmp/mlrecipes/{catalog}_{env}", f"/Volumes/{catalog}_{env}/{schema}/results"),  # noqa: S108
        )
        for env in ("dev", "prod")
    }
    assert found == expected[profile]


@every_profile
def test_feature_tables_lie_where_the_profile_says(profile: str) -> None:
    store = load_config(ROOT, profile).config.feature_store
    expected = {
        "local": ("local", "/workspace/feature_tables"),
        "spark": ("spark", "spark_feature_tables"),
        "databricks_dev": ("databricks", "home_credit_dev.credit_risk"),
        "databricks_prod": ("databricks", "home_credit_prod.credit_risk"),
    }
    found = (store.using, place_of_tables(store, ROOT, Path("/workspace")))
    assert found == expected[profile]


@all_recipes
@every_profile
def test_only_production_is_protected(profile: str, root: Path) -> None:
    assert load_config(root, profile).is_protected == (profile == "databricks_prod")


@all_recipes
def test_production_shares_no_place_with_dev(root: Path) -> None:
    texts = [(root / f"profiles/databricks_{env}.yaml").read_text() for env in ("prod", "dev")]
    values, dev = map(yaml.safe_load, texts)
    same = {name for name in values if dev.get(name) == values[name]}
    assert same.isdisjoint(
        {"DATA", "SCHEMA", "EXPERIMENT", "MODEL_NAME", "PREDICTIONS", "WORKSPACE", "RESULTS"}
    )


@pytest.mark.parametrize("profile", ON_DATABRICKS)
def test_the_command_line_moves_a_profile_to_another_catalog(profile: str) -> None:
    names = {
        "SCHEMA": "other.risk",
        "MODEL_NAME": "other.risk.home_credit_default",
        "PREDICTIONS": "other.risk.predictions",
        "EXPERIMENT": "/Shared/other",
        "DATA": "/Volumes/other/risk/raw",
        "WORKSPACE": "elsewhere",
        "RESULTS": "/Volumes/other/risk/results",
    }
    config = load_config(ROOT, profile, names).config
    assert "home_credit_dev" not in (said := config.model_dump_json())
    assert "home_credit_prod" not in said
    assert config.effective_scoring_uri == "models:/other.risk.home_credit_default@champion"


@every_profile
def test_every_feature_table_that_is_looked_up_is_built_and_from_raw_tables(profile: str) -> None:
    config = load_config(ROOT, profile).config
    assert config.steps.features is not None
    definitions = load_definitions(ROOT, config.steps.features.sets)
    raw = set(load_types())
    for definition in definitions:
        read = set(parse_query(definition, ROOT).tables)
        assert read, definition.file
        assert read <= raw, definition.file
    looked_up = {lookup.table_name for lookup in config.steps.ingest.feature_lookups}
    assert looked_up == {definition.name for definition in definitions}


@all_recipes
@every_profile
def test_every_artifact_that_a_step_reads_is_one_that_an_earlier_step_writes(
    profile: str, root: Path
) -> None:
    config = load_config(root, profile).config
    written: set[str] = set()
    for step in build_graph(step.spec for step in steps_of(config)).steps:
        assert set(step.reads) <= written, step.name
        written |= {artifact.name for artifact in step.writes}


@every_profile
def test_feature_tables_are_built_before_they_are_looked_up(profile: str) -> None:
    config = load_config(ROOT, profile).config
    order = build_graph(step.spec for step in steps_of(config)).names
    assert order.index("features") < order.index("ingest")


@all_recipes
@every_profile
def test_what_scores_is_what_was_registered(profile: str, root: Path) -> None:
    config = load_config(root, profile).config
    assert config.effective_scoring_uri == f"models:/{config.effective_model_name}@champion"
