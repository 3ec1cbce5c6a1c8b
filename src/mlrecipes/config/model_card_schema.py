"""``model_card.yaml``: what no run can know of a model, in the words of those who answer for it.

The file is optional. If it is there, every part of it has something to say, or ``check`` fails:
a card that is filled in after the model was registered is never filled in.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from mlrecipes.config.base import Model
from mlrecipes.config.load import read_text_file
from mlrecipes.config.problems import field_problems, for_people
from mlrecipes.config.yaml_source import parse_yaml
from mlrecipes.errors import ConfigError, Problem, shorten

__all__ = ["MODEL_CARD", "ModelCardText", "load_model_card"]

MODEL_CARD = "model_card.yaml"
MAX_TEXT = 4_000
"""As much as a card shows of one text."""
PLACEHOLDER = re.compile(
    r"(TODO|TBD|TBA|FIXME|XXX)\b.*|(?i:todo|tbd|tba|fixme|xxx|placeholder|lorem ipsum.*)|<[^<>]*>"
    r"|[\W_]*",
    re.DOTALL,
)
"""What stands where somebody meant to write something later; words without a letter too."""


def _listed(value: Any) -> Any:
    if value is None or value == []:
        raise ValueError("is empty")
    return (value,) if isinstance(value, str) else value


def _said(paragraphs: tuple[str, ...]) -> tuple[str, ...]:
    for text in paragraphs:
        if not text.strip():
            raise ValueError("is empty")
        if len(text) > MAX_TEXT:
            raise ValueError(f"has {len(text):,} characters; write a list of shorter texts")
        if PLACEHOLDER.fullmatch(text.strip()):
            raise ValueError(f"is '{shorten(text.strip())}', which only keeps the place")
    return tuple(text.strip() for text in paragraphs)


Words = Annotated[tuple[str, ...], BeforeValidator(_listed), AfterValidator(_said)]
"""A text, or a list of texts."""


class ModelCardText(Model):
    """The free-text part of a model card; each part is a text or a list of texts.

    >>> ModelCardText.model_fields["owner"].description
    'Who answers for the model, and how to reach them.'
    """

    purpose: Annotated[Words, Field(description="What the model is for, in two sentences.")]
    owner: Annotated[Words, Field(description="Who answers for the model, and how to reach them.")]
    tier: Annotated[Words, Field(description="How much depends on the model, and why so much.")]
    intended_use: Annotated[Words, Field(description="Which decisions it is made for, by whom.")]
    out_of_scope_use: Annotated[Words, Field(description="What it must not be used for.")]
    population: Annotated[Words, Field(description="Whom it knows, and whom it has never seen.")]
    limits: Annotated[Words, Field(description="What is known to be wrong or weak.")]
    ethical_considerations: Annotated[
        Words, Field(description="Whom it may harm, and what is done about it.")
    ]
    monitoring_plan: Annotated[
        Words, Field(description="What is watched in use, how often, and who acts.")
    ]
    approvals: Annotated[
        Words, Field(description="Who reviewed and approved it, or that none did.")
    ]
    target_meaning: Annotated[
        Words | None, Field(description="What the target means in the world; optional.")
    ] = None


def load_model_card(root: Path) -> ModelCardText | None:
    """Read a recipe's ``model_card.yaml``; None if it has none.

    Raises:
        ConfigError: All that is missing, empty, unknown or only a placeholder, with its line.
    """
    if not (root / MODEL_CARD).is_file():
        return None
    document = parse_yaml(read_text_file(root / MODEL_CARD, MODEL_CARD), MODEL_CARD)
    if document.problems:
        raise ConfigError(for_people(document.problems))
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        what = "is no mapping of parts to texts."
        raise ConfigError([Problem(MODEL_CARD, 1, "", what, "Begin with purpose: and owner:.")])

    def find(key: str) -> tuple[str, int | None]:
        above = (key, re.sub(r"(\[\d+\])+$", "", key), key.partition(".")[0])
        places = (document.places.get(name) for name in above)
        return next((place for place in places if place is not None), (MODEL_CARD, None))

    try:
        return ModelCardText.model_validate(data)
    except ValidationError as error:
        found = field_problems(error, ModelCardText, find, whole="a model card")
        raise ConfigError(for_people(map(_with_hint, found))) from error


def _with_hint(problem: Problem) -> Problem:
    """A part that says nothing is told what it is for."""
    field = ModelCardText.model_fields.get(problem.key.partition("[")[0])
    if field is None or problem.hint:
        return problem
    return replace(problem, hint=f"Say: {field.description}")
