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
PROFILES = ("databricks_dev", "databricks_prod", "local", "spark")
ON_DATABRICKS = ("databricks_dev", "databricks_prod")
every_profile = pytest.mark.parametrize("profile", PROFILES)


def test_these_are_all_profiles() -> None:
    assert tuple(sorted(path.stem for path in (ROOT / "profiles").glob("*.yaml"))) == PROFILES


@every_profile
def test_a_profile_resolves_to_one_place_for_each_thing(profile: str) -> None:
    config = load_config(ROOT, profile).config
    to = resolve_destinations(config, root=ROOT, environment={})
    tables = place_of_tables(config.feature_store, ROOT, Path("/workspace"))
    predict = config.steps.predict
    assert predict is not None
    beside = f"sqlite:///{ROOT}/mlflow.db"
    found = (
        (to.tracking_uri, to.registry_uri, to.experiment_name),
        config.effective_model_name,
        (config.feature_store.using, tables),
        (predict.output.using, predict.output.location, predict.engine),
    )
    model = "home_credit_default"
    expected = {
        "local": (
            (beside, beside, ROOT.name),
            model,
            ("local", "/workspace/feature_tables"),
            ("delta", "predictions", "local"),
        ),
        "spark": (
            (beside, beside, ROOT.name),
            model,
            ("spark", "spark_feature_tables"),
            ("delta", "spark_predictions", "spark"),
        ),
    } | {
        f"databricks_{env}": (
            ("databricks", "databricks-uc", f"/Shared/home_credit_{env}"),
            f"home_credit_{env}.credit_risk.{model}",
            ("databricks", f"home_credit_{env}.credit_risk"),
            ("table", f"home_credit_{env}.credit_risk.predictions", "local"),
        )
        for env in ("dev", "prod")
    }
    assert found == expected[profile]


@every_profile
def test_only_production_is_protected(profile: str) -> None:
    assert load_config(ROOT, profile).is_protected == (profile == "databricks_prod")


def test_production_shares_no_place_with_dev() -> None:
    values = yaml.safe_load((ROOT / "profiles/databricks_prod.yaml").read_text(encoding="utf-8"))
    dev = yaml.safe_load((ROOT / "profiles/databricks_dev.yaml").read_text(encoding="utf-8"))
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


@every_profile
def test_every_artifact_that_a_step_reads_is_one_that_an_earlier_step_writes(profile: str) -> None:
    config = load_config(ROOT, profile).config
    written: set[str] = set()
    for step in build_graph(step.spec for step in steps_of(config)).steps:
        assert set(step.reads) <= written, step.name
        written |= {artifact.name for artifact in step.writes}
    order = build_graph(step.spec for step in steps_of(config)).names
    assert order.index("features") < order.index("ingest")


@every_profile
def test_what_scores_is_what_was_registered(profile: str) -> None:
    config = load_config(ROOT, profile).config
    assert config.effective_scoring_uri == f"models:/{config.effective_model_name}@champion"
