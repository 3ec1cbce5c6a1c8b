"""Whole runs of ``monitor`` over a model that a recipe has trained: how many end in an alert.

    python -m benchmarks.monitoring_runs
    python -m benchmarks.monitoring_runs --runs 40 --rows 500

A recipe is trained on rows of benchmarks.monitoring_worlds and promoted. Then each run looks at
a batch of its own, without drift or with a planted change, once without and once with labels.
The verdict without labels is held against that of the function that benchmarks.monitoring counts.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.monitoring import look
from benchmarks.monitoring_worlds import OUTCOME, SCORE, Change, World
from mlrecipes import Recipe
from mlrecipes.checks.drift_reference import reference_column, reference_columns
from mlrecipes.recipe import MonitorOptions

CHANGES: Mapping[str, Change] = {
    "none": Change(),
    "mean +0.25 sd": Change(shift=0.25),
    "events 8 -> 16%": Change(event_rate=0.16),
}
FILES = {
    "recipe.yaml": """\
recipe: classification/v1
target_col: outcome
positive_class: 1
primary_metric: roc_auc
id_cols: [row]
steps:
  ingest: {using: parquet, location: rows.parquet}
  split: {using: hash, key_cols: [row]}
  transform: {using: custom, transformer_method: transformer_fn}
  train:
    using: custom
    estimator_method: estimator_fn
    predict_output: probability
  evaluate:
    validation_criteria: [{metric: roc_auc, threshold: 0.6}]
  promote: {}
  monitor:
    window: batch
    labels: {using: parquet, location: labels.parquet}
model_registry: {model_name: simulated}
""",
    "profiles/local.yaml": "{}\n",
    "steps/transform.py": """\
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def transformer_fn():
    kinds = make_column_selector("kind_")
    numbers = make_column_selector("(number|amount|count|gaps)_")
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return ColumnTransformer([("n", scaled, numbers), ("k", one_hot, kinds)])
""",
    "steps/train.py": """\
from sklearn.linear_model import LogisticRegression


def estimator_fn():
    return LogisticRegression(C=0.01, max_iter=500)
""",
}


def main() -> None:
    """Train, monitor batch after batch, and print how many runs raised which alert."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=30, help="of each kind")
    parser.add_argument("--rows", type=int, default=1_000, help="of a batch")
    parser.add_argument("--training", type=int, default=10_000, help="rows, of which 70%% train")
    given = parser.parse_args()
    random = np.random.default_rng(42)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        recipe = _trained(root, given.training, random)
        print(f"\n{given.runs} runs each, {given.rows:,} rows a batch\n")
        print("| window | runs with an alert, no labels | with labels | rules | as simulated |")
        print("|---|--:|--:|---|--:|")
        for name, change in CHANGES.items():
            found = [_run(recipe, root, change, given.rows, random) for _ in range(given.runs)]
            rules = Counter(rule for one in found for rule in one["rules"])
            told = ", ".join(f"{rule} {n}" for rule, n in rules.items()) or "none"
            counts = [sum(one[key] for one in found) for key in ("alert", "labelled", "agrees")]
            print(f"| {name} | {counts[0]} | {counts[1]} | {told} | {counts[2]} |", flush=True)


def _trained(root: Path, n_rows: int, random: np.random.Generator) -> Recipe:
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    rows = _rows(n_rows, random, Change())
    rows.to_parquet(root / "rows.parquet", index=False)
    recipe = Recipe("local", root)
    recipe.run()
    return recipe


def _rows(n_rows: int, random: np.random.Generator, change: Change) -> pd.DataFrame:
    rows = World().rows(n_rows, random, change).drop(columns=SCORE)
    return rows.assign(row=random.permutation(10**9 + np.arange(n_rows)))


def _run(
    recipe: Recipe, root: Path, change: Change, n_rows: int, random: np.random.Generator
) -> dict[str, Any]:
    """Score a batch and monitor it, first while nobody knows an outcome."""
    rows = _rows(n_rows, random, change)
    scored = recipe.score_batch(rows.drop(columns=OUTCOME)).rename(columns={"prediction": SCORE})
    scored = scored.assign(
        prediction=(scored[SCORE] >= 0.5).astype(int),
        batch_id=str(rows["row"].sum()),
        scored_at=pd.Timestamp("2026-11-01", tz="UTC"),
        model_version="1",
    )
    scored.to_parquet(root / "scored.parquet", index=False)
    labels = rows[["row", OUTCOME]]
    labels.head(0).to_parquet(root / "labels.parquet", index=False)
    asked = MonitorOptions(input=str(root / "scored.parquet"))
    without = recipe.monitor(asked)["alerts"]
    labels.to_parquet(root / "labels.parquet", index=False)
    alerts = recipe.monitor(asked)["alerts"]
    return {
        "alert": bool(without),
        "labelled": bool(alerts),
        "rules": {one["rule"] for one in alerts},
        "agrees": bool(without) == _simulated(root, scored),
    }


def _simulated(root: Path, scored: pd.DataFrame) -> bool:
    """Whether the function that benchmarks.monitoring counts raises an alarm."""
    profile = json.loads(next(root.rglob("training_profile.json")).read_text(encoding="utf-8"))
    columns = reference_columns(profile) | {SCORE: reference_column(SCORE, profile["score"])}
    return look(columns, scored).is_alarm


if __name__ == "__main__":
    main()
