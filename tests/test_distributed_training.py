"""The estimator of docs/spark.md trains on a cluster of Dask and is a plain one from then on."""

import re
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from lightgbm import LGBMClassifier

from mlrecipes import Recipe
from tests.conftest import CLASSIFICATION, ROOT, write_project

pytest.importorskip("distributed", reason="needs the extra mlrecipes[dask]")
PARAMS = {"n_estimators": 20, "num_leaves": 7, "random_state": 1, "verbosity": -1}


def documented() -> str:
    """The module that the page shows, as it stands there."""
    page = (ROOT / "docs" / "spark.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    return str(block)


def test_what_dask_has_trained_is_scored_registered_and_explained_as_any_model(
    tmp_path: Path,
) -> None:
    text = CLASSIFICATION["recipe.yaml"].replace(
        "estimator_method: estimator_fn",
        f"estimator_method: estimator_fn\n    estimator_params: {PARAMS | {'n_workers': 2}}",
    )
    files = CLASSIFICATION | {"recipe.yaml": text, "steps/train.py": documented()}
    recipe = Recipe(profile="local", root=write_project(tmp_path / "sold", files))
    recipe.run("register")

    (file,) = recipe.artifact_path("model").rglob("model.pkl")
    estimator = cloudpickle.loads(file.read_bytes()).steps[-1][1]
    assert type(estimator) is LGBMClassifier
    assert b"dask" not in file.read_bytes()

    rows = recipe.get_artifact("transformed_training_data")
    features, target = rows.drop(columns="sold").to_numpy(), rows["sold"]
    here = LGBMClassifier(**PARAMS, n_jobs=1).fit(features, target).predict_proba(features)[:, 1]
    there = estimator.predict_proba(features)[:, 1]
    assert np.corrcoef(there, here)[0, 1] > 0.98
    assert np.abs(there - here).mean() < 0.05

    asked = {"as_table": True, "reason_codes": 1}
    explained = recipe.get_artifact("model").predict(
        recipe.get_artifact("test_data").head(3), params=asked
    )
    assert set(explained["reason_1"].dropna()) & {"rooms", "area"}
