"""What is wrong with a configuration, said for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from mlrecipes.errors import Problem, did_you_mean, shorten

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

    from mlrecipes.config.schema import RecipeConfig

__all__ = ["field_problems", "rule_problems"]

Find = Callable[[str], tuple[str, int | None]]
SECRET = re.compile(r"password|token|secret|credential|api_?key", re.IGNORECASE)
EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "too_short": "a longer list",
    "too_long": "a shorter list",
    "mapping_type": "names with values",
    "dict_type": "names with values",
    "model_type": "names with values",
    "model_attributes_type": "names with values",
    "date_type": "a date",
    "date_parsing": "a date",
    "date_from_datetime_parsing": "a date such as 2006-01-31",
    "datetime_from_date_parsing": "a date such as 2006-01-31",
}


def field_problems(error: ValidationError, model: type[BaseModel], find: Find) -> Iterator[Problem]:
    """Turn what the schema found into problems with file, line and suggestion."""
    seen = set()
    for detail in error.errors(include_url=False):
        key = _key_path(detail["loc"])
        file, line = find(key)
        what, hint = _wording(detail, key, model)
        # A value that fits none of several allowed types is one problem, not one a type.
        if (key, line) not in seen:
            seen.add((key, line))
            yield Problem(file, line, key, what, hint)


def _wording(detail: ErrorDetails, key: str, model: type[BaseModel]) -> tuple[str, str]:
    kind = detail["type"]
    if kind == "extra_forbidden":
        parent, _, name = key.rpartition(".")
        known = _keys_at(model, detail["loc"][:-1])
        return f"is not a key of {parent or 'a recipe'}.", did_you_mean(name, known)
    if kind in {"missing", "value_error"}:
        what = "is missing" if kind == "missing" else str(detail["ctx"]["error"])
        return f"{what}.", ""
    seen = "a hidden value" if SECRET.search(key) else f"'{shorten(detail['input'])}'"
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", detail["msg"])
        return f"is {seen}.", did_you_mean(str(detail["input"]), allowed)
    if kind == "value_error":
        return f"{detail['ctx']['error']!s}.", ""
    expected = EXPECTED.get(kind)
    if expected is None:
        return f"is {seen}.", f"{detail['msg']}."
    return f"is {seen}, but {expected} is expected.", _yaml_hint(detail["input"], expected)


def _yaml_hint(value: Any, expected: str) -> str:
    """YAML 1.1 reads some words as something else than people mean."""
    if isinstance(value, bool) and expected == "text":
        return f"YAML reads yes, no, on and off as {str(value).lower()}: put the word in quotes."
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+e[-+]?\d+", value, re.IGNORECASE):
        return f"YAML reads {value} as text: write {float(value)!r}."
    if expected == "text" and not isinstance(value, dict | list | None):
        return "Put it in quotes."
    return ""


def _key_path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part in _UNION_BRANCHES or part.startswith(("tuple[", "constrained-", "function-")):
            continue
        else:
            path += f".{part}" if path else part
    return path


_UNION_BRANCHES = frozenset({"str", "bool", "int", "float", "date", "datetime"})


def _keys_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed at a place."""
    current: type[BaseModel] | None = model
    for part in location:
        if current is None or isinstance(part, int):
            continue
        field = next((f for n, f in current.model_fields.items() if part in {n, f.alias}), None)
        current = _model_in(field.annotation) if field is not None else None
    if current is None:
        return []
    return [field.alias or name for name, field in current.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


def rule_problems(config: RecipeConfig, find: Find) -> Iterator[Problem]:
    """Find what only the whole configuration can tell."""
    directions = config.metric_directions
    metrics = {
        f"steps.evaluate.validation_criteria[{i}].metric": criterion.metric
        for i, criterion in enumerate(config.steps.evaluate.validation_criteria)
    }
    if config.primary_metric is not None:
        metrics["primary_metric"] = config.primary_metric
    for key, name in metrics.items():
        if name not in directions:
            file, line = find(key)
            what = f"is '{shorten(name)}', which is no metric of this recipe."
            yield Problem(file, line, key, what, did_you_mean(name, directions))
    for key, what, hint in (*_contradictions(config), *_unsupported(config)):
        file, line = find(key)
        yield Problem(file, line, key, what, hint)


def _contradictions(config: RecipeConfig) -> Iterator[tuple[str, str, str]]:
    if config.recipe == "regression/v1" and config.positive_class is not None:
        yield "positive_class", "has no meaning in a regression.", "Remove it."
    if config.steps.train.predict_output == "probability" and not config.is_binary:
        what = "is 'probability', which a recipe without positive_class cannot give."
        yield "steps.train.predict_output", what, "Set positive_class, or use 'recipes'."
    if config.target_col in config.id_cols + config.ignore_cols:
        yield "target_col", "is among id_cols or ignore_cols too.", "Remove it there."
    if not config.steps.train.estimator_method and config.steps.train.using == "custom":
        yield "steps.train.estimator_method", "is missing.", "Name a function in steps/train.py."


def _unsupported(config: RecipeConfig) -> Iterator[tuple[str, str, str]]:
    """Parts of MLflow Recipes that this version reads but cannot run yet."""
    train, ingest = config.steps.train, config.steps.ingest
    if train.using == "automl/flaml":
        yield "steps.train.using", _NOT_YET.format("AutoML"), "Use an estimator_method."
    if train.tuning is not None and train.tuning.enabled:
        yield "steps.train.tuning.enabled", _NOT_YET.format("tuning"), "Set it to false."
    if train.calibrate_proba is not None:
        yield "steps.train.calibrate_proba", _NOT_YET.format("calibration"), "Remove it."
    if ingest.using in {"delta", "spark_sql"} and not ingest.loader_method:
        yield "steps.ingest.using", _NOT_YET.format(ingest.using), "Use parquet, csv or auto."


_NOT_YET = "asks for {}, which this version of mlrecipes cannot run."
