"""The settings of batch scoring: with which model, and where predictions go."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from mlrecipes.config.base import Model, Section

__all__ = ["Output", "Predict"]


class Output(Model):
    """Where predictions go."""

    using: Literal["parquet", "delta", "table"]
    location: str


class Predict(Section):
    """Batch scoring; ``output`` may also be given without nesting, as in MLflow Recipes."""

    output: Output
    model_uri: str | None = None
    result_type: str = "double"
    save_mode: Literal["overwrite", "append", "ignore", "default", "error", "errorifexists"] = (
        "overwrite"
    )
    skip_data_profiling: bool = False

    @model_validator(mode="before")
    @classmethod
    def _nested(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "output" in data or "using" not in data:
            return data
        rest = {key: value for key, value in data.items() if key not in {"using", "location"}}
        return rest | {"output": {k: data[k] for k in ("using", "location") if k in data}}
