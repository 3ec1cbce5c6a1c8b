"""train: an estimator is fitted, kept as a model, and recorded as a run."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from mlrecipes.errors import UserCodeError
from mlrecipes.records import StepResult, Table, Text
from mlrecipes.steps import Context
from mlrecipes.steps.train import METHOD, Inputs, run
from mlrecipes.stores.models import MlflowModels, model_requirements
from mlrecipes.testing import MemoryRun, MemoryTracker

Make = Callable[..., Context]

FRAME = pd.DataFrame({"id": range(100), "x": np.linspace(-1, 1, 100)}, index=range(100, 0, -1))
REGRESSION = FRAME.assign(y=FRAME["x"] * 3)
BINARY = FRAME.assign(y=np.where(FRAME["x"] > 0, "yes", "no")).sample(frac=1, random_state=0)
TRAIN: dict[str, Any] = {"estimator_method": "estimator_fn"}
CLASSIFIER: dict[str, Any] = {"recipe": "classification/v1", "positive_class": "yes"}


def inputs(frame: pd.DataFrame, transformer: Any = None) -> Inputs:
    """The last fifth is for validation; the identifier is hidden from a transformer."""
    n_training = len(frame) * 4 // 5
    training, validation = frame.iloc[:n_training], frame.iloc[n_training:]
    if transformer is None:
        return Inputs(training, validation, None, training, validation)
    transformer.fit(training[["x"]])
    made = [
        pd.DataFrame(transformer.transform(part[["x"]]), columns=["x"]).assign(y=part["y"].values)
        for part in (training, validation)
    ]
    return Inputs(training, validation, transformer, *made)


@pytest.fixture
def train(context: Make) -> Callable[..., StepResult]:
    def call(
        frame: pd.DataFrame, estimator: Any, /, *, transformer: Any = None, **keys: Any
    ) -> Any:
        section = {"train": TRAIN | keys.pop("train", {})}
        made = context({METHOD: estimator}, steps=section, id_cols=["id"], **keys)
        facts = dataclasses.replace(
            made.project,
            snapshot={"recipe.yaml": "recipe: x", "steps/train.py": "..."},
            tags={"mlflow.source.git.commit": "abc"},
            requirements=model_requirements([]),
        )
        return run(inputs(frame, transformer), dataclasses.replace(made, project=facts))

    return call


@pytest.fixture
def recorded(train: Callable[..., StepResult], tracker: MemoryTracker) -> MemoryRun:
    train(REGRESSION, Ridge, transformer=StandardScaler())
    return tracker.runs["run-1"]


def test_the_outputs_are_the_model_its_run_and_the_predictions(
    train: Callable[..., StepResult],
) -> None:
    result = train(REGRESSION, LinearRegression)
    assert (Path(result.outputs["model"]) / "MLmodel").is_file()
    assert result.outputs["run"] == {"run_id": "run-1", "experiment_id": "0"}
    assert result.run_id == "run-1"


def test_predictions_stand_beside_the_rows_that_they_are_about(
    train: Callable[..., StepResult],
) -> None:
    predicted = train(REGRESSION, LinearRegression).outputs["predicted_training_data"]
    assert list(predicted.columns) == ["id", "x", "y", "predicted_data"]
    assert predicted.index.equals(REGRESSION.index[:80])
    assert predicted["predicted_data"].tolist() == pytest.approx(predicted["y"].tolist())


def test_a_classifier_adds_the_score_of_the_class_it_predicts(
    train: Callable[..., StepResult],
) -> None:
    predicted = train(BINARY, LogisticRegression, **CLASSIFIER).outputs
    frame = predicted["predicted_training_data"]
    assert (frame["predicted_data"] == frame["y"]).mean() > 0.9
    assert frame["predicted_score"].between(0.5, 1).all()


def test_the_run_is_tagged_as_in_mlflow_recipes(recorded: MemoryRun) -> None:
    assert recorded.tags == {
        "mlflow.source.type": "RECIPE",
        "mlflow.pipeline.template.name": "regression/v1",
        "mlflow.pipeline.profile.name": "local",
        "mlflow.pipeline.step.name": "train",
        "mlflow.source.git.commit": "abc",
        "estimator_name": "Ridge",
        "estimator_class": "sklearn.linear_model._ridge.Ridge",
    }


def test_the_estimators_parameters_are_recorded(recorded: MemoryRun) -> None:
    assert recorded.params == Ridge().get_params()


def test_metrics_are_recorded_for_both_parts(recorded: MemoryRun) -> None:
    names = {"example_count", "mean_absolute_error", "root_mean_squared_error", "r2_score"}
    assert {f"training_{name}" for name in names} <= set(recorded.metrics)
    assert {f"val_{name}" for name in names} <= set(recorded.metrics)
    assert recorded.metrics["training_example_count"] == 80


def test_both_tables_are_recorded_with_their_target(recorded: MemoryRun) -> None:
    told = [
        (given.name, given.context, given.target_col, len(given.frame)) for given in recorded.inputs
    ]
    assert told == [
        ("training_data", "training", "y", 80),
        ("validation_data", "validation", "y", 20),
    ]


def test_the_recipes_files_are_kept_with_the_run(recorded: MemoryRun) -> None:
    assert recorded.artifacts["recipe_snapshot/recipe.yaml"] == "recipe: x"
    assert recorded.artifacts["recipe_snapshot/steps/train.py"] == "..."


@pytest.mark.parametrize("part", ["train/model", "train/estimator", "transform/transformer"])
def test_the_model_and_its_parts_lie_where_mlflow_recipes_put_them(
    recorded: MemoryRun, part: str
) -> None:
    assert f"{part}/MLmodel" in recorded.artifacts


def test_without_a_transformer_there_is_no_part_of_it(
    train: Callable[..., StepResult], tracker: MemoryTracker
) -> None:
    train(REGRESSION, LinearRegression)
    names = tracker.runs["run-1"].artifacts
    assert not [name for name in names if name.startswith("transform/")]


@pytest.mark.parametrize("output", ["default", "pandas"])
def test_the_estimator_is_fitted_on_what_it_will_be_given_later(
    train: Callable[..., StepResult], output: str
) -> None:
    """Fitted on a table and given arrays, or the other way round, scikit-learn warns."""
    transformer = StandardScaler().set_output(transform=output)
    path = train(REGRESSION, Ridge, transformer=transformer).outputs["model"]
    estimator = MlflowModels().load_pipeline(path)[-1]
    assert hasattr(estimator, "feature_names_in_") == (output == "pandas")


def test_parameters_are_handed_to_the_users_function_if_there_are_any(
    train: Callable[..., StepResult], tracker: MemoryTracker
) -> None:
    section = {"estimator_params": {"alpha": 2.5}}
    train(REGRESSION, lambda params: Ridge(**params), train=section)
    assert tracker.runs["run-1"].params["alpha"] == 2.5


def test_the_summary_names_the_estimator_and_the_primary_metric(
    train: Callable[..., StepResult],
) -> None:
    summary = train(REGRESSION, lambda: Ridge(alpha=100.0)).summary
    assert summary.startswith("Ridge, val_root_mean_squared_error ")
    assert summary.endswith("(n = 20)")


def test_an_object_that_is_no_estimator_is_refused(train: Callable[..., StepResult]) -> None:
    expected = "steps/train.py:estimator_fn gave StandardScaler, which has no method 'predict'"
    with pytest.raises(UserCodeError, match=expected):
        train(REGRESSION, StandardScaler)


def test_a_probability_needs_an_estimator_that_gives_some(
    train: Callable[..., StepResult],
) -> None:
    section = {"predict_output": "probability"}
    with pytest.raises(UserCodeError, match="LinearSVC has no predict_proba"):
        train(BINARY, LinearSVC, train=section, **CLASSIFIER)


def test_the_model_knows_neither_target_nor_identifiers(
    train: Callable[..., StepResult],
) -> None:
    import mlflow.models

    path = train(REGRESSION, LinearRegression).outputs["model"]
    assert mlflow.models.Model.load(str(path)).signature.inputs.input_names() == ["x"]


def test_the_card_shows_the_rows_on_which_the_model_is_most_wrong(
    train: Callable[..., StepResult],
) -> None:
    spoilt = REGRESSION.assign(y=REGRESSION["y"].where(REGRESSION["id"] != 17, 1000.0))
    sections = {s.title: s.blocks[0] for s in train(spoilt, LinearRegression).sections}
    worst = sections["Worst Predictions"]
    assert isinstance(worst, Table)
    assert worst.columns == ("target", "prediction", "id", "x")
    assert worst.rows[0][2] == 17


def test_a_lopsided_part_is_thinned_out_and_the_card_says_so(
    train: Callable[..., StepResult],
) -> None:
    x = np.tile(np.arange(10.0), 800)
    frame = pd.DataFrame({"id": range(8000), "x": x, "y": np.where(x > 8, "yes", "no")})
    sections = {
        s.title: s.blocks[0] for s in train(frame, LogisticRegression, **CLASSIFIER).sections
    }
    sentence = sections["Balancing"]
    assert isinstance(sentence, Text)
    assert sentence.text.startswith("Of 6,400 training rows 2,133 are used: all 640 of class yes")
