"""A card's facts for programs."""

from __future__ import annotations

import json
import math
from typing import Any

from mlrecipes.records import CardView, to_json

__all__ = ["card_json"]

VERSION = 1


def card_json(view: CardView) -> str:
    """Write a card as strict JSON; numbers that are not finite become null.

    >>> from mlrecipes.records import StepStatus
    >>> view = CardView("train@x", "train", "x", "local", StepStatus.SUCCEEDED, "done")
    >>> json.loads(card_json(view))["status"]
    'succeeded'
    """
    content = {"version": VERSION} | _finite(to_json(view))
    return f"{json.dumps(content, indent=1, allow_nan=False, default=str)}\n"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
