"""Files are scored some rows at a time, locally and on Spark, with the same answers."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder

from mlrecipes.ports import ModelDescription
from mlrecipes.scoring_ports import Batch, ModelIdentity, ScoreRequest
from mlrecipes.stores import batch_model
from mlrecipes.stores.batch_model import LoadedModel, MlflowBatchScoring
from mlrecipes.stores.models import MlflowModels, load_pyfunc, model_requirements

IDENTITY = ModelIdentity("models:/m/1", "x", "m", "1", "run")
BATCH = Batch("b", IDENTITY, datetime(2026, 1, 2, tzinfo=UTC))
N_ROWS = 500


def rows(n_rows: int = N_ROWS) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{i}": random.normal(size=n_rows) for i in range(4)})
    frame.loc[::7, "x0"] = np.nan
    frame["n"] = random.integers(0, 5, n_rows)
    frame["m"] = frame["n"] + 0.0
    frame["town"] = random.choice(["Ulm", "Bonn"], n_rows)
    return frame


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    path = tmp_path_factory.mktemp("model") / "model"
    frame = rows()
    first = ColumnTransformer([("t", OrdinalEncoder(), ["town"])], remainder="passthrough")
    first = first.set_output(transform="pandas").fit(frame)
    target = (frame["x1"] + (frame["town"] == "Ulm") + frame["n"] / 5 > 0.9).astype(int)
    last = LGBMClassifier(n_estimators=10, n_jobs=1, verbose=-1).fit(first.transform(frame), target)
    description = ModelDescription(
        "binary",
        classes=(0, 1),
        positive_class=1,
        requirements=model_requirements(["lightgbm"]),
    )
    MlflowModels().save(Pipeline([("t", first), ("e", last)]), description, frame, path)
    return LoadedModel(IDENTITY, path, load_pyfunc(path), (), 0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    frame = rows()
    frame.insert(0, "id", np.arange(N_ROWS)[::-1])
    frame["n"] = frame["n"].astype("Int64").where(frame.index % 11 != 0)  # no gap in training
    frame["m"] = frame["n"]  # whole numbers, of which training saw floats
    pq.write_table(
        pa.Table.from_pandas(frame, preserve_index=False),
        tmp_path / "rows.parquet",
        row_group_size=70,
    )
    return tmp_path / "rows.parquet"


def scored(model: LoadedModel, file: Path, **request: Any) -> pd.DataFrame:
    into = file.with_name("scored.parquet")
    assert model.score(file, into, BATCH, ScoreRequest(("id",), **request)) == N_ROWS
    return pd.read_parquet(into)


def test_rows_keep_their_order_whatever_is_scored_at_once(
    model: LoadedModel, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scored(model, file, n_reasons=2)
    monkeypatch.setattr(batch_model, "CHUNK_ROWS", 33)
    pd.testing.assert_frame_equal(scored(model, file, n_reasons=2), whole)
    assert whole["id"].tolist() == list(range(N_ROWS))[::-1]
    answer = load_pyfunc(model.path).predict(rows())
    is_same = rows().index % 11 != 0
    assert whole["probability"][is_same].tolist() == answer["predicted_score_1"][is_same].tolist()
    assert whole["prediction"][is_same].tolist() == answer["predicted_label"][is_same].tolist()
    assert whole["scored_at"].unique().tolist() == [pd.Timestamp("2026-01-02", tz="UTC")]


def test_spark_gives_the_same_scores_and_reasons(
    spark: Any, model: LoadedModel, file: Path
) -> None:
    local = scored(model, file, n_reasons=2)
    on_spark = scored(model, file, n_reasons=2, engine="spark")
    pd.testing.assert_frame_equal(on_spark, local, check_exact=True)


def test_repeated_keys_are_counted(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1, 1, 2, 1], "b": ["x", "x", "x", "y"]})
    frame.to_parquet(tmp_path / "rows.parquet")
    scoring = MlflowBatchScoring(tmp_path, "memory:", "memory:")
    assert scoring.n_repeated(tmp_path / "rows.parquet", ("a", "b")) == 1
    assert scoring.n_repeated(tmp_path / "rows.parquet", ("b",)) == 2


CHILD = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from mlrecipes.scoring_ports import Batch, ModelIdentity, ScoreRequest
from mlrecipes.stores.batch_model import LoadedModel
from mlrecipes.stores.models import load_pyfunc
from mlrecipes.stores.prediction_tables import open_table

path = Path(sys.argv[1])
identity = ModelIdentity("models:/m/1", "x", "m", "1", "run")
model = LoadedModel(identity, path, load_pyfunc(path), (), 0)
table = open_table("delta", "table", Path())


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


for name in ("small", "large"):
    before = peak_mib()
    batch = Batch(name, identity, datetime.now(UTC))
    n_rows = model.score(Path(f"{name}.parquet"), Path("out.parquet"), batch, ScoreRequest(()))
    table.append(Path("out.parquet"), batch)
print(n_rows, peak_mib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is counted in other units")
def test_many_rows_are_scored_in_a_part_of_their_size(model: LoadedModel, tmp_path: Path) -> None:
    """After a batch of 250,000 rows, ten times as many take less than half of what they are."""
    table = pa.Table.from_pandas(rows(250_000), preserve_index=False)
    pq.write_table(table, tmp_path / "small.parquet")
    with pq.ParquetWriter(tmp_path / "large.parquet", table.schema) as writer:
        for _ in range(10):
            writer.write_table(table)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(model.path)],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    n_rows, growth_mib = done.stdout.split()
    assert int(n_rows) == 2_500_000
    n_bytes = 10 * table.nbytes + pq.read_table(tmp_path / "out.parquet").nbytes
    assert float(growth_mib) < 0.5 * n_bytes / 2**20
