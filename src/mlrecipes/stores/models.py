"""Models in MLflow's format: one folder, loadable as python_function and as sklearn.

::

    MLmodel, requirements.txt, …      flavors, signature, environment
    scoring_model.py                  what python_function runs, a copy of our own file
    artifacts/sk_model/model.pkl      the pipeline, as MLflow Recipes kept it
    artifacts/sk_model/columns.pkl    the raw columns it was fitted on: names and types
    artifacts/sk_model/canary.*       the rows of the input example, and what was said of them
    code/steps/                       the user's code, found by MLflow when it loads
"""

from __future__ import annotations

import importlib.metadata
import json
import logging
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from mlrecipes.checks.training_profile import PROFILE_FILE
from mlrecipes.errors import StoreError, UserCodeError, shorten
from mlrecipes.feature_records import Lookup
from mlrecipes.features.lookups import lookups_from_json, lookups_json
from mlrecipes.ports import ModelDescription
from mlrecipes.stores.canary import write_canary
from mlrecipes.stores.mlflow_client import without_progress_bars
from mlrecipes.stores.model_signature import ARTIFACT, as_request, signature_of

if TYPE_CHECKING:
    from mlflow.models import Model

__all__ = ["MlflowModels", "load_pyfunc", "model_lookups", "model_profile", "model_requirements"]

SCRIPT = Path(__file__).with_name("scoring_model.py")
SK_MODEL = "artifacts/sk_model"
LOOKUPS = "mlrecipes.feature_lookups"
"""Where the metadata of a model say how its columns are looked up."""
ALWAYS_REQUIRED = ("mlflow", "pandas", "numpy", "scikit-learn", "cloudpickle")
MAX_EXAMPLES = 5
OF_ANOTHER_PROJECT = ("uv.lock", "pyproject.toml", ".python-version")
"""MLflow copies these from the working directory, though the requirements are given."""
NOISY = ("mlflow.pyfunc", "mlflow.sklearn", "mlflow.utils.environment", "mlflow.utils.uv_utils")
"""They tell of pickles, a missing pip and what is copied: all decided here."""


class MlflowModels:
    """A :class:`~mlrecipes.ports.ModelPackager` that writes MLflow model folders."""

    def save(self, pipeline: Any, description: ModelDescription, examples: Any, path: Path) -> None:
        """Write a fitted pipeline with signature, input example, requirements and code.

        Args:
            pipeline: Fitted scikit-learn pipeline that takes raw feature columns.
            description: What else belongs to the model.
            examples: Some raw rows of features; at most five are kept as input example.
            path: A folder that does not exist yet.

        Raises:
            StoreError: The pipeline cannot be pickled, or not be read back.
            UserCodeError: Probabilities are asked for and the estimator gives none.
        """
        import mlflow.pyfunc
        from mlflow.models import Model

        if description.predict_output == "probability" and not hasattr(pipeline, "predict_proba"):
            raise UserCodeError(
                f"{_named(pipeline)} has no predict_proba, which predict_output: probability needs."
            )
        rows = examples.head(MAX_EXAMPLES)
        lookups = {LOOKUPS: lookups_json(description.lookups)} if description.lookups else None
        model = Model(metadata=lookups)
        with TemporaryDirectory() as temporary:
            parts = Path(temporary) / "sk_model"
            parts.mkdir()
            _pickle(pipeline, parts / "model.pkl", _named(pipeline))
            _pickle(rows.head(0), parts / "columns.pkl", "The table of features")
            signature = signature_of(parts, _settings(description), rows)
            with _without_noise():
                mlflow.pyfunc.save_model(
                    path=str(path),
                    mlflow_model=model,
                    python_model=str(SCRIPT),
                    artifacts={ARTIFACT: str(parts)},
                    model_config=_settings(description),
                    code_paths=[str(code) for code in description.code_paths] or None,
                    pip_requirements=list(description.requirements),
                    signature=signature,
                    input_example=as_request(rows),
                )
        write_canary(path / SK_MODEL, pipeline, _settings(description), rows)
        _complete(model, path)
        if description.training_profile is not None:
            text = json.dumps(description.training_profile, indent=1, allow_nan=False)
            (path / PROFILE_FILE).write_text(text, encoding="utf-8")

    def save_part(self, fitted: Any, description: ModelDescription, path: Path) -> None:
        """Write a fitted transformer or estimator alone, as a plain sklearn model folder.

        What has no ``predict`` has no python_function flavor, as with MLflow Recipes.

        Raises:
            MlflowException: The folder exists and is not empty.
        """
        import mlflow.sklearn

        with _without_noise():
            mlflow.sklearn.save_model(
                fitted,
                path=str(path),
                serialization_format=mlflow.sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
                pip_requirements=list(description.requirements),
                code_paths=[str(code) for code in description.code_paths] or None,
            )
        _make_packages(path / "code")

    def load_pipeline(self, path: Path) -> Any:
        """Load the scikit-learn pipeline of a folder; ``steps`` must be importable.

        Raises:
            StoreError: The pipeline cannot be read; its code may have changed since.
        """
        import cloudpickle

        file = path / SK_MODEL / "model.pkl"
        try:
            return cloudpickle.loads(file.read_bytes())
        except Exception as error:
            raise StoreError(
                f"{file} cannot be read: {type(error).__name__}: {shorten(error, limit=160)}",
                hint="Train the model again: mlrecipes run --from train",
            ) from error


def load_pyfunc(path: Path) -> Any:
    """Load a model folder as MLflow's PyFuncModel, with the code that lies in it.

    Modules of the same names that were imported before are what they were afterwards.

    Raises:
        MlflowException: The folder holds no model.
    """
    import mlflow.pyfunc

    with _own_code(path / "code"):
        return mlflow.pyfunc.load_model(str(path))


def model_lookups(path: Path) -> tuple[Lookup, ...]:
    """How the columns of a model folder's model are looked up in feature tables.

    Raises:
        MlflowException: The folder holds no model.
    """
    from mlflow.models import Model

    metadata = Model.load(str(path)).metadata or {}
    return lookups_from_json(metadata.get(LOOKUPS, ()))


def model_profile(path: Path) -> dict[str, Any] | None:
    """What a model folder's model was trained on; None if it does not say.

    Raises:
        StoreError: The file cannot be read.
    """
    file = path / PROFILE_FILE
    if not file.is_file():
        return None
    try:
        profile: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StoreError(f"{file} cannot be read: {shorten(error, limit=160)}") from error
    return profile


def model_requirements(modules: Iterable[str]) -> tuple[str, ...]:
    """Exact versions of what a model needs.

    Args:
        modules: Top-level names that the recipe's code imports; left out are names that
            belong to no installed distribution, and what was installed from a folder.

    Returns:
        Sorted pins, such as ``("lightgbm==4.7.0", ...)``.
    """
    distributions = importlib.metadata.packages_distributions()
    names = set(ALWAYS_REQUIRED)
    for module in modules:
        names.update(distributions.get(module.partition(".")[0], []))
    pins = {}
    for name in names:
        distribution = importlib.metadata.distribution(name)
        if not _is_from_a_folder(distribution):
            # What follows a plus sign, as in 2.9.0+cu128, is known to no package index.
            version = distribution.version.partition("+")[0]
            pins[name.lower().replace("_", "-")] = version
    return tuple(f"{name}=={version}" for name, version in sorted(pins.items()))


def _is_from_a_folder(distribution: importlib.metadata.Distribution) -> bool:
    origin = distribution.read_text("direct_url.json")
    return origin is not None and "dir_info" in json.loads(origin)


# ---- what is written ---------------------------------------------------------------------------


def _pickle(value: Any, path: Path, name: str) -> None:
    import cloudpickle

    try:
        path.write_bytes(cloudpickle.dumps(value))
    except Exception as error:
        raise StoreError(
            f"{name} cannot be pickled: {type(error).__name__}: {shorten(error, limit=160)}",
            hint="Keep open files, connections, locks and generators out of what is fitted.",
        ) from error


def _named(pipeline: Any) -> str:
    steps = getattr(pipeline, "steps", None)
    return f"The estimator {type(steps[-1][1] if steps else pipeline).__name__}"


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
    plain = value.item() if hasattr(value, "item") else value
    return plain if plain is None or isinstance(plain, str | int | float) else str(value)


def _complete(model: Model, path: Path) -> None:
    """Add the sklearn flavor that MLflow Recipes had, and leave out what is of this machine."""
    import sklearn

    for name in OF_ANOTHER_PROJECT:
        (path / name).unlink(missing_ok=True)
    _make_packages(path / "code")
    code = "code" if (path / "code").is_dir() else None
    model.add_flavor(
        "sklearn",
        pickled_model=f"{SK_MODEL}/model.pkl",
        sklearn_version=sklearn.__version__,
        serialization_format="cloudpickle",
        code=code,
    )
    flavor = model.flavors["python_function"]
    flavor["model_code_path"] = SCRIPT.name
    flavor["artifacts"][ARTIFACT]["uri"] = SK_MODEL
    model.save(str(path / "MLmodel"))


def _make_packages(code: Path) -> None:
    """A folder without ``__init__.py`` would yield to any package of its name on sys.path."""
    for folder in code.glob("*/"):
        (folder / "__init__.py").touch()


# ---- surroundings --------------------------------------------------------------------------------


@contextmanager
def _without_noise() -> Iterator[None]:
    """Keep MLflow's remarks on what is decided here from the user, and nothing else."""

    def refuse(_record: logging.LogRecord) -> bool:
        return False

    loggers = [logging.getLogger(name) for name in NOISY]
    for logger in loggers:
        logger.addFilter(refuse)
    try:
        with warnings.catch_warnings(), without_progress_bars():
            # MLflow compares columns with a range, which pandas deprecates.
            warnings.filterwarnings("ignore", message="Operation with range is deprecated")
            yield
    finally:
        for logger in loggers:
            logger.removeFilter(refuse)


@contextmanager
def _own_code(code: Path) -> Iterator[None]:
    """Let a model import its own copy of ``steps``, also if another one is imported already.

    MLflow puts a model's code first on ``sys.path`` and leaves it there; it is moved to the
    end, so that what the model imports later is found and the user's own code comes first.
    """
    names = {entry.stem for entry in code.iterdir()} if code.is_dir() else set()
    path = list(sys.path)
    shadowed = _take_modules(names)
    try:
        yield
    finally:
        if shadowed:
            _take_modules(names)
            sys.modules.update(shadowed)
        sys.path[:] = path + [entry for entry in sys.path if entry not in path]


def _take_modules(names: set[str]) -> dict[str, Any]:
    found = [module for module in sys.modules if module.partition(".")[0] in names]
    return {module: sys.modules.pop(module) for module in found}
