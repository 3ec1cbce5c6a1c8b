"""The settings of batch scoring: with which model, and where predictions go."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mlrecipes.config.base import Model, Section, Whole

__all__ = ["Output", "Predict"]


class Output(Model):
    """Where predictions go."""

    using: Literal["parquet", "delta", "table"]
    location: str


class Predict(Section):
    """Batch scoring; ``output`` may also be given without nesting, as in MLflow Recipes.

    Attributes:
        model_uri: Which model scores; the champion if not given, or the newest registered
            model of a recipe without ``steps.promote``.
        result_type: Of MLflow Recipes, and without effect: columns have the model's own types.
        columns: Extension: ``all`` columns of the rows go with the predictions, as in MLflow
            Recipes, or only the ``keys``: ``id_cols`` and what features are looked up by.
        reason_codes: Extension: how many reasons each row gets.
        engine: Extension: ``local``, or ``spark`` for MLflow's ``spark_udf``.
        extra_columns: Extension: what to do about columns that the model does not know.
        batch_id: Extension: names the rows; a digest of them if not given.
    """

    output: Output
    model_uri: str | None = None
    result_type: str = "double"
    save_mode: Literal["overwrite", "append", "ignore", "default", "error", "errorifexists"] = (
        "overwrite"
    )
    skip_data_profiling: bool = False
    columns: Literal["all", "keys"] = "all"
    reason_codes: Annotated[Whole, Field(ge=0, le=20)] = 0
    engine: Literal["local", "spark"] = "local"
    extra_columns: Literal["ignore", "warn", "stop"] = "warn"
    batch_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "output" in data or "using" not in data:
            return data
        rest = {key: value for key, value in data.items() if key not in {"using", "location"}}
        return rest | {"output": {k: data[k] for k in ("using", "location") if k in data}}
