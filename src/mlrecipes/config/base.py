"""What all configuration models share: frozen, no unknown keys, lists become tuples."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

__all__ = ["Model", "Names", "Number", "Section", "Whole"]


class Model(BaseModel):
    """A part of the configuration."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True
    )


class Section(Model):
    """A part whose values may all be absent: a null value counts as absent."""

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _no_boolean(value: Any) -> Any:
    """``seed: yes`` is no 1: pydantic would take it for one."""
    if isinstance(value, bool):
        raise PydanticCustomError("number_type", "a number")
    return value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""Names of columns: a list, or one name."""

Whole = Annotated[int, BeforeValidator(_no_boolean)]
"""A whole number."""

Number = Annotated[float, BeforeValidator(_no_boolean), Field(allow_inf_nan=False)]
"""A finite number."""
