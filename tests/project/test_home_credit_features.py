"""The feature tables of the Home Credit recipe: the same on two engines, and worth having."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from mlrecipes.config.load import load_config
from mlrecipes.features.definition import FeatureDefinition, load_definitions
from mlrecipes.features.sql import parse_query
from mlrecipes.stores.duckdb_engine import DuckDbEngine
from mlrecipes.stores.spark import SparkEngine
from steps.home_credit.kaggle import find_table
from steps.home_credit.profile import load_types
from steps.home_credit.synthetic import write_tables
from steps.train import estimator_fn
from steps.transform import transformer_fn

ROOT = Path(__file__).parents[2]
REAL = ROOT.parent / "shared" / "data" / "home_credit"
KEY = "SK_ID_CURR"
DEFINITIONS = load_definitions(ROOT, ["external", "home_credit"])
HISTORY = [definition for definition in DEFINITIONS if definition.name != "applications"]
Tables = dict[str, pd.DataFrame]


def files(folder: Path) -> dict[str, Path]:
    return {name: find_table(folder, name) for name in load_types()}


def computed(engine: Any, definition: FeatureDefinition, tables: Mapping[str, Path]) -> Any:
    query = parse_query(definition, ROOT)
    return engine.query(query.texts[engine.dialect], {name: tables[name] for name in query.tables})


def on_duckdb(definition: FeatureDefinition, tables: Mapping[str, Path], folder: Path) -> pa.Table:
    rows = computed(DuckDbEngine(folder), definition, tables)
    return rows.read_all().sort_by(KEY)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("small")
    write_tables(folder, applicants=1_000, seed=7)
    return files(folder)


@pytest.fixture(scope="session")
def features(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """All feature tables of 20,000 applicants, by name."""
    temporary = tmp_path_factory.mktemp("duckdb")
    return {d.name: on_duckdb(d, files(folder), temporary).to_pandas() for d in DEFINITIONS}


# ---- the same on two engines -----------------------------------------------------------------


def different_columns(one: pa.Table, other: pa.Table) -> list[str]:
    """Columns whose values differ by more than 1e-9 of their size, or whose gaps differ."""
    assert one.num_rows == other.num_rows
    return [name for name in one.column_names if not _is_equal(one[name], other[name])]


def _is_equal(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    if pa.types.is_string(one.type) or pa.types.is_large_string(one.type):
        return bool(
            one.cast(pa.string()).combine_chunks() == other.cast(pa.string()).combine_chunks()
        )
    left, right = (v.cast(pa.float64()).to_pandas().to_numpy(dtype=float) for v in (one, other))
    return bool(np.allclose(left, right, rtol=1e-9, atol=0, equal_nan=True))


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_generated_rows_give_the_same_on_duckdb_and_spark(
    definition: FeatureDefinition, small: dict[str, Path], spark: Any, tmp_path: Path
) -> None:
    local = on_duckdb(definition, small, tmp_path)
    remote = computed(SparkEngine(spark), definition, small).toArrow().sort_by(KEY)
    assert remote.column_names == local.column_names
    assert different_columns(local, remote) == []


@pytest.mark.skipif(not REAL.is_dir(), reason="the real rows are not beside this checkout")
@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_real_rows_give_the_same_on_duckdb_and_spark(
    definition: FeatureDefinition, spark: Any, tmp_path: Path
) -> None:
    local = on_duckdb(definition, files(REAL), tmp_path)
    remote = computed(SparkEngine(spark), definition, files(REAL)).toArrow().sort_by(KEY)
    assert different_columns(local, remote) == []


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_the_order_of_the_raw_rows_changes_no_bit(
    definition: FeatureDefinition, small: dict[str, Path], tmp_path: Path
) -> None:
    turned = {}
    for name, path in small.items():
        turned[name] = tmp_path / path.name
        pd.read_parquet(path).sample(frac=1, random_state=3).to_parquet(turned[name])
    before, after = (on_duckdb(definition, tables, tmp_path) for tables in (small, turned))
    assert after.equals(before)


# ---- what they hold --------------------------------------------------------------------------


def test_there_are_more_than_300_features_of_the_histories(features: Tables) -> None:
    assert sum(features[d.name].shape[1] - 1 for d in HISTORY) >= 300


def test_all_raw_tables_are_used() -> None:
    read = {name for d in DEFINITIONS for name in parse_query(d, ROOT).tables}
    assert read == set(load_types())


def test_no_two_tables_have_a_feature_of_one_name(features: Tables) -> None:
    names = [name for frame in features.values() for name in frame.columns if name != KEY]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.name)
def test_each_applicant_has_one_row_and_every_number_is_finite(
    definition: FeatureDefinition, features: Tables
) -> None:
    frame = features[definition.name]
    assert frame[KEY].is_unique
    assert frame[KEY].notna().all()
    numbers = frame.select_dtypes("number").to_numpy(dtype=float, na_value=np.nan)
    assert not np.isinf(numbers).any()


def test_no_feature_is_the_same_everywhere(features: Tables) -> None:
    frames = [features[d.name] for d in HISTORY]
    same = {n for frame in frames for n in frame.columns if frame[n].nunique(dropna=False) < 2}
    assert same <= {"CARD_CARDS"}  # A generated client has one card at most.


def test_the_target_is_no_feature(features: Tables) -> None:
    assert "TARGET" not in features["applications"].columns


def test_every_applicant_has_a_row_in_the_applications(features: Tables, folder: Path) -> None:
    names = ("application_train", "application_test")
    ids = [pd.read_parquet(folder / f"{name}.parquet", columns=[KEY])[KEY] for name in names]
    assert set(features["applications"][KEY]) == set(pd.concat(ids))


# ---- what they are worth ---------------------------------------------------------------------


def out_of_fold_auc(rows: pd.DataFrame, target: pd.Series) -> float:
    """Of the recipe's model with the recipe's parameters, over 5 folds."""
    params = load_config(ROOT, "local").config.steps.train.estimator_params
    encoded = transformer_fn().fit_transform(rows)
    folds = StratifiedKFold(5, shuffle=True, random_state=42)
    model = estimator_fn(dict(params))
    scores = cross_val_predict(model, encoded, target, cv=folds, method="predict_proba")
    return float(roc_auc_score(target, scores[:, 1]))


def aucs(applicants: pd.DataFrame, features: Tables) -> tuple[float, float]:
    """With the application alone, and with all that is known."""
    target = applicants["TARGET"]
    alone = applicants[[KEY]].merge(features["applications"], how="left", on=KEY)
    both = alone
    for definition in HISTORY:
        both = both.merge(features[definition.name], how="left", on=KEY)
    return tuple(out_of_fold_auc(rows.drop(columns=KEY), target) for rows in (alone, both))


def test_the_histories_of_the_generated_applicants_are_worth_two_points(
    features: Tables, folder: Path
) -> None:
    applicants = pd.read_parquet(folder / "application_train.parquet", columns=[KEY, "TARGET"])
    alone, both = aucs(applicants, features)
    assert both - alone >= 0.02


@pytest.mark.skipif(not REAL.is_dir(), reason="the real rows are not beside this checkout")
def test_the_histories_of_real_applicants_do_no_harm(tmp_path: Path) -> None:
    tables = {d.name: on_duckdb(d, files(REAL), tmp_path).to_pandas() for d in DEFINITIONS}
    applicants = pd.read_csv(find_table(REAL, "application_train"), usecols=[KEY, "TARGET"])
    alone, both = aucs(applicants, tables)
    assert both >= alone
    assert alone == pytest.approx(0.756, abs=0.01)
