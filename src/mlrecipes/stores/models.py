"""Models in MLflow's format: one folder, loadable as python_function and as sklearn."""

from __future__ import annotations

import importlib.metadata
import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlrecipes.ports import ModelDescription

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

__all__ = ["MlflowModels", "load_pyfunc", "model_requirements"]

SCRIPT = Path(__file__).with_name("scoring_model.py")
PIPELINE = "model_path"
PICKLE = "artifacts/sk_model/model.pkl"
ALWAYS_REQUIRED = ("mlflow", "pandas", "numpy", "scikit-learn", "cloudpickle")
MAX_EXAMPLES = 5


class MlflowModels:
    """A :class:`~mlrecipes.ports.ModelPackager` that writes MLflow model folders."""

    def save(self, pipeline: Any, description: ModelDescription, examples: Any, path: Path) -> None:
        """Write a fitted pipeline with signature, input example, requirements and code.

        Args:
            pipeline: Fitted scikit-learn pipeline that takes raw feature columns.
            description: What else belongs to the model.
            examples: Some raw rows of features; at most five are kept as input example.
            path: A folder that does not exist yet.
        """
        import cloudpickle
        import mlflow.pyfunc
        from mlflow.models import Model

        rows = examples.head(MAX_EXAMPLES)
        model = Model()
        with TemporaryDirectory() as temporary, _without_noise():
            pickled = Path(temporary) / "sk_model"
            pickled.mkdir()
            (pickled / "model.pkl").write_bytes(cloudpickle.dumps(pipeline))
            mlflow.pyfunc.save_model(
                path=str(path),
                mlflow_model=model,
                python_model=str(SCRIPT),
                artifacts={PIPELINE: str(pickled)},
                model_config=_settings(description),
                code_paths=[str(code) for code in description.code_paths] or None,
                pip_requirements=list(description.requirements),
                signature=_signature(pipeline, description, rows),
                input_example=rows,
            )
        _add_sklearn_flavor(model, path)

    def save_part(self, fitted: Any, description: ModelDescription, path: Path) -> None:
        """Write a fitted transformer or estimator alone, as a plain sklearn model folder."""
        import mlflow.sklearn

        with _without_noise():
            mlflow.sklearn.save_model(
                fitted,
                path=str(path),
                serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
                pip_requirements=list(description.requirements),
                code_paths=[str(code) for code in description.code_paths] or None,
                pyfunc_predict_fn="predict" if hasattr(fitted, "predict") else "transform",
            )

    def load_pipeline(self, path: Path) -> Any:
        """Load the scikit-learn pipeline of a folder; ``steps`` must be importable."""
        import cloudpickle

        return cloudpickle.loads((path / PICKLE).read_bytes())


def load_pyfunc(path: Path) -> Any:
    """Load a model folder as MLflow's PyFuncModel."""
    import mlflow.pyfunc

    with _without_noise():
        return mlflow.pyfunc.load_model(str(path))


def model_requirements(modules: Iterable[str]) -> tuple[str, ...]:
    """Exact versions of what a model needs.

    Args:
        modules: Top-level names that the recipe's code imports; names that belong to no
            installed distribution are left out.

    Returns:
        Sorted pins, such as ``("lightgbm==4.7.0", ...)``.
    """
    distributions = importlib.metadata.packages_distributions()
    names = set(ALWAYS_REQUIRED)
    for module in modules:
        names.update(distributions.get(module, [])[:1])
    pins = {name.lower(): importlib.metadata.version(name) for name in names}
    return tuple(f"{name}=={version}" for name, version in sorted(pins.items()))


def _settings(description: ModelDescription) -> dict[str, Any]:
    """What the scoring script reads; plain values, because they are kept as YAML."""
    return {
        "task": description.task,
        "predict_output": description.predict_output,
        "predict_prefix": description.predict_prefix,
        "all_class_scores": description.all_class_scores,
        "classes": [_plain(label) for label in description.classes],
        "positive_class": _plain(description.positive_class),
    }


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _signature(pipeline: Any, description: ModelDescription, rows: Any) -> ModelSignature:
    from mlflow.models import infer_signature
    from mlflow.types import ColSpec, Schema

    output = _answer(pipeline, description, rows)
    signature = infer_signature(rows, output)
    # MLflow takes a column with a gap in the examples for one that may be left out.
    signature.inputs = Schema([ColSpec(column.type, column.name) for column in signature.inputs])
    return signature


def _answer(pipeline: Any, description: ModelDescription, rows: Any) -> Any:
    """What the scoring script will answer for these rows."""
    from mlrecipes.stores import scoring_model

    model = scoring_model.RecipeModel()
    model._pipeline, model._settings = pipeline, _settings(description)
    return model.predict(None, rows.copy())


def _add_sklearn_flavor(model: Any, path: Path) -> None:
    """Let ``mlflow.sklearn.load_model`` find the pipeline, as with MLflow Recipes."""
    import sklearn

    model.add_flavor(
        "sklearn",
        pickled_model=PICKLE,
        sklearn_version=sklearn.__version__,
        serialization_format="cloudpickle",
        code="code" if (path / "code").is_dir() else None,
    )
    model.save(str(path / "MLmodel"))


@contextmanager
def _without_noise() -> Iterator[None]:
    """MLflow warns about pickles, a missing pip and other things that are decided here."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
